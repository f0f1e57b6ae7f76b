"""The texts of one column, row by row: as digests, however long they are."""

from collections.abc import Iterator
from hashlib import blake2b

from kmeans_service.tables.bytes_in import Source
from kmeans_service.tables.cells import is_missing_text
from kmeans_service.tables.columns import ColumnReader, Layout, Role, begun, rooms
from kmeans_service.tables.csv_lines import BLOCK_BYTES
from kmeans_service.tables.table import Table

# Of so many bytes that two texts of a file never have the same.
DIGEST_BYTES = 16


class _Digesting(ColumnReader):
    """Takes note of each cell of the one column that it reads; its numbers mean nothing."""

    digests: list[bytes | None]

    def _level(self, content: bytes, _known: dict[bytes, float]) -> float:
        text = content.replace(b'""', b'"')
        missing = is_missing_text(text.decode("utf-8", "replace"), self.format.decimal)
        self.digests.append(None if missing else blake2b(text, digest_size=DIGEST_BYTES).digest())
        return 0.0


def digests_of(source: Source, table: Table, column: int) -> Iterator[list[bytes | None]]:
    """Of the cells of a column, from 0; None for a missing one. A block of rows at a time."""
    roles = [Role.SKIPPED] * len(table.columns)
    roles[column] = Role.LEVEL
    layout = Layout(tuple(roles), ((),))
    for reader, block in begun(source, table.dialect, layout, None, BLOCK_BYTES, _Digesting):
        if not isinstance(reader, _Digesting):
            raise TypeError("the reader is the one that was asked for")
        reader.digests = []
        for _ in rooms(reader, block, table.dialect):
            pass
        yield reader.digests
