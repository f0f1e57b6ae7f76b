"""Files read by ranges of bytes: the same table, and the same refusals, wherever the cuts fall."""

import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from distributed.tables import read_files
from harness import in_ranges
from harness.alone import Alone
from kmeans_service.errors import ServiceError
from kmeans_service.problems import problem_document
from kmeans_service.tables.csv_lines import CsvLimits
from kmeans_service.tables.dialect import Reading
from kmeans_service.tables.table import Table, read_table

CASES = sorted((Path(__file__).parent.parent / "cases").glob("*"))
TEXTS = [path for path in CASES if path.suffix != ".xlsx"]
SMALL = {
    "plain": b"1,2\n3,4\n5,6\n",
    "no last line break": b"1,2\n3,4\n5,6",
    "header": b"x,y\n1,2\n3,4\n-5,6.5\n",
    "CRLF": b"x,y\r\n1,2\r\n3,4\r\n",
    "byte order mark": b"\xef\xbb\xbfx,y\n1,2\n3,4\n",
    "a mark that is none": b"1,2\n\xef\xbb\xbf3,4\n5,6\n",
    "blank lines": b"\n\n1,2\n\n3,4\n,\n\n5,6\n\n\n",
    "comments": b"# a\n# b\nx;y\n1;2\n3;4\n",
    "sep": b"sep=;\n1;2\n3;4,5\n",
    "DOS's end": b"1,2\n3,4\n\x1a\r\n\n",
    "only an end": b"x,y\n1,2\x1a",
    "missing cells": b"a,b\nNA,1\n,2\n7,\nTRUE,5\n",
    "quoted line breaks": b'a,b\n"x\n1,2\ny",1\n"p\n\n",2\n"q",3\n"1,1\n",4\n',
    "rising": b"id,v\n1,9.5\n2,8\n3,8\n4,1\n5,1\n",
    "decimal commas": b"1,5;2\n3;4,25\n7;8\n",
    "header of numbers": b"0,1\n1.5,2.5\n3.5,4.5\n",
    "no header of numbers": b"0,1\n1.5,2.5\n3.5,4\n",
    "Windows-1252": b"n\xe4me,v\nM\xfcller,1\n\xc4rger,2\nx,3\n",
    "UTF-16": "a,b\n1,2\n3,4\n".encode("utf-16"),
    "old Mac": b"a,b\r1,2\r3,4\r",
    "space": b"1  2\n 3 4 \n5\t6\n",
    "surplus cells": b"1,2,\n3,4,\n5,6,,\n",
    # and those that are refused
    "no number": b"1,2\n3,x\n5,6\n7,8\n9,9\n",
    "too few cells": b"1,2\n3,4\n5\n6,7\n",
    "too many cells": b"1,2\n3,4\n5,6,7\n6,7\n",
    "NUL": b"1,2\n3,4\n5,\x00\n6,7\n",
    "CR alone": b"1,2\n3\r,4\n5,6\n",
    "a quote that is open": b'a,b\n1,2\n"3,4\n5,6\n7,8\n',
    "behind a quote": b'1,2\n"3"x,4\n5,6\n',
    "nothing": b"\n\n",
    "a header alone": b"x,y\n",
    "texts alone": b"x,y\na,b\nc,d\n",
}


def outcome(read: Any) -> Any:
    """What a file is read as; what is refused, as its problem document."""
    try:
        return described(read())
    except ServiceError as error:
        return problem_document(error)


def described(table: Table) -> Any:
    """But for the last bits of means and squares."""
    columns = [
        replace(column, counts=replace(column.counts, mean=0.0, squares=0.0))
        for column in table.columns
    ]
    return replace(table, columns=tuple(columns))


def in_one(body: bytes, reading: Reading, limits: CsvLimits) -> Table:
    return read_table(lambda: io.BytesIO(body), reading, limits)


def in_ranges_of(body: bytes, range_bytes: int, reading: Reading, limits: CsvLimits) -> Table:
    given = in_ranges.given([body], range_bytes, reading, limits)
    return read_files(given, Alone()).table


def check_ranges(
    body: bytes,
    sizes: Any,
    reading: Reading = Reading(),  # noqa: B008
    limits: CsvLimits = CsvLimits(),  # noqa: B008
) -> None:
    expected = outcome(lambda: in_one(body, reading, limits))
    for size in sizes:
        found = outcome(lambda size=size: in_ranges_of(body, size, reading, limits))
        assert found == expected, f"ranges of {size} bytes"


@pytest.mark.parametrize("name", SMALL)
def test_ranges_of_any_size_are_read_as_one_file_is(name: str) -> None:
    check_ranges(SMALL[name], range(1, len(SMALL[name]) + 1))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_files_as_people_have_them_are_read_by_ranges_as_in_one(path: Path) -> None:
    body = path.read_bytes()
    check_ranges(body, [7, 100, 1024, len(body) - 1, len(body)])


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252"])
def test_bytes_that_are_not_what_was_said_are_named_by_their_line(encoding: str) -> None:
    body = b"1,2\n3,4\n5,6\xff\n7,8\n"
    check_ranges(body, range(1, len(body)), Reading(encoding=encoding))


def test_one_row_too_many_is_refused_at_its_line() -> None:
    body = b"x,y\n" + b"1,2\n" * 9
    check_ranges(body, range(1, len(body)), limits=CsvLimits(rows=8))
    check_ranges(body, range(1, len(body)), limits=CsvLimits(rows=9))


def test_a_line_too_long_is_refused_at_its_line() -> None:
    body = b"1,2\n3,4\n" + b"5," + b"0" * 60 + b"6\n7,8\n"
    check_ranges(body, range(1, len(body)), limits=CsvLimits(line_length=40))
    open_quote = b'1,2\n3,4\n"' + b"a\n" * 40 + b'",1\n7,8\n'
    check_ranges(open_quote, range(1, len(open_quote)), limits=CsvLimits(line_length=40))


@pytest.mark.thorough
def test_means_and_squares_of_ranges_are_those_of_the_file() -> None:
    body = b"".join(b"%d.5,%d\n" % (i * i % 97, 10**9 + i) for i in range(500))
    limits, reading = CsvLimits(), Reading()
    expected = in_one(body, reading, limits)
    for size in (1, 13, 1000):
        found = in_ranges_of(body, size, reading, limits)
        for column, of_one in zip(found.columns, expected.columns, strict=True):
            assert math.isclose(column.counts.mean, of_one.counts.mean, rel_tol=1e-14)
            assert math.isclose(column.counts.squares, of_one.counts.squares, rel_tol=1e-11)
