"""How far two clusterings of the same rows agree."""

import numpy as np

from kmeans_service.arrays import Array


def adjusted_rand(a: Array, b: Array) -> float:
    """The adjusted Rand index of two arrays of labels of shape (n_samples,): 1 for the same
    partition, 0 on average for random ones.

    Source: Hubert and Arabie, Comparing partitions (1985).
    """
    n_of_b = int(b.max()) + 1
    pairs = np.bincount(a.astype(np.int64) * n_of_b + b, minlength=(int(a.max()) + 1) * n_of_b)
    table = pairs.reshape(-1, n_of_b)
    together = _pairs(table)
    of_a, of_b = _pairs(table.sum(axis=1)), _pairs(table.sum(axis=0))
    n_pairs = len(a) * (len(a) - 1) / 2
    by_chance = of_a * of_b / n_pairs if n_pairs else 0.0
    most = (of_a + of_b) / 2
    return 1.0 if most == by_chance else (together - by_chance) / (most - by_chance)


def _pairs(counts: Array) -> float:
    """Of things that lie together."""
    return float((counts * (counts - 1) / 2).sum())
