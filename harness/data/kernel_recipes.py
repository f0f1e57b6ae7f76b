"""Random data sets and parameters, with everything that makes two k-means differ."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kmeans_service.arrays import Array

ROWS = (1, 2, 3, 6, 10, 30, 80, 150, 300, 700, 1400, 1700, 3000, 5000)
FEATURES = (1, 1, 2, 2, 3, 4, 5, 8, 10, 16, 20, 33, 50)
CLUSTERS = (1, 2, 3, 4, 5, 8, 10, 20, 40, 60, 120, 10**9)


@dataclass(frozen=True)
class Recipe:
    X: Array
    weights: Array | None
    n_clusters: int
    init: str | Array
    n_init: int | str
    max_iter: int
    tol: float
    random_state: int


def recipe(seed: int) -> Recipe:
    r = np.random.default_rng(seed)
    n, d = int(r.choice(ROWS)), int(r.choice(FEATURES))
    k = min(n if n <= 300 else 120, int(r.choice(CLUSTERS)))
    X = KINDS[r.integers(len(KINDS))](r, n, d, k)
    weights = _weights(r, n) if r.random() < 0.3 else None
    if weights is not None and (weights > 0).sum() < k:
        weights = None
    init = str(r.choice(["k-means++", "k-means++", "random", "array"]))
    return Recipe(
        X,
        weights,
        k,
        init if init != "array" else r.normal(X.mean(), X.std() * 5 + 1e-3, (k, d)),
        "auto" if init != "random" and r.random() < 0.5 else int(r.integers(1, 4)),
        int(r.choice([300, 300, 1, 2, 5])),
        float(r.choice([1e-4, 1e-4, 0, 1e-2])),
        int(r.integers(1000)),
    )


def _weights(r: np.random.Generator, n: int) -> Array:
    return r.uniform(0, 3, n) if r.random() < 0.5 else r.integers(0, 3, n).astype(float)


def _blobs(r: np.random.Generator, n: int, d: int, k: int) -> Array:
    return r.normal(size=(n, d)) + 8 * r.normal(size=(k, d))[r.integers(0, k, n)]


def _duplicates(r: np.random.Generator, n: int, d: int, _: int) -> Array:
    return r.normal(size=(n // 8 + 1, d))[r.integers(0, n // 8 + 1, n)]


def _one_constant_column(r: np.random.Generator, n: int, d: int, _: int) -> Array:
    X = r.normal(size=(n, d))
    X[:, r.integers(d)] = 7.3
    return X


KINDS: list[Any] = [
    _blobs,
    _duplicates,
    _one_constant_column,
    lambda r, n, d, _: r.uniform(size=(n, d)),
    lambda r, n, d, _: r.normal(3, 2, (n, d)),
    lambda r, n, d, _: r.integers(0, 6, (n, d)).astype(float),
    lambda r, n, d, _: r.integers(0, 2, (n, d)).astype(float),
    lambda r, n, d, _: r.integers(-1000, 1000, (n, d)).astype(float),
    lambda r, n, d, _: r.standard_t(1.5, (n, d)),
]
