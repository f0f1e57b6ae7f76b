"""The rows that a fit is computed from: those of the used columns, as its recipe makes them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO

import numpy as np
from numpy.typing import NDArray

from kmeans_service.arrays import Array, Labels
from kmeans_service.errors import InvalidParameter
from kmeans_service.fitting import out_of_core, said
from kmeans_service.fitting.out_of_core import RowFile
from kmeans_service.fitting.passes import Weighted
from kmeans_service.lifecycle import inputs
from kmeans_service.lifecycle.job import Input
from kmeans_service.models.columns import Columns, feature_names, planned_columns
from kmeans_service.models.source import Source
from kmeans_service.recipes.levels import Levels, levels_of
from kmeans_service.recipes.params import check_init
from kmeans_service.recipes.plan import LEVELS, USED, WEIGHT
from kmeans_service.recipes.planned import Planned
from kmeans_service.recipes.preprocessing import STRICT
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.settled import changes_rows, settled
from kmeans_service.recipes.transform import Chunks, Transform, learn
from kmeans_service.recipes.warnings import variance
from kmeans_service.tables.columns import Layout, Role, fill, read_blocks
from kmeans_service.tables.dialect import Dialect
from kmeans_service.tables.levels import Counts, count_levels
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
    weights    of the fitted rows, once they were read into memory; None: all 1
    source     the clusters that the fit continues; None: none
    """

    def __init__(self, given: Input, recipe: Recipe) -> None:
        self.given, self.recipe = given, recipe
        width, names = given.n_features, given.feature_names
        self.columns = Columns(width, names)
        self.dialect = Dialect(n_cells=width, header=names is not None)
        self.layout = Layout((Role.NUMBER,) * width)
        self.transform: Transform | None = None
        self.kept: Mask | None = None
        self.n_dropped = 0
        self.weights: Array | None = None
        self.source: Source | None = None

    @property
    def n_read(self) -> int:
        """Columns that are read."""
        return self.layout.n_used

    def in_memory(self) -> Array:
        """All rows that are fitted, shape (n_samples, n_features)."""
        X = np.empty((self.given.n_samples, self.n_read))
        self._fill(X)
        return X

    def _fill(self, room: Array) -> None:
        with inputs.reading(self.given) as source:
            fill(room, source, self.dialect, self.layout)

    def spilled(self, file: IO[bytes]) -> RowFile:
        """The same rows, in a file."""
        return out_of_core.spill(self._raw(), self.n_read, file)

    @property
    def names(self) -> tuple[str, ...] | None:
        """For sentences about what is clustered; None where its positions say it."""
        names = self.columns.feature_names
        return None if names is None else tuple(name or "" for name in names)

    def warnings(self) -> list[str]:
        """What was left out, filled in or dropped, and what a practitioner would want to know."""
        return []

    def _raw(self) -> Iterator[Array]:
        with inputs.reading(self.given) as source:
            yield from read_blocks(source, self.dialect, self.layout)


class PlannedData(Data):
    """A table, of which a plan says what is used."""

    def __init__(self, given: Input, recipe: Recipe, table: Table | None = None) -> None:
        """table   what the file holds, where that is known"""
        super().__init__(given, recipe)
        table = table or inputs.table_of(given)
        _, self.plan = settled(table, recipe)
        self.columns = planned_columns(table, self.plan)
        self._has_names = table.names is not None or not self.plan.is_whole
        self.dialect = table.dialect
        self.layout = Layout(tuple(_role(each) for each in self.plan.columns))
        read = [each.role for each in self.plan.columns if _role(each) != Role.SKIPPED]
        self._weight = read.index(WEIGHT) if WEIGHT in read else None
        self._is_level = [role == LEVELS for role in read if role != WEIGHT]
        self._levels: list[Levels] = []
        self._said: list[str] = []

    def in_memory(self) -> Array:
        if not self._is_changed:
            return super().in_memory()
        self._find_levels()
        n_samples = self.given.n_samples
        # Rows are read to the end of a room from whose beginning on they are written, as they are
        # fitted: each behind those that are still to be read, so that memory holds them once.
        room = np.empty(n_samples * max(self.n_read, self.n_features))
        raw = room[len(room) - n_samples * self.n_read :].reshape(n_samples, self.n_read)
        self._fill(raw)
        fitted = room[: n_samples * self.n_features].reshape(n_samples, self.n_features)
        weights = np.empty(n_samples if self.is_weighted else 0)
        done = 0
        for rows, weights_of_rows in self._fitted(lambda: _slices(raw)):
            part = slice(done, done + len(rows))
            fitted[part] = rows
            if weights_of_rows is not None:
                weights[part] = weights_of_rows
            done += len(rows)
        self.weights = weights[:done] if self.is_weighted else None
        return fitted[:done]

    def spilled(self, file: IO[bytes]) -> RowFile:
        if not self._is_changed:
            return super().spilled(file)
        self._find_levels()
        blocks = (
            rows if weights is None else np.column_stack([rows, weights])
            for rows, weights in self._fitted(self._raw)
        )
        return out_of_core.spill(blocks, self.n_features, file, weighted=self.is_weighted)

    @property
    def is_weighted(self) -> bool:
        return self._weight is not None

    @property
    def n_features(self) -> int:
        """Of what is clustered, once the levels are known."""
        numbers = self._is_level.count(False)
        return numbers + sum(levels.width for levels in self._levels)

    def _find_levels(self) -> None:
        """Reads the file for the texts of its categories, if it has any."""
        if any(self._is_level):
            counts = self._count_levels()
            missing = self.recipe.preprocessing.missing != "drop"
            self._levels = [levels_of(each, missing=missing) for each in counts]
            self._said = said.of_levels(self.plan.of(LEVELS), counts)
            texts = tuple(levels.texts for levels in self._levels)
            self.layout = replace(self.layout, levels=texts)
            self.columns = replace(self.columns, texts=texts)
        check_init(self.recipe, self.n_features)

    def _count_levels(self) -> list[Counts]:
        with inputs.reading(self.given) as source:
            return count_levels(source, self.dialect, self.layout)

    @property
    def _is_changed(self) -> bool:
        return self.is_weighted or changes_rows(self.plan, self.recipe)

    def _fitted(self, chunks: Chunks) -> Iterator[Weighted]:
        """The rows as they are fitted, and their weights; `chunks` are gone over several times."""
        if changes_rows(self.plan, self.recipe):
            self.transform = self._learnt(chunks)
        prepared = Prepared(self._weight, self.transform)
        masks: list[Mask] = []
        n_samples = 0
        for block in chunks():
            rows, weights, kept = prepared(block)
            masks.append(kept)
            n_samples += len(rows) if weights is None else int(np.count_nonzero(weights))
            if len(rows):
                yield rows, weights
        kept = np.concatenate(masks)
        if not kept.all():
            self.kept = kept
            self.n_dropped = len(kept) - int(np.count_nonzero(kept))
        self._check_left(len(kept), n_samples)

    def _check_left(self, n_rows: int, n_samples: int) -> None:
        """So many of all rows are fitted and have a weight that is not 0."""
        if self.recipe.n_clusters > n_samples and not self.recipe.choice:
            what = " and weigh more than 0" if self.is_weighted else ""
            raise InvalidParameter(
                f"model_params.n_clusters is {self.recipe.n_clusters}; allowed is at most "
                f"n_samples={n_samples}, the rows that are left{what} of {n_rows:,}",
                field="model_params.n_clusters",
            )

    def _learnt(self, chunks: Chunks) -> Transform:
        """The transform of these rows, whatever they weigh."""
        return learn(
            lambda: (split(chunk, self._weight)[0] for chunk in chunks()),
            self._is_level,
            self._levels,
            self.recipe.preprocessing,
        )

    @property
    def names(self) -> tuple[str, ...] | None:
        if not self._has_names:
            return None
        numbers = self.columns.numbers
        names = feature_names(self.columns, self._levels) or [None] * len(numbers)
        return tuple(name or f"column {numbers[at] + 1}" for at, name in enumerate(names))

    def warnings(self) -> list[str]:
        measured = set(variance(self.plan.of(USED)))  # the fit says it of what it has clustered
        told = [sentence for sentence in self.plan.warnings if sentence not in measured]
        of_plan, of_rows = (
            said.of_plan(self.plan, self.recipe),
            said.of_rows(self.n_dropped, self.recipe),
        )
        return [*of_plan, *self._said, *of_rows, *told]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a fit makes of rows as they are read.

    weight     where their weights stand; None: they have none
    transform  None: they are fitted as they are
    """

    weight: int | None
    transform: Transform | None

    def __call__(self, block: Array) -> tuple[Array, Array | None, Mask]:
        """The rows that are fitted, their weights, and which of the block's these are."""
        rows, weights = split(block, self.weight)
        if self.transform is None:
            return rows, weights, np.ones(len(rows), dtype=bool)
        kept = self.transform.kept(rows)
        rows, weights = rows[kept], None if weights is None else weights[kept]
        return self.transform.apply(rows), weights, kept


def split(block: Array, weight: int | None) -> Weighted:
    """The rows without their weights, which stand in this column, and the weights."""
    if weight is None:
        return block, None
    return np.delete(block, weight, axis=1), block[:, weight].copy()


def _slices(X: Array) -> Iterator[Array]:
    rows = max(1, SLICE_BYTES // (8 * X.shape[1]))
    return (X[start : start + rows] for start in range(0, len(X), rows))


def _role(planned: Planned) -> Role:
    if planned.role == LEVELS:
        return Role.LEVEL
    if planned.role not in (USED, WEIGHT):
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
