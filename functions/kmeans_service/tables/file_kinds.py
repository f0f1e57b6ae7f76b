"""Files that are no CSV, known by their first bytes and called by their names."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from kmeans_service.errors import InvalidCsv

HEAD_BYTES = 4096

_UNPACK = "unpack it and send the CSV itself"
_EXPORT = "send its rows as CSV"
_SAVE = "save the sheet as CSV (in Excel: File, Save As, CSV UTF-8)"
# Each pattern, matched at the very start, is one that no CSV of numbers begins with.
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (rb"PK\x03\x04.*?xl/", "an Excel workbook", _SAVE),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook or another Office file", _SAVE),
    (
        rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis\.opendocument",
        "an OpenDocument spreadsheet or text",
        "save the sheet as CSV",
    ),
    (rb"PK\x03\x04", "a ZIP archive", _UNPACK),
    (rb"\x1f\x8b", "compressed with gzip", _UNPACK),
    (rb"BZh[1-9]1AY&SY", "compressed with bzip2", _UNPACK),
    (rb"\xfd7zXZ\0", "compressed with xz", _UNPACK),
    (rb"\x28\xb5\x2f\xfd", "compressed with Zstandard", _UNPACK),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (rb"%PDF-[0-9]", "a PDF document", "send the table in it as CSV"),
    (rb"PAR1\x15", "a Parquet file", _EXPORT),
    (rb"ARROW1\0\0", "an Arrow (Feather) file", _EXPORT),
    (rb"\x89HDF\r\n\x1a\n", "an HDF5 file", _EXPORT),
    (rb"\x93NUMPY", "a NumPy array", "save it with numpy.savetxt(file, X, delimiter=',')"),
    (rb"\x80[\x02-\x05][\0-\xff]", "a Python pickle", _EXPORT),
    (rb"SQLite format 3\0", "an SQLite database", _EXPORT),
    (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP", "an image", "send numbers as CSV"),
    (
        rb"(?i:(\xef\xbb\xbf)?\s*<(!doctype\s+html|html[\s>]))",
        "an HTML page",
        "send the file itself, not the page about it",
    ),
    (rb"(\xef\xbb\xbf)?\s*<\?xml\s", "an XML document", _EXPORT),
    (rb'(\xef\xbb\xbf)?\s*(\{\s*"|\[\s*\{\s*"|\[\s*\[\s*["\d-])', "a JSON document", _EXPORT),
)
_COMPILED = [(re.compile(pattern, re.S), what, advice) for pattern, what, advice in _KINDS]


def described(file: bytes) -> str | None:
    """What the file is by its beginning, and what to do; None if it may be a CSV."""
    for pattern, what, advice in _COMPILED:
        if pattern.match(file, 0, HEAD_BYTES):
            return f"{what}, not a CSV: {advice}"
    return None


def no_other_kind(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a file; raises InvalidCsv if it is of a kind that has another name."""
    rest = iter(pieces)
    begun: list[bytes] = []
    size = 0
    while size < HEAD_BYTES and (piece := next(rest, b"")):
        begun.append(piece)
        size += len(piece)
    if begun and (kind := described(begun[0] if len(begun) == 1 else b"".join(begun))):
        raise InvalidCsv(f"the file is {kind}", line=1)
    return chain(begun, rest)
