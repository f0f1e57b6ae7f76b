"""The table in files that are counted range by range: as one reader of one file has it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from distributed.check import Checked, Checking, NotUtf8At, Say
from distributed.fleet import Fleet
from distributed.given import Given, spans_of, written
from distributed.reading import Written
from kmeans_service.errors import InvalidCsv
from kmeans_service.tables.bytes_in import NotUtf8Error
from kmeans_service.tables.csv_lines import BLOCK_BYTES
from kmeans_service.tables.dialect import Dialect
from kmeans_service.tables.header import check_numbers
from kmeans_service.tables.sniff import Head, Sniffed
from kmeans_service.tables.table import Surveyed, Table, TableReader, not_utf8_at


@dataclass(frozen=True, slots=True)
class Files:
    """What there is, and where: spans with all rows of the table."""

    table: Table
    written: Written
    spans: tuple[Checked, ...]


def read_files(given: Given, fleet: Fleet, say: Say = lambda _percent: None) -> Files:
    """Raises what `read_table` raises, for the same places; with the file's name, of several."""
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
    table = reader.read()
    check_numbers(table.columns)
    checking = reader.checking
    if checking is None:
        raise RuntimeError("a table is read without counting its rows")
    return Files(table, checking.written, tuple(checking.spans))


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
        how = written(self.given, dialect, head, sniffed)
        self.checking = Checking(how, self.given.names, self.fleet, self.say)
        self.checking.run(spans_of(how, self.given.range_bytes))
        return self.checking

    def again(self, dialect: Dialect, head: Head) -> Iterator[bytes]:
        del dialect, head
        return iter(())

    def not_utf8(self, error: NotUtf8Error) -> InvalidCsv:
        if isinstance(error, NotUtf8At):
            return not_utf8_at(error.line, error)
        return super().not_utf8(error)
