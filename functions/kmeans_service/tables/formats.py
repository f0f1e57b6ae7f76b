"""Files that are no text of rows, told by their first bytes."""

import json

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
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook or another of Office's files"),
    (b"ARROW1", "an Arrow or Feather file"),
    (b"FEA1", "a Feather file"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\0", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"SQLite format 3", "an SQLite database"),
    (b"RDX", "an R workspace"),
    (b"RDA", "an R workspace"),
    (b"$FL2", "an SPSS file"),
    (b"<stata_dta>", "a Stata file"),
    (b"{\\rtf", "an RTF document"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
)


def check_text(head: bytes, asked: Reading) -> None:
    """Raises UnsupportedMediaType, or NeedsConversion, for what is no text of rows.

    InvalidParameter for an option that the format does not have.
    """
    known, format = name_of(head), format_of(head)
    if known is None or format:
        _check_options(known or "text of rows", format, asked)
    if known is None:
        return
    if format:
        raise NeedsConversion(
            f"the file is {known}, which is converted before it is read; points of it are "
            "predicted through POST /kmeans/predictions, or send them as CSV",
        )
    raise UnsupportedMediaType(f"the file is {known}, and no text of rows")


def _check_options(known: str, format: str | None, asked: Reading) -> None:
    for option, value in asked.said().items():
        if option not in _OPTIONS[format]:
            raise InvalidParameter(
                f'{option} is {quoted(value)}; of {known}, allowed is "auto"', field=option
            )


def format_of(head: bytes) -> str | None:
    """PARQUET, EXCEL or JSON_LINES, which are converted; None for what may be text of rows."""
    if head.startswith(b"PAR1"):
        return PARQUET
    if head.startswith(b"PK\x03\x04") and _zip_name(head) == CONVERTED[EXCEL]:
        return EXCEL
    return JSON_LINES if _is_json_lines(head) else None


def check_format(head: bytes) -> str:
    """What `format_of` says; raises UnsupportedMediaType for what is not converted."""
    format = format_of(head)
    if format is None:
        raise UnsupportedMediaType(f"the file is {name_of(head) or 'text'}, and not converted")
    return format


def name_of(head: bytes) -> str | None:
    """What the bytes are, as a noun with its article, where they are no text of rows."""
    known = format_of(head)
    if known:
        return CONVERTED[known]
    if head.startswith(b"PK\x03\x04"):
        return _zip_name(head)
    for beginning, name in _BEGINNINGS:
        if head.startswith(beginning):
            return name
    text = head[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if text.startswith(b"<?xml"):
        return "an XML document"
    if text.startswith((b"{", b"[{", b"[[", b"[\n", b"[\r")):
        return "a JSON document"
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "a binary file"
    return None


def _zip_name(head: bytes) -> str:
    if b"xl/" in head or b"[Content_Types].xml" in head or b"docProps/" in head:
        return CONVERTED[EXCEL] if b"word/" not in head and b"ppt/" not in head else "a document"
    if b"opendocument.spreadsheet" in head:
        return "an OpenDocument spreadsheet"
    return "a ZIP archive"


def _is_json_lines(head: bytes) -> bool:
    """Whether the first line is a JSON object, and not the beginning of a longer document."""
    line, _, _ = head.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")
    if not line.startswith(b"{") or not line.rstrip().endswith(b"}"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
