"""A finished fit, read again so that it can be described: its columns, its rows with labels."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.explaining.assigned import in_step
from kmeans_service.explaining.described import Described
from kmeans_service.explaining.training import Training
from kmeans_service.models.model import Model
from kmeans_service.recipes.levels import MOST_LEVELS, Levels, levels_of
from kmeans_service.recipes.plan import LEFT_OUT
from kmeans_service.recipes.planned import Planned
from kmeans_service.tables.columns import Layout, Role, read_numbered
from kmeans_service.tables.levels import count_levels
from kmeans_service.tables.profile import TEXT, Column
from kmeans_service.tables.table import Table


@dataclass(frozen=True)
class Finished:
    """columns   those that the model uses, in its order, and those beside them"""

    training: Training
    columns: tuple[Described, ...]

    @property
    def model(self) -> Model:
        return self.training.model

    @property
    def table(self) -> Table:
        return self.training.points.table

    def rows(self) -> Iterator[tuple[Array, Array, Array]]:
        """As `described.Rows`."""
        source, dialect = self.training.points.source, self.table.dialect
        n_used = sum(column.used for column in self.columns)
        # What is read stands in the order of the file.
        order = np.argsort(np.argsort([column.number for column in self.columns]))
        before = self.table.first_line
        blocks = read_numbered(source, dialect, self._layout())
        for values, ends in in_step(blocks, self.model.n_clusters):
            placed = np.ascontiguousarray(values[:, order])
            yield placed, self.model.predict(placed[:, :n_used]), self._lines(ends[:, 0], before)
            before = int(ends[-1, 0])

    def _lines(self, ends: Array, before: int) -> Array:
        """Where rows begin whose lines end before these; of one with line breaks in its cells, in
        a file with blank lines, where it ends.
        """
        behind = ends.astype(np.int64)
        if self.table.n_blank:
            return behind - 1
        return np.concatenate([[before], behind[:-1]])

    def _layout(self) -> Layout:
        roles = [Role.SKIPPED] * len(self.table.columns)
        booleans = set(self.model.columns.booleans)
        for column in self.columns:
            place = column.number - 1
            roles[place] = Role.BOOLEAN if place in booleans else Role.NUMBER
            if column.levels is not None:
                roles[place] = Role.LEVEL
        levels = {each.number: each.levels for each in self.columns if each.levels is not None}
        return Layout(tuple(roles), tuple(levels[number] for number in sorted(levels)))


def finished(training: Training) -> Finished:
    """With the columns that the model uses."""
    columns, model = training.points.table.columns, training.model.columns
    transform = training.model.transform
    numbers = dict.fromkeys(model.numbers, 0.0)
    if transform:
        numbers = dict(zip(numbers, transform.fill.tolist(), strict=True))
    levels = dict(zip(model.categories, transform.levels if transform else (), strict=True))
    used = (
        _category(columns[position], levels[position])
        if position in levels
        else _numbers(columns[position], numbers[position])
        for position in model.positions
    )
    return Finished(training, tuple(used))


def _numbers(column: Column, fill: float) -> Described:
    counts, n_numbers = column.counts, column.n_numbers
    flags = n_numbers > 0 and counts.flags == n_numbers
    words = column.words or (("1", "0") if flags else None)
    whole = n_numbers > 0 and counts.whole == n_numbers
    return Described(column.number, column.name, words=words, whole=whole, fill=fill)


def _category(column: Column, levels: Levels) -> Described:
    others = ("(missing)",) * levels.missing + ("(other)",) * levels.other
    return Described(column.number, column.name, levels=levels.texts, others=others)


def with_categories(fit: Finished, planned: Iterable[Planned]) -> Finished:
    """And with columns of few texts beside, which the fit has left out by this plan."""
    beside = [each for each in planned if each.role == LEFT_OUT and _has_few_texts(each.column)]
    if not beside:
        return fit
    roles = [Role.SKIPPED] * len(fit.table.columns)
    for each in beside:
        roles[each.column.number - 1] = Role.LEVEL
    counts = count_levels(fit.training.points.source, fit.table.dialect, Layout(tuple(roles)))
    described = (
        Described(each.column.number, each.column.name, False, each.reason, levels_of(found).texts)
        for each, found in zip(beside, counts, strict=True)
    )
    return replace(fit, columns=(*fit.columns, *described))


def _has_few_texts(column: Column) -> bool:
    """And each of them often: no names of rows."""
    distinct = column.counts.distinct or 0
    return column.kind == TEXT and 2 <= distinct <= min(MOST_LEVELS, column.n_present // 2)
