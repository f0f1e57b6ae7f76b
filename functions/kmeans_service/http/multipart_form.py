"""multipart/form-data in memory, parsed strictly (RFC 7578)."""

import re
from dataclasses import dataclass

from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from kmeans_service import config
from kmeans_service.errors import (
    InvalidParameter,
    MalformedRequest,
    TooLarge,
    UnsupportedMediaType,
    quoted,
)
from kmeans_service.http.file_names import file_name
from kmeans_service.tables.formats import described

MAX_PARTS = 16
MAX_HEADERS = 8
MAX_HEADER_BYTES = 4096 + 4 * config.MAX_FILENAME_LENGTH
# What browsers and HTTP clients call a table; its content decides.
CSV_TYPES = (
    "text/csv",
    "text/plain",
    "text/x-csv",
    "text/comma-separated-values",
    "application/csv",
    "application/x-csv",
    "application/octet-stream",
    "application/vnd.ms-excel",
    "text/tab-separated-values",
    "application/gzip",
    "application/x-gzip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.apache.parquet",
    "application/x-parquet",
    "application/jsonl",
    "application/x-jsonlines",
    "application/x-ndjson",
    "application/json",
)
# RFC 2046, section 5.1.1
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")


@dataclass(frozen=True)
class Part:
    """One part; `filename` is None for a plain field."""

    name: str
    filename: str | None
    content_type: str
    body: bytes

    def text(self) -> str:
        """The value of a plain field; raises InvalidParameter if it is no UTF-8 text."""
        try:
            return self.body.decode()
        except UnicodeDecodeError:
            raise InvalidParameter(
                f"the field '{self.name}' is not UTF-8 text", field=self.name
            ) from None


def parse_form(content_type: str, body: bytes) -> dict[str, Part]:
    """The parts by name; raises MalformedRequest, TooLarge or InvalidParameter."""
    boundary = _boundary(content_type)
    parts: dict[str, Part] = {}
    try:
        for part in _parts(boundary, body):
            if part.name in parts:
                raise InvalidParameter(
                    f"the field {quoted(part.name)} stands more than once", field=part.name[:100]
                )
            parts[part.name] = part
    except ParserLimitReached as error:
        raise TooLarge(
            f"the multipart body is over a limit: {error}; at most {MAX_PARTS} parts are taken, "
            f"with {MAX_HEADERS} headers each and {MAX_HEADER_BYTES} bytes a header"
        ) from None
    except MultipartError as error:
        # Only the parser's own words: its further arguments are other exceptions.
        reason = str(error.args[0]).removesuffix(" (parser closed)")
        raise MalformedRequest(f"the multipart body is not well-formed: {reason}") from None
    _check_end(boundary, body)
    return parts


def _boundary(content_type: str) -> str:
    _, options = parse_options_header(content_type)
    boundary: str = options.get("boundary", "")
    if not BOUNDARY.fullmatch(boundary):
        found = quoted(boundary) if boundary else "missing"
        raise MalformedRequest(
            f"the boundary in Content-Type is {found}; allowed are 1 to 70 characters (RFC 2046)"
        )
    return boundary


def _check_end(boundary: str, body: bytes) -> None:
    """A file that holds the last boundary would be cut there: nothing may come after it."""
    last = f"\r\n--{boundary}--".encode()
    end = body.find(last)
    if end >= 0 and body[end + len(last) :].strip():
        raise MalformedRequest(
            "the multipart body goes on after its last boundary; "
            "choose a boundary that no part contains"
        )


def _parts(boundary: str, body: bytes) -> list[Part]:
    parts: list[Part] = []
    chunks: list[bytes] = []
    with PushMultipartParser(
        boundary,
        content_length=len(body),
        max_segment_count=MAX_PARTS,
        max_header_count=MAX_HEADERS,
        max_header_size=MAX_HEADER_BYTES,
        strict=True,
    ) as parser:
        for event in parser.parse(body):
            if isinstance(event, MultipartSegment):
                segment, chunks = event, []
            elif event is not None:
                chunks.append(bytes(event))
            else:
                parts.append(_part(segment, b"".join(chunks)))
    return parts


def _part(segment: MultipartSegment, body: bytes) -> Part:
    encoding = segment.header("Content-Transfer-Encoding", "binary")
    if encoding.lower() not in ("7bit", "8bit", "binary"):
        raise UnsupportedMediaType(
            f"the part {quoted(segment.name)} has Content-Transfer-Encoding {quoted(encoding)}; "
            "allowed is none (RFC 7578)"
        )
    filename = file_name(segment.header("Content-Disposition", "") or "", segment.filename)
    return Part(segment.name, filename, segment.header("Content-Type", "") or "", body)


def csv_part(parts: dict[str, Part], name: str) -> Part:
    """The named part, which must be a file with a name and of a CSV's media type."""
    part = parts.get(name)
    if part is None:
        raise InvalidParameter(f"the field '{name}' is missing", field=name)
    if not part.filename:
        raise InvalidParameter(f"the field '{name}' is not a file: it has no file name", field=name)
    if len(part.filename) > config.MAX_FILENAME_LENGTH:
        raise InvalidParameter(
            f"the file name of '{name}' has {len(part.filename)} characters; "
            f"at most {config.MAX_FILENAME_LENGTH} are taken",
            field=name,
        )
    _check_csv_type(part)
    _check_size(part)
    return part


def _check_size(part: Part) -> None:
    most = config.limits().file_bytes
    if len(part.body) > most:
        raise TooLarge(
            f"the file '{part.name}' has {len(part.body):,} bytes; at most {most:,} are taken",
            field=part.name,
            max_bytes=most,
        )


def _check_csv_type(part: Part) -> None:
    if not part.content_type:
        return
    media_type, options = parse_options_header(part.content_type)
    if media_type not in CSV_TYPES:
        allowed = f"{quoted(media_type)}; allowed is {' or '.join(CSV_TYPES)}"
        raise UnsupportedMediaType(  # another name would make no table of what is known to be none
            f"the file '{part.name}' is {described(part.body) or allowed}", field=part.name
        )
    charset = options.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii", "ascii"):
        raise UnsupportedMediaType(
            f"the file '{part.name}' has charset {quoted(charset)}; allowed is utf-8",
            field=part.name,
        )


def check_names(parts: dict[str, Part], known: tuple[str, ...]) -> None:
    """Raise InvalidParameter for a field that nobody knows."""
    for name in parts:
        if name not in known:
            raise InvalidParameter(
                f"the field {quoted(name)} is not known; allowed are {', '.join(known)}",
                field=name[:100],
            )
