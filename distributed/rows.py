"""The rows of spans, as arrays; and spans in groups, each of which is one task's work."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from distributed.check import Checked
from distributed.reading import Rows, Written
from kmeans_service.arrays import Array
from kmeans_service.models.labels_from_text import ROW_BYTES
from kmeans_service.models.nearest import CHUNK
from kmeans_service.tables.columns import ColumnReader, Layout, rooms
from kmeans_service.tables.levels import Counting, Counts, counted
from kmeans_service.tables.survey import Block

# A cluster moves them between processes one at a time: a few of them must fit into memory.
BLOCK_BYTES = 4 * 1024**2
# S3 takes no smaller part of an object but the last one, and 10,000 of them.
PART_BYTES = 8 * 1024**2
MOST_PARTS = 9_000
# Of a range: their labels are in one part, some others' too, and one has 5 GiB at most.
MOST_ROWS = 4 * 1024**3 // ROW_BYTES

type Group = tuple[Checked, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """What is read of the files."""

    written: Written
    layout: Layout


def read(what: Read, group: Group) -> Iterator[Array]:
    """All rows of a group, shape (some, n_used), about BLOCK_BYTES of them at a time."""
    n_used = what.layout.n_used
    most = max(1, BLOCK_BYTES // (8 * n_used * CHUNK)) * CHUNK
    block, held = np.empty((most, n_used)), 0
    for rows in _all_rows(what, group):
        begin = 0
        while begin < len(rows):
            some = rows[begin : begin + most - held]
            block[held : held + len(some)] = some
            begin, held = begin + len(some), held + len(some)
            if held == most:
                yield block
                block, held = np.empty((most, n_used)), 0
    if held:
        yield block[:held]


def _all_rows(what: Read, group: Group) -> Iterator[Array]:
    return (rows for rows, _ in numbered(what, group))


def numbered(what: Read, group: Group) -> Iterator[tuple[Array, Array]]:
    """All rows of a group, and where they end in their file, as `read_numbered` has it."""
    for reader, block in _begun(what, group, ColumnReader):
        yield from rooms(reader, block, what.written.dialect)


def _begun(
    what: Read, group: Group, made: type[ColumnReader]
) -> Iterator[tuple[ColumnReader, Block]]:
    for checked in group:
        reader = made(what.layout, what.written.format, checked.line)
        for block in Rows(what.written, checked.span).blocks():
            yield reader, block


def count_texts(what: Read, checked: Checked) -> list[Counts]:
    """How often each text of its categories occurs in a span."""
    begun = _begun(what, (checked,), Counting)
    return counted(begun, what.written.dialect, what.layout)


def groups_of(spans: Sequence[Checked], used: Sequence[int], *, all_kept: bool) -> list[Group]:
    """Spans that follow each other, so many that their labels are a part of an object.

    used      columns of which a row has no label if they are missing
    all_kept  whether that can be so of no row
    """
    spans = [each for each in spans if each.n_rows]
    dropped = [0 if all_kept else _most_dropped(each, used) for each in spans]
    sizes = [ROW_BYTES * (each.n_rows - n) + n for each, n in zip(spans, dropped, strict=True)]
    return in_parts(spans, sizes)


def in_parts(spans: Sequence[Checked], sizes: Sequence[int]) -> list[Group]:
    """In their order, so many that what is written of each group is a part of an object.

    sizes   bytes that are written of each span at least
    """
    least = max(PART_BYTES, sum(sizes) // MOST_PARTS)
    groups: list[list[Checked]] = [[]]
    held = 0
    for each, size in zip(spans, sizes, strict=True):
        if held >= least:
            groups.append([])
            held = 0
        groups[-1].append(each)
        held += size
    return [tuple(group) for group in groups]


def _most_dropped(checked: Checked, used: Sequence[int]) -> int:
    return min(checked.n_rows, sum(checked.missing[column] for column in used))
