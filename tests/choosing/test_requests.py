"""n_clusters: "auto" or a range, as it is asked for, and what is answered of it."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

from harness.api import Client
from harness.data.csv_cases import csv_of
from harness.system import work_off
from kmeans_service.arrays import Array
from kmeans_service.recipes.params import parse_params
from kmeans_service.recipes.recipe import recipe_of
from kmeans_service.recipes.work import choice_work, fit_work

IRIS = load_iris().data
RANGE = {"min": 2, "max": 5}


def fitted(client: Client, X: Array, **params: Any) -> dict[str, Any]:
    client.upload(csv_of(X))
    answer = client.fit(0, params)
    assert answer.status == 200, answer.text
    job: dict[str, Any] = client.get("/kmeans/jobs/0").json()
    return job


def test_iris_by_itself_has_three_clusters_and_says_why(client: Client) -> None:
    job = fitted(client, IRIS, n_clusters="auto")
    assert job["model_params"]["n_clusters"] == "auto"
    assert job["model_params"]["algorithm"] == "swap"
    assert job["scores"]["n_clusters"] == len(job["scores"]["cluster_sizes"]) == 3
    assert job["links"]["choice"] == "/kmeans/jobs/0/choice"
    choice = client.get("/kmeans/jobs/0/choice")
    assert choice.status == 200
    found = choice.json()
    assert list(found) == ["n_clusters", "verdict", "evidence", "sample_size", "candidates"]
    assert (found["n_clusters"], found["verdict"], found["sample_size"]) == (3, "clear", 150)
    assert [each["n_clusters"] for each in found["candidates"]] == list(range(2, 11))
    best = found["candidates"][1]
    assert best["inertia"] == pytest.approx(job["scores"]["inertia"], rel=1e-9)
    for name in ("silhouette", "calinski_harabasz", "davies_bouldin"):
        assert best[name] == pytest.approx(job["scores"][name], rel=1e-9)
    again = {"If-None-Match": choice.headers["ETag"]}
    assert client.get("/kmeans/jobs/0/choice", **again).status == 304


def test_the_fit_is_that_of_the_number_which_was_chosen(client: Client) -> None:
    chosen = fitted(client, IRIS, n_clusters=RANGE)
    labels = client.get("/kmeans/jobs/0/labels").body
    given = fitted(client, IRIS, n_clusters=chosen["scores"]["n_clusters"], algorithm="swap")
    assert client.get("/kmeans/jobs/0/labels").body == labels
    assert given["scores"]["inertia"] == chosen["scores"]["inertia"]
    assert client.get("/kmeans/jobs/0/model").status == 200


def test_another_algorithm_may_be_named(client: Client) -> None:
    job = fitted(client, IRIS, n_clusters=RANGE, algorithm="lloyd")
    assert "stopped_by" not in job["scores"]
    assert job["scores"]["n_clusters"] == 3


def test_where_there_are_no_clusters_the_first_warning_says_so(client: Client) -> None:
    noise = np.random.default_rng(1).uniform(size=(300, 2))
    job = fitted(client, noise, n_clusters="auto")
    assert job["warnings"][0].startswith("There seem to be no clusters")
    assert client.get("/kmeans/jobs/0/choice").json()["verdict"] == "none"
    assert client.get("/kmeans/jobs/0/labels").status == 200


def test_of_weighted_rows_a_number_is_asked_for_and_it_is_said_how_to_find_one(
    client: Client,
) -> None:
    client.upload(b"x,w\n0,1\n1,1\n10,1\n11,5\n")
    asked = {"model_params": {"n_clusters": "auto"}, "preprocessing": {"weight_column": "w"}}
    refused = client.post_json("/kmeans/fit", {"job_id": 0, **asked})
    assert (refused.status, refused.json()["field"]) == (422, "model_params.n_clusters")
    assert "ask without it first, and GET …/choice proposes one" in refused.json()["detail"]


def test_of_too_few_rows_it_is_said_that_they_are_too_few(client: Client) -> None:
    pairs = np.array([[10.0 * (row // 2) + 0.1 * (row % 2)] for row in range(18)])
    job = fitted(client, pairs, n_clusters="auto")
    assert client.get("/kmeans/jobs/0/choice").json()["evidence"]["stability"] is None
    assert job["warnings"][0].startswith("18 rows are too few to tell whether the 9 clusters are")
    assert "not stable" not in str(job["warnings"])


def test_a_fit_with_a_number_has_no_choice_and_says_how_to_ask(client: Client) -> None:
    job = fitted(client, IRIS, n_clusters=3)
    assert "choice" not in job["links"]
    assert "n_clusters" not in job["scores"]
    answer = client.get("/kmeans/jobs/0/choice")
    assert answer.status == 404
    assert '{"n_clusters": "auto"}' in answer.json()["detail"]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"n_clusters": {"min": 1, "max": 5}}, "n_clusters.min"),
        ({"n_clusters": {"min": 4, "max": 3}}, "n_clusters.min"),
        ({"n_clusters": {"min": 2, "max": 151}}, "n_clusters.max"),
        ({"n_clusters": {"min": 2, "max": 1001}}, "n_clusters.max"),
        ({"n_clusters": {"min": 2}}, "n_clusters"),
        ({"n_clusters": {"min": 2, "max": 5, "step": 1}}, "n_clusters"),
        ({"n_clusters": "many"}, "n_clusters"),
        ({"n_clusters": "auto", "init": [[1, 2, 3, 4]], "algorithm": "lloyd"}, "init"),
    ],
)
def test_what_cannot_be_chosen_from_is_refused(
    client: Client, params: dict[str, Any], field: str
) -> None:
    client.upload(csv_of(IRIS))
    answer = client.fit(0, params)
    assert answer.status == 422
    assert answer.json()["field"] == f"model_params.{field}"


def test_fewer_than_three_distinct_rows_leave_nothing_to_choose(client: Client) -> None:
    client.upload(b"1,2\n1,2\n3,4\n3,4\n")
    answer = client.fit(0, {"n_clusters": "auto"})
    assert answer.status == 422
    assert "the file has 2 distinct rows" in answer.json()["detail"]


def test_few_distinct_rows_bound_the_choice(client: Client) -> None:
    fitted(client, np.array([[0.0], [1.0], [10.0], [11.0], [11.0]]), n_clusters="auto")
    found = client.get("/kmeans/jobs/0/choice").json()
    assert [each["n_clusters"] for each in found["candidates"]] == [2, 3]


def test_a_choice_that_takes_long_is_the_workers(client: Client) -> None:
    rows = np.random.default_rng(0).normal(size=(1500, 12))
    client.upload(csv_of(rows))
    assert client.fit(0, {"n_clusters": {"min": 2, "max": 18}}).status == 202
    work_off(600)
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"
    assert client.get("/kmeans/jobs/0/choice").json()["verdict"] == "none"


def test_a_recipe_is_read_back_as_it_was_asked_for() -> None:
    for asked in ("auto", RANGE):
        recipe = parse_params({"n_clusters": asked})
        assert recipe_of(recipe.as_json()) == recipe
        assert recipe.as_json()["n_clusters"] == asked
        assert recipe.of(3) == parse_params({"n_clusters": 3, "algorithm": "swap"})


def test_its_work_is_counted_with_that_of_the_fit() -> None:
    asked = parse_params({"n_clusters": RANGE})
    choice = choice_work(asked, 1000, 4)
    assert choice > 0
    assert choice_work(asked.of(5), 1000, 4) == 0
    assert fit_work(asked, 1000, 4) == fit_work(asked.of(5), 1000, 4) + choice
