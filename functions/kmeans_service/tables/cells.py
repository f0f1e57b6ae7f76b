"""What one cell is: a number, missing, a boolean, nearly a number, or something else.

A number is `[+-]?(d+.?d*|.d+)([eE][+-]?d+)?` in ASCII digits, with the file's decimal mark, up to
1e100 in magnitude. layers/reader/table.h knows the same kinds, by the same numbers.
"""

import re
from enum import IntEnum
from functools import cache

from kmeans_service.config import MAX_MAGNITUDE

BLANKS = " \t"
NO_BREAK_SPACE = "\xa0"
# Ways to write a boolean: the first word of each pair is 1. One column keeps to one of them.
BOOLEANS = (
    ("TRUE", "FALSE"),
    ("True", "False"),
    ("true", "false"),
    ("YES", "NO"),
    ("Yes", "No"),
    ("yes", "no"),
    ("Y", "N"),
    ("y", "n"),
    ("T", "F"),
)
# A letter alone may be a name for anything: it takes both to be a boolean.
FIRST_PAIR_OF_LETTERS = 6
# What pandas' read_csv takes for missing, R's and databases' words, and what Excel writes for
# a formula that failed. A cell without letter or digit is missing as well.
MISSING_WORDS = frozenset(
    [
        "NA",
        "NaN",
        "nan",
        "N/A",
        "n/a",
        "null",
        "NULL",
        "None",
        "nil",
        "NaT",
        "<NA>",
        "#N/A",
        "#NA",
        "-nan",
        "-NaN",
        "1.#IND",
        "-1.#IND",
        "1.#QNAN",
        "-1.#QNAN",
        "#DIV/0!",
        "#VALUE!",
        "#REF!",
        "#NUM!",
        "#NAME?",
        "#NULL!",
    ]
) | {"#N/A N/A"}


class Kind(IntEnum):
    """After the last one, a number for each word of BOOLEANS."""

    NUMBER = 0
    EMPTY = 1
    MISSING = 2
    NEAR = 3
    """A number but for currency, percent, thousands or the other decimal mark."""
    OTHER = 4


FIRST_BOOLEAN = 5
N_KINDS = FIRST_BOOLEAN + 2 * len(BOOLEANS)
_BOOLEAN_KINDS = {
    word: FIRST_BOOLEAN + 2 * pair + place
    for pair, words in enumerate(BOOLEANS)
    for place, word in enumerate(words)
}
_CURRENCY = "$€£¥₹₽¢"


@cache
def number_pattern(mark: str) -> re.Pattern[str]:
    point = re.escape(mark)
    return re.compile(rf"[+-]?(?:[0-9]++(?:{point}[0-9]*+)?+|{point}[0-9]++)(?:[eE][+-]?[0-9]++)?+")


_GROUPED = r"[0-9]{1,3}+(?:([,.'’  ])[0-9]{3}+)(?:\1[0-9]{3}+)*+(?:[.,][0-9]*+)?+"
_PLAIN = r"(?:[0-9]++(?:[.,][0-9]*+)?+|[.,][0-9]++)(?:[eE][+-]?[0-9]++)?+"
_NEAR = re.compile(
    rf"[+-]?(?:[{_CURRENCY}][  ]?)?[+-]?(?:{_GROUPED}(?![0-9])|{_PLAIN})[  ]?[{_CURRENCY}%‰]?"
)


def kind_and_value(cell: str, mark: str) -> tuple[int, float]:
    """The kind of a cell, and the value of a number, which is the double nearest to it."""
    text = cell.strip(BLANKS + NO_BREAK_SPACE)
    if not cell.strip(BLANKS):
        return Kind.EMPTY, 0.0
    if text in MISSING_WORDS:
        return Kind.MISSING, 0.0
    if text in _BOOLEAN_KINDS:
        return _BOOLEAN_KINDS[text], 0.0
    if number_pattern(mark).fullmatch(text):
        value = float(text.replace(mark, "."))
        if abs(value) <= MAX_MAGNITUDE:
            return Kind.NUMBER, value + 0.0  # zero has no sign
        return Kind.OTHER, 0.0
    if not any(map(str.isalnum, text)):
        return Kind.MISSING, 0.0
    return (Kind.NEAR if _NEAR.fullmatch(text) else Kind.OTHER), 0.0


def is_missing_text(text: str, mark: str) -> bool:
    """Whether a cell of a column of texts is missing; there, + and - are texts."""
    return text not in ("+", "-") and kind_and_value(text, mark)[0] in (Kind.EMPTY, Kind.MISSING)


def is_number(cell: str, mark: str) -> bool:
    return kind_and_value(cell, mark)[0] == Kind.NUMBER
