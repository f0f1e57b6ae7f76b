"""Data sets of a known number of clusters, and others that have none."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from bench.quality_sets import RUSPINI, standardised
from kmeans_service.arrays import Array

SHAPES = ((150, 2), (300, 3), (500, 2), (500, 10), (1000, 5), (2000, 2), (2000, 20), (5000, 4))
# Rows, columns and clusters of blobs that are five of their standard deviations apart.
BLOBS = (
    *((500, 2, 2), (300, 3, 3), (1000, 2, 5), (2000, 2, 10), (1000, 5, 4)),
    *((2000, 5, 12), (1000, 10, 6), (5000, 10, 15), (2000, 20, 20), (20000, 20, 8)),
)

type Draw = np.random.Generator


@dataclass(frozen=True)
class Known:
    """right: the numbers of clusters that are right; none where there are none."""

    name: str
    X: Array
    right: tuple[int, ...] = ()

    @property
    def most(self) -> int:
        """Of the range that is asked for."""
        return 10 if max(self.right, default=0) <= 10 else 30


def structured(seed: int) -> Iterator[Known]:
    draw = np.random.default_rng(seed)
    iris, wine, cancer = (load().data for load in (load_iris, load_wine, load_breast_cancer))
    yield Known("iris", iris, (2, 3))
    yield Known("wine, standardised", standardised(wine), (3,))
    yield Known("breast cancer, standardised", standardised(cancer), (2,))
    yield Known("ruspini", np.array(RUSPINI.split(), dtype=float).reshape(-1, 2), (4,))
    for number, spread in enumerate((0.022, 0.035, 0.05, 0.06), start=1):
        centers = _apart(15, 2, 0.15, 1.0, draw)
        yield Known(f"like S{number}", _around(centers, [spread] * 15, [333] * 15, draw), (15,))
    centers = _apart(20, 2, 0.09, 1.0, draw)
    yield Known("like A1", _around(centers, [0.02] * 20, [150] * 20, draw), (20,))
    few = np.array([[0.7, 0.1], [0.7, 0.5], [0.9, 0.1], [0.9, 0.5], [0.8, 0.3]])
    many = np.array([[0.05, 0.3], [0.1, 0.5], [0.15, 0.3]])
    spreads, sizes = [0.012] * 3 + [0.03] * 5, [2000] * 3 + [100] * 5
    rows = _around(np.concatenate([many, few]), spreads, sizes, draw)
    yield Known("like Unbalance", rows, (8,))
    for n, d, k in BLOBS:
        centers, sizes = _apart(k, d, 5.0, 20.0, draw), draw.multinomial(n, [1 / k] * k).tolist()
        yield Known(f"blobs {n} × {d}, k={k}", _around(centers, [1.0] * k, sizes, draw), (k,))


def along_a_line(seed: int) -> Iterator[Known]:
    """Groups in one column, with another beside it that hardly counts, and of few rows."""
    draw = np.random.default_rng(2000 + seed)
    for n, k in ((18, 2), (18, 3), (60, 2), (60, 5), (400, 3), (2000, 5)):
        group, gap = np.arange(n) % k, draw.uniform(6, 9)
        for name, noise in (
            ("normal", draw.normal(size=n)),
            ("uniform", draw.uniform(-1.7, 1.7, n)),
        ):
            x = group * gap + noise
            yield Known(f"{name} {n} × 1, k={k}", x[:, np.newaxis], (k,))
            yield Known(f"{name} {n} × 1 + 1, k={k}", np.c_[x, 0.2 * draw.normal(size=n)], (k,))


def unstructured(seed: int) -> Iterator[Known]:
    draw = np.random.default_rng(1000 + seed)
    for n, d in SHAPES:
        size, sides = (n, d), draw.uniform(0.3, 1, d)
        yield Known(f"box {n} × {d}", draw.uniform(size=size) * sides)
        towards = draw.normal(size=size)
        towards /= np.linalg.norm(towards, axis=1)[:, np.newaxis]
        yield Known(f"ball {n} × {d}", towards * draw.uniform(size=(n, 1)) ** (1 / d))
        yield Known(f"Gaussian {n} × {d}", draw.normal(size=size) @ draw.normal(size=(d, d)))
        yield Known(f"t(5) {n} × {d}", draw.standard_t(5, size=size))
        yield Known(f"exponential {n} × {d}", draw.exponential(size=size))


def _apart(n: int, n_features: int, least: float, side: float, draw: Draw) -> Array:
    """Points of a cube that are as far from each other."""
    found: list[Array] = []
    while len(found) < n:
        point = draw.uniform(size=n_features) * side
        if all(np.linalg.norm(point - other) > least for other in found):
            found.append(point)
    return np.array(found)


def _around(centers: Array, spreads: list[float], n_each: list[int], draw: Draw) -> Array:
    groups = zip(centers, spreads, n_each, strict=True)
    return np.concatenate([draw.normal(at, spread, (n, len(at))) for at, spread, n in groups])
