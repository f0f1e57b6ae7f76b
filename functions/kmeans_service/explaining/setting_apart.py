"""What sets a cluster apart from the other rows: by how much its columns differ, and how."""

from dataclasses import dataclass

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.explaining.described import Described
from kmeans_service.explaining.gathering import Gathered

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_COLUMNS = 10


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Of the present cells of some rows, in the user's units."""

    low: float
    lower: float
    median: float
    upper: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """One column, in the cluster and in the other rows.

    difference   (mean in the cluster - mean of the rest) / standard deviation of all rows
    inside, rest the means; of a level or a flag, its share
    level        of a category, the text that differs most
    quantiles    of the cluster and of the rest; None of a category
    """

    place: int
    difference: float
    inside: float
    rest: float
    level: str | None = None
    quantiles: tuple[Quantiles, Quantiles] | None = None


def differences(found: Gathered, columns: tuple[Described, ...], cluster: int) -> list[Difference]:
    """Of the columns that were used, the largest first; none where there are no other rows."""
    numbers = _of_numbers(found, cluster)
    every = [
        _of_category(found, columns[place], place, cluster) if place in found.levels else number
        for place, number in enumerate(numbers)
        if columns[place].used
    ]
    known = [each for each in every if each is not None]
    known.sort(key=lambda each: -abs(each.difference))
    return [_with_quantiles(found, each, cluster) for each in known[:MOST_COLUMNS]]


def _of_numbers(found: Gathered, cluster: int) -> list[Difference | None]:
    """Of each column; None where nothing differs, or one side has no number."""
    n, n_rest = found.numbers[cluster], found.numbers.sum(axis=0) - found.numbers[cluster]
    # Relative to the cluster's mean: no offset costs digits.
    gaps = np.where(found.numbers > 0, found.means - found.means[cluster], 0.0)
    with np.errstate(all="ignore"):
        gap = 0.0 - (found.numbers * gaps).sum(axis=0) / n_rest
        standardised = gap / found.spread
    fit = (n > 0) & (n_rest > 0) & (found.spread > 0)
    return [
        Difference(place, float(standardised[place]), float(mean), float(mean - gap[place]))
        if fit[place]
        else None
        for place, mean in enumerate(found.means[cluster])
    ]


def _of_category(found: Gathered, column: Described, place: int, cluster: int) -> Difference | None:
    counts = found.levels[place]
    inside, total = counts[cluster], counts.sum(axis=0)
    rest = total - inside
    if not inside.sum() or not rest.sum():
        return None
    gaps = inside / inside.sum() - rest / rest.sum()
    share = total / total.sum()
    spread = np.sqrt(share * (1 - share))
    standardised = np.divide(gaps, spread, out=np.zeros_like(gaps), where=spread > 0)
    levels = column.levels or ()
    best = int(np.abs(standardised[: len(levels)]).argmax()) if levels else 0
    if not levels or not standardised[best]:
        return None
    shares = float(inside[best] / inside.sum()), float(rest[best] / rest.sum())
    return Difference(place, float(standardised[best]), *shares, level=levels[best])


def _with_quantiles(found: Gathered, each: Difference, cluster: int) -> Difference:
    if each.level is not None:
        return each
    draw = found.draw
    values = draw.values[:, each.place]
    present = ~np.isnan(values)
    own = present & (draw.labels == cluster)
    rest = present & (draw.labels != cluster)
    if not own.any() or not rest.any():
        return each
    weights = None if draw.is_whole else draw.weights[rest]
    quantiles = quantiles_of(values[own]), quantiles_of(values[rest], weights)
    return Difference(each.place, each.difference, each.inside, each.rest, None, quantiles)


def quantiles_of(values: Array, weights: Array | None = None) -> Quantiles:
    """NumPy's; of weighted rows those of the inverted distribution, which are values that occur."""
    if weights is None:
        return Quantiles(*np.quantile(values, SHARES).tolist())
    found = np.quantile(values, SHARES, weights=weights, method="inverted_cdf")
    return Quantiles(*found.tolist())
