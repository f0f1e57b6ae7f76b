"""How far a cluster's rows are from its center: quantiles, by which outliers are told.

Made once for a model, from the rows that it was fitted to, and kept beside it: rows of the file and
points to predict are held against the same numbers. An array of doubles, .npy, of shape
(n_clusters, quantiles): for each share of GRID the smallest distance that so many of the cluster's
rows do not exceed, NaN of a cluster without rows. So no more rows than the rest lie beyond it, and
of few rows none. Of more than MOST_ROWS rows every second is taken, or every third, and so
on.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.explaining.assigned import assign, in_step
from kmeans_service.explaining.training import training_of
from kmeans_service.lifecycle.job import Job
from kmeans_service.line.estimates import distances_seconds
from kmeans_service.media_types import BINARY
from kmeans_service.models.manifest import from_npy, npy
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.streams import Keep

VERSION = 1
QUERY = ()
SUFFIX = ".npy"
# In steps of a thousandth from the median on, and of a ten-thousandth at the end.
LEAST, MOST = 0.5, 0.9999
GRID = np.concatenate([np.arange(500, 1000) / 1000, np.arange(9991, 10_001) / 10_000])
# Whose distances and labels are held in memory.
MOST_ROWS = 20_000_000


def media_type(_job: Job) -> str:
    return BINARY


def asked(_job: Job, _query: Mapping[str, str]) -> dict[str, Any]:
    return {}


def seconds(job: Job, _asked: Mapping[str, Any]) -> float:
    return distances_seconds(job)


def make(job: Job, _asked: Mapping[str, Any], keep: Keep) -> Iterator[bytes]:
    labels, found = [], []
    start = 0
    with training_of(job, keep) as training:
        step = 1 + training.points.table.n_rows // MOST_ROWS
        for rows, _ in in_step(training.points.numbered(), training.model.n_clusters):
            assigned = assign(training.model, rows)
            part = slice(-start % step, None, step)
            labels.append(assigned.labels[part])
            found.append(assigned.distances[part])
            start += len(rows)
            keep()
    joined = np.concatenate(labels), np.concatenate(found)
    yield npy(quantiles_of(*joined, training.model.n_clusters))


def quantiles_of(labels: Array, distances: Array, n_clusters: int) -> Array:
    order = np.argsort(labels, kind="stable")
    begins = np.searchsorted(labels[order], np.arange(n_clusters + 1))
    found = np.full((n_clusters, len(GRID)), np.nan)
    for cluster in range(n_clusters):
        own = distances[order[begins[cluster] : begins[cluster + 1]]]
        if len(own):
            found[cluster] = np.quantile(own, GRID, method="inverted_cdf")
    return found


@lru_cache(maxsize=8)
def limits_at(stored: StoredObject, share: float) -> Array:
    """Of each cluster the distance that this share of its rows does not exceed.

    stored   what `make` has made
    share    from LEAST to MOST; one that is not in GRID counts as the next that is
    Raises JobGone or ModelDamaged.
    """
    return at(from_npy(data_bucket().get(stored)), share)


def at(quantiles: Array, share: float) -> Array:
    limits: Array = quantiles[:, np.searchsorted(GRID, share - 1e-9)]
    return limits
