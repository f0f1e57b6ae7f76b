"""The table in files that are counted range by range: as one reader of one file has it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from distributed import parquet, rows
from distributed.beginning import FORMAT_BYTES, Begin, of_another, of_first, texts_of
from distributed.check import Checked, Checking, NotUtf8At, Say
from distributed.fleet import Fleet
from distributed.given import Given
from distributed.places import at_its_line, in_its_file
from distributed.reading import Written
from distributed.row_groups import MARK
from distributed.spans import Span, cuts
from kmeans_service.errors import (
    InvalidCsv,
    ServiceError,
    TooLarge,
    UnsupportedMediaType,
)
from kmeans_service.tables import formats
from kmeans_service.tables.bytes_in import NotUtf8Error, unpacked
from kmeans_service.tables.csv_lines import BLOCK_BYTES, pieces_from
from kmeans_service.tables.dialect import Dialect
from kmeans_service.tables.header import check_numbers
from kmeans_service.tables.sniff import Head, Sniffed
from kmeans_service.tables.table import Surveyed, Table, TableReader, data_begins, not_utf8_at

OF_OTHER_FORMAT = "the files of a dataset are CSV, packed with gzip or not, or Parquet"


@dataclass(frozen=True, slots=True)
class Files:
    """What there is, and where: spans with all rows of the table.

    starts   of each file, how many lines the files before it have
    """

    table: Table
    written: Written
    spans: tuple[Checked, ...]
    names: tuple[str, ...]
    starts: tuple[int, ...]

    def placed[E: ServiceError](self, error: E) -> E:
        """A refusal of what the table holds, named with its file and the line there."""
        return at_its_line(error, self.names, self.starts)


def read_files(
    given: Given, fleet: Fleet, say: Say = lambda _percent: None, *, numbers: bool = True
) -> Files:
    """Raises what `read_table` raises, for the same places; with the file's name, of several."""
    given = _as_text(given)
    reader = _Reader(
        lambda: given.from_begin(0),
        given.reading,
        given.limits,
        given.most_bytes,
        BLOCK_BYTES,
        distinct=True,
        given=given,
        fleet=fleet,
        say=say,
    )
    try:
        table = reader.read()
    except (InvalidCsv, TooLarge, UnsupportedMediaType) as error:
        raise in_its_file(error, given.names, 0) from None
    if numbers:
        check_numbers(table.columns)
    checking = reader.checking
    if checking is None:
        raise RuntimeError("a table is read without counting its rows")
    _check_pieces(checking.spans, given.names)
    return Files(
        table, checking.written, tuple(checking.spans), given.names, tuple(checking.starts)
    )


def _check_pieces(spans: Sequence[Checked], names: Sequence[str]) -> None:
    """Only one that is a file, or a group of Parquet's, can have so many rows."""
    for each in spans:
        if each.n_rows > rows.MOST_ROWS:
            raise TooLarge(
                f"{names[each.span.file]}: {each.n_rows:,} rows are read in one piece, which has "
                f"{rows.MOST_ROWS:,} at most; in several files, or as plain CSV, it can be read"
            )


def _as_text(given: Given) -> Given:
    """The files as they are read; raises UnsupportedMediaType where they are no table."""
    head = next(pieces_from(given.raw(0), FORMAT_BYTES), b"")
    match formats.format_of(next(unpacked(iter([head]), FORMAT_BYTES, FORMAT_BYTES), b"")):
        case None:
            return given
        case formats.PARQUET if head.startswith(MARK):
            formats.check_options(formats.PARQUET, given.reading)
            return replace(given, reading=parquet.READING, is_parquet=True)
        case other:
            raise UnsupportedMediaType(
                f"{given.names[0]}: it is {formats.CONVERTED[other]}; {OF_OTHER_FORMAT}"
            )


@dataclass
class _Reader(TableReader):
    checking: Checking | None = None
    given: Given = field(kw_only=True)
    fleet: Fleet = field(kw_only=True)
    say: Say = field(kw_only=True)

    def survey(
        self, dialect: Dialect, head: Head, sniffed: Sniffed, text: Iterator[bytes]
    ) -> Surveyed:
        """The text is read anew: it goes on behind the head, and the ranges do not."""
        del text
        how, begins = self._written(dialect, head, sniffed)
        self.checking = Checking(how, self.given.names, self.fleet, self.say)
        self.checking.run(_spans(how, begins, self.given.range_bytes))
        return self.checking

    def _written(
        self, dialect: Dialect, head: Head, sniffed: Sniffed
    ) -> tuple[Written, list[Begin]]:
        """Raises what is wrong with the beginning of a file, of the first one that has it."""
        given, first = self.given, texts_of(sniffed.first)
        place, line = data_begins(dialect, head, sniffed)
        begins = [of_first(given, dialect, head.text[:place], line)]
        others = range(1, len(given.sizes))
        for each in self.fleet.each(of_another, (given, dialect, first), others):
            if isinstance(each, ServiceError):
                raise each
            begins.append(each)
        return Written(
            given.source,
            dialect,
            given.limits,
            given.sizes,
            tuple(each.place for each in begins),
            tuple(each.lines for each in begins),
            tuple(each.is_whole for each in begins),
            given.most_bytes,
            given.is_parquet,
        ), begins

    def again(self, dialect: Dialect, head: Head) -> Iterator[bytes]:
        del dialect, head
        return iter(())

    def not_utf8(self, error: NotUtf8Error) -> InvalidCsv:
        if isinstance(error, NotUtf8At):
            return in_its_file(not_utf8_at(error.line, error), self.given.names, error.file)
        return super().not_utf8(error)


def _spans(written: Written, begins: Sequence[Begin], range_bytes: int) -> list[Span]:
    found: list[Span] = []
    least = max(2, written.dialect.n_cells)  # bytes of a row: a delimiter or a line feed a cell
    range_bytes = min(range_bytes, rows.MOST_ROWS * least)
    for file, (size, begin) in enumerate(zip(written.sizes, begins, strict=True)):
        if written.is_parquet:
            found += [Span(file, group, group + 1, True, True) for group in range(begin.groups)]
        elif begin.is_whole:
            found.append(Span(file, 0, size, is_exact=True, is_last=True))
        else:
            found += cuts(file, begin.place, size, range_bytes, most=begin.last_cut)
    return found
