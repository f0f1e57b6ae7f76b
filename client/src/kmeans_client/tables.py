"""What may be given as a table: a path, bytes, a file object, an array, a frame, rows."""

import io
import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from kmeans_client.problems import InvalidInput

COPY_BYTES = 1024 * 1024
# What a table is its content says; guessed by its ending, points.xyz would be chemistry.
BYTES = "application/octet-stream"


@dataclass(frozen=True)
class Table:
    """A table as bytes, under a name.

    content  the bytes, or the path of a file that has them, or an open file
    start    of an open file, where the table begins in it
    reading  how the service is to read it, where that is known: header, delimiter …
    """

    filename: str
    content: bytes | Path | BinaryIO
    size: int
    start: int = 0
    reading: dict[str, str] = field(default_factory=dict)

    def open(self) -> AbstractContextManager[BinaryIO]:
        """At the beginning; as often as one likes."""
        if isinstance(self.content, bytes):
            return io.BytesIO(self.content)
        if isinstance(self.content, Path):
            return self.content.open("rb")
        self.content.seek(self.start)
        return nullcontext(self.content)

    def read(self) -> bytes:
        if isinstance(self.content, bytes):
            return self.content
        with self.open() as file:
            return file.read()

    @property
    def part(self) -> tuple[str, bytes, str]:
        """Of a form."""
        return self.filename, self.read(), BYTES

    @property
    def halves(self) -> "tuple[Table, ...]":
        """Of rows that we wrote ourselves, without a header; else, or of one row, none."""
        if not isinstance(self.content, bytes) or self.reading.get("header") != "absent":
            return ()
        middle = self.content.find(b"\n", len(self.content) // 2) + 1
        if middle in (0, len(self.content)):
            middle = self.content.rfind(b"\n", 0, len(self.content) // 2) + 1
        pieces = (self.content[:middle], self.content[middle:]) if middle else ()
        return (
            tuple(replace(self, content=piece, size=len(piece)) for piece in pieces)
            if middle
            else ()
        )


def table(data: Any, filename: str | None = None) -> Table:
    """Whatever was given, as a table. Raises InvalidInput, or OSError for a file."""
    if isinstance(data, Table):
        return data
    if isinstance(data, str | os.PathLike):
        return _of_path(Path(data), filename)
    if isinstance(data, bytes | bytearray | memoryview):
        content = bytes(data)
        return Table(filename or "data.csv", content, len(content))
    if hasattr(data, "read"):
        return _of_file(data, filename)
    if hasattr(data, "collect"):
        raise InvalidInput(f"A {type(data).__name__} has no rows yet; give what it collects")
    if any(hasattr(data, name) for name in ("write_csv", "to_csv", "to_frame")):
        return _of_frame(data, filename or "frame.csv")
    return _of_rows(data, filename or "array.csv")


def _of_path(path: Path, filename: str | None) -> Table:
    if not path.exists():
        raise InvalidInput(f"There is no file {str(path)!r}")
    if path.is_dir():
        raise InvalidInput(f"{str(path)!r} is a folder; give one file of it")
    if not path.is_file():  # a pipe, which can be read once
        with path.open("rb") as pipe:
            return _of_file(pipe, filename or path.name)
    return Table(filename or path.name, path, path.stat().st_size)


def _of_file(file: Any, filename: str | None) -> Table:
    name = filename or _name(file) or "data.csv"
    start = file.read(0)
    if isinstance(start, str):
        content = file.read().encode()
        return Table(name, content, len(content))
    if not (hasattr(file, "seekable") and file.seekable()):
        file = _copied(file)
    begin = file.tell()
    size = file.seek(0, os.SEEK_END) - begin
    file.seek(begin)
    return Table(name, file, size, begin)


def _name(file: Any) -> str | None:
    name = getattr(file, "name", None)
    return Path(name).name if isinstance(name, str) and not name.startswith("<") else None


def _copied(stream: Any) -> BinaryIO:
    """A stream can be read once, and its length is not known: on disk both is otherwise."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the table)
    while chunk := stream.read(COPY_BYTES):
        copy.write(chunk)
    copy.seek(0)
    return copy


def _of_frame(frame: Any, filename: str) -> Table:
    """Of pandas or polars; floats as the shortest text that is the same number again."""
    if hasattr(frame, "to_frame"):  # a Series
        frame = frame.to_frame()
    try:
        text = frame.write_csv() if hasattr(frame, "write_csv") else frame.to_csv(index=False)
    except Exception as error:  # of many classes, and none of ours
        raise InvalidInput(f"The frame cannot be written as CSV: {error}") from error
    content = text.encode()
    return Table(filename, content, len(content), reading=_reading("present"))


def _of_rows(rows: Any, filename: str) -> Table:
    """Of a NumPy array of shape (n_samples, n_features), or as many lists of numbers."""
    if hasattr(rows, "toarray"):
        raise InvalidInput("The table is sparse; the service takes dense ones: X.toarray()")
    if getattr(rows, "ndim", 2) != 2:
        raise InvalidInput(
            f"The array has {rows.ndim} dimension{'s' * (rows.ndim != 1)}, and a table has two: "
            "X.reshape(-1, 1) is one column"
        )
    values = rows.tolist() if hasattr(rows, "tolist") else rows
    of_floats = getattr(getattr(rows, "dtype", None), "kind", "") == "f"
    lines = _lines(values, repr if of_floats else _cell)
    content = "".join(lines).encode()
    if not content:
        raise InvalidInput("The table has no rows")
    return Table(filename, content, len(content), reading=_reading("absent"))


def _reading(header: str) -> dict[str, str]:
    """What we wrote ourselves leaves nothing to guess."""
    return {"header": header, "delimiter": "comma", "decimal": "point", "encoding": "utf-8"}


def _lines(rows: Any, cell: Callable[[Any], str]) -> Iterable[str]:
    try:
        width = None
        for number, row in enumerate(rows, 1):
            width = len(row) if width is None else width
            if len(row) != width:
                raise InvalidInput(f"Row {number} has {len(row)} values, the first row {width}")
            yield ",".join(map(cell, row)) + "\n"
    except TypeError:
        raise InvalidInput(
            f"A {type(rows).__name__} is no table: give a path, a file, bytes, a frame, or rows of "
            "numbers (an array of two dimensions)"
        ) from None


def _cell(value: Any) -> str:
    """Shortest text that is the same double again; what is missing is an empty cell's word."""
    if value is None:
        return "nan"
    if isinstance(value, str):
        raise InvalidInput(f"{value!r} is text; give a frame with names of columns for that")
    try:
        return str(int(value)) if isinstance(value, int) else repr(float(value))
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"{_named(value)} is no number that can be sent") from None


def _named(value: Any) -> str:
    """By itself, or by its type where that has no end."""
    return f"A very long {type(value).__name__}" if isinstance(value, int) else f"{value!r:.60}"
