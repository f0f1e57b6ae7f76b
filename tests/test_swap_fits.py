"""algorithm: "swap" as it is asked for, and what fits of lloyd say that it would find."""

import io
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris

from harness.api import Client
from harness.data.csv_cases import csv_of
from harness.limits import with_worker_memory
from harness.system import work_off
from kmeans_service.arrays import Array
from kmeans_service.fitting import clustering, out_of_core
from kmeans_service.fitting.column_facts import warnings_of
from kmeans_service.models.predictor import Space
from kmeans_service.recipes.recipe import Recipe

OPTIMUM_OF_THREE = 78.851441426146
IRIS = load_iris().data


def job_of(client: Client, X: Array, **params: Any) -> dict[str, Any]:
    client.upload(csv_of(X))
    assert client.fit(0, params).status == 200
    job: dict[str, Any] = client.get("/kmeans/jobs/0").json()
    return job


def test_a_swap_fit_is_the_best_one_and_says_why_it_ended(client: Client) -> None:
    job = job_of(client, IRIS, n_clusters=3, algorithm="swap")
    assert job["model_params"]["algorithm"] == "swap"
    assert job["scores"]["inertia"] == pytest.approx(OPTIMUM_OF_THREE, rel=1e-12)
    assert job["scores"]["cluster_sizes"] == [62, 50, 38]
    assert job["scores"]["stopped_by"] == "patience"
    assert "warnings" not in job
    assert client.get("/kmeans/jobs/0/scores").json() == job["scores"]
    labels = client.get("/kmeans/jobs/0/labels")
    assert np.bincount(labels.labels()).tolist() == [62, 50, 38]
    assert client.predict(csv_of(IRIS)).body == labels.body


def test_the_same_request_has_the_same_answer(client: Client) -> None:
    params = {"n_clusters": 8, "algorithm": "swap", "random_state": 5}
    first = job_of(client, IRIS, **params)["scores"]
    centers = client.get("/kmeans/jobs/0/centers").body
    assert client.fit(0, {"n_clusters": 3}).status == 200
    assert client.fit(0, params).status == 200
    assert client.get("/kmeans/jobs/0/scores").json() == first
    assert client.get("/kmeans/jobs/0/centers").body == centers


def test_an_offset_changes_nothing() -> None:
    recipe = Recipe(n_clusters=5, algorithm="swap")
    near, far = clustering.fit(IRIS.copy(), recipe), clustering.fit(IRIS + 2.0**20, recipe)
    np.testing.assert_array_equal(near.labels, far.labels)
    assert near.gain == 0


def test_the_downloaded_model_is_one_that_scikit_learn_can_fit_again(client: Client) -> None:
    job_of(client, IRIS, n_clusters=3, algorithm="swap")
    model = joblib.load(io.BytesIO(client.get("/kmeans/jobs/0/model").body))
    assert model.get_params()["algorithm"] == "lloyd"
    assert model.predict(IRIS).tolist() == client.get("/kmeans/jobs/0/labels").labels()
    assert model.fit(IRIS).n_iter_ > 1


@pytest.mark.parametrize("init", ["random", [[1.0, 2, 3, 4], [5, 6, 7, 8]]])
def test_swap_takes_no_start(client: Client, init: Any) -> None:
    client.upload(csv_of(IRIS))
    refused = client.fit(0, {"algorithm": "swap", "init": init})
    assert refused.status == 422
    problem = refused.json()
    assert problem["field"] == "model_params.init"
    assert "its own starts" in problem["detail"]


def test_out_of_core_a_sample_is_searched_and_all_rows_are_numbered_by_size(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    r = np.random.default_rng(0)
    sizes = [3000, 500, 2000, 1000]
    X = np.concatenate([r.normal(place * 5, 1, (n, 2)) for place, n in enumerate(sizes)])
    with_worker_memory(monkeypatch, 1)
    client.upload(csv_of(X))
    assert client.fit(0, {"n_clusters": 4, "algorithm": "swap"}).status == 202
    work_off()
    scores = client.get("/kmeans/jobs/0").json()["scores"]
    assert (scores["method"], scores["stopped_by"]) == ("out_of_core", "work")
    assert scores["cluster_sizes"] == pytest.approx([3000, 2000, 1000, 500], abs=30)
    labels = client.get("/kmeans/jobs/0/labels")
    assert np.bincount(labels.labels()).tolist() == scores["cluster_sizes"]
    assert client.predict(csv_of(X)).body == labels.body


def test_out_of_core_iterations_that_are_cut_off_are_said() -> None:
    X = np.random.default_rng(0).uniform(size=(4000, 2))
    recipe = Recipe(n_clusters=7, algorithm="swap", max_iter=1)
    rows = out_of_core.RowFile(io.BytesIO(X.tobytes()), *X.shape, Space(np.zeros(2), 1.0))
    found = out_of_core.fit(rows, recipe, io.BytesIO(), lambda _progress: None)
    assert found.scores.stopped_by == "max_iter"


# --- what a fit of lloyd says of it ---------------------------------------------------


def poor_start() -> dict[str, Any]:
    """Parameters by which scikit-learn's one start misses the best clusters of iris by far."""
    best = KMeans(8, n_init=50, random_state=0).fit(IRIS).inertia_
    seeds = range(20)
    found = [KMeans(8, random_state=seed).fit(IRIS).inertia_ for seed in seeds]
    worst = int(np.argmax(found))
    assert found[worst] > 1.05 * best
    return {"n_clusters": 8, "random_state": worst}


def test_who_could_have_much_less_inertia_is_told_how_much_and_how(client: Client) -> None:
    params = poor_start()
    job = job_of(client, IRIS, **params)
    expected = KMeans(**params).fit(IRIS)
    assert client.get("/kmeans/jobs/0/labels").labels() == expected.labels_.tolist()
    assert job["scores"]["inertia"] == pytest.approx(expected.inertia_, rel=1e-12)
    [said] = job["warnings"]
    assert said == job["scores"]["warnings"][0]
    better = job_of(client, IRIS, **params, algorithm="swap")
    share = 1 - better["scores"]["inertia"] / expected.inertia_
    assert f"found clusters of {np.floor(share * 1000) / 10:.3g} % less inertia" in said
    assert '"algorithm": "swap"' in said
    assert "warnings" not in better


def test_who_has_the_best_clusters_is_told_nothing(client: Client) -> None:
    assert "warnings" not in job_of(client, IRIS, n_clusters=2)


@pytest.mark.parametrize("chosen", [{"n_init": 1}, {"init": "random"}])
def test_who_chose_a_start_or_more_of_them_is_told_nothing(
    client: Client, chosen: dict[str, Any]
) -> None:
    assert "warnings" not in job_of(client, IRIS, **poor_start(), **chosen)


@pytest.mark.parametrize(
    ("gain", "told"),
    [
        (0.001, None),
        (0.00101999, "0.101"),
        (0.05000001, "5"),
        (0.99999, "99.9"),
        (0.999999, "99.9"),
    ],
)
def test_a_gain_is_told_rounded_down_and_not_if_it_hardly_matters(
    gain: float, told: str | None
) -> None:
    fit = clustering.fit(IRIS.copy(), Recipe(n_init=1))
    space = fit.predictor.space
    said = warnings_of(fit.columns, space, Recipe(), fit.scores, fit.distinct, gain, None)
    assert len(said) == (told is not None)
    assert all(f"of {told} % less inertia" in sentence for sentence in said)
