"""What must be true of every input, however broken: a `FaultError` says where it is not.

csv        strict check, fast parser, parser in blocks and a slow reading of the grammar agree
           on the verdict, the words, the place and every value, wherever the blocks are cut
table      see fuzz/tables.py
multipart  refused, or read: then every file is a piece of the body, and written and read again
           it is the same
json       refused, or the value that Python's own parser reads; parameters are refused or taken
"""

import io
import json
import math
import re
import time
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from fuzz.fault import FaultError
from fuzz.tables import table
from kmeans_service import json_values
from kmeans_service.errors import InvalidCsv, ServiceError, TooLarge
from kmeans_service.http import json_body
from kmeans_service.http.multipart_form import Part, parse_form
from kmeans_service.problems import problem_document
from kmeans_service.recipes.params import parse_params
from kmeans_service.recipes.recipe import recipe_of
from kmeans_service.tables import csv_grammar, dataset
from kmeans_service.tables.csv_lines import CsvLimits

type Target = Callable[[bytes], bool]
"""Whether the input was taken; False if it was refused. Raises FaultError."""

SECONDS = 2.0  # of CPU, for any input
BOUNDARY = "the-boundary"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def run(target: Target, body: bytes) -> bool:
    """As `target`, whose every exception but a refusal is a fault, and whose time is limited."""
    began = time.process_time()
    try:
        accepted = target(body)
    except FaultError:
        raise
    except Exception as error:
        raise FaultError(f"{type(error).__name__} escaped: {error}") from error
    if (took := time.process_time() - began) > SECONDS:
        raise FaultError(f"{took:.1f} s of CPU for {len(body)} bytes")
    return accepted


# --- CSV --------------------------------------------------------------------------

LIMITS = (
    CsvLimits(),
    CsvLimits(),
    CsvLimits(rows=3),
    CsvLimits(line_length=12),
    CsvLimits(columns=2, header_length=8),
    CsvLimits(cell_length=140),
)
BLOCK_SIZES = (*range(1, 24), 64, 1000, 128 * 1024)
type Read = tuple[tuple[str, ...] | None, list[list[str]]]
"""Names and rows, as the hexadecimal form of every number."""
type Refused = tuple[type[ServiceError], str, str]


def csv(body: bytes) -> bool:
    choice = zlib.crc32(body)
    limits = LIMITS[choice % len(LIMITS)]
    block_bytes = BLOCK_SIZES[choice // 7 % len(BLOCK_SIZES)]
    fast = _verdict(lambda: _parsed(body, limits))
    blocks = _verdict(lambda: _in_blocks(body, limits, block_bytes))
    if blocks != fast:
        raise FaultError(f"in blocks of {block_bytes}: {blocks!r:.500}; whole: {fast!r:.500}")
    checked = _verdict(lambda: _checked(body, limits))
    shape = fast if isinstance(fast[0], type) else (fast[0], len(fast[1]), len(fast[1][0]))
    if checked != shape:
        raise FaultError(f"checked: {checked!r:.500}; parsed: {shape!r:.500}")
    if limits == CsvLimits():
        _compare_with_reference(body, fast)
    return not isinstance(fast[0], type)


def _verdict(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (InvalidCsv, TooLarge) as error:
        document = json.dumps(problem_document(error))  # it can be answered
        return type(error), error.detail, document


def _parsed(body: bytes, limits: CsvLimits) -> Read:
    found = dataset.parse_csv(body, limits)
    return found.feature_names, _written(found.X)


def _in_blocks(body: bytes, limits: CsvLimits, block_bytes: int) -> Read:
    blocks = dataset.read_blocks(io.BytesIO(body), limits, block_bytes)
    return blocks.feature_names, _written(np.vstack(list(blocks)))


def _checked(body: bytes, limits: CsvLimits) -> tuple[Any, int, int]:
    shape = csv_grammar.check(body, limits)
    return shape.feature_names, shape.n_samples, shape.n_features


def _written(X: "np.ndarray[Any, np.dtype[np.float64]]") -> list[list[str]]:
    return [[number.hex() for number in row] for row in X.tolist()]


def _compare_with_reference(body: bytes, found: Any) -> None:
    expected = reference(body)
    accepted = not isinstance(found[0], type)
    if accepted != (expected is not None):
        if found[0] is TooLarge:
            return  # the reference knows no limits
        raise FaultError(f"by the grammar: {expected!r:.500}; found: {found!r:.500}")
    if accepted and found != expected:
        raise FaultError(f"values by the grammar: {expected!r:.500}; found: {found!r:.500}")


NUMBER = re.compile(r'("?)([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\1', re.ASCII)


def reference(body: bytes) -> Read | None:
    """The file as the grammar in `csv_grammar` has it, in the plainest words; None for no file."""
    try:
        text = body.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        return None
    lines = [line.removesuffix("\r") for line in text.split("\n")[:-1]] + text.split("\n")[-1:]
    while lines and not lines[-1].strip(" \t"):
        lines.pop()
    if not lines or any("\r" in line or not line.strip(" \t") for line in lines):
        return None
    first, *rows = [_cells(line) for line in lines]
    numeric = [NUMBER.fullmatch(cell) is not None for cell in first]
    if any(numeric):
        names, rows = None, [first, *rows]
    else:
        names = tuple(map(_name, first))
    if not rows or (names and (None in names or len(set(names)) < len(names))):
        return None
    read = [[_number(cell) for cell in row] for row in rows]
    if any(len(row) != len(first) or None in row for row in read):
        return None
    return names, read  # type: ignore[return-value]


def _cells(line: str) -> list[str]:
    """Cut at the commas outside of quotes that open a cell."""
    cells = re.findall(r'((?:[ \t]*"(?:[^"]|"")*"[ \t]*(?=,|\Z))|[^,]*)(?:,|\Z)', line)
    return [cell.strip(" \t") for cell in (cells[:-1] if not line.endswith(",") else cells)]


def _number(cell: str) -> str | None:
    found = NUMBER.fullmatch(cell)
    value = float(found[2]) if found else math.nan
    return (value + 0.0).hex() if abs(value) <= 1e100 else None


def _name(cell: str) -> str | None:
    name = cell
    if '"' in cell:
        if not re.fullmatch('"(?:[^"]|"")*"', cell):
            return None
        name = cell[1:-1].replace('""', '"')
    if not name.strip() or "\0" in name:
        return None
    try:
        float(name)
    except ValueError:
        return name
    return None


# --- multipart ----------------------------------------------------------------------


def multipart(body: bytes) -> bool:
    try:
        parts = parse_form(FORM_TYPE, body)
    except ServiceError as error:
        json.dumps(problem_document(error))
        return False
    for part in parts.values():
        if part.body not in body:
            raise FaultError(f"the part {part.name!r} has {part.body!r:.300}, which was not sent")
        if f"\r\n--{BOUNDARY}".encode() in part.body:
            raise FaultError(f"the part {part.name!r} runs over its end")
    texts = [text for part in parts.values() for text in (part.name, part.filename or "")]
    if not any(escape in text for text in texts for escape in "%\\"):
        _check_round_trip(parts)
    return True


def _check_round_trip(parts: dict[str, Part]) -> None:
    written = b"".join(map(_part, parts.values())) + f"--{BOUNDARY}--\r\n".encode()
    try:
        again = parse_form(FORM_TYPE, written)
    except ServiceError as error:
        raise FaultError(f"refused when written again: {error.detail}, {written!r:.500}") from None
    if again != parts:
        raise FaultError(f"read {again!r:.500}, written {parts!r:.500}")


def _part(part: Part) -> bytes:
    """As browsers write it: WHATWG's HTML, multipart form data."""

    def quoted(text: str) -> str:
        return text.replace("\n", "%0A").replace("\r", "%0D").replace('"', "%22")

    file = f'; filename="{quoted(part.filename)}"' if part.filename is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{quoted(part.name)}"{file}\r\n'
    if part.content_type:
        head += f"Content-Type: {part.content_type}\r\n"
    return head.encode() + b"\r\n" + part.body + b"\r\n"


# --- JSON ---------------------------------------------------------------------------


def json_text(body: bytes) -> bool:
    try:
        value = json_values.loads(body)
    except ServiceError as error:
        json.dumps(problem_document(error))
        return False
    if value != json.loads(body.decode("utf-8-sig"), object_pairs_hook=_object):
        raise FaultError(f"read {value!r:.300}")
    try:
        found = json_body.fields(value, ("job_id",), ("model_params", "points"))
        json_body.job_id(found["job_id"])
        taken = parse_params(found.get("model_params", {}))
        if not recipe_of(json.loads(taken.canonical())) == taken:
            raise FaultError(f"{taken!r:.300} is not the same when written and read again")
    except ServiceError as error:
        json.dumps(problem_document(error)).encode()
        return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise FaultError(f"a key stands twice in {pairs!r:.300}")
    return dict(pairs)


TARGETS: dict[str, Target] = {
    "csv": csv,
    "table": table,
    "multipart": multipart,
    "json": json_text,
}

__all__ = ["TARGETS", "FaultError", "run"]
