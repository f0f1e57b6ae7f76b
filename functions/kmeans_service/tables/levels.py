"""How often each text of a column occurs, in one pass over a file."""

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.tables.bytes_in import Source
from kmeans_service.tables.columns import ColumnReader, Layout, Role, begun, rooms
from kmeans_service.tables.csv_lines import BLOCK_BYTES, CsvLimits
from kmeans_service.tables.dialect import Dialect
from kmeans_service.tables.survey import Block

type Counts = Counter[str | None]
"""Of a column's texts; of None, the missing cells."""


class Counting(ColumnReader):
    """Each text that it meets is a level from then on; a code for each way to write it."""

    most_known = None

    def _unknown_level(self, content: bytes, known: dict[bytes, float]) -> float:
        found = super()._unknown_level(content, known)
        return found if np.isnan(found) else float(len(known))

    def counted(self, column: int, codes: Counter[float]) -> Counts:
        found: Counts = Counter()
        for content, code in self.known[column].items():
            text = None if np.isnan(code) else content.replace(b'""', b'"').decode()
            if text is not None:
                found[text] += codes[code]
        return found


def count_levels(
    source: Source,
    dialect: Dialect,
    layout: Layout,
    limits: CsvLimits | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> list[Counts]:
    """Of each cell of the layout with the role LEVEL, in their order; all others are passed over.

    They should be columns of few texts: all of these are held.
    """
    only = only_levels(layout)
    return counted(begun(source, dialect, only, limits, block_bytes, Counting), dialect, only)


def only_levels(layout: Layout) -> Layout:
    """All other cells are passed over."""
    roles = tuple(role if role == Role.LEVEL else Role.SKIPPED for role in layout.roles)
    return Layout(roles, ((),) * layout.roles.count(Role.LEVEL))


def counted(
    begun: Iterable[tuple[ColumnReader, Block]], dialect: Dialect, only: Layout
) -> list[Counts]:
    """Of the rows of some blocks, each with the one reader of them all, a `Counting` one."""
    codes: list[Counter[float]] = [Counter() for _ in only.levels]
    missing = [0] * len(codes)
    reader: ColumnReader | None = None
    for reader, block in begun:
        for rows, _ in rooms(reader, block, dialect):
            for column, values in enumerate(_present(rows)):
                missing[column] += len(rows) - len(values)
                codes[column].update(values)
    return _as_texts(reader, codes, missing)


def _present(rows: Array) -> Iterator[list[float]]:
    return (column[~np.isnan(column)].tolist() for column in rows.T)


def _as_texts(
    reader: ColumnReader | None, codes: list[Counter[float]], missing: list[int]
) -> list[Counts]:
    if not isinstance(reader, Counting):  # a file without rows
        return [Counter() for _ in codes]
    found = [reader.counted(column, counts) for column, counts in enumerate(codes)]
    for counts, n_missing in zip(found, missing, strict=True):
        counts[None] = n_missing
    return found
