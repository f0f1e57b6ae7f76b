"""model_params: scikit-learn's own, strictly typed, with the defaults filled in."""

import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from kmeans_service import config
from kmeans_service.errors import InvalidParameter, TooLarge
from kmeans_service.recipes.params import CHECKS, check_against_data, parse_params
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.work import fit_work, further_search, search_work

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


def test_no_parameters_are_the_seeds_two_and_scikit_learns_own() -> None:
    signature = inspect.signature(KMeans.__init__).parameters
    own = {name: signature[name].default for name in CHECKS}
    assert parse_params({}).model_params == own | {"n_clusters": 2, "random_state": 0}


def test_every_parameter_has_a_check_and_a_default() -> None:
    assert CHECKS.keys() == Recipe().model_params.keys()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_clusters", 1),
        ("n_clusters", config.Limits.clusters),
        ("init", "random"),
        ("n_init", "auto"),
        ("n_init", config.Limits.n_init),
        ("max_iter", config.Limits.iterations),
        ("tol", 0),
        ("tol", 1e300),
        ("random_state", None),
        ("random_state", 2**32 - 1),
        ("algorithm", "elkan"),
        ("algorithm", "swap"),
    ],
)
def test_the_ends_of_each_range_are_taken(name: str, value: Any) -> None:
    assert parse_params({name: value}).model_params[name] == value


def test_given_centers_are_taken_as_numbers() -> None:
    init = parse_params({"n_clusters": 2, "init": [[1, 2.5], [-3, 1e100]]}).init
    assert init == ((1.0, 2.5), (-3.0, 1e100))
    assert all(isinstance(number, float) for row in init for number in row)


@given(st.dictionaries(st.sampled_from(list(CHECKS)) | st.text(max_size=9), ANYTHING, max_size=4))
def test_whatever_is_given_is_refused_by_name_or_fits_scikit_learns_constraints(
    params: dict[str, Any],
) -> None:
    field, checked = "model_params.", {}
    try:
        checked = parse_params(params).model_params
    except (InvalidParameter, TooLarge) as error:
        field = error.members["field"]
    assert field.startswith("model_params.")
    KMeans(**(checked | {"init": "random", "algorithm": "lloyd"}))._validate_params()


@given(ANYTHING.filter(lambda value: not isinstance(value, dict)))
def test_what_is_no_object_is_refused(value: Any) -> None:
    with pytest.raises(InvalidParameter, match=r"model_params is .*; allowed is an object"):
        parse_params(value)


def test_saying_a_default_and_leaving_it_out_are_the_same_fit() -> None:
    said = parse_params({"algorithm": "lloyd", "tol": 0.0001, "n_clusters": 2})
    assert said.canonical() == parse_params({}).canonical()
    assert parse_params({"tol": 1}).canonical() == parse_params({"tol": 1.0}).canonical()


def test_the_order_of_parameters_does_not_matter() -> None:
    one = parse_params({"n_clusters": 3, "max_iter": 5})
    other = parse_params({"max_iter": 5, "n_clusters": 3})
    assert one.canonical() == other.canonical()


def test_as_many_clusters_as_rows_are_the_most() -> None:
    check_against_data(parse_params({"n_clusters": 3}), 3, 2)
    with pytest.raises(InvalidParameter, match="n_clusters is 4; allowed is at most n_samples=3"):
        check_against_data(parse_params({"n_clusters": 4}), 3, 2)


def test_initial_centers_have_as_many_columns_as_the_file() -> None:
    recipe = parse_params({"init": [[1], [2]]})
    check_against_data(recipe, 9, 1)
    with pytest.raises(InvalidParameter, match=r"rows of 1 numbers; allowed is .*n_features=2"):
        check_against_data(recipe, 9, 2)


def test_restarts_count_in_the_work_as_scikit_learn_makes_them() -> None:
    def work(**params: Any) -> float:
        return parse_params({"n_clusters": 3, **params}).iteration_work(100, 2)

    assert work() == 100 * 2 * 3
    assert work(init="random") == 10 * 100 * 2 * 3
    assert work(init="random", n_init=4) == 4 * 100 * 2 * 3
    assert work(algorithm="swap", n_init=4) == 100 * 2 * 3


def test_what_a_search_takes_counts_in_the_work() -> None:
    def work(**params: Any) -> float:
        return fit_work(parse_params({"n_clusters": 3, "max_iter": 9, **params}), 100, 6)

    # 5e7 / 30, 88 looks at 100 rows, and 20 times two, all of eight centers and six numbers.
    search = int((5e7 / 30 + 88 * 800 + 20 * 2 * 800) * 6)
    assert work() == 9 * 100 * 6 * 3
    assert work(algorithm="swap") == 9 * 100 * 6 * 3 + search
    assert work(algorithm="swap", n_init=4) == 9 * 100 * 6 * 3 + 4 * search


def test_a_search_that_takes_too_much_is_refused_with_both_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = parse_params({"algorithm": "swap"})
    monkeypatch.setattr(config, "limits", lambda: config.Limits(work=5_000_000))
    with pytest.raises(
        InvalidParameter,
        match=r"n_clusters \* max_iter, and what n_init searches take, is \d,\d+,\d+; at most 5,0",
    ):
        check_against_data(recipe, 1000, 2)
    check_against_data(parse_params({}), 1000, 2)


def test_work_for_many_rows_is_that_of_a_sample() -> None:
    assert search_work(50_000, 2, 8) == search_work(400_000, 2, 8)
    assert search_work(500_000, 2, 8) == search_work(20_000, 2, 8) == search_work(10**7, 2, 8)
    assert search_work(20_000, 2, 9) == search_work(20_000, 2, 16)


def test_a_search_that_goes_on_from_a_fit_may_compute_a_tenth_of_its_distances() -> None:
    assert further_search(6, 2, 2) == 3e6
    assert further_search(10**6, 8, 18) == 10**6 * 8 * (4 + 18) / 10


def test_work_beyond_all_bounds_is_refused_with_both_numbers() -> None:
    recipe = parse_params({"n_clusters": 1000, "n_init": 100, "max_iter": 300})
    rows = config.Limits.work // (1000 * 100 * 300)
    check_against_data(recipe, rows, 1)
    with pytest.raises(
        InvalidParameter,
        match=r"n_init \* max_iter is 30,000,030,000,000; at most 30,000,000,000,000 is taken",
    ):
        check_against_data(recipe, rows + 1, 1)
