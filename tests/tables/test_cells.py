"""What a cell is, what is no table, and what files that people have come to."""

import gzip
import io
import math
import zlib
from pathlib import Path

import numpy as np
import pytest

from harness.data.tables import numbers, read
from kmeans_service.errors import InvalidCsv, ServiceError, TooLarge, UnsupportedMediaType
from kmeans_service.recipes.plan import USED, plan
from kmeans_service.recipes.preprocessing import DEFAULT
from kmeans_service.tables.cells import BOOLEANS
from kmeans_service.tables.columns import Layout, Role, read_columns
from kmeans_service.tables.csv_lines import CsvLimits
from kmeans_service.tables.dialect import Dialect, dialect_of
from kmeans_service.tables.table import Table, read_table

CASES = Path(__file__).parent.parent / "cases"


def used(table: Table) -> list[str | None]:
    return [column.name for column in plan(table, DEFAULT).of(USED)]


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        *(
            (word, "missing")
            for word in (
                "",
                "NA",
                "\u00a0NA \u00a0",
                "\u00a0",
                "nan",
                "?",
                "nil",
                "#DIV/0!",
                "-",
                "…",
                "N/A",
            )
        ),
        *((word, "numbers") for word in ("1e+05", "+.5", "5.", "-0", "1" * 60, '"7"', '" 7 "')),
        *((word, "near") for word in ("$5", "5%", '"1,234"', "1 234", "€ 3", "7 %", '"1,5"')),
        *(
            (word, "other")
            for word in ("x", "1d5", "0x1", "1_0", "<0.5", "2024-01-01", "inf", "1e101", "12:30")
        ),
    ],
)
def test_what_a_cell_is(cell: str, kind: str) -> None:
    table = read(f"a,x\n1,2\n3,4\n5,{cell}\n7,8\n".encode())
    counts = table.columns[1].counts.kinds
    found = {
        "numbers": counts[0] - 3,
        "missing": counts[1] + counts[2],
        "near": counts[3],
        "other": counts[4],
    }
    assert found == {name: int(name == kind) for name in found}


def test_booleans_are_one_and_zero_and_missing_cells_nan() -> None:
    assert numbers(b"a,b\nyes,1\nno,2\nNA,3\n")[:2] == [[1, 1], [0, 2]]
    assert math.isnan(numbers(b"a,b\nyes,1\nno,2\nNA,3\n")[2][0])
    assert [column.kind for column in read(b"a,b,c\nT,Y,1\nT,N,2\n").columns] == [
        "text", "boolean", "numbers",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "ends"), [("no no", (0, 0)), ("yes yes", (1, 1)), ("no yes", (0, 1))]
)
def test_booleans_reach_from_the_least_that_is_there_to_the_largest(
    words: str, ends: tuple[int, int]
) -> None:
    first, second = words.split()
    column = read(f"a,b\n{first},1\n{second},2\n".encode()).columns[0]
    assert (column.least, column.largest) == ends


def test_levels_are_indices_of_known_texts() -> None:
    body = b'x,c\n1,red\n2,"a ""b"""\n3,NA\n4,green\n5,+\n'
    layout = Layout((Role.NUMBER, Role.LEVEL), (("red", 'a "b"'),))
    X = read_columns(lambda: io.BytesIO(body), read(body).dialect, layout, 5)
    np.testing.assert_array_equal(X[:, 1], [0, 1, np.nan, -1, -1])


def test_repeated_names_get_a_suffix() -> None:
    names = [column.name for column in read(b"x,x,,x.1,x\n1,2,3,4,5\n").columns]
    assert names == ["x", "x.2", None, "x.1", "x.3"]


@pytest.mark.thorough
def test_a_gene_table_has_20000_columns() -> None:
    wide = b",".join(b"gene_with_a_long_name_%05d" % index for index in range(20_000))
    table = read_table(
        lambda: io.BytesIO(wide + b"\n" + b",".join([b"1.5"] * 20_000) + b"\n"),
        limits=CsvLimits(columns=20_000),
    )
    assert len(table.columns) == 20_000
    with pytest.raises(TooLarge, match="more than the 19,999 cells"):
        read_table(
            lambda: io.BytesIO(wide + b"\n" + b",".join([b"1.5"] * 20_000)),
            limits=CsvLimits(columns=19_999),
        )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"PAR1\x15\x04", "a Parquet file"),
        (b"%PDF-1.4\n", "a PDF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b'{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n', "JSON objects, one a line"),
        (b'[{"a": 1}]', "a JSON document"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"a\0b\0,\0", "a binary file"),
        (gzip.compress(b"%PDF-1.4\n", mtime=0), "a PDF document"),
    ],
)
def test_what_is_no_text_of_rows_is_named_for_what_it_is(body: bytes, words: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=words):
        read(body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the file is empty"),
        (b"\n,,\n", "the file is empty"),
        (b"# nothing\n", "the file is empty"),
        (b"x,y\n", "a header and no rows"),
        (b"x,y\na,b\nc,d\n", "no column of numbers, and k-means needs one: it has 'x' (text)"),
        (b'"","x"\n"1","a"\n"2","b"\n', "it has row names (numbers), 'x' (text)"),
        (b'x,y\n1,"2\n3,4\n', "opens a quote that is never closed"),
        (b'x,y\n1,"2"3\n', "something stands behind the quote that closes '2'"),
        (b"x,y\n1,2\n3\r,4\n", "neither LF nor CRLF"),
        (b"x,y\n1,2\n3,4,5\n", "line 3 has 3 cells, the first line has 2"),
        (gzip.compress(b"1,2\n" * 100, mtime=0)[:-12], "ends before what is packed in it does"),
        (gzip.compress(b"1,2\n" * 100, mtime=0)[:20] + b"junk" * 20, "cannot be unpacked"),
    ],
)
def test_what_is_no_table_is_refused_in_words(body: bytes, words: str) -> None:
    with pytest.raises(InvalidCsv, match=words.replace("(", r"\(").replace(")", r"\)")):
        read(body)


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
def test_a_first_row_of_numbers_is_never_the_name_of_one_column(delimiter: str) -> None:
    with pytest.raises(InvalidCsv, match="line 2 has 1 cell, the first line has 2"):
        read(f"1{delimiter} 2\n3\n".encode())


@pytest.mark.thorough
def test_a_bomb_is_not_unpacked() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b"0,0\n" * 250_000) for _ in range(100)) + packer.flush()
    with pytest.raises(TooLarge, match="more than 200 times"):
        read(bomb)
    with pytest.raises(TooLarge, match="more than the 1,000 bytes a file may have"):
        read_table(lambda: io.BytesIO(gzip.compress(b"1,2\n" * 300, mtime=0)), most_bytes=1000)


# What each file should come to: the columns used, in how many rows.
EXPECTED: dict[str, tuple[int, list[str | None]]] = {
    "r_default.csv": (4, ["x", "y"]),
    "pandas_index.csv": (4, ["x", "y"]),
    "pandas_numhdr.csv": (6, ["0", "1"]),
    "mall.csv": (24, ["Age", "Annual Income (k$)", "Spending Score (1-100)"]),
    "iris_small.csv": (2, ["sepal_length", "sepal_width"]),
    "na.csv": (2, ["x"]),
    "semi_dec.csv": (2, ["A", "B", "C", "D"]),
    "r_table.txt": (4, ["x", "y"]),
    "dummies.csv": (3, ["a", "c_g", "c_r"]),
    "snapshot2.csv": (6, ["temp", "humidity"]),
    "epoch_ms.csv": (150, [None]),
    "comment.csv": (3, ["x", "y"]),
    "m.csv.gz": (2, [None, None]),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_that_people_have_comes_to_what_it_should(name: str) -> None:
    table = read((CASES / name).read_bytes())
    assert (table.n_rows, used(table)) == EXPECTED[name]


def test_comments_are_counted_and_a_workbook_is_named() -> None:
    assert read((CASES / "comment.csv").read_bytes()).dialect.comments == 2
    with pytest.raises(UnsupportedMediaType, match="an Excel workbook"):
        read((CASES / "book.xlsx").read_bytes())


def test_every_case_is_the_same_in_blocks_of_any_size() -> None:
    for path in sorted(CASES.iterdir()):
        body = path.read_bytes()
        whole, *others = [outcome(body, size) for size in (10**6, 1, 2, 3, 7, 64)]
        assert all(other == whole for other in others), path.name


def outcome(body: bytes, size: int) -> object:
    try:
        return read_table(lambda: io.BytesIO(body), block_bytes=size)
    except ServiceError as refused:
        return type(refused), refused.detail


def test_the_profile_is_what_numpy_finds() -> None:
    X = np.random.default_rng(0).normal(1e9, 3, (1000, 2)).round(3)
    body = b"x,y\n" + b"\n".join(b"%.3f,%.3f" % tuple(row) for row in X.tolist())
    for column, values in zip(read(body).columns, X.T, strict=True):
        assert (column.least, column.largest) == (values.min(), values.max())
        assert column.mean == pytest.approx(values.mean(), rel=1e-15)
        assert column.deviation == pytest.approx(values.std(), rel=1e-9)
        assert column.counts.distinct == len(set(values.tolist()))


@pytest.mark.thorough
def test_distinct_values_are_counted_to_a_million_and_then_there_are_more() -> None:
    few = b"\n".join(b"%d,%d" % (index, index % 7) for index in range(900_000))
    assert [column.counts.distinct for column in read(few).columns] == [900_000, 7]
    many = few + b"\n" + b"\n".join(b"%d,1" % index for index in range(900_000, 1_000_001))
    assert [column.counts.distinct for column in read(many).columns] == [None, 7]
    assert read(many).columns[0].as_json()["distinct"] == "more"


def test_a_dialect_survives_being_stored() -> None:
    assert dialect_of(Dialect(encoding="utf-16", n_cells=3).as_json()).encoding == "utf-16"


@pytest.mark.parametrize("pair", BOOLEANS)
def test_a_word_that_stands_alone_is_one_for_1_and_a_letter_is_not(pair: tuple[str, str]) -> None:
    table = read(f"x,flag\n1,{pair[0]}\n2,{pair[0]}\n".encode())
    assert table.columns[1].words == (None if len(pair[0]) == 1 else pair)
    both = read(f"x,flag\n1,{pair[0]}\n2,{pair[1]}\n".encode())
    assert both.columns[1].words == pair
