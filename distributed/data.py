"""The rows of a fit from files that are read by a fleet: what a plan uses of them, transformed."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from distributed import rows, tasks
from distributed.fleet import Fleet, Kept
from distributed.parts import Parts
from distributed.passes import GroupPasses
from distributed.rows import Read
from distributed.statistics import OfGroups
from distributed.tables import Files
from distributed.tasks import Fitted
from kmeans_service.arrays import Array
from kmeans_service.fitting.data import Mask, PlannedData, Prepared
from kmeans_service.fitting.kernel.exact import Powers, power_above
from kmeans_service.lifecycle.job import Input
from kmeans_service.recipes.plan import LEVELS, USED
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.settled import changes_rows
from kmeans_service.recipes.transform import learned, unlearned
from kmeans_service.tables.levels import Counts, only_levels
from kmeans_service.tables.profile import Column


class FilesData(PlannedData):
    """As `PlannedData` of one file that one process reads."""

    def __init__(
        self, given: Input, recipe: Recipe, files: Files, fleet: Fleet, said: Sequence[str]
    ) -> None:
        """`said` are sentences of how the files were read."""
        super().__init__(given, recipe, files.table)
        self._files, self._fleet, self._of_files = files, fleet, said

    def warnings(self) -> list[str]:
        return [*super().warnings(), *self._of_files]

    def passes(self, parts: Parts) -> GroupPasses:
        """Reads all rows, learns the transform of them, and checks that enough are left."""
        self._find_levels()
        what = Read(self._files.written, self.layout)
        kept = self._fleet.kept(rows.read, what, self._groups)
        prepared: Prepared | None = Prepared(self._weight, None)
        raw = kept
        if changes_rows(self.plan, self.recipe):
            kept, prepared = self._transformed(raw), None
        shapes = kept.each(tasks.shape_of, (Fitted(prepared), self._powers() if prepared else None))
        if kept is not raw:
            raw.forget()
        self.n_dropped = sum(shape.n_rows - shape.n_fitted for shape in shapes)
        self._check_left(
            sum(shape.n_rows for shape in shapes), sum(shape.n_weighted for shape in shapes)
        )
        return GroupPasses(kept, prepared, shapes, parts)

    @cached_property
    def _groups(self) -> list[rows.Group]:
        used = [column.number - 1 for column in self.plan.of(USED, LEVELS)]
        all_kept = not changes_rows(self.plan, self.recipe)
        return rows.groups_of(self._files.spans, used, all_kept=all_kept)

    def _transformed(self, raw: Kept) -> Kept:
        asked = self.recipe.preprocessing
        plain = unlearned(self._is_level, self._levels, asked)
        self.transform = learned(OfGroups(raw, plain, self._weight), plain, asked)
        return raw.changed(_prepared, Prepared(self._weight, self.transform))

    def _powers(self) -> Powers:
        """Above the used columns, as they were counted."""
        return power_above(np.array([_size(column) for column in self.plan.of(USED)]))

    def _count_levels(self) -> list[Counts]:
        only = Read(self._files.written, only_levels(self.layout))
        found = self._fleet.each(rows.count_texts, only, self._files.spans)
        return [_added(each) for each in zip(*found, strict=True)]


def _prepared(prepared: Prepared, block: Array) -> tuple[Array, Array | None, Mask]:
    return prepared(block)


def _added(counts: Sequence[Counts]) -> Counts:
    total: Counts = Counter()
    for each in counts:
        total.update(each)
    return total


def _size(column: Column) -> float:
    """The largest magnitude; words stand for 1 and 0."""
    return 1.0 if column.words else max(abs(column.counts.least), abs(column.counts.largest))
