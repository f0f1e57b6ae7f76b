"""Files as people have them: dialects, headers, and which reading is meant."""

import gzip

import pytest

from harness.data.tables import numbers, read
from kmeans_service.errors import InvalidCsv, InvalidParameter
from kmeans_service.tables.dialect import Reading, dialect_of, parse_reading

XY = [[1.5, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    "body",
    [
        b"x,y\n1.5,2\n3,4\n",
        b"x;y\r\n1,5;2\r\n3;4\r\n",
        b"x\ty\n1.5\t2\n3\t4",
        b"x|y\n1.5|2\n3|4\n",
        b'"x" "y"\n1.5 2\n3 4\n',
        b" x   y\n 1.5 2 \n   3\t4\n",
        b"sep=;\nx;y\n1.5;2\n3;4\n",
        b'"sep=;"\r\nx;y\r\n1,5;2\r\n3;4\r\n',
        b"# made by\n# hand\nx,y\n1.5,2\n3,4\n",
        b"\n\nx,y\n1.5,2\n3,4\n",
        b"x,y\r\r\n1.5,2\r\r\n3,4\r\r\n",
        b"x,y\r1.5,2\r3,4\r",
        b"x,y\n\n1.5,2\n,\n \t\n3,4\n,,,\n\n",
        b"x,y,\n1.5,2,\n3,4,\n",
        b"x,y\n1.5,2,\n3,4,\n",
        b"x,y\n1.5,2\n3,4,,\n",
        b"x,y\n1.5,2\n3,4\n\x1a",
        b'"x","y"\n"1.5","2"\n"3","4\x1a"\n',
        b"\xef\xbb\xbfx,y\n1.5,2\n3,4",
        "\ufeffx,y\n1.5,2\n3,4".encode("utf-16-le"),
        "\ufeffx\ty\r\n1,5\t2\r\n3\t4".encode("utf-16-be"),
        gzip.compress(b"x,y\n1.5,2\n3,4\n", mtime=0),
        gzip.compress(b"x,y\n1.5,2\n", mtime=0) + gzip.compress(b"3,4\n", mtime=0) + b"\0\0",
        "x,y\n\u00a01.5,2\n 3,4\u00a0".encode(),
    ],
)
def test_one_table_in_many_dialects(body: bytes) -> None:
    table = read(body)
    assert [column.name for column in table.columns if column.n_present] == ["x", "y"]
    assert [row[:2] for row in numbers(body)] == XY
    assert dialect_of(table.dialect.as_json()) == table.dialect


def test_what_leaves_fewer_cells_with_other_delimiters_in_them_separates() -> None:
    """By either of the two half of the cells are numbers, and all rows are of one width."""
    body = b"1, Wall;2;old;3\n2, Berg;4;new;5\n3, Wall;6;new;7\n"
    for header in (b"", b"address;rooms;state;windows\n"):
        assert numbers(header + body) == [[2, 3], [4, 5], [6, 7]]


def test_quotes_hold_delimiters_quotes_and_line_breaks() -> None:
    body = b'name,"a, b"\n"x\ny ""z""",1\n"p,q",2\nr "s" t,3\n'
    assert numbers(body) == [[1], [2], [3]]
    assert [column.name for column in read(body).columns] == ["name", "a, b"]


def test_places_are_those_of_the_file_also_behind_quoted_line_breaks() -> None:
    table = read(b'# c\nname,x,y\n"a\nb",1,5\n\n"c\n\nd",NA,oops\ne,3,6\nf,4,7\n')
    assert table.columns[1].counts.missing.line == 8
    assert (table.columns[2].first_other.line, table.columns[2].first_other.text) == (8, "oops")
    with pytest.raises(InvalidCsv, match="line 5 has 1 cell, the first line has 2") as refusal:
        read(b'x,n\n1,"a\nb"\n\n3\n')
    assert refusal.value.members == {"line": 5, "column": 2}


@pytest.mark.parametrize(
    ("body", "header", "n_rows", "guessed"),
    [
        (b"0,1\n1.0,2.0\n3.5,4.0\n", True, 2, False),
        (b"0,1\n1,2.0\n3.5,4.0\n", False, 3, True),
        (b"0\n1.5\n2.5\n", False, 3, False),
        (b"1,2\n1.5,2.5\n", False, 2, False),
        (b",0,1\n0,1.5,2.5\n1,3.5,4.5\n", True, 2, False),
        (b"5.1,3.5,setosa\n4.9,3.0,setosa\n", False, 2, False),
        (b"2019,2020,region\n5,6,north\n7,8,south\n", False, 3, True),
        (b"region,2019,2020\nnorth,5,6\nsouth,7,8\n", False, 3, True),
        (b"id,2020\nx,4\n", False, 2, True),
        (b"x,2020\n3,4\n5,6\n", True, 2, False),
        (b"TRUE,FALSE\nFALSE,TRUE\n", False, 2, False),
        (b"T,F\n1,2\n", True, 1, False),
        (b"Y,N\n1.5,2\n", True, 1, False),
    ],
)
def test_a_header_is_found_and_no_row_is_lost_to_one(
    body: bytes, header: bool, n_rows: int, guessed: bool
) -> None:
    table = read(body)
    assert (table.dialect.header, table.n_rows) == (header, n_rows)
    assert any("header decides" in guess for guess in table.guesses) == guessed


def test_where_a_header_ends_empty_a_short_row_is_measured_by_the_longest() -> None:
    with pytest.raises(InvalidCsv, match="line 3 has 2 cells, the first line has 3"):
        read(b"a,b,c,\n1,2,3\n4,5\n6,8,9\n")


def test_a_header_of_numbers_is_data_if_a_cell_far_below_has_no_point() -> None:
    table = read(b"0,1\n" + b"1.5,2.5\n" * 50_000 + b"3,4.5\n")
    assert (table.dialect.header, table.n_rows) == (False, 50_002)
    assert table.columns[0].counts.first == 0


def test_options_decide_and_are_refused_by_name() -> None:
    assert read(b"0,1\n1.5,2.5\n", header="absent").n_rows == 2
    assert read(b"1,2\n1.5,2.5\n", header="present").n_rows == 1
    assert numbers(b"x\n1,5\n2,5\n", decimal="comma", delimiter=";") == [[1.5], [2.5]]
    assert numbers(b"v\n1,5\n2,5\n", decimal=",") == [[1.5], [2.5]]
    assert numbers(b"a;b\n1.234;2\n", decimal="point") == [[1.234, 2]]
    with pytest.raises(InvalidParameter, match='delimiter is "/"; allowed is "auto", "comma"'):
        parse_reading({"delimiter": "/"})
    with pytest.raises(InvalidParameter, match="is no option of reading"):
        parse_reading({"quote": '"'})
    assert Reading().said() == {}
    assert parse_reading({"decimal": ",", "sheet": 2}).said() == {"decimal": "comma", "sheet": "2"}


def test_where_nothing_decides_both_readings_are_named() -> None:
    (guess,) = read(b"a;b\n1,234;5\n2,345;6\n").guesses
    assert "1,234 can be read with a decimal comma or as thousands" in guess
    (guess,) = read(b"v\n1,5\n2,5\n3,7\n").guesses
    assert "decimal decides" in guess
    (guess,) = read(b"#x,y\n1,2\n3,4\n").guesses
    assert "without its # it is the header" in guess
    assert read(b"a;b\n1,25;5\n2,345;6\n").guesses == ()


def test_a_decimal_comma_far_into_a_file_is_found() -> None:
    body = b"a;b\n" + b"1;2\n" * 50_000 + b"1,5;2\n"
    assert read(body).dialect.decimal == ","
    assert numbers(body)[-1] == [1.5, 2]


def test_bytes_that_are_not_utf8_make_the_file_windows_1252() -> None:
    body = b"caf\xe9,y\n" + b"1,2\n" * 60_000 + b"\x96,3\n"
    table = read(body)
    assert (table.dialect.encoding, table.columns[0].name) == ("windows-1252", "café")
    assert table.columns[0].n_missing == 1  # a dash has neither letter nor digit
    assert "encoding decides" in table.guesses[0]
    with pytest.raises(InvalidCsv, match="line 1: the bytes e9 are not UTF-8"):
        read(body, encoding="utf-8")
