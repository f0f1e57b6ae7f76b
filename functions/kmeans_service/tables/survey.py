"""One pass over a file that counts, column by column, what the cells are. No NumPy.

C counts the rows that it vouches for, and the grammar reads each other one, whose cells C counts
as well: so there is one way to count.
"""

from collections.abc import Iterable, Iterator
from ctypes import addressof, byref, c_char, c_size_t
from dataclasses import dataclass
from mmap import mmap

from kmeans_service.tables.cells import Kind, kind_and_value
from kmeans_service.tables.grammar import (
    Cell,
    Format,
    check_width,
    read_row,
    too_many_rows,
)
from kmeans_service.tables.library import (
    PLACE_BYTES,
    CCell,
    CColumn,
    CPlace,
    CSurvey,
    c_format,
    library,
)
from kmeans_service.tables.refusals import cell_too_long

# All columns' distinct values together, which are counted exactly; then there are "more".
MOST_DISTINCT = 1_000_000
SLOTS = 2**21


@dataclass
class Block:
    """Text from where a row begins; whoever reads it sets `begin` to where it has stopped."""

    text: bytes
    whole: bool
    begin: int = 0


def blocks(pieces: Iterable[bytes]) -> Iterator[Block]:
    """The text in blocks, each with what was left of the one before at its beginning."""
    left = b""
    pieces = filter(None, pieces)
    piece = next(pieces, b"")
    while piece:
        following = next(pieces, b"")
        block = Block(left + piece if left else piece, not following)
        yield block
        left = block.text[block.begin :]
        piece = following


@dataclass(frozen=True, slots=True)
class Place:
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What the cells of one column are; numbers as in `struct column` of csv_survey.c.

    kinds       how many cells there are of each kind
    pointed     numbers with a decimal mark; `whole` numbers; `flags`, those that are 0 or 1
    digits      cells of digits alone: `padded` begin with 0, `dates` read as yyyymmdd or yyyymm,
                and they have from `shortest` to `longest` digits
    rises       numbers larger than the one before them; `steps`, by exactly one
    distinct    present values, or None for more than were counted: once there is no room for
                another one, of the columns that have another one
    constant    whether every present cell is the same
    first, least, largest, mean, squares   of the numbers; squares of deviations, summed
    missing, boolean, other                the first of each
    least_line  where the first of the least numbers stands; 0 where an older version has counted
    """

    kinds: tuple[int, ...]
    pointed: int
    whole: int
    flags: int
    digits: int
    padded: int
    dates: int
    shortest: int
    longest: int
    rises: int
    steps: int
    distinct: int | None
    constant: bool
    text_bytes: int
    first: float
    least: float
    largest: float
    mean: float
    squares: float
    missing: Place | None
    boolean: Place | None
    other: Place | None
    least_line: int = 0


class Survey:
    """Counts what it is shown; `line` is the number of the first line that it is shown."""

    def __init__(
        self,
        format: Format,
        line: int,
        *,
        distinct: bool = True,
        owners: bool = False,
        n_slots: int = SLOTS,
        capacity: int | None = None,
    ) -> None:
        """What different values are counted with: 2^n slots, of which so many are filled at most.

        owners   whether it is noted whose they are
        """
        self.format = format
        self.columns = (CColumn * format.n_cells)()
        self._cells = (CCell * format.n_cells)()
        # Pages of a mapping that are never touched take neither memory nor time.
        self.slots, self.owners = mmap(-1, 8 * n_slots), mmap(-1, 2 * n_slots)
        self.c = CSurvey(
            line=line,
            capacity=MOST_DISTINCT if capacity is None else capacity,
            n_slots=n_slots if distinct else 0,
            slots=_address(self.slots) if distinct else None,
            owners=_address(self.owners) if owners else None,
            columns=self.columns,
            cells=self._cells,
        )
        self._distinct = distinct

    @property
    def n_rows(self) -> int:
        return int(self.c.rows)

    @property
    def n_blank(self) -> int:
        return int(self.c.blanks)

    def run(self, pieces: Iterable[bytes]) -> None:
        """All rows of the text; raises InvalidCsv and TooLarge."""
        for block in blocks(pieces):
            self.read(block)

    def read(self, block: Block) -> None:
        """All rows of a block that end in it."""
        format = c_format(self.format, whole=block.whole)
        begin = c_size_t(block.begin)
        while begin.value < len(block.text):
            most = self.format.limits.rows - self.n_rows
            library().survey_rows(
                block.text, len(block.text), byref(begin), byref(format), byref(self.c), most
            )
            if begin.value >= len(block.text):
                break
            line = int(self.c.line)
            row = read_row(block.text, begin.value, self.format, line, whole=block.whole)
            if row is None:
                break
            if not row.cells:
                self.c.blanks += 1
            elif self.n_rows >= self.format.limits.rows:
                raise too_many_rows(line, self.format.limits)
            else:
                self.add(check_width(row, self.format.n_cells, line))
            self.c.line += row.n_lines
            begin.value = row.end
        block.begin = begin.value

    def add(self, cells: list[Cell]) -> None:
        """A row that begins at the line that is next."""
        mark = self.format.decimal
        for index, cell in enumerate(cells):
            kind, value = kind_and_value(cell.content.decode("utf-8", "replace"), mark)
            if kind == Kind.NUMBER and len(cell.content) > self.format.limits.cell_length:
                line = int(self.c.line) + cell.down
                raise cell_too_long(line, index + 1, self.format.limits)
            content = _trimmed(cell, kind)
            found = CCell(content, len(content), kind, cell.down, value)
            library().add_cell(byref(self.c), index, byref(found), ord(mark))
        self.c.rows += 1

    def counts(self) -> list[Counts]:
        return [counts_of(column, exact=self._distinct) for column in self.columns]


def counts_of(column: CColumn, *, exact: bool = True) -> Counts:
    """exact   whether different values were counted"""
    taken = {name: getattr(column, name) for name in Counts.__slots__ if hasattr(column, name)}
    return Counts(
        **taken
        | {
            "kinds": tuple(column.kinds),
            "distinct": int(column.distinct) if exact and not column.more else None,
            "constant": column.varied == 0,
            "mean": column.first + column.mean,
            "missing": _place(column.missing),
            "boolean": _place(column.boolean),
            "other": _place(column.other),
        }
    )


def _address(memory: mmap) -> int:
    return addressof(c_char.from_buffer(memory))


def _trimmed(cell: Cell, kind: int) -> bytes:
    return cell.content.strip(b"\xc2\xa0 \t") if kind == Kind.NUMBER else cell.content


def _place(place: CPlace) -> Place | None:
    if not place.line:
        return None
    # As a structure's characters end at a NUL for ctypes, they are read as bytes.
    found = bytes(place)[16:][: min(place.length, PLACE_BYTES)]
    text = found.decode("utf-8", "ignore" if place.length > PLACE_BYTES else "replace")
    return Place(int(place.line), text + "…" * (place.length > PLACE_BYTES))
