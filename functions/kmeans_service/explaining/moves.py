"""Who moved from which cluster of one fit to which of another: counted, in bounded memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from kmeans_service.arrays import Array

BLOCK_BYTES = 1024**2


@dataclass(frozen=True, eq=False)
class Moves:
    """Rows, counted. A row that has no cluster is as one that is not there.

    matrix   that both have, shape (n_old, n_new)
    arrived  that the new fit alone has, shape (n_new,)
    left     that the old fit alone has, shape (n_old,)
    The columns of the matrix and `arrived` add up to the new clusters' sizes, its rows and `left`
    to those of the old ones.
    """

    matrix: Array
    arrived: Array
    left: Array


class Repeated(Exception):
    """A key that stands in two rows, from 0."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(first, second)
        self.first, self.second = first, second


def labels_in(pieces: Iterable[bytes]) -> Iterator[Array]:
    """Stored labels, int16: a line each, empty (-1) where a row was dropped."""
    known: dict[bytes, int] = {b"": -1}
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in set(lines) - known.keys():
            known[line] = int(float(line))
        yield np.array([known[line] for line in lines], dtype=np.int16)


def by_row(old: Iterable[Array], new: Iterable[Array], shape: tuple[int, int]) -> Moves:
    """Of rows that stand at the same place, as many on either side."""
    counts = np.zeros((shape[0] + 1, shape[1] + 1), dtype=np.int64)
    for these, those in _in_step(iter(old), iter(new)):
        np.add.at(counts, (these, those), 1)
    return _moves(counts)


def by_key(old: tuple[Array, Array], new: tuple[Array, Array], shape: tuple[int, int]) -> Moves:
    """Of rows that have the same key.

    old, new   digests of keys, all different, and labels, shape (n_rows,) each
    """
    counts = np.zeros((shape[0] + 1, shape[1] + 1), dtype=np.int64)
    _, of_old, of_new = np.intersect1d(old[0], new[0], assume_unique=True, return_indices=True)
    np.add.at(counts, (old[1][of_old], new[1][of_new]), 1)
    counts[:, -1] += _alone(old[1], of_old, len(counts))
    counts[-1] += _alone(new[1], of_new, counts.shape[1])
    return _moves(counts)


def _alone(labels: Array, both: Array, size: int) -> Array:
    """How many of each label, -1 as the last one, are not among both."""
    alone = np.ones(len(labels), dtype=bool)
    alone[both] = False
    return np.bincount(labels[alone] % size, minlength=size)


def check_different(digests: Array) -> None:
    """Raises Repeated."""
    order = np.argsort(digests, kind="stable")
    ordered = digests[order]
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(same):
        raise Repeated(int(order[same[0]]), int(order[same[0] + 1]))


def _moves(counts: Array) -> Moves:
    """Rows without a cluster are the last line and the last column."""
    return Moves(counts[:-1, :-1], counts[-1, :-1], counts[:-1, -1])


def _in_step(old: Iterator[Array], new: Iterator[Array]) -> Iterator[tuple[Array, Array]]:
    """The same rows, in blocks that are as long on either side."""
    these = those = np.empty(0, dtype=np.int16)
    while True:
        these, those = _more(these, old), _more(those, new)
        both = min(len(these), len(those))
        if not both:
            return
        yield these[:both], those[:both]
        these, those = these[both:], those[both:]


def _more(labels: Array, blocks: Iterator[Array]) -> Array:
    """The labels, or the next block that has some; none at the end."""
    if len(labels):
        return labels
    return next((block for block in blocks if len(block)), labels)
