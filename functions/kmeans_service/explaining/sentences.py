"""One sentence about a cluster, in plain words, of which every number is counted.

higher, lower            the means differ by half a standard deviation of the column or more
much higher, much lower  and three quarters of the cluster lie beyond three quarters of the rest
between                  nothing is higher or lower, and yet most of the cluster lies where few
                         of the other rows do
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.explaining import numerals
from kmeans_service.explaining.described import Described
from kmeans_service.explaining.gathering import Gathered
from kmeans_service.explaining.setting_apart import Difference, quantiles_of

TOLD = 0.5
MOST_TOLD = 3
# Columns that tell the same are told once: by their correlation within clusters, over some rows.
SAME = 0.9
LEAST_ROWS = 10
LONGEST_NAME = 60
MOST_IN_BANDS = 0.5

ALONE = "Every row is in this cluster, so there is nothing to set it apart from."
ORDINARY = (
    "Nothing sets this cluster apart: no column differs from the other rows by half a standard "
    "deviation."
)
EMPTY = "No row is in this cluster."


def sentence_of(
    found: Gathered, columns: tuple[Described, ...], cluster: int, different: Sequence[Difference]
) -> str:
    """About the cluster whose columns differ so, in order."""
    if not found.sizes[cluster]:
        return EMPTY
    if found.sizes[cluster] == found.sizes.sum():
        return ALONE
    told = _told(found, different)
    if told:
        phrases = [_phrase(each, columns[each.place], found) for each in told]
        return _capital(f"{_listed(phrases)}, compared with the other rows.")
    return _between(found, columns, cluster) or ORDINARY


def _told(found: Gathered, different: Sequence[Difference]) -> list[Difference]:
    """At most three, none of which is another one in other words."""
    told: list[Difference] = []
    for each in different:
        if abs(each.difference) < TOLD or len(told) == MOST_TOLD:
            break
        if not any(_is_same(found, each, other) for other in told):
            told.append(each)
    return told


def _is_same(found: Gathered, one: Difference, other: Difference) -> bool:
    """Whether the two columns rise and fall together within the clusters as well."""
    if one.level is not None or other.level is not None:
        return False
    places = [one.place, other.place]
    both = found.draw.values[:, places] - found.means[:, places][found.draw.labels]
    both = both[~np.isnan(both).any(axis=1)]
    if len(both) < LEAST_ROWS or not both.std(axis=0).all():
        return False
    return bool(abs(np.corrcoef(both.T)[0, 1]) >= SAME)


def _phrase(each: Difference, column: Described, found: Gathered) -> str:
    if each.level is not None:
        return _shares(called(column), quoted(each.level), each.inside, each.rest)
    if column.words is not None:
        return _flag(each, called(column), column.words)
    what, one, other = _middles(each)
    texts = numerals.apart(one, other, float(found.spread[each.place]), whole=column.whole)
    way = "higher" if one > other else "lower"
    much = "much " if _is_far(each) else ""
    return f"{much}{way} {called(column)} ({what} {texts[0]} against {texts[1]})"


def _flag(each: Difference, name: str, words: tuple[str, str]) -> str:
    if each.difference > 0:
        return _shares(name, words[0], each.inside, each.rest)
    return _shares(name, words[1], 1 - each.inside, 1 - each.rest)


def _shares(name: str, level: str, inside: float, rest: float) -> str:
    way = "more often" if inside > rest else "more seldom"
    shares = numerals.percents(inside, rest)
    return f"{way} {level} in {name} ({shares[0]} against {shares[1]})"


def _middles(each: Difference) -> tuple[str, float, float]:
    """The medians, where they differ as the means do; else the means."""
    if each.quantiles:
        own, rest = each.quantiles
        if (own.median - rest.median) * each.difference > 0:
            return "median", own.median, rest.median
    return "mean", each.inside, each.rest


def _is_far(each: Difference) -> bool:
    if not each.quantiles:
        return False
    own, rest = each.quantiles
    return own.lower > rest.upper if each.difference > 0 else own.upper < rest.lower


@dataclass(frozen=True, slots=True)
class Band:
    """Where nine in ten rows of a cluster lie, in round numbers."""

    place: int
    low: float
    high: float
    text: str

    def holds(self, values: Array) -> Array:
        within: Array = (values[:, self.place] >= self.low) & (values[:, self.place] <= self.high)
        return within


def _between(found: Gathered, columns: tuple[Described, ...], cluster: int) -> str | None:
    """For a cluster in the middle; None where no range of one or two columns tells it."""
    draw = found.draw
    own = draw.labels == cluster
    rest = np.where(own, 0.0, draw.weights)
    bands = [
        band
        for place, column in enumerate(columns)
        if column.used and column.levels is None and column.words is None
        if (band := _band(draw.values[own, place], place, column, float(found.spread[place])))
    ]
    bands.sort(key=lambda band: float(rest @ band.holds(draw.values)))
    bands = bands[:2]
    if not bands:
        return None
    within = np.logical_and.reduce([band.holds(draw.values) for band in bands])
    inside, outside = float(within[own].mean()), float(rest @ within / rest.sum())
    if outside > MOST_IN_BANDS * inside:
        return None
    ranges = _listed([band.text for band in bands])
    return (
        f"Neither high nor low: {_how_many(inside)} of these rows have {ranges}, "
        f"and {_how_many(outside)} of the other rows do."
    )


def _how_many(share: float) -> str:
    return {0.0: "none", 1.0: "all"}.get(share, numerals.percent(share))


def _band(values: Array, place: int, column: Described, spread: float) -> Band | None:
    values = values[~np.isnan(values)]
    if not len(values) or not spread:
        return None
    found = quantiles_of(values)
    decimals = numerals.decimals_of(spread)
    step = 10.0**-decimals
    ends = float(np.floor(found.low / step) * step), float(np.ceil(found.high / step) * step)
    low, high = numerals.without_zeros(
        (numerals.number(ends[0], decimals), numerals.number(ends[1], decimals))
    )
    text = f"{called(column)} {low if low == high else f'from {low} to {high}'}"
    return Band(place, float(low.replace(",", "")), float(high.replace(",", "")), text)


def called(column: Described) -> str:
    """The column's name as a sentence may have it; in quotes where it would be read wrongly."""
    if column.name is None:
        return f"column {column.number}"
    plain = re.fullmatch(r"[^\W\d][\w ().$€%/-]*", column.name) and column.name.isprintable()
    return column.name if plain and len(column.name) <= LONGEST_NAME else quoted(column.name)


def quoted(text: str) -> str:
    """On one line, without what cannot be seen, and not too long."""
    seen = "".join(char if char.isprintable() else " " for char in text)
    shown = seen if len(seen) <= LONGEST_NAME else seen[: LONGEST_NAME - 1] + "…"
    return f"“{shown}”"


def _listed(phrases: list[str]) -> str:
    if len(phrases) == 1:
        return phrases[0]
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
