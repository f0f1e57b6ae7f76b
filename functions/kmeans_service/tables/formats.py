"""Files that are no text of rows, told by their first bytes."""

import json
import re

from kmeans_service.errors import (
    InvalidParameter,
    NeedsConversion,
    UnsupportedMediaType,
    quoted,
)
from kmeans_service.tables.dialect import Reading

PARQUET, EXCEL, JSON_LINES = "parquet", "excel", "json_lines"
CONVERTED = {
    PARQUET: "a Parquet file",
    EXCEL: "an Excel workbook",
    JSON_LINES: "a file of JSON objects, one a line",
}
# What can be said of how each is read; None is text.
_OPTIONS: dict[str | None, tuple[str, ...]] = {
    None: ("header", "delimiter", "decimal", "encoding"),
    PARQUET: (),
    EXCEL: ("header", "sheet"),
    JSON_LINES: (),
}
_UNPACK = "unpack it and send the table itself"
_EXPORT = "send its rows as CSV or Parquet"
_NUMBERS = "send numbers, as CSV"
# The beginning of an object whose members are plain values, as those of a row are.
_MEMBERS = re.compile(rb'\{\s*("(?:[^"\\]|\\.)*+"\s*:\s*("(?:[^"\\]|\\.)*+"|[-+.\w]++)\s*,\s*){8}')
_OFFICE = (b"xl/", b"[Content_Types].xml", b"docProps/")
_PICKLE = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
# Each begins at the very start, as no text of rows does: what it is, and what to do.
_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Excel workbook or another of Office's files",
        "save it as .xlsx or CSV",
    ),
    (b"ARROW1", "an Arrow or Feather file", _EXPORT),
    (b"FEA1", "a Feather file", _EXPORT),
    (b"Obj\x01", "an Avro file", _EXPORT),
    (b"ORC", "an ORC file", _EXPORT),
    (b"%PDF", "a PDF document", "send the table in it as CSV"),
    (b"\x89PNG", "a PNG image", _NUMBERS),
    (b"\xff\xd8\xff", "a JPEG image", _NUMBERS),
    (b"GIF8", "a GIF image", _NUMBERS),
    (b"BZh", "a bzip2 file", _UNPACK),
    (b"\xfd7zXZ\0", "an xz file", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"\x89HDF", "an HDF5 file", _EXPORT),
    (b"\x93NUMPY", "a NumPy array", "save it with numpy.savetxt(file, X, delimiter=',')"),
    (b"SQLite format 3", "an SQLite database", _EXPORT),
    (b"RDX", "an R workspace", _EXPORT),
    (b"RDA", "an R workspace", _EXPORT),
    (b"$FL2", "an SPSS file", _EXPORT),
    (b"<stata_dta>", "a Stata file", _EXPORT),
    (b"{\\rtf", "an RTF document", "send the table in it as CSV"),
    (b"MZ", "a Windows program", _NUMBERS),
    (b"\x7fELF", "a program", _NUMBERS),
)


def check_text(head: bytes, asked: Reading) -> None:
    """Raises UnsupportedMediaType, or NeedsConversion, for what is no text of rows.

    InvalidParameter for an option that the format does not have.
    """
    format = format_of(head)
    if format:
        check_options(format, asked)
        raise NeedsConversion(
            f"the file is {CONVERTED[format]}, which is converted before it is read; points of it "
            "are predicted through POST /kmeans/predictions, or send them as CSV",
        )
    other = described(head)
    if other:
        raise UnsupportedMediaType(f"the file is {other}")
    check_options(None, asked)


def check_options(format: str | None, asked: Reading) -> None:
    """Raises InvalidParameter for an option that the format, None for text, does not have."""
    known = CONVERTED[format] if format else "text of rows"
    for option, value in asked.said().items():
        if option not in _OPTIONS[format]:
            raise InvalidParameter(
                f'{option} is {quoted(value)}; of {known}, allowed is "auto"', field=option
            )


def format_of(head: bytes) -> str | None:
    """PARQUET, EXCEL or JSON_LINES, which are converted; None for what may be text of rows."""
    if head.startswith(b"PAR1"):
        return PARQUET
    if _is_workbook(head):
        return EXCEL
    return JSON_LINES if _is_json_lines(head) else None


def check_format(head: bytes) -> str:
    """What `format_of` says; raises UnsupportedMediaType for what is not converted."""
    format = format_of(head)
    if format is None:
        raise UnsupportedMediaType(f"the file is {described(head) or 'text, and not converted'}")
    return format


def described(head: bytes) -> str | None:
    """What the bytes are, where they are neither text of rows nor converted, and what to do."""
    other = _other(head)
    return other and f"{other[0]}, and no table: {other[1]}"


def _other(head: bytes) -> tuple[str, str] | None:
    if format_of(head):
        return None
    if head.startswith(b"PK\x03\x04"):
        return _zip_name(head)
    for beginning, name, advice in _BEGINNINGS:
        if head.startswith(beginning):
            return name, advice
    text = head[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "an HTML page", "send the file itself, not the page about it"
    if text.startswith(b"<?xml"):
        return "an XML document", _EXPORT
    if text.startswith((b"{", b"[{", b"[[", b"[\n", b"[\r")):
        return "a JSON document", "send one object a line, or CSV"
    if head.startswith(_PICKLE):
        return "a Python pickle", _EXPORT
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "a binary file", _EXPORT
    return None


def _zip_name(head: bytes) -> tuple[str, str]:
    if any(part in head for part in _OFFICE):
        return "a document of Office", "send the table in it as CSV"
    if b"opendocument.spreadsheet" in head:
        return "an OpenDocument spreadsheet", "save the sheet as .xlsx or CSV"
    return "a ZIP archive", _UNPACK


def _is_workbook(head: bytes) -> bool:
    if not head.startswith(b"PK\x03\x04") or b"word/" in head or b"ppt/" in head:
        return False
    return any(part in head for part in _OFFICE)


def _is_json_lines(head: bytes) -> bool:
    """Whether the first line is a JSON object, and not the beginning of a longer document."""
    line, ends, _ = head.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")
    if not ends and _MEMBERS.match(line):
        return True  # a wide table, whose first line is longer than the head; its end decides later
    if not line.startswith(b"{") or not line.rstrip().endswith(b"}"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
