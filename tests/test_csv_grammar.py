import contextlib
import io
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.data.csv_cases import INVALID, TOO_LARGE, VALID, Refused, files, outcome
from kmeans_service.errors import InvalidCsv, ServiceError, TooLarge
from kmeans_service.tables.csv_grammar import check, open_csv
from kmeans_service.tables.csv_lines import CsvLimits
from kmeans_service.tables.dataset import parse_csv, shape_of


class Drip:
    """A stream whose reads return at most three bytes, as a network may."""

    def __init__(self, body: bytes) -> None:
        self._file = io.BytesIO(body)

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, 3))


@pytest.mark.parametrize(("body", "names", "rows"), VALID)
def test_what_the_grammar_allows_has_the_shape_that_was_written(
    body: bytes, names: tuple[str, ...] | None, rows: list[list[float]]
) -> None:
    shape = check(body)
    assert (shape.feature_names, shape.n_samples, shape.n_features) == (
        names,
        len(rows),
        len(rows[0]),
    )
    assert check(memoryview(body)) == shape_of(Drip(body)) == shape


@pytest.mark.parametrize("read", [check, parse_csv])
@pytest.mark.parametrize(
    ("refusal", "body", "line", "column", "words"),
    [(InvalidCsv, *case) for case in INVALID] + [(TooLarge, *case) for case in TOO_LARGE],
)
def test_a_file_against_the_grammar_or_over_a_limit_is_refused_with_its_place(
    read: Callable[[bytes], object],
    refusal: type[ServiceError],
    body: bytes,
    line: int,
    column: int | None,
    words: str,
) -> None:
    with pytest.raises(refusal) as raised:
        read(body)
    assert words in raised.value.detail
    assert (raised.value.members["line"], raised.value.members.get("column")) == (line, column)


def test_exactly_the_limits_are_allowed() -> None:
    assert check(b"1\n" + b"0" * 1023 + b"1").n_samples == 2
    assert check(b",".join([b"1"] * 10_000)).n_features == 10_000
    assert check(b"1\n" + b" " * (1024**2 - 1) + b"3\n4").n_samples == 3


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"1\n2\n3\n4", 4),
        (b"1\r\n2\r\n3\r\n4\r\n", 4),
        (b"x\n1\n2\n3\nbad", 5),
        (b"x\n1\n2\n3\n4\n\n", 5),
    ],
)
def test_one_row_too_many_is_named(body: bytes, line: int) -> None:
    limits = CsvLimits(rows=3)
    with pytest.raises(TooLarge, match="3 rows") as refusal:
        check(body, limits)
    assert refusal.value.members["line"] == line


def test_as_many_rows_as_allowed_pass_with_blank_lines_after_them() -> None:
    assert check(b"x\n1\n2\n3\n\n\n", CsvLimits(rows=3)).n_samples == 3


def test_a_bad_row_before_the_limit_comes_first() -> None:
    with pytest.raises(InvalidCsv, match="line 2, column 1"):
        check(b"1\nbad\n3\n4", CsvLimits(rows=3))


def test_the_line_is_right_far_into_a_file_of_many_blocks() -> None:
    body = b"1.5,2\n" * 300_000 + b"3,x\n" + b"1,2\n" * 50_000
    with pytest.raises(InvalidCsv) as refusal:
        check(body)
    assert refusal.value.members == {"line": 300_001, "column": 2}


EDGES = {
    "digits before the point": [
        f"{digits}e{exponent}" if exponent else digits
        for n in (1, 2, 9, 10, 19, 20, 21, 22, 30, 99, 100, 101, 102)
        for digits in ("9" * n, "1" + "0" * (n - 1), "0" * (n - 1) + "7")
        for exponent in ("", 0, 9, "+9", 78, 79, "+79", 80, 81, 89, 90, 99, 100)
    ],
    "digits behind the point": [
        f"{whole}.{'7' * n}{exponent}"
        for n in (0, 1, 99, 100, 101, 130)
        for whole in ("", "1", "9" * 20, "9" * 21)
        for exponent in ("", "e79", "e80", "e-999", "e-1000", "e101")
        if whole or n
    ],
    "every exponent": [
        f"{sign}{digits}{e}{exponent}"
        for sign in ("", "-", "+")
        for digits in ("1", "9.9", "12345678901234567890")
        for e in ("e", "E", "e+", "e-")
        for exponent in (*range(70, 112), "007", "0079", "0080", "00100", "1000")
    ],
}


@pytest.mark.parametrize("where", EDGES)
def test_a_number_is_taken_if_and_only_if_it_is_at_most_1e100(where: str) -> None:
    """However it is written: what a quick look takes for small must be small."""
    for cell in EDGES[where]:
        for text in (cell, f'"{cell}"'):
            body = f"1,2\n3,{text}\n".encode()
            for read in (check, parse_csv):
                refused = isinstance(outcome(read, body), Refused)
                assert refused == (abs(float(cell)) > 1e100), (cell, read)


@pytest.mark.parametrize("n_features", [1, 2, 3, 10])
def test_a_row_has_as_many_cells_as_the_first_one(n_features: int) -> None:
    first = b",".join([b"1"] * n_features)
    for found in range(1, n_features + 3):
        body = first + b"\n" + b",".join([b"2"] * found) + b"\n"
        for read in (check, parse_csv):
            assert isinstance(outcome(read, body), Refused) == (found != n_features)


@pytest.mark.parametrize(
    ("limits", "taken", "refused"),
    [
        (CsvLimits(cell_length=140), b"1\n1." + b"5" * 138, b"1\n1." + b"5" * 139),
        (CsvLimits(cell_length=140), b"1\n  1." + b"5" * 138 + b"\t", b"1\n 1." + b"5" * 139),
        (CsvLimits(cell_length=4), b"abcd,x\n1,2", b"abcde,x\n1,2"),
        (CsvLimits(line_length=5), b"1,2,3\n4,5,6", b"1,2,3\n4,5,67"),
        (CsvLimits(line_length=5), b"1,2,3", b"1,2,34"),
        (CsvLimits(header_length=5), b"ab,cd\n1,2", b"ab,cde\n1,2"),
        (CsvLimits(header_length=5), b"ab,cd \t\n1,2", b"ab,c\xc3\xa9\n1,2"),
        (CsvLimits(columns=2), b"1,2", b"1,2,3"),
        (CsvLimits(columns=2), b"a,b\n1,2", b"a,b,c\n1,2,3"),
        (CsvLimits(rows=2), b"1\n2", b"1\n2\n3"),
        (CsvLimits(rows=2), b"1\n2\n\n \n", b"1\n2\n3\n"),
        (CsvLimits(rows=1), b"a\n1\n", b"a\n1\n2"),
    ],
)
def test_a_file_at_a_limit_is_taken_and_one_beyond_it_is_not(
    limits: CsvLimits, taken: bytes, refused: bytes
) -> None:
    for read in (check, parse_csv):
        assert not isinstance(outcome(read, taken, limits), Refused)
        found = outcome(read, refused, limits)
        assert isinstance(found, Refused)
        assert found.kind is TooLarge


def rows_of(body: bytes, limits: CsvLimits, block_bytes: int) -> object:
    rows = open_csv(body, limits, block_bytes)
    return rows.feature_names, [rows.read(*line) for block in rows.blocks for line in block.lines()]


@pytest.mark.parametrize("block_bytes", range(1, 16))
def test_blocks_of_a_few_bytes_read_every_known_file_alike(block_bytes: int) -> None:
    marked = b"\xef\xbb\xbfx\n" + b"0\n" * 10
    for body in [marked, *(case[0] for case in VALID), *(case[0] for case in INVALID)]:
        whole = outcome(rows_of, body, CsvLimits(), 1_000_000)
        assert outcome(rows_of, body, CsvLimits(), block_bytes) == whole


@pytest.mark.thorough
@settings(max_examples=300)
@given(
    files(),
    st.integers(1, 40),
    st.sampled_from([1000, 1000, 2, 5]),
    st.sampled_from([12, 30, 1000]),
)
def test_where_the_blocks_are_cut_changes_nothing(
    body: bytes, block_bytes: int, most_rows: int, line_length: int
) -> None:
    limits = CsvLimits(rows=most_rows, line_length=line_length)
    whole = outcome(rows_of, body, limits, 1_000_000)
    assert outcome(rows_of, body, limits, block_bytes) == whole
    checked = outcome(shape_of, Drip(body), limits)
    assert checked == whole or not (isinstance(checked, Refused) or isinstance(whole, Refused))


SIZE = 1_500_000  # bytes, of which an upload may have three times as many
HOSTILE = {
    "commas": b"," * SIZE,
    "quotes": b'"' * SIZE,
    "digits": b"1" * SIZE,
    "spaces": b" " * SIZE,
    "line feeds": b"\n" * SIZE,
    "carriage returns": b"\r" * SIZE,
    "CRLF": b"\r\n" * (SIZE // 2),
    "line feeds, then a row": b"\n" * SIZE + b"1",
    "row, then line feeds": b"1" + b"\n" * SIZE,
    "wide, then line feeds": b"1," * 9_999 + b"1" + b"\n" * SIZE,
    "short lines of spaces": b"1\n" + b" \n" * (SIZE // 2) + b"1",
    "quotes and commas": b"1\n" + b'""",' * 260_000,
    "opened quotes": b"1\n" + b'",' * 520_000,
    "a header of quotes": b'"' + b'""' * 500_000 + b'"\n1',
    "every cell odd": b"1,2\n" + b"1e80,1e80\n" * (SIZE // 10),
    "every line long with an odd cell": (b"1," * 9_999 + b"1e-5000\n") * (SIZE // 20_000),
    "an odd cell in every block": (b"1,2\n" * 10_000 + b"1e80,1\n") * (SIZE // 40_000),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", HOSTILE)
def test_no_file_takes_long_to_check(name: str) -> None:
    started = time.process_time()
    with contextlib.suppress(ServiceError):
        check(HOSTILE[name])
    assert time.process_time() - started < 4


def test_checking_needs_neither_numpy_nor_any_package_from_outside() -> None:
    script = (
        "import sys; before = set(sys.modules); import kmeans_service.tables.csv_grammar;"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}"
        " - set(sys.stdlib_module_names)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "functions"},
    )
    assert run.stdout.split() == ["kmeans_service"]
