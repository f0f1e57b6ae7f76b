"""What a fit makes of a table's rows, in small arrays: filled in, shifted and scaled, categories
as indicators, rows normalised. Applied with NumPy alone.

    z = (x - shift) * scale        a column of numbers, its missing cells filled in before
    z = 1 / sqrt(2) or 0           an indicator: two rows that differ in one category are 1 apart
    z / |z|                        the row, where rows are normalised

The same as scikit-learn's SimpleImputer, then StandardScaler, MinMaxScaler, RobustScaler or none,
beside OneHotEncoder with `transformer_weights` of 1 / sqrt(2), and Normalizer behind both.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kmeans_service.arrays import Array
from kmeans_service.recipes.levels import INDICATOR, Levels
from kmeans_service.recipes.preprocessing import Preprocessing
from kmeans_service.recipes.quantiles import quantiles

type Chunks = Callable[[], Iterator[Array]]
"""All raw rows, shape (some, n_used) each, as often as it is asked: NaN for a missing cell, and of
a category the index of its level, or -1."""


@dataclass(frozen=True, slots=True, eq=False)
class Transform:
    """From raw rows, shape (n, n_used), to what is clustered, shape (n, n_features).

    is_level          of each used column: whether it is a category
    fill, shift, scale  of each column of numbers
    levels            of each category
    drop              whether rows with missing cells are dropped; those without any always are
    normalize         whether rows get length 1
    """

    is_level: NDArray[np.bool_]
    fill: Array
    shift: Array
    scale: Array
    levels: tuple[Levels, ...] = ()
    drop: bool = False
    normalize: bool = False

    @property
    def n_features(self) -> int:
        return len(self.shift) + sum(level.width for level in self.levels)

    def kept(self, raw: Array) -> NDArray[np.bool_]:
        """Which rows are not dropped, shape (n,)."""
        missing = np.isnan(raw)
        if self.drop:
            return ~missing.any(axis=1)
        return ~missing.all(axis=1)

    def numbers(self, raw: Array, fill: Array | None) -> Array:
        """The columns of numbers of the rows that are kept, filled in where that is asked."""
        found = raw[self.kept(raw)][:, ~self.is_level]
        return found if fill is None else np.where(np.isnan(found), fill, found)

    def apply(self, raw: Array) -> Array:
        """The rows as they are clustered; dropped ones must not be among them."""
        numbers = raw[:, ~self.is_level]
        z = np.empty((len(raw), self.n_features))
        n_numbers = numbers.shape[1]
        filled = np.where(np.isnan(numbers), self.fill, numbers)
        np.subtract(filled, self.shift, out=z[:, :n_numbers])
        z[:, :n_numbers] *= self.scale
        begin = n_numbers
        for codes, level in zip(raw[:, self.is_level].T, self.levels, strict=True):
            z[:, begin : begin + level.width] = _indicators(codes, level)
            begin += level.width
        if self.normalize:
            lengths = np.sqrt(np.einsum("ij,ij->i", z, z))
            z /= np.where(lengths > 0, lengths, 1.0)[:, np.newaxis]
        return z

    def inverse(self, centers: Array) -> Array:
        """Centers in the user's units, and the share of each level; as they are if normalised."""
        if self.normalize:
            return centers.copy()
        n_numbers = len(self.shift)
        found = centers.copy()
        found[:, :n_numbers] = centers[:, :n_numbers] / self.scale + self.shift
        found[:, n_numbers:] /= INDICATOR
        return found

    def forward(self, centers: Array) -> Array:
        """What `inverse` made of centers, back again: `init` is given in the user's units."""
        if self.normalize:
            return centers.copy()
        n_numbers = len(self.shift)
        found = centers.copy()
        found[:, :n_numbers] = (centers[:, :n_numbers] - self.shift) * self.scale
        found[:, n_numbers:] *= INDICATOR
        return found

    def as_json(self) -> dict[str, Any]:
        """For the manifest: JSON keeps every double as it is."""
        return {
            "is_level": self.is_level.tolist(),
            "fill": self.fill.tolist(),
            "shift": self.shift.tolist(),
            "scale": self.scale.tolist(),
            "levels": [
                {"texts": list(level.texts), "other": level.other, "missing": level.missing}
                for level in self.levels
            ],
            "drop": self.drop,
            "normalize": self.normalize,
        }


def transform_of(document: Mapping[str, Any]) -> Transform:
    """What `as_json` wrote."""
    return Transform(
        np.array(document["is_level"], dtype=bool),
        fill=np.array(document["fill"], dtype=np.float64),
        shift=np.array(document["shift"], dtype=np.float64),
        scale=np.array(document["scale"], dtype=np.float64),
        levels=tuple(
            Levels(tuple(level["texts"]), level["other"], level["missing"])
            for level in document["levels"]
        ),
        drop=document["drop"],
        normalize=document["normalize"],
    )


def _indicators(codes: Array, level: Levels) -> Array:
    place = np.full(len(codes), -1)
    missing = np.isnan(codes)
    known = ~missing & (codes >= 0)
    place[known] = codes[known].astype(np.int64)
    other = level.width - 1 if level.other else -1
    place[~missing & ~known] = other
    place[missing] = len(level.texts) if level.missing else other
    found = np.zeros((len(codes), level.width))
    rows = np.flatnonzero(place >= 0)
    found[rows, place[rows]] = INDICATOR
    return found


class Moments(Protocol):
    """Of each column of numbers: how many, mean, sum of squared deviations, range."""

    @property
    def n(self) -> Array: ...

    @property
    def mean(self) -> Array: ...

    @property
    def squares(self) -> Array: ...

    @property
    def least(self) -> Array: ...

    @property
    def largest(self) -> Array: ...


class Statistics(Protocol):
    """What a transform is learned from: the numbers of the rows that are kept.

    fill   what missing cells count as; None: they do not count
    """

    def moments(self, fill: Array | None) -> Moments: ...

    def quantiles(self, shares: Sequence[float], fill: Array | None) -> Array:
        """Shape (shares, columns); NaN of a column without any."""


@dataclass
class _Moments:
    """A chunk at a time (Chan, Golub, LeVeque)."""

    n: Array
    mean: Array
    squares: Array
    least: Array = field(init=False)
    largest: Array = field(init=False)

    def __post_init__(self) -> None:
        self.least = np.full_like(self.mean, np.inf)
        self.largest = np.full_like(self.mean, -np.inf)

    def add(self, X: Array) -> None:
        present = ~np.isnan(X)
        n = present.sum(axis=0).astype(np.float64)
        if not len(X):
            return
        some = np.maximum(n, 1)
        mean = np.where(n > 0, np.where(present, X, 0.0).sum(axis=0) / some, 0.0)
        # A second look takes away what rounding left of the first sum.
        mean += np.where(present, X - mean, 0.0).sum(axis=0) / some
        squares = np.where(present, (X - mean) ** 2, 0.0).sum(axis=0)
        total = np.maximum(self.n + n, 1)
        delta = mean - self.mean
        self.squares += squares + delta**2 * (self.n * n / total)
        self.mean += delta * (n / total)
        self.n += n
        self.least = np.minimum(self.least, np.where(present, X, np.inf).min(axis=0))
        self.largest = np.maximum(self.largest, np.where(present, X, -np.inf).max(axis=0))


@dataclass
class OfChunks:
    """Exact, whether the rows come in one chunk or in many.

    plain   a transform that says which rows are kept
    """

    chunks: Chunks
    plain: Transform

    def moments(self, fill: Array | None) -> _Moments:
        width = len(self.plain.fill)
        found = _Moments(np.zeros(width), np.zeros(width), np.zeros(width))
        for chunk in self._numbers(fill):
            found.add(chunk)
        return found

    def quantiles(self, shares: Sequence[float], fill: Array | None) -> Array:
        return quantiles(lambda: self._numbers(fill), len(self.plain.fill), shares)

    def _numbers(self, fill: Array | None) -> Iterator[Array]:
        return (self.plain.numbers(chunk, fill) for chunk in self.chunks())


def learn(
    chunks: Chunks, is_level: Sequence[bool], levels: Sequence[Levels], asked: Preprocessing
) -> Transform:
    """The transform of these rows."""
    plain = unlearned(is_level, levels, asked)
    return learned(OfChunks(chunks, plain), plain, asked)


def unlearned(
    is_level: Sequence[bool], levels: Sequence[Levels], asked: Preprocessing
) -> Transform:
    """A transform that knows which rows are kept, and nothing of their numbers yet."""
    category = np.array(is_level, dtype=bool)
    width = int((~category).sum())
    numbers = np.zeros(width), np.zeros(width), np.ones(width)
    return Transform(category, *numbers, tuple(levels), asked.missing == "drop")


def learned(statistics: Statistics, plain: Transform, asked: Preprocessing) -> Transform:
    if asked.missing == "median":
        fill = statistics.quantiles((0.5,), None)[0]
    else:
        fill = statistics.moments(None).mean
    fill = np.where(np.isnan(fill), 0.0, fill)
    shift, scale = _shift_and_scale(statistics, fill, asked)
    return replace(plain, fill=fill, shift=shift, scale=scale, normalize=asked.normalize == "l2")


def _shift_and_scale(
    statistics: Statistics, fill: Array, asked: Preprocessing
) -> tuple[Array, Array]:
    """As scikit-learn's scalers; without one, the mean is taken off, which changes no distance.

    With it no offset of the data can change an answer. A column without spread keeps scale 1.
    """
    if asked.scaling == "robust":
        low, middle, high = statistics.quantiles((0.25, 0.5, 0.75), fill)
        return middle, _inverse(high - low)
    moments = statistics.moments(fill)
    if asked.scaling == "standard":
        spread = np.sqrt(moments.squares / np.maximum(moments.n, 1))
        # As StandardScaler: a spread within what rounding makes of a constant is none.
        bound = 10 * np.finfo(np.float64).eps * np.maximum(np.abs(moments.mean), spread)
        return moments.mean, _inverse(np.where(spread <= bound, 0.0, spread))
    if asked.scaling == "min_max":
        return moments.least, _inverse(moments.largest - moments.least)
    shift = np.zeros_like(fill) if asked.normalize == "l2" else moments.mean
    return shift, np.ones_like(fill)


def _inverse(spread: Array) -> Array:
    return 1.0 / np.where(spread > 0, spread, 1.0)
