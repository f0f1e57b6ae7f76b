"""Predictions from the plain centers are those of scikit-learn's KMeans, exactly."""

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from harness.api import Client
from harness.data.csv_cases import csv_of
from harness.presigned import follow, predict
from harness.presigned import labels as predicted_labels
from harness.system import deliver
from kmeans_service.models.nearest import CHUNK, distances, nearest, score
from kmeans_service.models.predictor import Predictor, Space


def fitted(X: Any, n_clusters: int, seed: int = 0) -> KMeans:
    return KMeans(n_clusters, n_init=1, max_iter=5, random_state=seed).fit(X)


def test_a_case_by_hand() -> None:
    centers = np.array([[0.0, 0.0], [10.0, 0.0]])
    points = np.array([[1.0, 0.0], [9.0, 1.0], [5.0, 3.0]])
    assert nearest(points, centers).tolist() == [0, 1, 0]  # the last is tied: the lower index
    assert distances(points, centers)[0].tolist() == [1.0, 9.0]
    assert score(points, centers) == -(1 + 2 + 34)


@pytest.mark.parametrize("seed", range(60))
def test_random_data_of_any_shape_and_scale(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_samples, n_features = int(rng.integers(20, 1500)), int(rng.integers(1, 40))
    spread = 10.0 ** rng.integers(-8, 9)
    offset = spread * 10.0 ** rng.uniform(-2, 5) * rng.choice([-1, 0, 1])
    X = rng.normal(offset, spread, (n_samples, n_features))
    estimator = fitted(X, int(rng.integers(1, min(n_samples, 60))), seed)
    points = rng.normal(offset, 2 * spread, (3 * CHUNK + 7, n_features))
    centers = estimator.cluster_centers_
    for rows in (X, points, points[:1], points[:CHUNK]):
        assert np.array_equal(nearest(rows, centers), estimator.predict(rows))
    own = distances(points, centers)
    assert np.allclose(own, cdist(points, centers), rtol=1e-12, atol=0)
    # scikit-learn's expanded form loses digits in proportion to the points' own length.
    squared_length = np.square(points).sum(axis=1).max()
    theirs = estimator.transform(points)
    assert np.allclose(own**2, theirs**2, rtol=1e-9, atol=1e-14 * squared_length)
    assert score(points, centers) == pytest.approx(estimator.score(points), rel=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_duplicates_and_ties(seed: int) -> None:
    """Points of small integers and centers halfway between them tie all the time."""
    rng = np.random.default_rng(seed)
    n_features = int(rng.integers(1, 5))
    X = rng.integers(-3, 4, (600, n_features)).astype(np.float64)
    distinct = np.unique(X, axis=0)
    estimator = fitted(X, int(rng.integers(1, min(len(distinct), 12) + 1)), seed)
    centers = np.round(estimator.cluster_centers_ * 2) / 2
    estimator.cluster_centers_ = centers
    grid = rng.integers(-6, 7, (2000, n_features)) / 2.0
    assert np.array_equal(nearest(grid, centers), estimator.predict(grid))


@pytest.mark.parametrize("n_clusters", [1, 2, 255, 256, 257])
def test_equal_centers_give_the_lowest_index(n_clusters: int) -> None:
    centers = np.ones((n_clusters, 3))
    assert not nearest(np.random.default_rng(0).normal(size=(1000, 3)), centers).any()


def test_a_distance_of_zero_is_exactly_zero() -> None:
    centers = np.random.default_rng(0).normal(1e6, 1, (5, 4))
    assert (np.diag(distances(centers, centers)) == 0).all()


def mirrored(rng: np.random.Generator, n_samples: int, n_features: int) -> Any:
    """Rows that are the same from both ends."""
    half = rng.normal(size=(n_samples, n_features // 2))
    return np.hstack([half, half[:, ::-1]])


def test_blocks_of_any_size_are_predicted_as_one_array() -> None:
    """Every point is as far from a center as from its mirror image: the last bits decide."""
    rng = np.random.default_rng(0)
    one = rng.normal(size=(10, 50))
    predictor = Predictor(Space(np.zeros(50), 1.0), np.vstack([one, one[:, ::-1]]))
    points = mirrored(rng, 3000, 50)
    expected = predictor.predict(points)
    for size in (1, 2, 3, 100, 255, 257, 1000, 5000):
        blocks = np.split(points, range(size, len(points), size))
        assert np.array_equal(np.concatenate(list(predictor.predict_blocks(blocks))), expected)


def test_a_large_prediction_decides_ties_as_one_in_an_answer(client: Client) -> None:
    """Rows so long that a block of the file holds but a few."""
    rng = np.random.default_rng(0)
    one = rng.normal(size=(10, 1000))
    client.upload(csv_of(np.vstack([one, one[:, ::-1]])))
    assert client.fit(0, {"n_clusters": 20}).status == 200
    body = csv_of(mirrored(rng, 180, 1000))
    path, arrived = predict(client, body)
    assert deliver(arrived) == 0
    assert predicted_labels(follow(client.get(path))) == client.predict(body).labels()
