"""Files of other formats to CSV: UTF-8, commas, a header; imported by one function alone.

Parquet goes through arrow-rs (arro3), Excel through calamine, JSON Lines through Python's own
parser, with every number as it is written. Measured: docs/decisions.md.
"""

import csv
import datetime
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from kmeans_service.errors import InvalidCsv, InvalidParameter, ServiceError, TooLarge, quoted
from kmeans_service.tables.bytes_in import FREE_BYTES, MOST_PACKED
from kmeans_service.tables.dialect import AUTO, Reading
from kmeans_service.tables.formats import CONVERTED, EXCEL, JSON_LINES, PARQUET

BATCH_ROWS = 65_536


def convert(source: Path, target: Path, format: str, asked: Reading, most_bytes: int) -> Reading:
    """Write the file as CSV; returns what is known of the reading of that.

    Raises InvalidCsv for a file that cannot be converted, and says why; InvalidParameter for a
    sheet that is not there; TooLarge for one that comes to more than `most_bytes`.
    """
    if asked.sheet != AUTO and format != EXCEL:
        raise InvalidParameter(
            f'sheet is {quoted(asked.sheet)}; {CONVERTED[format]} has none: allowed is "auto"',
            field="sheet",
        )
    for name in ("delimiter", "decimal", "encoding"):
        if getattr(asked, name) != AUTO:
            raise InvalidParameter(
                f'{name} is no option of {CONVERTED[format]}; allowed is "auto"', field=name
            )
    with target.open("wb") as file:
        _CONVERTERS[format](source, _Bounded(file, most_bytes), asked.sheet)
    header = "present" if format in (PARQUET, JSON_LINES) else asked.header
    return Reading(header=header, delimiter="comma", decimal="point", encoding="utf-8")


class _Bounded:
    """A file that takes so many bytes and no more."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file, self.most, self._left = file, most, most

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

    def seek(self, offset: int, whence: int = 0) -> int:  # arro3 wants to be able to
        return self._file.seek(offset, whence)

    def flush(self) -> None:
        self._file.flush()


# --- Parquet ---------------------------------------------------------------------------


def _parquet(source: Path, target: _Bounded, _sheet: str) -> None:
    import arro3.io
    from arro3.core import DataType

    try:
        rows = arro3.io.read_parquet(source, batch_size=BATCH_ROWS)
        for name in rows.schema.names:
            field = rows.schema.field(name)
            if DataType.is_nested(field.type):
                raise InvalidCsv(
                    f"the column {quoted(field.name)} holds {field.type}; "
                    "a cell is a number, a text, a boolean or nothing"
                )
        arro3.io.write_csv(rows, cast(IO[bytes], target))
    except ServiceError:
        raise
    except BaseException as error:
        # arrow-rs panics at some damaged files, and a panic is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        target.check()
        raise InvalidCsv(f"the Parquet file cannot be read: {_first_line(error)}") from error


# --- Excel -----------------------------------------------------------------------------


def _excel(source: Path, target: _Bounded, sheet: str) -> None:
    from python_calamine import CalamineError, CalamineWorkbook

    _check_archive(source, target.most)
    try:
        book = CalamineWorkbook.from_path(str(source))
    except (CalamineError, OSError, ValueError) as error:
        raise InvalidCsv(f"the workbook cannot be read: {_first_line(error)}") from error
    rows = book.get_sheet_by_name(_sheet_name(book.sheet_names, sheet)).iter_rows()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerows([_excel_cell(cell) for cell in row] for row in rows)


def _check_archive(source: Path, most_bytes: int) -> None:
    """A workbook is a ZIP archive, which says how much it unpacks to."""
    try:
        with zipfile.ZipFile(source) as archive:
            sizes = [(entry.file_size, entry.compress_size) for entry in archive.infolist()]
    except zipfile.BadZipFile as error:
        raise InvalidCsv("the workbook is cut off or damaged") from error
    plain, packed = sum(size for size, _ in sizes), sum(size for _, size in sizes)
    if plain > most_bytes or plain > FREE_BYTES + MOST_PACKED * packed:
        raise TooLarge(f"the workbook unpacks to {plain:,} bytes, which is more than is taken")


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
    for _, found in _objects(source):
        names.update(dict.fromkeys(found))
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(names)
    for line, found in _objects(source):
        writer.writerow([_json_cell(found.get(name), name, line) for name in names])


def _objects(source: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line's number and object; numbers are kept as they are written."""
    with source.open("rb") as file:
        for line, text in enumerate(file, start=1):
            if not text.strip():
                continue
            try:
                found = json.loads(
                    text.decode("utf-8-sig"), parse_float=str, parse_int=str, parse_constant=str
                )
            except (ValueError, RecursionError) as error:
                raise InvalidCsv(
                    f"line {line} is no JSON: {_first_line(error)}", line=line
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


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


_CONVERTERS: dict[str, Callable[[Path, _Bounded, str], None]] = {
    PARQUET: _parquet,
    EXCEL: _excel,
    JSON_LINES: _json_lines,
}
