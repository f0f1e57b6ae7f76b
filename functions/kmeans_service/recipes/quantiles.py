"""Exact quantiles of columns that need not fit memory: rows come in chunks, several times."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmeans_service.arrays import Array

DIGIT_BITS = 16
GROUP_BYTES = 64 * 1024**2  # of histograms at a time
_SIGN = np.uint64(1 << 63)


def quantiles(chunks: Callable[[], Iterator[Array]], width: int, shares: Sequence[float]) -> Array:
    """Shape (shares, width), linear between neighbours as NumPy's percentile; NaN where none is.

    chunks   arrays of shape (some, width); a NaN is not counted
    In one chunk they are NumPy's own; in many they are found digit by digit: doubles in the order
    of their bits, four passes of 16 bits each, so that memory holds histograms and no rows.
    """
    begun = chunks()
    first = next(begun, None)
    second = next(begun, None)
    if first is None:
        return np.full((len(shares), width), np.nan)
    if second is None:
        return _in_memory(first, shares)
    counts = np.asarray(sum((~np.isnan(chunk)).sum(axis=0) for chunk in chunks()))
    return by_digits(counts, lambda digit: digit.histograms(chunks()), shares)


@dataclass(frozen=True, slots=True, eq=False)
class Digit:
    """16 bits of the numbers of some columns, of those that begin as the numbers looked for do.

    prefixes  shape (columns, ranks), what is known of the number that has this rank
    shift     where the bits are
    """

    columns: slice
    prefixes: NDArray[np.uint64]
    shift: int

    def histograms(self, chunks: Iterable[Array]) -> NDArray[np.int64]:
        """Shape (columns, ranks, 2**16): how often each is there; of parts of the rows, added."""
        found = np.zeros((*self.prefixes.shape, 2**DIGIT_BITS), dtype=np.int64)
        for chunk in chunks:
            for column, values in enumerate(chunk[:, self.columns].T):
                keys = _keys(values[~np.isnan(values)])
                for rank in range(self.prefixes.shape[1]):
                    digits = _digits(keys, self.prefixes[column, rank], self.shift)
                    found[column, rank] += np.bincount(digits, minlength=2**DIGIT_BITS)
        return found


type Histograms = Callable[[Digit], NDArray[np.int64]]


def by_digits(counts: NDArray[np.int64], histograms: Histograms, shares: Sequence[float]) -> Array:
    """As `quantiles`, of columns that have so many numbers, however these are gone over."""
    found = np.empty((len(shares), len(counts)))
    group = max(1, GROUP_BYTES // (8 * 2**DIGIT_BITS * 2 * len(shares)))
    for begin in range(0, len(counts), group):
        columns = slice(begin, min(begin + group, len(counts)))
        found[:, columns] = _selected(histograms, columns, counts[columns], shares)
    return found


def _in_memory(X: Array, shares: Sequence[float]) -> Array:
    found = np.full((len(shares), X.shape[1]), np.nan)
    for column, values in enumerate(X.T):
        present = values[~np.isnan(values)]
        if len(present):
            found[:, column] = np.quantile(present, shares)
    return found


def _selected(
    histograms: Histograms,
    columns: slice,
    counts: NDArray[np.int64],
    shares: Sequence[float],
) -> Array:
    places = np.maximum(counts - 1, 0)[:, None] * np.asarray(shares)[None, :]
    low = np.floor(places).astype(np.int64)
    ranks = np.concatenate([low, np.minimum(low + 1, np.maximum(counts - 1, 0)[:, None])], axis=1)
    keys = _keys_of_rank(histograms, columns, ranks)
    values = _doubles(keys)
    below, above = values[:, : len(shares)], values[:, len(shares) :]
    found = _between(below, above, places - low)
    return np.where(counts[:, None] > 0, found, np.nan).T


def _between(below: Array, above: Array, share: Array) -> Array:
    """NumPy's own interpolation, to the last bit."""
    difference = above - below
    found: Array = below + difference * share
    upper = share >= 0.5
    found[upper] = (above - difference * (1 - share))[upper]
    return found


def _keys_of_rank(
    histograms: Histograms, columns: slice, ranks: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """The keys that have these ranks, shape (columns, ranks), 16 bits more of them in each pass."""
    prefixes = np.zeros(ranks.shape, dtype=np.uint64)
    left = ranks.copy()
    for shift in range(64 - DIGIT_BITS, -1, -DIGIT_BITS):
        sums = histograms(Digit(columns, prefixes.copy(), shift)).cumsum(axis=2)
        digit = (sums <= left[:, :, None]).sum(axis=2)
        digit = np.minimum(digit, 2**DIGIT_BITS - 1)  # of a column without any value
        before = np.take_along_axis(sums, np.maximum(digit - 1, 0)[:, :, None], axis=2)[:, :, 0]
        left -= np.where(digit > 0, before, 0)
        prefixes |= digit.astype(np.uint64) << np.uint64(shift)
    return prefixes


def _digits(keys: NDArray[np.uint64], prefix: np.uint64, shift: int) -> NDArray[np.int64]:
    """The next digit of the keys that begin as the prefix does."""
    if shift < 64 - DIGIT_BITS:
        above = np.uint64(shift + DIGIT_BITS)
        keys = keys[(keys >> above) == (prefix >> above)]
    return ((keys >> np.uint64(shift)) & np.uint64(2**DIGIT_BITS - 1)).astype(np.int64)


def _keys(values: Array) -> NDArray[np.uint64]:
    """Integers in the order of the doubles."""
    bits = np.ascontiguousarray(values + 0.0).view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _doubles(keys: NDArray[np.uint64]) -> Array:
    return np.where(keys & _SIGN, keys ^ _SIGN, ~keys).view(np.float64)
