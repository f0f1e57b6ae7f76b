"""Data far from zero, of any scale: fits and predictions are those near zero."""

import io
import math
import tempfile
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from harness.data.csv_cases import csv_of
from harness.held_fits import pickle_of
from kmeans_service.arrays import Array
from kmeans_service.fitting import clustering, out_of_core
from kmeans_service.fitting.clustering import Clustering
from kmeans_service.models import manifest, predictor
from kmeans_service.models.columns import Columns
from kmeans_service.models.manifest import Manifest
from kmeans_service.models.model import Model
from kmeans_service.recipes.params import parse_params
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.tables.dataset import read_blocks

OFFSETS = [0.0, 1e3, -1e6, 1e9, 1e12]
SCALES = [1e-200, 1e-150, 1e-30, 1e-9, 1.0, 1e30, 1e90]
type Fit = Callable[[Array, Recipe], tuple[Clustering, Array]]


def blobs() -> Array:
    """Three blobs of standard deviation 1 in steps of 1/256: exact also beside 1e12."""
    rng = np.random.default_rng(5)
    centers = np.array([[0.0, 0.0], [6.0, 1.0], [2.0, 7.0]])
    return np.round((centers[rng.integers(0, 3, 600)] + rng.normal(size=(600, 2))) * 256) / 256


def in_memory(X: Array, recipe: Recipe) -> tuple[Clustering, Array]:
    found = clustering.fit(X.copy(), recipe)
    return found, found.labels


def from_a_file(X: Array, recipe: Recipe) -> tuple[Clustering, Array]:
    with tempfile.TemporaryFile() as rows_file, io.BytesIO() as labels_file:
        rows = out_of_core.spill(read_blocks(csv_of(X), block_bytes=1000), X.shape[1], rows_file)
        found = out_of_core.fit(rows, recipe, labels_file, lambda _progress: None)
        labels = np.loadtxt(io.StringIO(labels_file.getvalue().decode()))
        return found, labels.astype(int)


@pytest.fixture(params=[in_memory, from_a_file])
def fit(request: pytest.FixtureRequest) -> Any:
    return request.param


def indices(found: Clustering) -> list[float | None]:
    return [
        getattr(found.scores, name)
        for name in ("calinski_harabasz", "davies_bouldin", "silhouette")
    ]


@pytest.mark.parametrize("given", [{}, {"init": "random"}, {"algorithm": "elkan"}, {"tol": 0}])
@pytest.mark.parametrize("offset", OFFSETS)
def test_data_far_from_zero_is_fitted_and_judged_as_it_is_near_zero(
    fit: Fit, offset: float, given: dict[str, Any]
) -> None:
    X, recipe = blobs(), parse_params({"n_clusters": 3} | given)
    near, near_labels = fit(X, recipe)
    far, labels = fit(X + offset, recipe)
    assert np.array_equal(labels, near_labels)
    assert far.scores.n_iter == near.scores.n_iter
    assert far.scores.inertia == pytest.approx(near.scores.inertia, rel=1e-9)
    assert indices(far) == pytest.approx(indices(near), rel=1e-9)
    assert np.abs(far.centers - offset - near.centers).max() <= 1e-15 * max(abs(offset), 10)


@pytest.mark.parametrize("offset", OFFSETS)
def test_data_far_from_zero_is_predicted_as_it_is_near_zero(fit: Fit, offset: float) -> None:
    X, recipe = blobs(), parse_params({"n_clusters": 3})
    near, labels = fit(X, recipe)
    far, _ = fit(X + offset, recipe)
    points = np.vstack([X, np.array([[1e4, -1e4], [3.0, 3.0]])])
    assert np.array_equal(far.predictor.predict(X + offset), labels)
    assert np.array_equal(far.predictor.predict(points + offset), near.predictor.predict(points))
    distances = near.predictor.distances(points)
    assert np.allclose(far.predictor.distances(points + offset), distances, rtol=1e-9, atol=1e-9)
    assert np.array_equal(distances.argmin(axis=1), near.predictor.predict(points))
    assert far.predictor.score(points + offset) == pytest.approx(
        near.predictor.score(points), rel=1e-9
    )
    assert far.predictor.score(X + offset) == pytest.approx(-far.scores.inertia, rel=1e-9)


@pytest.mark.parametrize("scale", SCALES)
def test_data_of_any_scale_is_fitted_judged_and_predicted_as_at_scale_one(
    fit: Fit, scale: float
) -> None:
    X, recipe = blobs(), parse_params({"n_clusters": 3})
    plain, labels = fit(X, recipe)
    found, scaled_labels = fit(X * scale, recipe)
    assert np.array_equal(scaled_labels, labels)
    assert np.array_equal(found.predictor.predict(X * scale), labels)
    assert found.scores.n_iter == plain.scores.n_iter
    assert indices(found) == pytest.approx(indices(plain), rel=1e-9)
    assert np.allclose(found.centers / scale, plain.centers, rtol=1e-12)
    inertia = Fraction(plain.scores.inertia) * Fraction(scale) ** 2
    assert found.scores.inertia == pytest.approx(float(inertia), rel=1e-9)
    assert found.predictor.score(X * scale) == pytest.approx(-float(inertia), rel=1e-9)
    distances = found.predictor.distances(X * scale)
    assert np.allclose(distances / scale, plain.predictor.distances(X), rtol=1e-9)


def test_points_as_far_off_as_numbers_go_are_predicted_and_measured_by_a_tiny_model() -> None:
    found, _ = in_memory(blobs() * 1e-200, parse_params({"n_clusters": 3}))
    far = np.array([[1e100, 0.0], [0.0, 0.0]])
    distances = found.predictor.distances(far)
    assert np.allclose(distances[0], 1e100)
    assert 0 < distances[1].min() < 1e-198
    assert np.isfinite(found.predictor.score(far))
    assert found.predictor.score(far) == pytest.approx(-1e200)


@pytest.mark.parametrize("offset", [1e3, 1e9, 1e12])
def test_one_column_far_from_zero_changes_nothing_about_the_others(fit: Fit, offset: float) -> None:
    X, recipe = blobs(), parse_params({"n_clusters": 3})
    _, labels = fit(X, recipe)
    far = X + np.array([offset, 0.0])
    found, far_labels = fit(far, recipe)
    assert np.array_equal(far_labels, labels)
    assert np.array_equal(found.predictor.predict(far), labels)
    stamped = np.column_stack([np.full(len(X), offset), X])
    found, stamped_labels = fit(stamped, recipe)
    assert np.array_equal(stamped_labels, labels)
    assert np.array_equal(found.predictor.predict(stamped), labels)


def test_centers_that_are_given_are_in_the_units_of_the_data(fit: Fit) -> None:
    X = blobs()
    init = np.array([[0.0, 0.0], [6.0, 1.0], [2.0, 7.0]])
    _, labels = fit(X, parse_params({"n_clusters": 3, "init": init.tolist()}))
    for offset, scale in ((1e12, 1.0), (0.0, 1e-200), (0.0, 1e90)):
        far = {"n_clusters": 3, "init": (init * scale + offset).tolist()}
        assert np.array_equal(fit(X * scale + offset, parse_params(far))[1], labels)


def test_identical_rows_anywhere_are_one_point(fit: Fit) -> None:
    for value in (0.0, 0.1, 1e-200, 1.7e12 + 0.1, 1e100):
        found, _ = fit(np.full((50, 2), value), parse_params({"n_clusters": 1}))
        assert found.scores.inertia == pytest.approx(0, abs=abs(value) ** 2 * 1e-28)
        assert found.centers.ravel() == pytest.approx([value, value], rel=1e-15)


def test_the_model_for_download_says_the_same(fit: Fit) -> None:
    X, recipe = blobs() * 3 + 7, parse_params({"n_clusters": 3})
    found, labels = fit(X, recipe)
    stored = joblib.load(io.BytesIO(pickle_of(found, recipe)))
    assert np.array_equal(stored.predict(X), labels)
    assert np.array_equal(stored.cluster_centers_, found.centers)
    assert stored.inertia_ == found.scores.inertia
    assert stored.transform(X) == pytest.approx(found.predictor.distances(X), rel=1e-7)


@pytest.mark.parametrize("seed", range(6))
def test_of_ordinary_data_indices_are_scikit_learns(fit: Fit, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(int(rng.integers(50, 900)), int(rng.integers(1, 8))))
    found, labels = fit(X, parse_params({"n_clusters": int(rng.integers(2, 9))}))
    expected = [
        index(X, labels)
        for index in (calinski_harabasz_score, davies_bouldin_score, silhouette_score)
    ]
    assert indices(found) == pytest.approx(expected, rel=1e-12)
    assert found.scores.sample_size == len(X)


def test_calinski_harabasz_and_davies_bouldin_are_of_all_rows_and_silhouette_of_a_sample(
    fit: Fit,
) -> None:
    X = np.vstack([blobs() + (0.001 * n) for n in range(50)])
    found, labels = fit(X, parse_params({"n_clusters": 3}))
    expected = [calinski_harabasz_score(X, labels), davies_bouldin_score(X, labels)]
    assert indices(found)[:2] == pytest.approx(expected, rel=1e-9)
    assert found.scores.silhouette == pytest.approx(
        silhouette_score(X[:600], labels[:600]), abs=0.03
    )
    assert found.scores.sample_size == 1000


@pytest.mark.thorough
def test_a_million_ordinary_labels_are_scikit_learns() -> None:
    rng = np.random.default_rng(2)
    centers = rng.normal(size=(8, 2)) * 4
    X = centers[rng.integers(0, 8, 1_000_000)] + rng.normal(size=(1_000_000, 2)) + 3
    expected = KMeans(8, random_state=0).fit(X)
    found, labels = in_memory(X, parse_params({"n_clusters": 8}))
    assert found.scores.n_iter == expected.n_iter_
    assert np.array_equal(labels, expected.labels_)
    assert np.array_equal(found.predictor.predict(X), expected.predict(X))


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("inline", [0, 2_000])
def test_what_is_stored_is_what_predicts(inline: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "INLINE_NUMBERS", inline)
    found, _ = in_memory(blobs() + 1e12, parse_params({"n_clusters": 3}))
    prefix = "models/tester/0/fit/1/"
    model = Model(Columns(2), found.predictor)
    stored, _ = manifest.store(Manifest("fit", Recipe(), model, found.scores, {}), prefix)
    read = manifest.load(stored).model.predictor
    assert np.array_equal(read.space.shift, found.predictor.space.shift)
    assert read.space.scale == found.predictor.space.scale
    assert np.array_equal(read.centers, found.predictor.centers)
    assert math.frexp(read.space.scale)[0] == 0.5, "a power of two"


def test_centers_alone_predict_by_their_mean() -> None:
    """Of a model that an older version stored."""
    centers = np.array([[0.0, 0.0], [6.0, 1.0], [2.0, 7.0]]) + 1e12
    read = predictor.from_centers(centers)
    assert read.predict(centers).tolist() == [0, 1, 2]
    assert read.distances(centers)[0].tolist() == [0, math.sqrt(37), math.sqrt(53)]
