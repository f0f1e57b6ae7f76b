"""Data sets to be clustered well: published ones, and others made like published ones."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from kmeans_service.arrays import Array

# Ruspini, Numerical methods for fuzzy clustering (1970); `ruspini` in R's package cluster.
RUSPINI = (
    "4 53 5 63 10 59 9 77 13 49 13 69 12 88 15 75 18 61 19 65 22 74 27 72 28 76 24 58 27 55 28 60 "
    "30 52 31 60 32 61 36 72 28 147 32 149 35 153 33 154 38 151 41 150 38 145 38 143 32 143 34 141 "
    "44 156 44 149 44 143 46 142 47 149 49 152 50 142 53 144 52 152 55 155 54 124 60 136 63 139 "
    "86 132 85 115 85 96 78 94 74 96 97 122 98 116 98 124 99 119 99 128 101 115 108 111 110 111 "
    "108 116 111 126 115 117 117 115 70 4 77 12 83 21 61 15 69 15 78 16 66 18 58 13 64 20 69 21 "
    "66 23 61 25 76 27 72 31 64 30"
)


@dataclass(frozen=True)
class Case:
    name: str
    X: Array
    n_clusters: int


def cases() -> Iterator[Case]:
    iris, wine, cancer = (load().data for load in (load_iris, load_wine, load_breast_cancer))
    ruspini = np.array(RUSPINI.split(), dtype=float).reshape(-1, 2)
    yield from (Case("iris", iris, k) for k in range(2, 11))
    yield from (Case("ruspini", ruspini, k) for k in (4, 7, 10))
    yield Case("wine", wine, 3)
    yield Case("wine, standardised", standardised(wine), 3)
    yield Case("breast cancer", cancer, 2)
    yield Case("breast cancer, standardised", standardised(cancer), 5)
    yield Case("digits", load_digits().data, 10)
    yield from like_published()


def like_published() -> Iterator[Case]:
    """In the manner of http://cs.uef.fi/sipu/datasets/ (Fränti and Sieranoja, 2018)."""
    for number, spread in enumerate((0.022, 0.035, 0.05, 0.06), start=1):
        yield Case(f"like S{number}", around(apart(15, 0.15), [spread] * 15, [333] * 15), 15)
    for number, k in enumerate((20, 35, 50), start=1):
        yield Case(f"like A{number}", around(apart(k, 0.09), [0.02] * k, [150] * k), k)
    few = np.array([[0.7, 0.1], [0.7, 0.5], [0.9, 0.1], [0.9, 0.5], [0.8, 0.3]])
    many = np.array([[0.05, 0.3], [0.1, 0.5], [0.15, 0.3]])
    spreads, sizes = [0.012] * 3 + [0.03] * 5, [2000] * 3 + [100] * 5
    yield Case("like Unbalance", around(np.concatenate([many, few]), spreads, sizes), 8)
    grid = np.array([[x, y] for x in range(10) for y in range(10)], dtype=float)
    yield Case("like Birch1", around(grid, [0.25] * 100, [1000] * 100), 100)


def sizes() -> Iterator[Case]:
    """Others, for what they cost."""
    for n, d, k in ((5_000, 30, 10), (20_000, 2, 8), (20_000, 50, 20), (500_000, 2, 8)):
        yield Case("blobs", blobs(n, d, k), k)
    yield Case("blobs", blobs(1_000_000, 10, 10), 10)
    yield Case("uniform", np.random.default_rng(1).uniform(size=(20_000, 10)), 10)


def standardised(X: Array) -> Array:
    scaled: Array = (X - X.mean(axis=0)) / X.std(axis=0)
    return scaled


def apart(n: int, least: float) -> Array:
    """Points of the unit square that are as far from each other."""
    draw = np.random.default_rng(n)
    found: list[Array] = []
    while len(found) < n:
        point = draw.uniform(size=2)
        if all(np.hypot(*(point - other)) > least for other in found):
            found.append(point)
    return np.array(found)


def around(centers: Array, spreads: list[float], n_each: list[int]) -> Array:
    draw = np.random.default_rng(0)
    groups = zip(centers, spreads, n_each, strict=True)
    return np.concatenate([draw.normal(center, spread, (n, 2)) for center, spread, n in groups])


def blobs(n_samples: int, n_features: int, n_clusters: int) -> Array:
    draw = np.random.default_rng(0)
    centers = 2 * draw.normal(size=(n_clusters, n_features))
    made: Array = centers[draw.integers(0, n_clusters, n_samples)]
    return made + draw.normal(size=made.shape)
