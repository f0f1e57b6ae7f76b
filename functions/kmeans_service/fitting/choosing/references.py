"""Data without clusters, made like given data: what structure has to beat.

Uniform ones are in the box of the principal axes and in that of the columns (Tibshirani, Walther
and Hastie, Estimating the number of clusters in a data set via the gap statistic, 2001). Gaussian
ones have the data's correlations, and each column its skewness: a long tail is no cluster.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from kmeans_service.arrays import Array

N_REFERENCES = 19  # to beat all of so many by chance has a probability of 1 in 20
MOST_SKEWED = 2.0  # an exponential's: further off the formula below does not hold

type Draw = np.random.Generator


@dataclass(frozen=True)
class Kind:
    """A kind of references: its name in answers, what is drawn from some rows, and from what."""

    name: str
    draw: Callable[[Array, Draw], Array]

    def of(self, rows: Array, draw: Draw) -> Iterator[Array]:
        """Arrays of the rows' shape (n_samples, n_features)."""
        return (np.ascontiguousarray(self.draw(rows, draw)) for _ in range(N_REFERENCES))


def _in_principal_box(rows: Array, draw: Draw) -> Array:
    axes = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2]
    drawn: Array = _in_box(rows @ axes.T, draw) @ axes
    return drawn


def _in_box(rows: Array, draw: Draw) -> Array:
    drawn: Array = draw.uniform(rows.min(axis=0), rows.max(axis=0), rows.shape)
    return drawn


def _gaussian(rows: Array, draw: Draw) -> Array:
    deviations = rows.std(axis=0)
    standard = (rows - rows.mean(axis=0)) / np.where(deviations > 0, deviations, 1)
    _, spreads, axes = np.linalg.svd(standard, full_matrices=False)
    drawn = draw.normal(size=(len(rows), len(spreads))) * (spreads / np.sqrt(len(rows)))
    skewness = np.clip((standard**3).mean(axis=0), -MOST_SKEWED, MOST_SKEWED)
    bent: Array = _bent(drawn @ axes, skewness) * deviations
    return bent


def _bent(z: Array, skewness: Array) -> Array:
    """Standard normal columns to gamma ones of these skewnesses.

    Source: Wilson and Hilferty, The distribution of chi-square (1931).
    """
    s = np.where(np.abs(skewness) > 1e-3, skewness, 1e-3)
    root = np.maximum(1 + s * z / 6 - s**2 / 36, 0)
    bent: Array = 2 / s * (root**3 - 1)
    return bent


PRINCIPAL_BOX = Kind("uniform in the box of the principal axes", _in_principal_box)
KINDS = (
    PRINCIPAL_BOX,
    Kind("uniform in the box of the columns", _in_box),
    Kind("Gaussian of the same covariance and skewness", _gaussian),
)
