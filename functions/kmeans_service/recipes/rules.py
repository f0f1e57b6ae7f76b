"""The rules of an `auto` plan: for each column the first one that holds, and a sentence for it."""

from kmeans_service.recipes.identifiers import TIMES, is_identifier, is_text_identifier, words
from kmeans_service.recipes.levels import MOST_TEXTS
from kmeans_service.tables.cells import Kind, kind_and_value
from kmeans_service.tables.profile import BOOLEAN, MIXED, Column
from kmeans_service.tables.survey import Place
from kmeans_service.tables.table import Table

NO_CELLS, CONSTANT, ROW_NAMES, DATE, CODE = "empty", "constant", "row_names", "date", "code"
ROW_NUMBERS, IDENTIFIER, RISING = "row_numbers", "identifier", "rising"
WORDS, MIXED_CELLS, NUMBERS, TIME = "text", "mixed", "numbers", "time"
NAMES, MANY_TEXTS = "names", "many_texts"
USING = (NUMBERS, TIME)
# What is used where nothing else is left, the first of these that there is.
LAST_RESORT = (RISING, IDENTIFIER, ROW_NUMBERS, CODE, DATE, CONSTANT)

FEW_ROWS, MANY_ROWS = 5, 20


def rule_of(column: Column, table: Table, *, first: bool) -> tuple[str, str]:
    """The rule and its sentence; `first` is the first number column of the file."""
    return (
        _without_values(column)
        or _row_names(column, table)
        or _digits(column)
        or _row_numbers(column)
        or _identifier(column, table)
        or (_rising(column) if first else None)
        or _numbers(column)
    )


def first_number_column(table: Table) -> Column | None:
    """The first column of numbers that is no column of row names."""
    return next(
        (
            column
            for column in table.columns
            if column.is_numeric and column.kind != BOOLEAN and not column.names_rows
        ),
        None,
    )


def _without_values(column: Column) -> tuple[str, str] | None:
    if not column.n_present:
        return NO_CELLS, "every cell of it is missing"
    if not column.counts.constant or column.n_rows < 2:
        return None
    if column.n_missing:
        return CONSTANT, "every cell that is not missing is the same (a flag, perhaps)"
    return CONSTANT, "every cell of it is the same"


def _row_names(column: Column, table: Table) -> tuple[str, str] | None:
    if not column.names_rows:
        return None
    if table.dialect.row_names:
        return ROW_NAMES, "the header has one name fewer than the rows have cells: row names"
    return ROW_NAMES, "the first column has no name: row names"


def _digits(column: Column) -> tuple[str, str] | None:
    counts = column.counts
    if counts.digits < column.n_present or counts.shortest != counts.longest:
        return None
    if counts.dates == column.n_present:
        return DATE, "all its cells are dates, written as yyyymmdd or yyyymm"
    if counts.shortest >= 2 and counts.padded:
        width = f"all its cells are of {counts.shortest} digits, some with a zero before"
        return CODE, f"{width}: codes"
    return None


def _is_whole(column: Column) -> bool:
    return column.counts.whole == column.counts.kinds[Kind.NUMBER] > 0


def _is_complete(column: Column) -> bool:
    return column.counts.kinds[Kind.NUMBER] == column.n_rows


def _row_numbers(column: Column) -> tuple[str, str] | None:
    if not _is_complete(column) or column.counts.steps < column.n_rows - 1:
        return None
    from_one = column.counts.first == 1 and column.n_rows >= FEW_ROWS
    from_zero = column.counts.first == 0 and column.n_rows >= MANY_ROWS
    if not (from_one or from_zero) or not _is_whole(column):
        return None
    return ROW_NUMBERS, f"it counts the rows from {column.counts.first:.0f} on"


def _identifier(column: Column, table: Table) -> tuple[str, str] | None:
    numbers = column.counts.kinds[Kind.NUMBER]
    if column.name is None or not numbers or 2 * numbers < column.n_present:
        return None
    if not _is_whole(column) or column.counts.flags == numbers:
        return None
    names = (other.name for other in table.columns if other.name)
    if not is_identifier(column.name, names, all_distinct=all_distinct(column)):
        return None
    return IDENTIFIER, "its whole numbers are identifiers, by its name"


def all_distinct(column: Column) -> bool:
    distinct = column.counts.distinct
    if distinct is None:  # more than were counted
        return _is_complete(column) and column.counts.rises == column.n_rows - 1
    return distinct == column.n_present


def _rising(column: Column) -> tuple[str, str] | None:
    complete = _is_complete(column) and _is_whole(column) and column.n_rows >= MANY_ROWS
    if not complete or column.counts.rises < column.n_rows - 1:
        return None
    if is_time(column):
        return RISING, "it rises from row to row: the time of each row"
    return RISING, "the first column of numbers rises from row to row: an identifier"


def is_time(column: Column) -> bool:
    return bool(column.name) and bool(TIMES & set(words(column.name or "")))


def _numbers(column: Column) -> tuple[str, str]:
    if column.kind == MIXED:
        return MIXED_CELLS, "something else stands among its numbers"
    if not column.is_numeric:
        return WORDS, "fewer than half of its cells are numbers: text"
    if column.words:
        one, zero = column.words
        return NUMBERS, f"{one} is 1, {zero} is 0"
    if is_time(column):
        return TIME, "every cell is a number; by its name, a time"
    return NUMBERS, "every cell that is not missing is a number"


def why_no_category(column: Column) -> tuple[str, str] | None:
    """Of a column of text that names its rows instead of sorting them, the rule and its sentence.

    By its name only where that is an identifier's for texts as well: many a state or a region is a
    category.
    """
    distinct = column.counts.distinct
    if column.name and is_text_identifier(column.name):
        return IDENTIFIER, "its texts are identifiers, by its name"
    if distinct is not None and column.n_present >= MANY_ROWS and 2 * distinct > column.n_present:
        return NAMES, "most rows have a text of their own"
    return many_texts(column)


def many_texts(column: Column) -> tuple[str, str] | None:
    distinct = column.counts.distinct
    if distinct is None:
        return MANY_TEXTS, "it has more different texts than were counted"
    if distinct > MOST_TEXTS:
        return MANY_TEXTS, f"it has {distinct:,} different texts, too many for a category"
    return None


def what_stands_there(place: Place, first_line: int) -> str:
    """What the first cell that is no number may be, in brackets, or nothing."""
    kind, _ = kind_and_value(place.text, ".")
    if kind == Kind.NEAR:
        return " (thousands, percent, currency or another decimal mark)"
    return " (a second header, or units)" if place.line == first_line else ""
