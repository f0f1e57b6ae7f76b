"""The files of a table, as they are given, and where the rows of each begin."""

from collections.abc import Sequence
from dataclasses import dataclass

from distributed.reading import Source, Written, last_cut
from distributed.spans import Span, cuts
from kmeans_service.errors import InvalidCsv
from kmeans_service.streams import ByteStream
from kmeans_service.tables.bytes_in import GZIP, UTF16_MARKS, pieces
from kmeans_service.tables.csv_lines import BLOCK_BYTES, BYTE_ORDER_MARK, CsvLimits
from kmeans_service.tables.dialect import Dialect, Reading
from kmeans_service.tables.grammar import Cell, Format, read_row
from kmeans_service.tables.sniff import Head, Sniffed, head_of
from kmeans_service.tables.table import data_begins, load_head


@dataclass(frozen=True, slots=True)
class Given:
    """Files to read, in the order of their rows.

    names        of each, for sentences
    range_bytes  as a range has at most
    most_bytes   that a packed file may have, unpacked
    """

    source: Source
    sizes: tuple[int, ...]
    names: tuple[str, ...]
    reading: Reading
    limits: CsvLimits
    range_bytes: int
    most_bytes: int

    def from_begin(self, file: int) -> ByteStream:
        return self.source.opened(file)(0, max(1, self.sizes[file]))


def written(given: Given, dialect: Dialect, head: Head, sniffed: Sniffed) -> Written:
    """Raises InvalidCsv for a file of several whose header is not that of the first one."""
    files = range(len(given.sizes))
    firsts = [given.from_begin(file).read(len(BYTE_ORDER_MARK)) for file in files]
    packed = any(first.startswith((GZIP, *UTF16_MARKS)) for first in firsts)
    place, line = data_begins(dialect, head, sniffed)
    found = [(head.text[:place], line)]
    found += [_of_another(given, file, dialect, sniffed.first) for file in files[1:]]
    return Written(
        given.source,
        dialect,
        given.limits,
        given.sizes,
        tuple(
            _raw_length(text, dialect, marked=first == BYTE_ORDER_MARK)
            for (text, _), first in zip(found, firsts, strict=True)
        ),
        tuple(line - 1 for _, line in found),
        packed or dialect.old_mac or dialect.encoding == "utf-16",
        given.most_bytes,
    )


def spans_of(written: Written, range_bytes: int) -> list[Span]:
    found: list[Span] = []
    for file, size in enumerate(written.sizes):
        if written.is_whole:
            found.append(Span(file, 0, size, is_exact=True, is_last=True))
            continue
        begin = min(written.begins[file], size)
        most = last_cut(written.source.opened(file), size)
        found += cuts(file, begin, size, range_bytes, most=most)
    return found


def _raw_length(text: bytes, dialect: Dialect, *, marked: bool) -> int:
    """In the file, whose text is UTF-8 without a mark once it is read."""
    if dialect.encoding == "windows-1252":
        return len(text.decode())
    return len(text) + len(BYTE_ORDER_MARK) * marked


def _of_another(
    given: Given, file: int, dialect: Dialect, first: Sequence[Cell]
) -> tuple[bytes, int]:
    """The text before the rows of another file, and the number of the line there."""
    size = min(BLOCK_BYTES, given.limits.line_length)
    text = pieces(
        lambda: given.from_begin(file),
        size,
        dialect.encoding,
        given.most_bytes,
        old_mac=dialect.old_mac,
    )
    loaded, whole = load_head(text, given.limits.line_length)
    head = head_of(loaded, whole=whole)
    line = head.skipped + 1
    if not dialect.header or head.begin >= len(head.text):
        return head.text[: head.begin], line
    format = Format(dialect.n_cells, dialect.delimiter, dialect.decimal, given.limits)
    row = read_row(head.text, head.begin, format, line, whole=head.whole)
    if row is None or [cell.text for cell in row.cells] != [cell.text for cell in first]:
        raise InvalidCsv(
            f"{given.names[file]}: its first row is not the header of {given.names[0]}; the files "
            "of a dataset have the same columns in the same order, and each has its header",
            line=line,
            file=given.names[file],
        )
    return head.text[: row.end], line + row.n_lines
