"""Points as they are sent, down to the columns that a model uses, in its order."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.errors import InvalidCsv, TooLarge
from kmeans_service.models.columns import Columns
from kmeans_service.tables.bytes_in import Source
from kmeans_service.tables.cells import is_number
from kmeans_service.tables.columns import Layout, Role, read_blocks, read_columns, read_numbered
from kmeans_service.tables.dataset import Dataset, parse_csv
from kmeans_service.tables.dialect import Reading
from kmeans_service.tables.table import Table, read_table


def points_of(body: bytes, columns: Columns, *, complete: bool) -> Array:
    """The used columns of a file of points, shape (n_samples, n_used); NaN where one is missing.

    complete   whether a missing cell is refused
    Raises InvalidCsv, TooLarge, UnsupportedMediaType or FeatureMismatch.
    """
    try:
        plain = _plain(body, columns)
    except (InvalidCsv, TooLarge) as strict:
        try:
            found = PointsTable.read(lambda: io.BytesIO(body), columns, complete=complete)
        except (InvalidCsv, TooLarge):
            if _is_never_plain(columns):
                raise
            raise strict from None
        return found.in_memory()
    return chosen(plain.X, columns.places(plain.X.shape[1], plain.feature_names))


def _plain(body: bytes, columns: Columns) -> Dataset:
    """The fast way for what nearly all points are; raises InvalidCsv or TooLarge for others."""
    if _is_never_plain(columns):
        raise InvalidCsv("the first line may be numbers that are names, or a cell a text", line=1)
    return parse_csv(body)


def _is_never_plain(columns: Columns) -> bool:
    return bool(columns.categories) or _has_numbers_for_names(columns)


def chosen(X: Array, places: Sequence[int]) -> Array:
    if list(places) == list(range(X.shape[1])):
        return X
    return np.ascontiguousarray(X[:, list(places)])


@dataclass(frozen=True)
class PointsTable:
    """A file of points that was read once, and where in it the used columns stand."""

    source: Source
    table: Table
    columns: Columns
    places: tuple[int, ...]

    @classmethod
    def read(
        cls, source: Source, columns: Columns, *, complete: bool, reading: Reading | None = None
    ) -> "PointsTable":
        """Raises as `points_of` does.

        reading   how the points are known to be written
        """
        read = partial(read_table, source, distinct=False, numbers=not columns.categories)
        return cls.of(source, read, columns, complete=complete, reading=reading)

    @classmethod
    def of(
        cls,
        source: Source,
        read: Callable[[Reading | None], Table],
        columns: Columns,
        *,
        complete: bool,
        reading: Reading | None = None,
    ) -> "PointsTable":
        """As `read`, for who has a table `read` in another way."""
        table = read(reading)
        if reading is None and _takes_a_row_for_a_header(table, columns):
            table = read(Reading(header="absent"))
        places = columns.places(len(table.columns), table.names)
        found = cls(source, table, columns, places)
        if complete:
            found._check_complete()
        return found

    def in_memory(self) -> Array:
        X = read_columns(self.source, self.table.dialect, self.layout, self.table.n_rows)
        return chosen(X, self.order)

    def blocks(self) -> Iterator[Array]:
        for block in read_blocks(self.source, self.table.dialect, self.layout):
            yield chosen(block, self.order)

    def numbered(self) -> Iterator[tuple[Array, Array]]:
        """As `blocks`, and where each row ends, as `tables.columns.read_numbered` says it."""
        for block, ends in read_numbered(self.source, self.table.dialect, self.layout):
            yield chosen(block, self.order), ends

    @property
    def layout(self) -> Layout:
        booleans = frozenset(self.columns.booleans)
        texts = dict(zip(self.columns.categories, self.columns.texts, strict=True))
        roles = [Role.SKIPPED] * len(self.table.columns)
        levels = {}
        for position, place in zip(self.columns.positions, self.places, strict=True):
            roles[place] = Role.BOOLEAN if position in booleans else Role.NUMBER
            if position in texts:
                roles[place], levels[place] = Role.LEVEL, texts[position]
        return Layout(tuple(roles), tuple(levels[place] for place in sorted(levels)))

    @property
    def order(self) -> list[int]:
        """Of the used columns, which are read in the order in which the points have them."""
        inverse = sorted(range(len(self.places)), key=self.places.__getitem__)
        order = [0] * len(inverse)
        for index, place in enumerate(inverse):
            order[place] = index
        return order

    def _check_complete(self) -> None:
        for place in self.places:
            gap = self.table.columns[place].counts.missing
            if gap:
                raise InvalidCsv(
                    f"line {gap.line}, column {place + 1}: the cell is missing, and the model was "
                    "fitted without missing cells",
                    line=gap.line,
                    column=place + 1,
                )


def _takes_a_row_for_a_header(table: Table, columns: Columns) -> bool:
    """Whether a first row that was taken for names is none: points never guess."""
    if columns.categories:  # a row of texts looks like a header
        return table.names is not None and not set(table.names) & set(columns.used_names or ())
    return _has_header_of_numbers(table) and not _has_numbers_for_names(columns)


def _has_header_of_numbers(table: Table) -> bool:
    return table.names is not None and all(is_number(name or "", ".") for name in table.names)


def _has_numbers_for_names(columns: Columns) -> bool:
    names = columns.feature_names
    return names is not None and all(is_number(name or "", ".") for name in names)
