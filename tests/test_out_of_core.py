"""Fits of data that is not held in memory: the same answer as scikit-learn's, from a file."""

import io
import tempfile
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans

from harness.api import Client
from harness.data.csv_cases import csv_of
from harness.held_fits import pickle_of
from harness.limits import with_worker_memory
from harness.system import work_off
from kmeans_service.errors import FitFailed
from kmeans_service.fitting import capacity, clustering, column_facts, out_of_core, passes
from kmeans_service.fitting.column_facts import Columns
from kmeans_service.models.predictor import Space
from kmeans_service.recipes.params import parse_params
from kmeans_service.tables.dataset import read_blocks


def blobs(n_samples: int, n_features: int, k: int, spread: float, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(k, n_features)) * spread
    return centers[rng.integers(0, k, n_samples)] + rng.normal(size=(n_samples, n_features))


def fitted(X: Any, **given: Any) -> tuple[clustering.Clustering, Any]:
    """The out-of-core fit and its labels."""
    recipe = parse_params(given)
    with tempfile.TemporaryFile() as rows_file, io.BytesIO() as labels_file:
        blocks = read_blocks(csv_of(X), block_bytes=1000)
        rows = out_of_core.spill(blocks, X.shape[1], rows_file)
        found = out_of_core.fit(rows, recipe, labels_file, lambda _progress: None)
        return found, np.loadtxt(labels_file.getvalue().decode().splitlines()).astype(int)


def test_six_points_fall_into_their_two_columns() -> None:
    X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]], dtype=float)
    found, labels = fitted(X, n_clusters=2)
    assert sorted(found.centers.tolist()) == [[1, 2], [10, 2]]
    assert found.scores.inertia == pytest.approx(16)
    assert len(set(labels[:3])) == len(set(labels[3:])) == 1


def test_spilling_finds_the_variance_that_scikit_learns_tolerance_goes_by() -> None:
    X = blobs(5000, 3, 4, 100.0, 1) + 1e6
    with tempfile.TemporaryFile() as file:
        rows = out_of_core.spill(read_blocks(csv_of(X), block_bytes=777), X.shape[1], file)
        assert np.array_equal(np.concatenate(list(rows.chunks())), rows.space.enter(X))
        found = column_facts.columns_of(rows.chunks(), 3)
    scale = rows.space.scale
    assert found.mean_variance / scale**2 == pytest.approx(np.var(X, axis=0).mean(), rel=1e-9)


@pytest.mark.thorough
@pytest.mark.parametrize("spread", [0.0, 0.7, 5.0])
@pytest.mark.parametrize(("n_features", "k"), [(2, 8), (10, 5), (30, 20)])
def test_the_inertia_is_within_a_hundredth_of_the_fit_in_memory(
    n_features: int, k: int, spread: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "SAMPLE_BYTES", 2000 * 8 * n_features)
    monkeypatch.setattr(out_of_core, "CHUNK_BYTES", 700 * 8 * n_features)
    X = blobs(20_000, n_features, k, spread, 7)
    found, labels = fitted(X, n_clusters=k)
    assert found.scores.inertia <= 1.01 * KMeans(k, random_state=0).fit(X).inertia_
    assert found.scores.cluster_sizes == tuple(np.bincount(labels, minlength=k).tolist())
    own = found.centers[labels]
    assert found.scores.inertia == pytest.approx(((X - own) ** 2).sum())


def test_given_centers_are_the_start_and_one_iteration_is_one() -> None:
    X = np.array([[0.0], [1.0], [9.0], [11.0]])
    found, _ = fitted(X, n_clusters=2, init=[[0], [2]], max_iter=1)
    assert found.centers.tolist() == [[0.5], [10.0]]
    assert found.scores.n_iter == 1


@pytest.mark.parametrize("tol", [0, 1e-4])
def test_a_fit_ends_when_its_centers_rest(tol: float) -> None:
    """Also where only centers that do not move at all are near enough."""
    X = blobs(2000, 2, 3, 20.0, 4)
    found, labels = fitted(X, n_clusters=3, tol=tol, max_iter=300)
    assert found.scores.n_iter < 30
    own = np.array([X[labels == cluster].mean(axis=0) for cluster in range(3)])
    assert np.allclose(found.centers, own, rtol=1e-9)


def test_a_center_that_nobody_is_near_moves_to_the_point_farthest_off() -> None:
    X = np.array([[0.0], [1.0], [50.0]])
    found, _ = fitted(X, n_clusters=2, init=[[0.5], [1000.0]], max_iter=5)
    assert sorted(found.centers.ravel().tolist()) == [0.5, 50.0]


def test_of_two_centers_that_nobody_is_near_one_moves_at_a_time() -> None:
    X = np.array([[0.0], [1.0], [50.0]])
    found, _ = fitted(X, n_clusters=3, init=[[0.5], [1000.0], [2000.0]], max_iter=1)
    assert sorted(found.centers.ravel().tolist()) == [17.0, 50.0, 2000.0]


def test_of_two_that_are_as_far_off_it_is_the_first_one_wherever_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(out_of_core, "CHUNK", 1)
    monkeypatch.setattr(out_of_core, "CHUNK_BYTES", 8)
    X = np.array([[-50.0], [0.0], [50.0]])
    found, labels = fitted(X, n_clusters=2, init=[[0], [1000]], max_iter=5)
    assert found.centers[labels].ravel().tolist() == [-50, 25, 25]


def test_how_far_columns_are_from_zero_is_told_in_their_own_deviations() -> None:
    space = Space(np.array([3.0, -2.0, -7.0]), 4.0)
    columns = Columns(np.array([0.5, -0.25, 0.0]), np.array([0.25, 0.0, 4.0]))
    assert columns.offsets(space).tolist() == [3.125 / 0.125, 0, 7 / 0.5]


def test_the_pickle_is_an_estimator_that_predicts_the_same_labels() -> None:
    import joblib

    X = blobs(3000, 4, 6, 2.0, 3)
    found, labels = fitted(X, n_clusters=6)
    estimator = joblib.load(io.BytesIO(pickle_of(found, parse_params({"n_clusters": 6}))))
    assert np.array_equal(estimator.predict(X), labels)
    assert estimator.get_params()["init"] == "k-means++"
    assert estimator.inertia_ == found.scores.inertia
    assert not hasattr(estimator, "labels_")


def test_data_larger_than_the_scratch_disk_is_refused_with_both_numbers() -> None:
    with pytest.raises(FitFailed, match="bytes of scratch space"):
        capacity.check_scratch(10**12, 10)


def test_a_fit_that_the_workers_memory_does_not_hold_is_computed_out_of_core_by_the_worker(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = blobs(4000, 3, 4, 3.0, 5)
    client.upload(csv_of(X))
    labels = np.array(client.fit(0, {"n_clusters": 4}).labels())
    assert client.get("/kmeans/jobs/0/scores").json()["method"] == "in_memory"
    with_worker_memory(monkeypatch, 256)
    assert client.fit(0, {"n_clusters": 4, "random_state": 1}).status == 202
    assert work_off() == 0
    scores = client.get("/kmeans/jobs/0/scores").json()
    assert scores["method"] == "out_of_core"
    means = np.array([X[labels == cluster].mean(axis=0) for cluster in range(4)])
    assert scores["inertia"] == pytest.approx(((X - means[labels]) ** 2).sum(), rel=0.01)
    predicted = client.predict(csv_of(X))
    assert predicted.body == client.get("/kmeans/jobs/0/labels").body
