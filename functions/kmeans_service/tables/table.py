"""A file read whole once: its dialect, its columns, and what they hold. No NumPy.

What its beginning says may turn out otherwise further on: bytes that are not UTF-8, a decimal
comma, a first line that is no header after all. Then it is read once more, the other way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Protocol

from kmeans_service.errors import InvalidCsv
from kmeans_service.tables import formats, header
from kmeans_service.tables.bytes_in import GZIP, UTF16_MARKS, NotUtf8Error, Source, pieces, unpacked
from kmeans_service.tables.cells import Kind, is_number
from kmeans_service.tables.csv_lines import BLOCK_BYTES, CsvLimits, csv_limits, pieces_from
from kmeans_service.tables.dialect import AUTO, Dialect, Reading
from kmeans_service.tables.grammar import Format
from kmeans_service.tables.profile import NUMBERS, Column, columns_of
from kmeans_service.tables.sniff import HEAD_BYTES, Head, Sniffed, head_of, sniff
from kmeans_service.tables.survey import Counts, Survey

# Enough of a file's beginning to tell what it is.
_FORMAT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds.

    first_line   the line of the first row of data, from 1
    n_rows       rows of data; n_blank more were passed over
    guesses      sentences that name another reading and the option that decides
    """

    dialect: Dialect
    columns: tuple[Column, ...]
    first_line: int
    n_rows: int
    n_blank: int
    guesses: tuple[str, ...]

    @property
    def names(self) -> tuple[str | None, ...] | None:
        """None where the file has no header; a column without a name has None."""
        return tuple(column.name for column in self.columns) if self.dialect.header else None

    @property
    def is_plain(self) -> bool:
        """Whether it is a matrix of numbers without header or gaps, written in the plainest way."""
        complete = all(column.kind == NUMBERS and not column.n_missing for column in self.columns)
        return complete and self.dialect == Dialect(n_cells=len(self.columns))


def read_table(
    source: Source,
    reading: Reading | None = None,
    limits: CsvLimits | None = None,
    *,
    most_bytes: int = 5 * 1024**3,
    block_bytes: int = BLOCK_BYTES,
    distinct: bool = True,
    numbers: bool = True,
) -> Table:
    """The table in a file; raises InvalidCsv, TooLarge, UnsupportedMediaType or NeedsConversion.

    numbers   whether a file without a column of numbers is refused
    """
    reader = TableReader(
        source, reading or Reading(), limits or csv_limits(), most_bytes, block_bytes, distinct
    )
    table = reader.read()
    if numbers:
        header.check_numbers(table.columns)
    return table


def _as_known(text: Iterator[bytes]) -> Iterator[bytes]:
    """Raises InvalidCsv where the file is not UTF-8 any more: it is another one than was read."""
    try:
        yield from text
    except NotUtf8Error as error:
        raise InvalidCsv(
            f"the file is not UTF-8, as it was: it has the bytes {error.wrong.hex()}"
        ) from None


def text_pieces(source: Source, dialect: Dialect, size: int, most_bytes: int) -> Iterator[bytes]:
    """The text of a file whose dialect is known, in UTF-8, behind what was skipped."""
    read = pieces(source, size, dialect.encoding, most_bytes, old_mac=dialect.old_mac)
    text, left = _as_known(read), dialect.skipped
    for piece in text:
        rest = piece
        while left and (end := rest.find(b"\n")) >= 0:
            rest, left = rest[end + 1 :], left - 1
        if not left and rest:
            return chain([rest], text)
    return iter(())


class Surveyed(Protocol):
    """All rows of data, counted."""

    @property
    def n_rows(self) -> int: ...

    @property
    def n_blank(self) -> int: ...

    def counts(self) -> list[Counts]: ...


@dataclass
class TableReader:
    """How a file is read becomes clear here; who counts its rows elsewhere overrides `survey`."""

    source: Source
    reading: Reading
    limits: CsvLimits
    most_bytes: int
    block_bytes: int
    distinct: bool

    def read(self) -> Table:
        begun = next(pieces_from(self.source(), _FORMAT_BYTES), b"")
        raw = next(unpacked(iter([begun]), _FORMAT_BYTES, _FORMAT_BYTES), b"")
        encoding = self._encoding(raw)
        guess: tuple[str, ...] = ()
        if encoding != "utf-16":
            formats.check_text(raw, self.reading)
        try:
            table = self._decoded(encoding)
        except NotUtf8Error as error:
            if self.reading.encoding != AUTO:
                raise self.not_utf8(error) from None
            table = self._decoded("windows-1252")
            guess = ("not all of the file is UTF-8; read as Windows-1252: encoding decides",)
        return replace(
            table,
            dialect=replace(table.dialect, gzip=begun.startswith(GZIP)),
            guesses=guess + table.guesses,
        )

    def _encoding(self, raw: bytes) -> str:
        if self.reading.encoding != AUTO:
            return self.reading.encoding
        return "utf-16" if raw.startswith(UTF16_MARKS) else "utf-8"

    def not_utf8(self, error: NotUtf8Error) -> InvalidCsv:
        """The refusal that names the line, which is found by counting once more."""
        size = self._piece_bytes
        line = 1 + error.before.count(b"\n")
        try:
            for piece in pieces(self.source, size, "utf-8", self.most_bytes):
                line += piece.count(b"\n")
        except NotUtf8Error:
            pass
        return not_utf8_at(line, error)

    @property
    def _piece_bytes(self) -> int:
        return min(self.block_bytes, self.limits.line_length)

    def _decoded(self, encoding: str) -> Table:
        old_mac = False
        size = self._piece_bytes
        while True:
            text = pieces(self.source, size, encoding, self.most_bytes, old_mac=old_mac)
            head, whole = load_head(text, self.limits.line_length)
            if b"\r" in head and b"\n" not in head and not old_mac:
                old_mac = True
                continue
            found = head_of(head, whole=whole)
            if found.begin >= len(found.text):
                raise InvalidCsv("the file is empty; it needs at least one row of numbers", line=1)
            sniffed = sniff(found, self.reading, self.limits)
            return self._surveyed(encoding, found, sniffed, text, old_mac=old_mac)

    def _surveyed(
        self, encoding: str, head: Head, sniffed: Sniffed, text: Iterator[bytes], *, old_mac: bool
    ) -> Table:
        """Counts the cells, and counts once more where they say that the head misled."""
        choice = header.choose(sniffed, self.reading)
        dialect = Dialect(
            encoding=encoding,
            delimiter=sniffed.delimiter,
            decimal=sniffed.decimal,
            skipped=head.skipped,
            comments=head.comments,
            n_cells=sniffed.n_cells,
            header=choice.present,
            old_mac=old_mac,
        )
        if not choice.present:
            dialect = replace(dialect, n_cells=len(sniffed.first))
        survey: Surveyed = self.survey(dialect, head, sniffed, text)
        counts = survey.counts()
        if (
            choice.present
            and choice.numeric
            and any(column.pointed < column.kinds[Kind.NUMBER] for column in counts)
        ):
            choice = header.row_after_all()
            dialect = replace(dialect, header=False)
            survey = self.survey(dialect, head, sniffed, self.again(dialect, head))
            counts = survey.counts()
        if sniffed.decimal_open and _decimal_commas(counts):
            dialect = replace(dialect, decimal=",")
            survey = self.survey(dialect, head, sniffed, self.again(dialect, head))
            counts = survey.counts()
        if not survey.n_rows:
            raise InvalidCsv(
                "the file has a header and no rows of numbers after it",
                line=head.skipped + sniffed.first_row.n_lines + 1,
            )
        names = header.names(sniffed, dialect, counts, survey.n_rows, self.limits, head.skipped + 1)
        fewer = len(sniffed.first) < dialect.n_cells
        row_names = names is not None and fewer and names[0] is None
        columns = columns_of(names, counts, dialect.n_cells)
        first_line = head.skipped + 1 + (sniffed.first_row.n_lines if dialect.header else 0)
        comment = header.comment_guess(head, dialect)
        return Table(
            replace(dialect, row_names=row_names),
            columns,
            first_line,
            survey.n_rows,
            survey.n_blank,
            sniffed.ambiguous + choice.guesses + comment,
        )

    def again(self, dialect: Dialect, head: Head) -> Iterator[bytes]:
        size = self._piece_bytes
        text = pieces(self.source, size, dialect.encoding, self.most_bytes, old_mac=dialect.old_mac)
        left = len(head.text)
        for piece in text:
            if len(piece) > left:
                return chain([piece[left:]], text)
            left -= len(piece)
        return iter(())

    def survey(
        self, dialect: Dialect, head: Head, sniffed: Sniffed, text: Iterator[bytes]
    ) -> Surveyed:
        """Counts the rows of data: those of the head from where they begin, and all others."""
        begin, line = data_begins(dialect, head, sniffed)
        format = Format(dialect.n_cells, dialect.delimiter, dialect.decimal, self.limits)
        survey = Survey(format, line, distinct=self.distinct)
        survey.run(chain([head.text[begin:]] if begin < len(head.text) else [], text))
        return survey


def data_begins(dialect: Dialect, head: Head, sniffed: Sniffed) -> tuple[int, int]:
    """Where in the head the rows of data begin, and the number of the line there."""
    row = sniffed.first_row
    if dialect.header:
        return row.end, head.skipped + 1 + row.n_lines
    return head.begin, head.skipped + 1


def not_utf8_at(line: int, error: NotUtf8Error) -> InvalidCsv:
    return InvalidCsv(
        f"line {line}: the bytes {error.wrong.hex(' ')} are not UTF-8; "
        "encoding can be windows-1252 or utf-16",
        line=line,
    )


def load_head(text: Iterator[bytes], line_length: int) -> tuple[bytes, bool]:
    """The text's beginning: some rows of it, or all."""
    parts: list[bytes] = []
    size = breaks = 0
    for piece in text:
        parts.append(piece)
        size += len(piece)
        breaks += piece.count(b"\n")
        if (size >= HEAD_BYTES and breaks > 2) or size > 3 * line_length + HEAD_BYTES:
            return b"".join(parts), False
    return b"".join(parts), True


def _decimal_commas(counts: list[Counts]) -> bool:
    """Whether every first cell that is no number would be one with a decimal comma."""
    others = [column.other.text for column in counts if column.kinds[Kind.NEAR] and column.other]
    return (
        bool(others)
        and not any(column.pointed for column in counts)
        and all("," in text and is_number(text, ",") for text in others)
    )
