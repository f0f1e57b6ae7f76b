"""The indices of a clustering, beside scikit-learn's."""

from functools import partial

import numpy as np
import pytest
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_samples,
    silhouette_score,
)

from kmeans_service.arrays import Array
from kmeans_service.fitting import indices
from kmeans_service.fitting.kernel import library


@pytest.fixture(params=["in C", "in NumPy"])
def sums(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How the clusters' rows are added up: in NumPy on processors that the C is not made for."""
    if request.param == "in NumPy":
        monkeypatch.setattr(library, "runs_here", lambda: False)


def over_all_rows(Z: Array, labels: Array, n_clusters: int) -> dict[str, float]:
    labelled = partial(indices.chunks_of, Z, labels, n_clusters)
    means = indices.means_of(labelled(), n_clusters, Z.shape[1])
    return indices.over_all_rows(labelled(), means)


def labelled_rows(n: int, d: int, k: int, seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n).astype(np.int32)
    return rng.normal(size=(k, d))[labels] + rng.normal(size=(n, d)), labels


def test_the_silhouettes_of_four_rows_by_hand() -> None:
    """0 and 1 are one cluster, 4 and 6 the other."""
    found = indices.silhouettes(np.array([[0.0], [4], [1], [6]]), np.array([0, 1, 0, 1]))
    assert found.tolist() == pytest.approx([4 / 5, 3 / 4, 1.5 / 3.5, 3.5 / 5.5])


def test_a_row_alone_in_its_cluster_has_the_silhouette_0() -> None:
    found = indices.silhouettes(np.array([[0.0], [1], [9]]), np.array([3, 3, 5]))
    assert found.tolist() == pytest.approx([8 / 9, 7 / 8, 0])


@pytest.mark.usefixtures("sums")
@pytest.mark.parametrize(
    ("n", "d", "k"), [(7, 1, 2), (50, 3, 7), (1000, 10, 40), (1000, 60, 3), (600, 2, 400)]
)
def test_they_are_scikit_learns_to_twelve_digits(n: int, d: int, k: int) -> None:
    Z, labels = labelled_rows(n, d, k, n + d + k)
    found = over_all_rows(Z, labels, k) | indices.silhouette(Z, labels)
    expected = {
        "calinski_harabasz": calinski_harabasz_score(Z, labels),
        "davies_bouldin": davies_bouldin_score(Z, labels),
        "silhouette": silhouette_score(Z, labels),
        "sample_size": n,
    }
    # Of centers that lie close together, scikit-learn's distances lose digits; ours do not.
    close = pytest.approx(expected.pop("davies_bouldin"), rel=1e-9 if k > 100 else 1e-12)
    assert found.pop("davies_bouldin") == close
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)
    order = np.argsort(labels, kind="stable")
    each = silhouette_samples(Z, labels)[order]
    assert np.abs(indices.silhouettes(Z, labels) - each).max() < 1e-12


@pytest.mark.usefixtures("sums")
def test_the_means_are_the_clusters_whatever_the_chunks() -> None:
    Z, labels = labelled_rows(3000, 5, 9, 0)
    means = indices.Means(10, 5)
    for part in (slice(0, 1), slice(1, 700), slice(700, 3000)):
        means.add(Z[part], labels[part])
    assert means.sizes.tolist() == np.bincount(labels, minlength=10).tolist()
    own = np.array([Z[labels == label].mean(axis=0) for label in range(9)])
    assert np.allclose(means.of_clusters(), np.vstack([own, np.zeros(5)]), atol=1e-14)
