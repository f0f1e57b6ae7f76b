"""A finished fit, read again so that it can be described: its columns, its rows with labels."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.explaining.assigned import in_step
from kmeans_service.explaining.described import Described
from kmeans_service.explaining.training import Training
from kmeans_service.models.model import Model
from kmeans_service.tables.columns import Layout, Role, read_numbered
from kmeans_service.tables.profile import Column
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
            words = column.number - 1 in booleans
            roles[column.number - 1] = Role.BOOLEAN if words else Role.NUMBER
        return Layout(tuple(roles))


def finished(training: Training) -> Finished:
    """With the columns that the model uses."""
    columns, transform = training.points.table.columns, training.model.transform
    positions = training.model.columns.positions
    fills = transform.fill.tolist() if transform else [0.0] * len(positions)
    used = (_used(columns[position], fill) for position, fill in zip(positions, fills, strict=True))
    return Finished(training, tuple(used))


def _used(column: Column, fill: float) -> Described:
    counts, n_numbers = column.counts, column.n_numbers
    flags = n_numbers > 0 and counts.flags == n_numbers
    words = column.words or (("1", "0") if flags else None)
    whole = n_numbers > 0 and counts.whole == n_numbers
    return Described(column.number, column.name, words=words, whole=whole, fill=fill)
