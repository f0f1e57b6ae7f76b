"""How a file is written, and what its owner says of that."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from kmeans_service.errors import InvalidParameter
from kmeans_service.json_values import shown

AUTO = "auto"
DELIMITERS = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "pipe": "|",
    "space": " ",
}
DELIMITER_NAMES = {character: name for name, character in DELIMITERS.items()}
ENCODINGS = ("utf-8", "utf-16", "windows-1252")
_ALLOWED = {
    "header": ("present", "absent"),
    "delimiter": tuple(DELIMITERS),
    "decimal": ("point", "comma"),
    "encoding": ENCODINGS,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the owner says of the file; `auto` is left to find out.

    header     "present" or "absent", as the media type text/csv has it (RFC 4180)
    delimiter  "comma", "semicolon", "tab", "pipe" or "space", or the character itself
    decimal    "point" or "comma", or the character itself
    encoding   one of ENCODINGS
    sheet      of a workbook: its name, or its number from 1
    """

    header: str = AUTO
    delimiter: str = AUTO
    decimal: str = AUTO
    encoding: str = AUTO
    sheet: str = AUTO

    def said(self) -> dict[str, str]:
        """Only what is not `auto`: it belongs to the identity of an upload and of its fits."""
        return {name: value for name, value in asdict(self).items() if value != AUTO}


READING = tuple(field.name for field in fields(Reading))


def parse_reading(given: dict[str, Any]) -> Reading:
    """Raises InvalidParameter that names field, found and allowed."""
    for field in given:
        if field not in READING:
            raise InvalidParameter(
                f"{shown(field)} is no option of reading; allowed are {', '.join(READING)}",
                field=str(field)[:100],
            )
    return Reading(**{name: _checked(name, value) for name, value in given.items()})


def _checked(name: str, value: Any) -> str:
    if name == "sheet":
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return str(value)
        if isinstance(value, str) and value:
            return value
        allowed = '"auto", the name of a sheet or its number from 1'
    else:
        if isinstance(value, str):
            spelt = _SPELT.get(value, value)
            if spelt in _ALLOWED[name] or spelt == AUTO:
                return spelt
        allowed = ", ".join(f'"{choice}"' for choice in (AUTO, *_ALLOWED[name]))
    raise InvalidParameter(
        f"{name} is {shown(value)}; allowed is {allowed}", field=name, allowed=allowed
    )


_SPELT = {**DELIMITER_NAMES, ".": "point"} | {"UTF-8": "utf-8", "UTF-16": "utf-16"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """A file as it is read.

    encoding    one of ENCODINGS; a byte order mark is no part of the text
    skipped     lines before the first record: `sep=`, comments, blank ones
    comments    how many of these begin with #
    n_cells     of each row
    header      whether the first record holds the names
    row_names   the header has one name fewer than the rows have cells: the first has none
    old_mac     lines end with a carriage return alone
    gzip        the file is compressed
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    skipped: int = 0
    comments: int = 0
    n_cells: int = 1
    header: bool = False
    row_names: bool = False
    old_mac: bool = False
    gzip: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def shown(self) -> dict[str, Any]:
        """In the words of `Reading`, and what else there is to say of it."""
        more = {
            "comments": self.comments,
            "row_names": self.row_names,
            "gzip": self.gzip,
        }
        return {
            "header": "present" if self.header else "absent",
            "delimiter": DELIMITER_NAMES[self.delimiter],
            "decimal": "point" if self.decimal == "." else "comma",
            "encoding": self.encoding,
        } | {name: value for name, value in more.items() if value}


def dialect_of(document: dict[str, Any]) -> Dialect:
    """What `as_json` wrote."""
    return Dialect(**document)
