"""The clusters of one fit in the space of another, worked out by hand."""

from typing import Any

import numpy as np
import pytest

from kmeans_service.errors import InvalidParameter
from kmeans_service.models.columns import Columns
from kmeans_service.models.numbers import first_numbers
from kmeans_service.models.placing import check_alike, placed
from kmeans_service.models.source import Source, source_from
from kmeans_service.recipes.levels import INDICATOR, Levels
from kmeans_service.recipes.preprocessing import DEFAULT, parse_preprocessing
from kmeans_service.recipes.transform import Transform

PLAIN = Columns(2, ("x", "y"))


def source(columns: Columns, centers: list[list[float]], transform: Any = None) -> Source:
    numbers = first_numbers(len(centers), "f")
    return Source(columns, transform, "none", np.array(centers), numbers, {0: "a"})


def transform(*is_level: bool, levels: tuple[Levels, ...] = (), **given: Any) -> Transform:
    """Numbers less 1, times 2."""
    width = is_level.count(False)
    fill, shift, scale = np.zeros(width), np.ones(width), np.full(width, 2.0)
    return Transform(np.array(is_level), fill, shift, scale, levels, **given)


def test_numbers_go_through_the_new_transform_in_the_new_order() -> None:
    found = placed(source(PLAIN, [[1, 5]]), Columns(2, ("y", "x")), transform(False, False))
    assert found.tolist() == [[8, 0]]


def test_without_a_transform_they_stay_as_they_are() -> None:
    found = placed(source(PLAIN, [[1, 5]]), Columns(3, ("y", "z", "x"), used=(2, 0)), None)
    assert found.tolist() == [[1, 5]]


def test_without_names_columns_are_compared_by_their_places() -> None:
    assert placed(source(PLAIN, [[1, 5]]), Columns(2), None).tolist() == [[1, 5]]


def test_levels_are_found_by_their_texts_and_others_are_other() -> None:
    before = Levels(("blue", "red", "white"), other=False, missing=True)
    after = Levels(("green", "red"), other=True, missing=False)
    old = transform(True, False, levels=(before,))
    centers = [[7, 0.5, 0.25, 0.125, 0.125]]
    found = placed(
        source(Columns(2, ("colour", "x"), categories=(0,), texts=(before.texts,)), centers, old),
        Columns(2, ("x", "colour"), categories=(1,), texts=(after.texts,)),
        transform(False, True, levels=(after,)),
    )
    # Green 0, red 0.25; blue, white and missing are other.
    assert found == pytest.approx(np.array([[12, 0, 0.25 * INDICATOR, 0.75 * INDICATOR]]))


def test_levels_that_the_new_fit_has_no_place_for_are_nowhere() -> None:
    before = Levels(("blue", "red"), other=True, missing=True)
    after = Levels(("red",), other=False, missing=True)
    old = transform(True, levels=(before,))
    found = placed(
        source(
            Columns(1, ("c",), categories=(0,), texts=(before.texts,)), [[0.1, 0.2, 0.3, 0.4]], old
        ),
        Columns(1, ("c",), categories=(0,), texts=(after.texts,)),
        transform(True, levels=(after,)),
    )
    assert found == pytest.approx(np.array([[0.2, 0.3]]) * INDICATOR)


def test_rows_of_length_1_have_centers_of_length_1_before_they_are_means() -> None:
    found = placed(source(PLAIN, [[2.5, 3]]), PLAIN, transform(False, False, normalize=True))
    assert found == pytest.approx(np.array([[0.6, 0.8]]))  # of 3 and 4


def test_centers_of_normalised_rows_are_compared_as_they_are() -> None:
    old = transform(False, False, normalize=True)
    new = transform(False, False, normalize=True)
    assert placed(source(PLAIN, [[0.3, 0.4]], old), PLAIN, new).tolist() == [[0.3, 0.4]]
    length = parse_preprocessing({"normalize": "l2"})
    check_alike(source(PLAIN, [[0.3, 0.4]], old), PLAIN, length)
    with pytest.raises(InvalidParameter, match="normalised"):
        check_alike(source(PLAIN, [[0.3, 0.4]], old), PLAIN, DEFAULT)
    scaled = parse_preprocessing({"normalize": "l2", "scaling": "standard"})
    with pytest.raises(InvalidParameter, match="the same scaling"):
        check_alike(source(PLAIN, [[0.3, 0.4]], old), PLAIN, scaled)


def test_a_column_that_was_a_number_and_is_a_category_is_refused() -> None:
    new = Columns(2, ("x", "y"), categories=(1,), texts=(("a",),))
    with pytest.raises(InvalidParameter, match="texts for numbers"):
        check_alike(source(PLAIN, [[1, 5]]), new, DEFAULT)


@pytest.mark.parametrize("columns", [Columns(3), Columns(2, ("x", "z")), Columns(2, used=(0,))])
def test_other_columns_are_refused(columns: Columns) -> None:
    with pytest.raises(InvalidParameter, match="align_to"):
        check_alike(source(PLAIN, [[1, 5]]), columns, DEFAULT)


def test_what_is_copied_is_read_back_to_the_bit() -> None:
    levels = (Levels(("a", "b"), other=True, missing=False),)
    columns = Columns(2, ("x", "y"), categories=(1,), texts=(("a", "b"),))
    old = source(columns, [[0.1, 1 / 3, 0.5, 0.5]], transform(False, True, levels=levels))
    again = source_from(old.as_json())
    assert again.as_json() == old.as_json()
    assert again.columns == old.columns
    assert again.names == {0: "a"}
