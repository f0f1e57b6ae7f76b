"""Which rows are drawn: a seeded sample, in which no cluster is lost."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kmeans_service.arrays import Array

SEED = 0


def allotment(sizes: Array, total: int) -> NDArray[np.int64]:
    """How many rows are drawn of each cluster: in proportion, and of small ones some all the same.

    sizes    shape (n_clusters,)
    total    the most that are drawn together, at least one for each cluster
    Returns  shape (n_clusters,); all rows where there are no more than `total`
    """
    sizes = np.asarray(sizes, dtype=np.int64)
    if sizes.sum() <= total:
        return sizes
    least = np.minimum(sizes, total // (2 * len(sizes)))
    rest = sizes - least
    more = rest * ((total - least.sum()) / rest.sum())
    return np.asarray(np.maximum(least + more.astype(np.int64), np.minimum(sizes, 1)))


@dataclass(frozen=True, eq=False)
class Draw:
    """Drawn rows, in the file's order.

    values   shape (n_drawn, n_columns); labels and lines have shape (n_drawn,)
    weights  how many rows of its cluster each stands for
    """

    values: Array
    labels: NDArray[np.int64]
    lines: NDArray[np.int64]
    weights: Array

    @property
    def is_whole(self) -> bool:
        return bool((self.weights == 1.0).all())

    def __len__(self) -> int:
        return len(self.labels)


class Drawer:
    """Is shown all rows and keeps those of the draw: the same of the same sizes and total."""

    def __init__(self, sizes: Array, total: int) -> None:
        self._sizes = np.asarray(sizes, dtype=np.int64)
        self._counts = allotment(self._sizes, total)
        random = np.random.default_rng(SEED)
        self._chosen = [
            np.sort(random.choice(size, count, replace=False, shuffle=False))
            for size, count in zip(self._sizes, self._counts, strict=True)
        ]
        self._seen = np.zeros(len(self._sizes), dtype=np.int64)
        self._parts: list[tuple[Array, Array, Array]] = []

    def add(self, values: Array, labels: Array, lines: Array) -> Self:
        """The next rows."""
        places = np.sort(np.concatenate([*self._picked(labels), np.empty(0, dtype=np.int64)]))
        self._parts.append((values[places], labels[places], lines[places]))
        return self

    def _picked(self, labels: Array) -> list[NDArray[np.int64]]:
        order = np.argsort(labels, kind="stable")
        ends = np.searchsorted(labels[order], np.arange(len(self._sizes) + 1))
        found = []
        for cluster in np.flatnonzero(np.diff(ends)):
            members = order[ends[cluster] : ends[cluster + 1]]
            seen = self._seen[cluster]
            begin, end = np.searchsorted(self._chosen[cluster], (seen, seen + len(members)))
            found.append(members[self._chosen[cluster][begin:end] - seen])
            self._seen[cluster] += len(members)
        return found

    def drawn(self) -> Draw:
        values, labels, lines = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        labels = labels.astype(np.int64)
        weights = (self._sizes / np.maximum(self._counts, 1))[labels]
        return Draw(values, labels, lines.astype(np.int64), weights)
