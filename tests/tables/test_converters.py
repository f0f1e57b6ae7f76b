"""Parquet, Excel and JSON Lines come to the table that they hold."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import arro3.io as arro3
import numpy as np
import pytest

from convert.converters import convert
from harness.limits import Set
from kmeans_service.errors import InvalidCsv, InvalidParameter, ServiceError, TooLarge
from kmeans_service.tables.dialect import Reading
from kmeans_service.tables.formats import EXCEL, JSON_LINES, PARQUET, format_of
from kmeans_service.tables.table import Table, read_table

CASES = Path(__file__).parent.parent / "cases"


def converted(body: bytes, folder: Path, most: int = 10**7, **reading: str) -> tuple[str, Table]:
    source, target = folder / "source", folder / "target"
    source.write_bytes(body)
    format = format_of(body)
    assert format is not None
    known = convert(source, target, format, Reading(**reading), most)
    return target.read_text(), read_table(lambda: target.open("rb"), known)


def parquet(columns: dict[str, Any]) -> bytes:
    from arro3.core import Array, DataType
    from arro3.core import Table as Arrow

    types = {float: DataType.float64(), int: DataType.int64(), str: DataType.string(),
             bool: DataType.bool()}  # fmt: skip
    arrays = {
        name: Array(values, type=types[type(next(v for v in values if v is not None))])
        for name, values in columns.items()
    }
    file = io.BytesIO()
    arro3.write_parquet(Arrow.from_pydict(arrays), file)
    return file.getvalue()


def test_parquet_keeps_every_bit_names_gaps_texts_and_booleans(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=5).tolist()
    body = parquet({"0": X, "c": ["a,b", 'q"', None, "x\ny", ""], "b": [True, False] * 2 + [True]})
    assert format_of(body) == PARQUET
    text, table = converted(body, tmp_path)
    assert [column.name for column in table.columns] == ["0", "c", "b"]
    assert table.n_rows == 5
    assert (table.columns[0].least, table.columns[0].largest) == (min(X), max(X))
    assert table.columns[1].n_missing == 2
    assert table.columns[2].words == ("true", "false")
    assert text.startswith("0,c,b\n")


def test_a_workbook_gives_its_first_sheet_or_the_one_that_is_asked_for(tmp_path: Path) -> None:
    body = (CASES / "book.xlsx").read_bytes()
    assert format_of(body) == EXCEL
    text, table = converted(body, tmp_path)
    assert table.n_rows == len(text.splitlines()) - table.dialect.header
    assert any(column.is_numeric for column in table.columns)
    assert converted(body, tmp_path, sheet="1")[0] == text
    with pytest.raises(InvalidParameter, match="the workbook has '"):
        converted(body, tmp_path, sheet="no such")


def test_json_lines_keep_numbers_as_written_and_take_keys_that_come_later(tmp_path: Path) -> None:
    body = b'{"x": 1.10, "y": 12345678901234567890}\n\n{"y": null, "z": true, "x": 2e5}\n'
    assert format_of(body) == JSON_LINES
    text, table = converted(body, tmp_path)
    assert text == "x,y,z\n1.10,12345678901234567890,\n2e5,,true\n"
    assert [column.kind for column in table.columns] == ["numbers", "numbers", "boolean"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"x": 1}\n{"x": [1, 2]}\n', "line 2: 'x' holds an array"),
        (b'{"x": 1}\n{"x": 2\n', "line 2 is no JSON"),
        (b'{"x": 1}\n[2]\n', "line 2 is no JSON object"),
        (b"PAR1" + b"\0" * 50, "the Parquet file cannot be read"),
        (b"PK\x03\x04xl/" + b"\0" * 50, "cut off, damaged"),
    ],
)
def test_what_cannot_be_converted_says_why(body: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidCsv, match=words):
        converted(body, tmp_path)


@pytest.mark.parametrize(
    ("body", "option", "words"),
    [
        (b'{"x": 1}\n', {"delimiter": "comma"}, "delimiter is 'comma'; of a file of JSON objects"),
        (b'{"x": 1}\n', {"sheet": "1"}, "sheet is '1'; of a file of JSON objects"),
        (b"PAR1" + b"\0" * 50, {"header": "absent"}, "header is 'absent'; of a Parquet file"),
        (b"PK\x03\x04xl/" + b"\0" * 50, {"encoding": "utf-8"}, "of an Excel workbook"),
        (b"1,2\n", {"sheet": "Data"}, "sheet is 'Data'; of text of rows, allowed is \"auto\""),
    ],
)
def test_options_that_a_format_does_not_have_are_refused(
    body: bytes, option: dict[str, str], words: str
) -> None:
    with pytest.raises(InvalidParameter, match=words):
        read_table(lambda: io.BytesIO(body), Reading(**option))


def test_a_workbook_that_lies_about_its_size_is_unpacked_no_further_than_it_says(
    tmp_path: Path,
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 10_000_000)
    honest = file.getvalue()
    size = (10_000_000).to_bytes(4, "little")
    assert honest.count(size) == 2  # in the entry and in the directory
    with pytest.raises(InvalidCsv, match="damaged"):
        converted(honest.replace(size, (100).to_bytes(4, "little")), tmp_path)


def test_what_is_too_large_for_the_memory_or_takes_too_long_is_refused(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes((CASES / "book.xlsx").read_bytes())
    with pytest.raises(TooLarge, match="the workbook unpacks to"):
        convert(source, target, EXCEL, Reading(), 10**7, in_memory=100)
    with pytest.raises(TooLarge, match="longer to be converted"):
        convert(source, target, EXCEL, Reading(), 10**7, deadline=0.0)


@pytest.mark.parametrize(
    ("limits", "words"), [({"line_length": 20}, "line 2 has more"), ({"columns": 1}, "line 2, the")]
)
def test_lines_and_names_of_json_are_held_to_the_limits(
    limit: Set, tmp_path: Path, limits: dict[str, float], words: str
) -> None:
    limit(**limits)
    with pytest.raises(TooLarge, match=words):
        converted(b'{"x": 1}\n{"x": 1, "y": 2222222222}\n', tmp_path)


def test_no_file_comes_to_more_than_is_allowed(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({"x": index}) for index in range(1000)).encode()
    for body in (lines, parquet({"x": [1.0] * 100_000}), (CASES / "book.xlsx").read_bytes()):
        with pytest.raises(TooLarge):
            converted(body, tmp_path, most=50)


def test_a_list_column_of_parquet_is_named(tmp_path: Path) -> None:
    lines = io.BytesIO(b'{"vector": [1.5, 2.5]}\n')
    schema = arro3.infer_json_schema(lines)
    lines.seek(0)
    file = io.BytesIO()
    arro3.write_parquet(arro3.read_json(lines, schema), file)
    with pytest.raises(InvalidCsv, match="the column 'vector' holds"):
        converted(file.getvalue(), tmp_path)


def test_no_error_of_a_library_escapes(tmp_path: Path) -> None:
    whole = parquet({"x": [1.0, 2.0, 3.0]})
    for end in range(4, len(whole), 37):
        with pytest.raises(ServiceError):
            converted(whole[:end], tmp_path)
