"""What was counted of a file's parts, one behind the other, as if it had been counted in one go.

But for the last bits of means and squares, and for the different values, which no part can add.
"""

from collections.abc import Iterable

from kmeans_service.tables.cells import Kind
from kmeans_service.tables.library import CColumn, CPlace

_ADDED = ("pointed", "whole", "flags", "digits", "padded", "dates", "rises", "steps", "varied")


def add_part(columns: Iterable[CColumn], part: Iterable[CColumn], lines: int) -> None:
    """Add the columns of a part to those of all parts before it, which have so many lines."""
    for column, more in zip(columns, part, strict=True):
        _add(column, more, lines)


def _add(column: CColumn, more: CColumn, lines: int) -> None:
    before, added = column.kinds[Kind.NUMBER], more.kinds[Kind.NUMBER]
    column.kinds = type(column.kinds)(*map(sum, zip(column.kinds, more.kinds, strict=True)))
    for name in _ADDED:
        setattr(column, name, getattr(column, name) + getattr(more, name))
    _add_words(column, more, lines)
    if not added:
        return
    if before:
        column.rises += more.first > column.last
        column.steps += more.first == column.last + 1
        _add_moments(column, more, before, added)
    else:
        column.first, column.mean, column.squares = more.first, more.mean, more.squares
    if not before or more.least < column.least:
        column.least, column.least_line = more.least, more.least_line + lines
    column.largest = max(column.largest, more.largest) if before else more.largest
    column.last = more.last


def _add_moments(column: CColumn, more: CColumn, before: int, added: int) -> None:
    """Chan, Golub and LeVeque's; a column's mean is less its first number."""
    delta = more.mean + (more.first - column.first) - column.mean
    share = added / (before + added)
    column.mean += delta * share
    column.squares += more.squares + delta * delta * before * share


def _add_words(column: CColumn, more: CColumn, lines: int) -> None:
    if column.first_hash and more.first_hash:
        column.varied += column.first_hash != more.first_hash
    column.first_hash = column.first_hash or more.first_hash
    lengths = [each.shortest for each in (column, more) if each.shortest]
    column.shortest = min(lengths, default=0)
    column.longest = max(column.longest, more.longest)
    column.text_bytes = max(column.text_bytes, more.text_bytes)
    for name in ("missing", "boolean", "other"):
        place, found = getattr(column, name), getattr(more, name)
        if not place.line and found.line:
            setattr(column, name, _below(found, lines))


def _below(place: CPlace, lines: int) -> CPlace:
    found = CPlace.from_buffer_copy(place)
    found.line += lines
    return found
