"""The first pass: every range is counted, and what was counted of all of them is one table.

A range is read as if a row began with its first line. That is so where the one before it ends
there, and so for the first one: where a cell goes on over a cut, the range behind it is read once
more, from where its first row begins.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from distributed.distinct import (
    ALL_SENT,
    MOST_SENT,
    Distinct,
    Known,
    Seen,
    count_again,
    seen,
    survey_of_range,
)
from distributed.fleet import Fleet
from distributed.places import in_its_file
from distributed.reading import Rows, Written
from distributed.spans import Span
from kmeans_service.errors import InvalidCsv, TooLarge
from kmeans_service.tables.bytes_in import NotUtf8Error
from kmeans_service.tables.cells import Kind
from kmeans_service.tables.library import CColumn
from kmeans_service.tables.merging import add_part
from kmeans_service.tables.survey import Counts, Survey, counts_of


@dataclass(frozen=True, slots=True)
class Found:
    """What a range has.

    columns   what C counted, as bytes; None where it cannot be read
    n_bytes   of its text in UTF-8
    """

    begin: int
    end: int
    n_rows: int
    n_blank: int
    n_lines: int
    columns: bytes | None
    seen: Seen | None = None
    n_bytes: int = 0


def look(shared: tuple[Written, int], span: Span) -> Found:
    """Counts the cells of a range; of columns with few different values tells which these are."""
    written, few = shared
    rows = Rows(written, span)
    survey = survey_of_range(written, span)
    try:
        for block in rows.blocks():
            survey.read(block)
    except (InvalidCsv, TooLarge, NotUtf8Error):
        return Found(rows.begin, rows.begin, 0, 0, 0, None)
    columns = bytes(survey.columns)
    lines = int(survey.c.line) - 1
    found = seen(survey, few)
    n_rows, n_blank = survey.n_rows, survey.n_blank
    return Found(rows.begin, rows.end, n_rows, n_blank, lines, columns, found, rows.n_bytes)


@dataclass(frozen=True, slots=True)
class Checked:
    """A span with its rows, and the number of its first line in its file.

    missing   cells of each column
    n_bytes   of its text in UTF-8, with what begins in it and ends behind it
    """

    span: Span
    line: int
    n_rows: int
    missing: tuple[int, ...]
    n_bytes: int


class NotUtf8At(NotUtf8Error):
    """The same, where its file and its line are known."""

    def __init__(self, error: NotUtf8Error, file: int, line: int) -> None:
        super().__init__(error.before, error.wrong)
        self.file, self.line = file, line


type Say = Callable[[int], None]

# Ranges that are counted before what they found is brought together: 64 GB, as they mostly are.
AT_ONCE = 1024


class Checking:
    """All ranges, in their order; `say` is told of each hundredth."""

    def __init__(self, written: Written, names: Sequence[str], fleet: Fleet, say: Say) -> None:
        self.written, self._names, self._fleet, self._say = written, names, fleet, say
        self._few = MOST_SENT
        self._distinct = Distinct(written.dialect.n_cells, self._count_again)
        self.columns = (CColumn * written.dialect.n_cells)()
        self.spans: list[Checked] = []
        self.starts: list[int] = []  # of each file: the lines of the files before it
        self.n_rows = self.n_blank = 0
        self._lines = 0  # of all files so far
        self._file, self._line, self._at = -1, 1, 0

    def counts(self) -> list[Counts]:
        known = self._distinct.known
        for column, distinct, more in zip(self.columns, known.counts, known.more, strict=True):
            column.distinct, column.more = int(distinct), bool(more)
        return [counts_of(column) for column in self.columns]

    def run(self, spans: Sequence[Span]) -> None:
        """Raises InvalidCsv and TooLarge for the first place that breaks the grammar.

        NotUtf8At for one that is not UTF-8.
        """
        at_once = min(len(spans), AT_ONCE)
        self._few = min(MOST_SENT, ALL_SENT // (at_once * len(self.columns)))
        for begin in range(0, len(spans), at_once):
            self._say(100 * begin // len(spans))
            some = spans[begin : begin + at_once]
            for span, found in zip(some, self._look(some), strict=True):
                if span.file != self._file:
                    self._begin_file(span)
                if self._at < span.end:
                    self._take(span, found)

    def _begin_file(self, span: Span) -> None:
        before = self.written.lines[span.file]
        self._file = span.file
        self._line, self._at = 1 + before, span.begin
        self.starts.append(self._lines)
        self._lines += before

    def _take(self, span: Span, found: Found) -> None:
        exact = replace(span, begin=self._at, is_exact=True)
        if found.begin != self._at:
            [found] = self._look([exact])
        if (
            found.columns is None
            or found.seen is None
            or self.n_rows + found.n_rows > self.written.limits.rows
        ):
            self._refuse(exact)
            raise RuntimeError("what was refused in a task is read without a fault")
        part = (CColumn * len(self.columns)).from_buffer_copy(found.columns)
        add_part(self.columns, part, self._lines)
        missing = tuple(column.kinds[Kind.EMPTY] + column.kinds[Kind.MISSING] for column in part)
        span = replace(exact, end=found.end)
        self._distinct.add(found.seen, span)
        self.spans.append(Checked(span, self._line, found.n_rows, missing, found.n_bytes))
        self.n_rows += found.n_rows
        self.n_blank += found.n_blank
        self._line += found.n_lines
        self._lines += found.n_lines
        self._at = found.end

    def _look(self, spans: Sequence[Span]) -> list[Found]:
        return self._fleet.each(look, (self.written, self._few), spans)

    def _count_again(self, known: Known, span: Span) -> Known:
        [found] = self._fleet.each(count_again, (self.written, known), [span])
        return found

    def _refuse(self, span: Span) -> None:
        """Reads it once more, its first line's number known now, to name the place."""
        survey = Survey(self.written.format, self._line, distinct=False)
        survey.c.rows = self.n_rows
        rows = Rows(self.written, span)
        try:
            for block in rows.blocks():
                survey.read(block)
        except NotUtf8Error as error:
            raise NotUtf8At(error, span.file, self._line_of_fault(span)) from None
        except (InvalidCsv, TooLarge) as error:
            raise in_its_file(error, self._names, span.file) from None

    def _line_of_fault(self, span: Span) -> int:
        """Of bytes that are not UTF-8."""
        line = self._line
        try:
            for piece in Rows(self.written, span).pieces():
                line += piece.count(b"\n")
        except NotUtf8Error as error:
            line += error.before.count(b"\n")
        return line
