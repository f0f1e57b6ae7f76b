"""How each file of a table begins: where its rows do, and whether it can be read by ranges."""

from collections.abc import Sequence
from dataclasses import dataclass

from distributed import parquet
from distributed.given import Given
from distributed.places import in_its_file
from distributed.reading import last_cut
from kmeans_service.errors import InvalidCsv, ServiceError, UnsupportedMediaType
from kmeans_service.tables import formats
from kmeans_service.tables.bytes_in import GZIP, UTF16_MARKS, pieces, unpacked
from kmeans_service.tables.csv_lines import BLOCK_BYTES, BYTE_ORDER_MARK, pieces_from
from kmeans_service.tables.dialect import Dialect
from kmeans_service.tables.grammar import Cell, Format, read_row
from kmeans_service.tables.sniff import head_of
from kmeans_service.tables.table import load_head

FORMAT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Begin:
    """Of a file.

    place     of its first row of data
    lines     before that
    is_whole  whether it is read in one piece: packed, or its line breaks are no single bytes
    last_cut  where its last range begins at the latest
    groups    of rows, of a Parquet file
    """

    place: int
    lines: int
    is_whole: bool
    last_cut: int
    groups: int = 0


type Shared = tuple[Given, Dialect, tuple[str, ...]]
"""With the texts of the first file's header, or of its first row."""


def of_first(given: Given, dialect: Dialect, text: bytes, line: int) -> Begin:
    """Of the file that the dialect was read from; `text` is what stands before its rows."""
    return _begin(given, 0, dialect, text, line)


def of_another(shared: Shared, file: int) -> Begin | ServiceError:
    """Of a file behind the first one, or why it is none of the same table."""
    given, dialect, first = shared
    try:
        _check_format(given, file)
        text, line = _before_rows(given, file, dialect, first)
        return _begin(given, file, dialect, text, line)
    except ServiceError as error:
        return in_its_file(error, given.names, file)


def _begin(given: Given, file: int, dialect: Dialect, text: bytes, line: int) -> Begin:
    size, opened = given.sizes[file], given.source.opened(file)
    if given.is_parquet:
        return Begin(0, line - 1, True, 0, groups=parquet.n_groups(opened, size))
    first = given.raw(file).read(len(BYTE_ORDER_MARK))
    packed = first.startswith((GZIP, *UTF16_MARKS))
    is_whole = packed or dialect.old_mac or dialect.encoding == "utf-16"
    return Begin(
        min(size, _raw_length(text, dialect, marked=first == BYTE_ORDER_MARK)),
        line - 1,
        is_whole,
        size if is_whole else last_cut(opened, size),
    )


def _raw_length(text: bytes, dialect: Dialect, *, marked: bool) -> int:
    """In the file, whose text is UTF-8 without a mark once it is read."""
    if dialect.encoding == "windows-1252":
        return len(text.decode())
    return len(text) + len(BYTE_ORDER_MARK) * marked


def _check_format(given: Given, file: int) -> None:
    begun = pieces_from(given.raw(file), FORMAT_BYTES)
    head = next(unpacked(begun, FORMAT_BYTES, given.most_bytes), b"")
    if described := formats.described(head):
        raise UnsupportedMediaType(f"it is {described}")
    found, first = formats.format_of(head), formats.PARQUET if given.is_parquet else None
    if found != first:
        raise UnsupportedMediaType(
            f"it is {_named(found)}, and {given.names[0]} is {_named(first)}; the files of a "
            "dataset are all of one format"
        )


def _named(format: str | None) -> str:
    return formats.CONVERTED[format] if format else "text of rows"


def _before_rows(
    given: Given, file: int, dialect: Dialect, first: tuple[str, ...]
) -> tuple[bytes, int]:
    """The text before the rows, and the number of the line there."""
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
    if row is None or texts_of(row.cells) != first:
        raise InvalidCsv(
            f"its first row is not the header of {given.names[0]}; the files of a dataset have the "
            "same columns in the same order, and each has its header",
            line=line,
        )
    return head.text[: row.end], line + row.n_lines


def texts_of(cells: Sequence[Cell]) -> tuple[str, ...]:
    return tuple(cell.text for cell in cells)
