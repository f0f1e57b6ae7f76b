"""The rows that a fit is computed from: those of the used columns, as its recipe makes them."""

from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

from kmeans_service.arrays import Array, Labels
from kmeans_service.errors import InvalidParameter, ModelDamaged
from kmeans_service.fitting import out_of_core, said
from kmeans_service.fitting.out_of_core import RowFile
from kmeans_service.lifecycle import inputs
from kmeans_service.lifecycle.job import Input
from kmeans_service.models.columns import Columns, planned_columns
from kmeans_service.recipes.plan import USED, Plan
from kmeans_service.recipes.planned import Planned
from kmeans_service.recipes.preprocessing import STRICT
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.settled import changes_rows, settled
from kmeans_service.recipes.transform import Chunks, Transform, learn
from kmeans_service.recipes.warnings import variance
from kmeans_service.streams import WholeRead
from kmeans_service.tables.columns import Layout, Role, read_blocks, read_columns
from kmeans_service.tables.dialect import Dialect
from kmeans_service.tables.table import Table

type Mask = NDArray[np.bool_]

# Of rows that are transformed at a time; a few copies of them are held meanwhile.
SLICE_BYTES = 8 * 1024**2


def data_of(given: Input, recipe: Recipe) -> "Data":
    """A file without a profile is of numbers alone, and what is strict uses it whole."""
    strictly = given.profile is None and recipe.preprocessing == STRICT
    return Data(given, recipe) if strictly else PlannedData(given, recipe)


class Data:
    """A matrix of numbers, all of which are used as they are.

    transform  what is made of the used columns, once the rows were read; None: nothing
    kept       which rows are fitted, once they were read; None: all
    """

    def __init__(self, given: Input, recipe: Recipe) -> None:
        self.given, self.recipe = given, recipe
        width, names = given.n_features, given.feature_names
        self.columns = Columns(width, names)
        called = tuple(name or "" for name in names or ())
        self.used_names: tuple[str, ...] | None = called or None
        self.dialect = Dialect(n_cells=width, header=names is not None)
        self.layout = Layout((Role.NUMBER,) * width)
        self.transform: Transform | None = None
        self.kept: Mask | None = None

    @property
    def n_used(self) -> int:
        return self.layout.n_used

    def in_memory(self) -> Array:
        """All rows that are fitted, shape (n_samples, n_features)."""
        source = self._source()
        X = read_columns(source, self.dialect, self.layout, self.given.n_samples)
        self._check(source)
        return X

    def spilled(self, file: IO[bytes]) -> RowFile:
        """The same rows, in a file."""
        return out_of_core.spill(self._raw(), self.n_used, file)

    def warnings(self) -> list[str]:
        """What was left out, filled in or dropped, and what a practitioner would want to know."""
        return []

    def _raw(self) -> Iterator[Array]:
        source = self._source()
        yield from read_blocks(source, self.dialect, self.layout)
        self._check(source)

    def _source(self) -> WholeRead:
        return WholeRead(lambda: inputs.opened(self.given))

    def _check(self, source: WholeRead) -> None:
        """Refused if it was not the file that was uploaded."""
        if source.finish().sha256 != self.given.rows.sha256:
            raise ModelDamaged("The stored file is not the one that was uploaded")


class PlannedData(Data):
    """A table, of which a plan says what is used."""

    def __init__(self, given: Input, recipe: Recipe) -> None:
        super().__init__(given, recipe)
        table = inputs.table_of(given)
        _, self.plan = settled(table, recipe)
        self.columns = planned_columns(table, self.plan)
        self.used_names = _names(self.plan, table)
        self.dialect = table.dialect
        self.layout = Layout(tuple(_role(each) for each in self.plan.columns))

    def in_memory(self) -> Array:
        X = super().in_memory()
        if not changes_rows(self.plan, self.recipe):
            return X
        transform = self._learnt(lambda: _slices(X))
        masks: list[Mask] = []
        n_samples = 0
        # In the place of the rows that were read: memory holds them once.
        for rows in self._transformed(transform, masks, _slices(X)):
            X[n_samples : n_samples + len(rows)] = rows
            n_samples += len(rows)
        self._keep(masks, n_samples)
        return X[:n_samples]

    def spilled(self, file: IO[bytes]) -> RowFile:
        if not changes_rows(self.plan, self.recipe):
            return super().spilled(file)
        transform = self._learnt(self._raw)
        masks: list[Mask] = []
        blocks = self._transformed(transform, masks, self._raw())
        rows = out_of_core.spill(blocks, transform.n_features, file)
        self._keep(masks, rows.n_samples)
        return rows

    def _transformed(
        self, transform: Transform, masks: list[Mask], blocks: Iterable[Array]
    ) -> Iterator[Array]:
        for block in blocks:
            kept = transform.kept(block)
            masks.append(kept)
            if kept.any():
                yield transform.apply(block[kept])

    def _keep(self, masks: list[Mask], n_samples: int) -> None:
        kept = np.concatenate(masks)
        if not kept.all():
            self.kept = kept
            self._check_rows(n_samples)

    def _learnt(self, chunks: Chunks) -> Transform:
        """The transform of these rows, which are gone over several times."""
        asked = self.recipe.preprocessing
        self.transform = learn(chunks, [False] * self.n_used, (), asked)
        return self.transform

    def _check_rows(self, n_samples: int) -> None:
        if self.recipe.n_clusters > n_samples:
            raise InvalidParameter(
                f"model_params.n_clusters is {self.recipe.n_clusters}; allowed is at most "
                f"n_samples={n_samples}, the rows that are left of {self.given.n_samples:,}",
                field="model_params.n_clusters",
            )

    def warnings(self) -> list[str]:
        measured = set(variance(self.plan.of(USED)))  # the fit says it of what it has clustered
        told = [sentence for sentence in self.plan.warnings if sentence not in measured]
        return [*said.of_plan(self.plan, self.recipe), *said.of_rows(self.kept, self.recipe), *told]


def _slices(X: Array) -> Iterator[Array]:
    rows = max(1, SLICE_BYTES // (8 * X.shape[1]))
    return (X[start : start + rows] for start in range(0, len(X), rows))


def _names(plan: Plan, table: Table) -> tuple[str, ...] | None:
    """For sentences about the used columns; None where their positions say it."""
    if table.names is None and plan.is_whole:
        return None
    return tuple(column.name or f"column {column.number}" for column in plan.of(USED))


def _role(planned: Planned) -> Role:
    if planned.role != USED:
        return Role.SKIPPED
    return Role.BOOLEAN if planned.column.words else Role.NUMBER


class Placed:
    """Labels of fitted rows put where these stand in the file, -1 where a row was dropped."""

    def __init__(self, kept: Mask | None) -> None:
        self._kept = kept
        self._at = 0
        self._ends = None if kept is None else np.flatnonzero(kept)
        self._done = 0

    def __call__(self, labels: Labels) -> Labels:
        """The next ones, up to the row before the next that is kept; in the end, all."""
        if self._kept is None or self._ends is None:
            return labels
        self._done += len(labels)
        whole = self._done >= len(self._ends)
        end = len(self._kept) if whole else int(self._ends[self._done])
        placed = np.full(end - self._at, -1, dtype=np.int32)
        placed[self._kept[self._at : end]] = labels
        self._at = end
        return placed
