"""Files of other formats to CSV: UTF-8, commas, a header; imported by one function alone.

Parquet goes through arrow-rs (arro3), Excel through calamine, JSON Lines through Python's own
parser, with every number as it is written. Measured: docs/decisions.md.
"""

import csv
import datetime
import errno
import json
import math
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from convert import parquet
from convert.parquet import first_line
from kmeans_service.errors import InvalidCsv, InvalidParameter, TooLarge, quoted
from kmeans_service.tables.bytes_in import FREE_BYTES, MOST_PACKED
from kmeans_service.tables.csv_lines import csv_limits
from kmeans_service.tables.dialect import AUTO, Reading
from kmeans_service.tables.formats import EXCEL, JSON_LINES, PARQUET


def convert(
    source: Path,
    target: Path,
    format: str,
    asked: Reading,
    most_bytes: int,
    *,
    in_memory: int = 10**9,
    deadline: float = math.inf,
) -> Reading:
    """Write the file as CSV; returns what is known of the reading of that.

    Raises InvalidCsv for a file that cannot be converted, and says why; InvalidParameter for a
    sheet that is not there; TooLarge for one that comes to more than `most_bytes`, that would
    have more than `in_memory` there, or that is not done by the `deadline` (of time.monotonic).
    """
    with target.open("wb") as file:
        bounded = _Bounded(file, most_bytes, in_memory, deadline)
        try:
            _CONVERTERS[format](source, bounded, asked.sheet)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise TooLarge("the file and its CSV need more disk than there is") from error
    header = "present" if format in (PARQUET, JSON_LINES) else asked.header
    return Reading(header=header, delimiter="comma", decimal="point", encoding="utf-8")


class _Bounded:
    """A file that takes so many bytes and no more."""

    def __init__(self, file: IO[bytes], most: int, in_memory: int, deadline: float) -> None:
        self._file, self.most, self._left = file, most, most
        self.in_memory, self._deadline = in_memory, deadline

    def write(self, data: bytes | str) -> int:
        body = data.encode("utf-8", "replace") if isinstance(data, str) else bytes(data)
        self._left -= len(body)
        self.check()
        self._file.write(body)
        return len(data)

    def check(self) -> None:
        """Raises TooLarge once more was to be written; arrow-rs hides what a write raises."""
        if self._left < 0:
            raise TooLarge(f"the file comes to more than the {self.most:,} bytes one may have")
        if time.monotonic() > self._deadline:
            raise TooLarge("the file takes longer to be converted than there is time; send CSV")

    def seek(self, offset: int, whence: int = 0) -> int:  # arro3 wants to be able to
        return self._file.seek(offset, whence)

    def flush(self) -> None:
        self._file.flush()


# --- Parquet ---------------------------------------------------------------------------


def _parquet(source: Path, target: _Bounded, _sheet: str) -> None:
    import arro3.io

    with parquet.refused(target.check):
        arro3.io.write_csv(parquet.opened(source), cast(IO[bytes], target))


# --- Excel -----------------------------------------------------------------------------


def _excel(source: Path, target: _Bounded, sheet: str) -> None:
    from python_calamine import CalamineError, CalamineWorkbook

    _check_archive(source, min(target.most, target.in_memory))
    try:
        book = CalamineWorkbook.from_path(str(source))
    except (CalamineError, OSError, ValueError) as error:
        raise InvalidCsv(f"the workbook cannot be read: {first_line(error)}") from error
    rows = book.get_sheet_by_name(_sheet_name(book.sheet_names, sheet)).iter_rows()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerows([_excel_cell(cell) for cell in row] for row in rows)


def _check_archive(source: Path, most_bytes: int) -> None:
    """A workbook is a ZIP archive, which says how much it unpacks to, and may be lying."""
    try:
        with zipfile.ZipFile(source) as archive:
            _check_sizes(archive.infolist(), most_bytes)
            damaged = archive.testzip()  # which unpacks no more than was said
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InvalidCsv("the workbook is cut off, damaged or encrypted") from error
    if damaged:
        raise InvalidCsv("the workbook is cut off, damaged or encrypted")


def _check_sizes(entries: list[zipfile.ZipInfo], most_bytes: int) -> None:
    plain = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if plain > most_bytes or plain > FREE_BYTES + MOST_PACKED * packed:
        raise TooLarge(
            f"the workbook unpacks to {plain:,} bytes, which is more than is taken; "
            "save the sheet as CSV"
        )


def _sheet_name(names: list[str], asked: str) -> str:
    """The first sheet, or the one that is asked for by name or by number."""
    if asked == AUTO and names:
        return names[0]
    if asked in names:
        return asked
    if asked.isdecimal() and 1 <= int(asked) <= len(names):
        return names[int(asked) - 1]
    raise InvalidParameter(
        f"sheet is {quoted(asked)}; the workbook has {', '.join(map(quoted, names[:20]))}",
        field="sheet",
    )


def _excel_cell(cell: Any) -> str:
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):  # as Excel keeps every number
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell)


# --- JSON Lines --------------------------------------------------------------------------


def _json_lines(source: Path, target: _Bounded, _sheet: str) -> None:
    names: dict[str, None] = {}
    for line, found in _objects(source):
        names.update(dict.fromkeys(found))
        if len(names) > (most := csv_limits().columns):
            raise TooLarge(f"up to line {line}, the objects have more than {most:,} names")
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(names)
    for line, found in _objects(source):
        writer.writerow([_json_cell(found.get(name), name, line) for name in names])


def _objects(source: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line's number and object; numbers are kept as they are written."""
    most = csv_limits().line_length
    with source.open("rb") as file:
        for line, text in enumerate(iter(partial(file.readline, most + 1), b""), start=1):
            if len(text) > most:
                raise TooLarge(f"line {line} has more than {most:,} bytes", line=line)
            if not text.strip():
                continue
            try:
                found = json.loads(
                    text.decode("utf-8-sig"), parse_float=str, parse_int=str, parse_constant=str
                )
            except (ValueError, RecursionError) as error:
                raise InvalidCsv(
                    f"line {line} is no JSON: {first_line(error)}", line=line
                ) from error
            if not isinstance(found, dict):
                raise InvalidCsv(f"line {line} is no JSON object", line=line)
            yield line, found


def _json_cell(cell: Any, name: str, line: int) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str):
        return cell
    raise InvalidCsv(
        f"line {line}: {quoted(name)} holds an {'array' if isinstance(cell, list) else 'object'}; "
        "a cell is a number, a text, a boolean or null",
        line=line,
    )


_CONVERTERS: dict[str, Callable[[Path, _Bounded, str], None]] = {
    PARQUET: _parquet,
    EXCEL: _excel,
    JSON_LINES: _json_lines,
}
