"""What a transform is learned from, in groups of rows: the same to the last bit for any of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from distributed.fleet import Kept
from kmeans_service.arrays import Array
from kmeans_service.fitting.data import split
from kmeans_service.fitting.kernel.exact import ExactSums, no_sums, power_above
from kmeans_service.recipes.quantiles import Digit, by_digits
from kmeans_service.recipes.transform import Transform


@dataclass
class Extents:
    """Of each column how many numbers it has, the least and the largest one."""

    n: NDArray[np.int64]
    least: Array
    largest: Array

    def merge(self, other: Self) -> Self:
        self.n += other.n
        self.least = np.minimum(self.least, other.least)
        self.largest = np.maximum(self.largest, other.largest)
        return self


@dataclass
class Sums:
    exact: ExactSums

    def merge(self, other: Self) -> Self:
        self.exact.merge(other.exact)
        return self

    def totals(self) -> Array:
        found: Array = self.exact.totals()[0]
        return found


@dataclass
class Added:
    """An array that is added up."""

    array: NDArray[np.int64]

    def merge(self, other: Self) -> Self:
        self.array += other.array
        return self


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """How the numbers are taken from raw blocks, where the weights stand among them."""

    plain: Transform
    weight: int | None
    fill: Array | None

    def of(self, blocks: Iterator[Array]) -> Iterator[Array]:
        return (self.plain.numbers(split(each, self.weight)[0], self.fill) for each in blocks)


class OfGroups:
    """The statistics of raw blocks."""

    def __init__(self, raw: Kept, plain: Transform, weight: int | None) -> None:
        self._raw, self._plain, self._weight = raw, plain, weight

    def moments(self, fill: Array | None) -> "ExactMoments":
        return ExactMoments(self._raw, Numbers(self._plain, self._weight, fill))

    def quantiles(self, shares: Sequence[float], fill: Array | None) -> Array:
        numbers = Numbers(self._plain, self._weight, fill)
        counts = self._raw.fold(_extents, numbers).n
        return by_digits(
            counts, lambda digit: self._raw.fold(_histograms, (numbers, digit)).array, shares
        )


class ExactMoments:
    """As `recipes.transform.Moments` has it; each pass is made when it is asked for."""

    def __init__(self, raw: Kept, numbers: Numbers) -> None:
        self._raw, self._numbers = raw, numbers

    @cached_property
    def _extents(self) -> Extents:
        return self._raw.fold(_extents, self._numbers)

    @property
    def n(self) -> Array:
        return self._extents.n.astype(np.float64)

    @property
    def least(self) -> Array:
        return self._extents.least

    @property
    def largest(self) -> Array:
        return self._extents.largest

    @cached_property
    def mean(self) -> Array:
        powers = power_above(np.maximum(_size(self.least), _size(self.largest)))
        sums = self._raw.fold(_sums, (self._numbers, powers)).totals()
        return np.where(self.n > 0, sums / np.maximum(self.n, 1), 0.0)

    @cached_property
    def squares(self) -> Array:
        apart = np.maximum(_size(self.largest - self.mean), _size(self.mean - self.least))
        shared = (self._numbers, 2 * power_above(apart), self.mean)
        return self._raw.fold(_squares, shared).totals()


def _size(extents: Array) -> Array:
    """Of a column without numbers: 0."""
    return np.where(np.isfinite(extents), np.abs(extents), 0.0)


def _extents(numbers: Numbers, _index: int, blocks: Iterator[Array]) -> Extents:
    width = len(numbers.plain.fill)
    found = Extents(
        np.zeros(width, dtype=np.int64), np.full(width, np.inf), np.full(width, -np.inf)
    )
    for X in numbers.of(blocks):
        if len(X):
            n = (~np.isnan(X)).sum(axis=0)
            least, largest = np.fmin.reduce(X, axis=0), np.fmax.reduce(X, axis=0)
            some = n > 0
            found.merge(Extents(n, np.where(some, least, np.inf), np.where(some, largest, -np.inf)))
    return found


def _sums(shared: Any, _index: int, blocks: Iterator[Array]) -> Sums:
    numbers, powers = shared
    found = no_sums(1, powers)
    for X in numbers.of(blocks):
        found.add(np.ascontiguousarray(np.where(np.isnan(X), 0.0, X)))
    return Sums(found)


def _squares(shared: Any, _index: int, blocks: Iterator[Array]) -> Sums:
    numbers, powers, mean = shared
    found = no_sums(1, powers)
    for X in numbers.of(blocks):
        found.add(np.ascontiguousarray(np.where(np.isnan(X), 0.0, (X - mean) ** 2)))
    return Sums(found)


def _histograms(shared: Any, _index: int, blocks: Iterator[Array]) -> Added:
    numbers, digit = shared
    if not isinstance(digit, Digit):
        raise TypeError("numbers are looked for digit by digit")
    return Added(digit.histograms(numbers.of(blocks)))
