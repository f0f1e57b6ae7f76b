"""What a file's beginning says of how it is written."""

from dataclasses import dataclass
from functools import cached_property
from itertools import count as counting

from kmeans_service.errors import InvalidCsv, TooLarge
from kmeans_service.tables.cells import Kind, is_number, kind_and_value
from kmeans_service.tables.csv_lines import CsvLimits
from kmeans_service.tables.dialect import AUTO, DELIMITER_NAMES, DELIMITERS, Reading
from kmeans_service.tables.grammar import Cell, Format, Row, read_row

HEAD_BYTES = 64 * 1024
MOST_ROWS = 100
MOST_CELLS = 50_000
_SEPARATOR = "sep="
_BLANK = b" \t\r,;|"  # a row of delimiters alone is passed over, wherever it stands


@dataclass(frozen=True, slots=True)
class Head:
    """The file's beginning after `skipped` lines and `begin` bytes that are no rows.

    whole       whether it is all of the file
    separator   what a line `sep=;` names
    comment     the last comment line, without its #
    """

    text: bytes
    whole: bool
    begin: int = 0
    skipped: int = 0
    comments: int = 0
    separator: str | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What was found, and `ambiguous`, sentences that name another reading and the way to it."""

    delimiter: str
    decimal: str
    decimal_open: bool
    n_cells: int
    first: list[Cell]
    first_row: Row
    rows: list[list[Cell]]
    ambiguous: tuple[str, ...]


def head_of(text: bytes, *, whole: bool) -> Head:
    """Finds where the rows begin: behind blank lines, one `sep=` line and leading comments."""
    begin = skipped = comments = 0
    separator: str | None = None
    comment = ""
    while begin < len(text):
        end = text.find(b"\n", begin)
        line = text[begin : len(text) if end < 0 else end].strip(b" \t\r")
        named = _named_separator(line) if separator is None and not comments else None
        if named:
            separator = named
        elif line.startswith(b"#") and not line.startswith((b"#N/A", b"#NA,", b"#NA;")):
            comments += 1
            comment = line.lstrip(b"#").decode("utf-8", "replace").strip()
        elif line.strip(_BLANK):
            break
        skipped += 1
        begin = len(text) if end < 0 else end + 1
    return Head(text, whole, begin, skipped, comments, separator, comment)


def _named_separator(line: bytes) -> str | None:
    text = line.decode("utf-8", "replace").strip('"')
    if text.lower() == _SEPARATOR:  # a tab or a space, which was stripped
        return "\t"
    named = text[len(_SEPARATOR) :] if text.lower().startswith(_SEPARATOR) else ""
    return named if named in DELIMITER_NAMES else None


def sniff(head: Head, reading: Reading, limits: CsvLimits) -> Sniffed:
    """Delimiter, decimal mark and width; raises InvalidCsv where the first row cannot be read."""
    candidates = _candidates(head, reading)
    found = [_Candidate(head, delimiter, reading, limits) for delimiter in candidates]
    best = max(found, key=lambda candidate: candidate.score)
    too_large = [other.error for other in found if isinstance(other.error, TooLarge)]
    if too_large and not best.separated:
        raise too_large[0]
    if best.first is None:  # it cannot be read, and is refused with its place
        best.read_first()
        raise InvalidCsv("the file is empty; it needs at least one row of numbers", line=1)
    ambiguous = [
        f"the cells can be separated by {best.name} or by {other.name}; "
        f"read as separated by {best.name}: delimiter decides"
        for other in found
        if other is not best and other.score[:4] == best.score[:4] and best.separated
    ]
    decimal, is_open, doubt = best.decimal()
    return Sniffed(
        best.delimiter,
        decimal,
        is_open,
        best.n_cells,
        best.first.cells,
        best.first,
        best.rows,
        tuple(ambiguous + doubt + best.one_column(reading)),
    )


def _candidates(head: Head, reading: Reading) -> list[str]:
    if reading.delimiter != AUTO:
        return [DELIMITERS[reading.delimiter]]
    if head.separator:
        return [head.separator]
    return [
        delimiter
        for delimiter in DELIMITERS.values()
        if not (delimiter == "," and reading.decimal == "comma")
    ]


class _Candidate:
    """The file's beginning, as it is with one delimiter."""

    def __init__(self, head: Head, delimiter: str, reading: Reading, limits: CsvLimits) -> None:
        self.head, self.delimiter, self.reading, self.limits = head, delimiter, reading, limits
        self.name = DELIMITER_NAMES[delimiter]
        self.first: Row | None = None
        self.rows: list[list[Cell]] = []
        try:
            self._read()
        except (InvalidCsv, TooLarge) as error:
            self.error: InvalidCsv | TooLarge | None = error
        else:
            self.error = None

    def _read(self) -> None:
        format = Format(1, self.delimiter, ".", self.limits)
        begin, cells = self.head.begin, 0
        text = self.head.text
        while begin < len(text) and len(self.rows) < MOST_ROWS and cells < MOST_CELLS:
            row = read_row(text, begin, format, self.head.skipped + 1, whole=self.head.whole)
            if row is None:
                return
            if row.cells and self.first is None:
                self.first = row
            elif row.cells:
                self.rows.append(row.cells)
            cells += len(row.cells)
            begin = row.end

    def read_first(self) -> None:
        """Raises for the place at which the first row breaks the grammar."""
        format = Format(1, self.delimiter, ".", self.limits)
        read_row(
            self.head.text, self.head.begin, format, self.head.skipped + 1, whole=self.head.whole
        )

    @property
    def n_cells(self) -> int:
        """As many as the first row has, or one more where that may be the names of all others."""
        first = self.first.cells if self.first else []
        names = len(first)
        every = [len(row) for row in self.rows]
        if every and min(every) >= names + 1 and not any(map(self._numeric, first)):
            return names + 1
        stripped = len(_without_end(first))
        if every and max(every) < names and stripped <= max(every):
            return max(every)
        return names

    @cached_property
    def separated(self) -> bool:
        """Whether it separates cells, and not just pads rows at their ends."""
        rows = [self.first.cells, *self.rows] if self.first else []
        return any(sum(bool(cell.content) for cell in row) > 1 for row in rows)

    @property
    def _marks(self) -> str:
        """A decimal comma is one only where something else separates cells."""
        if self.reading.decimal == "comma":
            return ","
        return ".," if self.separated and self.delimiter != "," else "."

    def _numeric(self, cell: Cell) -> bool:
        marks = self._marks
        return any(is_number(cell.text, mark) for mark in marks)

    @property
    def score(self) -> tuple[float, float, float, float, int]:
        """Rows of one width first, then cells that are something, then cells without delimiters."""
        order = -list(DELIMITERS.values()).index(self.delimiter)
        rows = self.rows or ([self.first.cells] if self.first else [])
        if not rows or self.first is None:
            return (-1.0, 0.0, 0.0, 0.0, order)
        n_cells = self.n_cells
        fitting = sum(_fits(row, n_cells) for row in rows) / len(rows)
        cells = [cell for row in rows[:20] for cell in row]
        meant = sum(map(self._meant, cells)) / len(cells)
        joined = sum(map(self._joins_numbers, self.first.cells))
        clean = sum(map(self._clean, cells)) / (len(cells) + joined)
        even = fitting == 1.0 and self.error is None
        return (float(self.separated and even), meant, clean, fitting, order)

    def _meant(self, cell: Cell) -> bool:
        """Whether it is a number, missing or a boolean, and does not end in its mark."""
        text = cell.text
        if not text or text[-1] in ".,":
            return False
        kinds = {kind_and_value(text, mark)[0] for mark in self._marks}
        return bool(kinds - {Kind.NEAR, Kind.OTHER, Kind.EMPTY})

    def _clean(self, cell: Cell) -> bool:
        others = [d for d in ",;\t|" if d != self.delimiter]
        return cell.quoted or self._numeric(cell) or not any(d in cell.text for d in others)

    def _joins_numbers(self, cell: Cell) -> bool:
        """Whether a cell of the first row is a row of numbers: no header, as it would be lost."""
        if cell.quoted or self._numeric(cell):
            return False
        parts = [cell.text.split(d) for d in ",;\t|" if d in cell.text]
        return any(all(is_number(part, ".") for part in each) for each in parts)

    def decimal(self) -> tuple[str, bool, list[str]]:
        """The mark, whether nothing has decided it yet, and a sentence where it is a guess."""
        if self.reading.decimal != AUTO:
            return {"point": ".", "comma": ","}[self.reading.decimal], False, []
        if self.delimiter == "," or not self.separated:
            return ".", False, []
        texts = [cell.text for row in self.rows for cell in row]
        points = sum("." in text and is_number(text, ".") for text in texts)
        commas = [text for text in texts if "," in text and is_number(text, ",")]
        if points or not commas:
            return ".", not points, []
        if all(_may_be_thousands(text) for text in commas):
            return (
                ",",
                False,
                [
                    f"{commas[0]} can be read with a decimal comma or as thousands; "
                    "read with a decimal comma: decimal decides"
                ],
            )
        return ",", False, []

    def one_column(self, reading: Reading) -> list[str]:
        """A sentence where one column of numbers with decimal commas looks like two of them."""
        if self.delimiter != "," or reading.delimiter != AUTO or self.n_cells != 2:
            return []
        if self.first is None or len(self.first.cells) != 1 or not self.rows:
            return []
        digits = all(
            not cell.quoted and cell.content.lstrip(b"+-").isdigit()
            for row in self.rows
            for cell in row
        )
        if not digits:
            return []
        return [
            "the rows can be row names and numbers separated by commas, or one number each with "
            "a decimal comma; read as row names and numbers: decimal decides"
        ]


def _may_be_thousands(text: str) -> bool:
    whole, *groups = text.lstrip("+-").split(",")
    return 1 <= len(whole) <= 3 and whole != "0" and all(len(group) == 3 for group in groups)


def _fits(row: list[Cell], n_cells: int) -> bool:
    return len(row) >= n_cells and len(_without_end(row)) <= n_cells


def _without_end(cells: list[Cell]) -> list[Cell]:
    """The cells up to the last one that is not empty."""
    end = next((n for n in counting(len(cells), -1) if n == 0 or cells[n - 1].content), 0)
    return cells[:end]
