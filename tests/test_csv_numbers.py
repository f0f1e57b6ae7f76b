"""The compiled reader of rows: that it is right, reads what is usual, and stays inside."""

import ctypes
import os
import random
from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.data.csv_cases import bits, files
from harness.data.guarded import Guarded
from kmeans_service.tables import csv_numbers
from kmeans_service.tables.csv_grammar import CsvRows
from kmeans_service.tables.csv_lines import Block, CsvLimits
from kmeans_service.tables.csv_numbers import RowReader
from kmeans_service.tables.dataset import parse_csv


def rows_of(text: bytes, n_features: int = 1, cell_length: int = 1024) -> tuple[np.ndarray, int]:
    """The rows that the reader reads at once, and where it stops."""
    room = np.empty((text.count(b"\n") + 2, n_features))
    n_rows, end = RowReader(n_features, cell_length).read(text, 0, room)
    return room[:n_rows], end


def doubles(random: random.Random) -> float:
    """Any double up to 1e100: as many tiny ones as large ones."""
    while True:
        value = float(np.uint64(random.getrandbits(63)).view(np.float64))
        if value <= 1e100:
            return value


def digits(random: random.Random, most: int) -> str:
    return str(random.randrange(10 ** random.randrange(1, most + 1)))


def halfway(random: random.Random) -> Decimal:
    """The number between a double and the next one, where rounding turns."""
    value = random.choice([doubles(random), random.uniform(0, 1e6), 2.0**53 + random.random() * 9])
    with localcontext(prec=1200):
        return (Decimal(value) + Decimal(float(np.nextafter(value, np.inf)))) / 2


HOSTILE: dict[str, Callable[[random.Random], str]] = {
    "shortest": lambda r: repr(doubles(r)),
    "14 to 21 digits": lambda r: f"{doubles(r):.{r.randrange(13, 21)}e}",
    "as scientific programs write": lambda r: (
        f"{r.randrange(10)}.{r.randrange(10 ** r.randrange(15, 20)):0{r.randrange(15, 20)}}"
        f"{r.choice('eE')}{r.choice(['+', '-0', '-1', '-', ''])}{r.randrange(80)}"
    ),
    "integers": lambda r: digits(r, 22) + r.choice(["", "."]),
    "any exponent": lambda r: f"{digits(r, 21)}e{r.randrange(-345, 79)}",
    "halfway": lambda r: f"{halfway(r):.{r.choice([16, 17, 18, 19, 20, 30])}e}",
    "halfway, cut off": lambda r: f"{halfway(r):f}"[: r.randrange(16, 60)],
    "around 2^53": lambda r: f"{2**53 + r.randrange(-3, 999)}{r.choice(['', '.0', 'e1', 'e-3'])}",
    "zeros before": lambda r: f"0.{'0' * r.randrange(330)}{digits(r, 20)}",
    "zeros after": lambda r: digits(r, 19) + "0" * r.randrange(80),
    "zeros around": lambda r: f"{'0' * r.randrange(30)}{digits(r, 9)}.{digits(r, 9):0>12}",
    "fixed": lambda r: f"{r.uniform(-1000, 1000):.{r.randrange(30)}f}",
    "a bare point": lambda r: f".{digits(r, 22)}",
    "subnormal": lambda r: f"{r.getrandbits(r.randrange(1, 54)) * 5e-324:.{r.randrange(3, 19)}e}",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_every_decimal_becomes_the_double_that_float_makes_of_it(kind: str) -> None:
    source = random.Random(kind)
    cells = [source.choice(["", "", "-", "+"]) + HOSTILE[kind](source) for _ in range(20_000)]
    cells = [cell.replace("--", "-").replace("+-", "-").replace("-+", "-") for cell in cells]
    X = parse_csv("\n".join(["0", *cells]).encode()).X
    wrong = bits(X[1:, 0]) != bits(np.array(list(map(float, cells))) + 0.0)
    assert [cells[i] for i in np.flatnonzero(wrong)] == []


@pytest.mark.parametrize(
    "notation",
    ["%.6f", "%.18e", "%r", "%.3g", "%d", "%+.4e", '"%.3f"', " %.3f\t", "%.0f.", "%.15G"],
)
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_rows_in_a_usual_notation_are_all_read_by_c(notation: str, line_break: str) -> None:
    X = np.random.default_rng(0).normal(0, 1000, (2_000, 3))
    lines = [",".join(notation % value for value in row) for row in X.tolist()]
    text = line_break.join(lines).encode()
    rows, end = rows_of(text, 3)
    assert (len(rows), end) == (2_000, len(text) + 1)
    plain = [[float(cell.strip('" \t')) for cell in line.split(",")] for line in lines]
    np.testing.assert_array_equal(bits(rows), bits(np.array(plain) + 0.0))


@pytest.mark.thorough
@settings(max_examples=500)
@given(files(), st.integers(1, 4), st.sampled_from([3, 30, 1024]))
@example(b"1\n", 1, 1024)
@example(b"", 1, 1024)
@example(b"1,2\r", 2, 1024)
def test_a_row_that_c_reads_is_one_the_grammar_reads_alike(
    text: bytes, n_features: int, cell_length: int
) -> None:
    rows, end = rows_of(text, n_features, cell_length)
    grammar = CsvRows(None, n_features, iter(()), CsvLimits(cell_length=cell_length))
    for row, (number, line) in zip(rows, Block(1, text).lines(), strict=False):
        assert bits(row).tolist() == bits(np.array(grammar.read(number, line)) + 0.0).tolist()
    assert end == sum(len(line) + 1 for line in text.split(b"\n")[: len(rows)])


@pytest.mark.parametrize("rest", ["e", "e+", "e+1", "e+0a", "e 03", "e+03.", "e+03x", "f+03", ""])
def test_a_number_of_all_digits_with_half_an_exponent_is_refused_or_read_as_float_does(
    rest: str,
) -> None:
    cell = f"1.234567890123456789{rest}"
    text = f"{cell}\n" + "0.5\n" * 20
    rows, end = rows_of(text.encode())
    try:
        value = float(cell)
    except ValueError:
        assert (len(rows), end) == (0, 0)
    else:
        assert (rows[0, 0], len(rows)) == (value, 21)


def test_it_stops_where_the_room_ends_and_goes_on_from_there() -> None:
    text = b"\n".join(b"%d,%d" % (i, -i) for i in range(100))
    reader, begin, read = RowReader(2, 1024), 0, 0
    while begin <= len(text):
        room = np.full((8, 2), np.nan)
        n_rows, begin = reader.read(text, begin, room[:7])
        assert room[:n_rows, 0].tolist() == list(range(read, read + n_rows))
        assert np.isnan(room[7]).all()
        read += n_rows
    assert read == 100


TEXT = (
    b'1.25,-3.5,1e5\r\n+1,.5,5.\n "1.5" ,\t-2.000001, 123456789.123456789\n'
    b"1.234567890123456789e+01,-0.000012345678901234567,18446744073709551616\n"
    b"0,1e-320,99999999999999999999.5\n7,8,9e\n1,2,3"
)


def every_end() -> Iterator[bytes]:
    for start in (0, 7, 15, 40):
        for end in range(start, len(TEXT) + 1):
            yield TEXT[start:end]


def test_not_one_byte_beyond_the_text_or_the_rows_is_touched() -> None:
    child = os.fork()  # which such a byte would kill
    if child == 0:
        text_room, row_room = Guarded(len(TEXT)), Guarded(8 * 64)
        read_rows = csv_numbers.library().read_rows
        for text in every_end():
            for n_features in (1, 2, 3):
                rules = RowReader(n_features, 1024).rules
                at = text_room.end - len(text)
                ctypes.memmove(at, text, len(text))
                for capacity in (0, 1, 2, 6):
                    read_rows(
                        ctypes.cast(at, ctypes.c_char_p),
                        len(text),
                        ctypes.byref(ctypes.c_size_t(0)),
                        ctypes.byref(rules),
                        row_room.end - 8 * n_features * capacity,
                        capacity,
                    )
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
