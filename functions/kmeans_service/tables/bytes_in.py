"""The bytes of a file on their way to its text: unpacked, and in UTF-8, a piece at a time."""

import codecs
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from kmeans_service.errors import InvalidCsv, TooLarge
from kmeans_service.streams import ByteStream
from kmeans_service.tables.csv_lines import BYTE_ORDER_MARK, pieces_from

type Source = Callable[[], ByteStream]
"""Opens the file from its beginning, as often as it is asked."""

GZIP = b"\x1f\x8b"
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Tables pack to a tenth; what packs to a 200th is made to fill a disk.
MOST_PACKED = 200
FREE_BYTES = 16 * 1024**2
_CP1252 = "".join(
    bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(256)
)  # as browsers read it: the five bytes that it lacks are control characters
_END_MARK = re.compile(rb'\x1a[\x1a"\r\n\t ]*+\Z')
END_BYTES = 64


class NotUtf8Error(Exception):
    """Bytes that are not UTF-8; `text` is what was read before them since the last piece."""

    def __init__(self, before: bytes, wrong: bytes) -> None:
        super().__init__(wrong)
        self.before, self.wrong = before, wrong


def pieces(
    source: Source, size: int, encoding: str, most_bytes: int, *, old_mac: bool = False
) -> Iterator[bytes]:
    """The file's text as UTF-8, without byte order mark and without a last 0x1A.

    Raises NotUtf8Error, TooLarge for a file that unpacks to too much, InvalidCsv for one that
    cannot be unpacked.
    """
    text = decoded(unpacked(pieces_from(source(), size), size, most_bytes), encoding)
    if old_mac:
        text = (piece.replace(b"\r", b"\n") for piece in text)
    return without_end_mark(text)


def unpacked(raw: Iterable[bytes], size: int, most_bytes: int) -> Iterator[bytes]:
    """The pieces as they are, or of a gzip file what is packed in them."""
    first, raw = _begun(raw, len(GZIP))
    if first.startswith(GZIP):
        return _gunzipped(chain([first], raw), size, most_bytes)
    return chain([first], raw)


def _begun(raw: Iterable[bytes], most: int) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, as many as a mark has or all that there are, and what comes after them."""
    raw = iter(raw)
    first = next(raw, b"")
    while len(first) < most and (piece := next(raw, b"")):
        first += piece
    return first, raw


def _gunzipped(raw: Iterable[bytes], size: int, most_bytes: int) -> Iterator[bytes]:
    member = zlib.decompressobj(31)
    packed = plain = 0
    for piece in raw:
        packed += len(piece)
        left = piece
        while left:
            if member.eof:
                left = left.lstrip(b"\0")  # some tools pad with zeros
                if not left:
                    break
                member = zlib.decompressobj(31)
            text = _inflated(member, left, size)
            plain += len(text)
            _check_size(plain, packed, most_bytes)
            if text:
                yield text
            left = member.unused_data if member.eof else member.unconsumed_tail
    while not member.eof:
        text = _inflated(member, b"", size)
        if not text:
            raise InvalidCsv("the gzip file ends before what is packed in it does")
        plain += len(text)
        _check_size(plain, packed, most_bytes)
        yield text


def _inflated(member: "zlib._Decompress", packed: bytes, size: int) -> bytes:
    try:
        return member.decompress(packed, size)
    except zlib.error as error:
        raise InvalidCsv("the file begins as gzip and cannot be unpacked") from error


def _check_size(plain: int, packed: int, most_bytes: int) -> None:
    if plain > most_bytes:
        raise TooLarge(f"the file unpacks to more than the {most_bytes:,} bytes a file may have")
    if plain > FREE_BYTES + MOST_PACKED * packed:
        raise TooLarge(
            f"the file unpacks to more than {MOST_PACKED} times its {packed:,} bytes so far; "
            "send it unpacked"
        )


def decoded(raw: Iterator[bytes], encoding: str, *, begins: bool = True) -> Iterator[bytes]:
    """The text in UTF-8, a last 0x1A still in it.

    begins   whether it is the file's beginning, where a byte order mark may stand
    """
    if encoding == "utf-16":
        return _from_utf16(raw)
    if encoding == "windows-1252":
        return (codecs.charmap_decode(piece, "strict", _CP1252)[0].encode() for piece in raw)
    return _checked_utf8(raw, first=begins)


def _from_utf16(raw: Iterator[bytes]) -> Iterator[bytes]:
    first, raw = _begun(raw, 2)
    byte_order = "utf-16-le" if is_little(first) else "utf-16-be"
    decoder = codecs.getincrementaldecoder(byte_order)("replace")
    start = 2 if first.startswith(UTF16_MARKS) else 0
    for piece in chain([first[start:]], raw):
        yield decoder.decode(piece).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def is_little(first: bytes) -> bool:
    """Whether UTF-16 that begins so has the low byte first; without a mark, as of ASCII."""
    if first.startswith(UTF16_MARKS):
        return first.startswith(codecs.BOM_UTF16_LE)
    return first[1:2] == b"\0"


def _checked_utf8(raw: Iterator[bytes], *, first: bool) -> Iterator[bytes]:
    begun = b""
    for piece in raw:
        text = begun + piece
        begun = b""
        if first and len(text) < len(BYTE_ORDER_MARK) and BYTE_ORDER_MARK.startswith(text):
            begun = text
            continue
        if first:
            text, first = text.removeprefix(BYTE_ORDER_MARK), False
        if not text.isascii():
            end = _whole_characters(text, final=False)
            text, begun = text[:end], text[end:]
        yield text
    if begun:
        _whole_characters(begun, final=True)
        yield begun


def _whole_characters(text: bytes, *, final: bool) -> int:
    """How many bytes of whole characters the text has, but for one cut off at its end."""
    try:
        return codecs.utf_8_decode(text, "strict", final)[1]
    except UnicodeDecodeError as error:
        raise NotUtf8Error(text[: error.start], text[error.start : error.end]) from None


def end_mark_begins(end: bytes) -> int | None:
    """Where in a file's last bytes the mark begins that DOS ended it with; None for no mark."""
    found = _END_MARK.search(end, max(0, len(end) - END_BYTES))
    return found.start() if found else None


def without_end_mark(text: Iterator[bytes]) -> Iterator[bytes]:
    """DOS ended its files with 0x1A, which exports carry on, even into a last quoted cell."""
    held = b""
    for piece in text:
        whole = held + piece
        last = _END_MARK.search(whole, max(0, len(whole) - END_BYTES))
        held = whole[last.start() :] if last else b""
        if not last:
            yield whole
        elif last.start():
            yield whole[: last.start()]
    if rest := held.replace(b"\x1a", b""):
        yield rest
