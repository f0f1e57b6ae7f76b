"""The compiled reader of tables: that it reads what is usual by itself, and stays inside."""

import ctypes
import os
from ctypes import byref, c_char_p, c_size_t, c_uint64
from itertools import product

import numpy as np
import pytest

from harness.data.guarded import Guarded
from kmeans_service.tables.columns import Role
from kmeans_service.tables.csv_lines import CsvLimits
from kmeans_service.tables.grammar import Format
from kmeans_service.tables.library import c_format, library
from kmeans_service.tables.survey import Survey

TEXT = (
    b'1.25,male,"a ""b"", c",TRUE\r\n+1, \xe9\x87\x8d\xe3\x81\x95 ,"",FALSE\r\r\n'
    b'\n,,,\n "1.5" ,\tx,NA,TRUE\n'
    b'1.234567890123456789e+01,"x\ny",-0.000012345678901234567,FALSE\n9e,2024-01-01,$5,TRUE\n'
    b'18446744073709551616,#DIV/0!,?,\xe2\x80\x93\n7 8,"open,1,2\n'
)
ROLES = [
    (Role.NUMBER, Role.SKIPPED, Role.LEVEL, Role.BOOLEAN),
    (Role.SKIPPED, Role.LEVEL, Role.NUMBER, Role.SKIPPED),
]


def rows_read(text: bytes, format: Format, roles: tuple[Role, ...]) -> tuple[np.ndarray, int]:
    """The rows that C reads by itself, and where it stops."""
    used = sum(role != Role.SKIPPED for role in roles)
    n_levels = roles.count(Role.LEVEL)
    rows = np.empty((text.count(b"\n") + 1, used))
    levels = np.empty((len(rows), n_levels, 2), dtype=np.uint64)
    begin = c_size_t(0)
    n_rows = library().read_columns(
        text, len(text), byref(begin), byref(c_format(format, whole=True)), bytes(roles),
        byref(c_uint64(1)), rows.ctypes.data, levels.ctypes.data, None, len(rows),
    )  # fmt: skip
    return rows[:n_rows], begin.value


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("notation", ["%.6f", "%.18e", "%r", "%d", '"%.3f"', "%+.4e"])
@pytest.mark.parametrize("decimal", [".", ","])
def test_a_usual_table_is_read_by_c_alone(delimiter: str, notation: str, decimal: str) -> None:
    if delimiter == decimal == ",":
        return
    X = np.random.default_rng(0).normal(0, 1000, (500, 2))
    texts = ["male", '"new york"', "NA", "2024-01-01", "größe", '"a\nb"', "?", "x-1", "12:30"]
    lines = [
        delimiter.join(
            [(notation % row[0]).replace(".", decimal), texts[index % len(texts)],
             (notation % row[1]).replace(".", decimal)]
        )
        for index, row in enumerate(X.tolist())
    ]  # fmt: skip
    text = "\r\n".join(lines).encode()
    format = Format(3, delimiter, decimal, CsvLimits())
    rows, end = rows_read(text, format, (Role.NUMBER, Role.SKIPPED, Role.NUMBER))
    assert (len(rows), end) == (500, len(text))
    expected = [[float((notation % value).strip('"')) for value in row] for row in X.tolist()]
    np.testing.assert_array_equal(rows, np.array(expected) + 0.0)
    survey = Survey(format, 1)
    begin = c_size_t(0)
    counted = library().survey_rows(
        text, len(text), byref(begin), byref(c_format(format, whole=True)), byref(survey.c), 500
    )
    assert (counted, begin.value) == (500, len(text))


def test_it_stops_where_the_room_ends_and_goes_on_from_there() -> None:
    text = b"".join(b"%d,x,%d\n" % (index, -index) for index in range(100))
    format = c_format(Format(3, ",", ".", CsvLimits()), whole=True)
    begin, line, read = c_size_t(0), c_uint64(1), 0
    while begin.value < len(text):
        room = np.full((8, 2), np.nan)
        n_rows = library().read_columns(
            text, len(text), byref(begin), byref(format), bytes([1, 0, 1]), byref(line),
            room.ctypes.data, None, None, 7,
        )  # fmt: skip
        assert room[:n_rows, 0].tolist() == list(range(read, read + n_rows))
        assert np.isnan(room[7]).all()
        read += n_rows
        assert line.value == read + 1
    assert read == 100


def test_a_row_that_is_not_whole_is_left_where_it_begins() -> None:
    format = c_format(Format(2, ",", ".", CsvLimits()), whole=False)
    for text in (b"1,2\n3,4", b"1,2\n3,4\r", b'1,2\n3,"4\n', b"1,2\n3,", b"1,2\n,"):
        begin = c_size_t(0)
        survey = Survey(Format(2, ",", ".", CsvLimits()), 1)
        library().survey_rows(text, len(text), byref(begin), byref(format), byref(survey.c), 9)
        assert (begin.value, survey.n_rows, survey.n_blank) == (4, 1, 0), text


def test_not_one_byte_beyond_the_text_or_the_rows_is_touched() -> None:
    child = os.fork()  # which such a byte would kill
    if child == 0:
        text_room, row_room, level_room = Guarded(len(TEXT)), Guarded(8 * 64), Guarded(16 * 32)
        end_room = Guarded(16 * 3)
        for start, delimiter, whole in product((0, 7, 40, 95), ", ;", (True, False)):
            for end in range(start, len(TEXT) + 1):
                text = TEXT[start:end]
                at = text_room.end - len(text)
                ctypes.memmove(at, text, len(text))
                for roles, n_cells, capacity in product(ROLES, (1, 2, 4), (0, 1, 3)):
                    format = Format(n_cells, delimiter, ".", CsvLimits())
                    used = sum(role != Role.SKIPPED for role in roles[:n_cells])
                    levels = roles[:n_cells].count(Role.LEVEL)
                    library().read_columns(
                        ctypes.cast(at, c_char_p), len(text), byref(c_size_t(0)),
                        byref(c_format(format, whole=whole)), bytes(roles[:n_cells]),
                        byref(c_uint64(1)), row_room.end - 8 * used * capacity,
                        level_room.end - 16 * levels * capacity, end_room.end - 16 * capacity,
                        capacity,
                    )  # fmt: skip
                survey = Survey(Format(4, delimiter, ".", CsvLimits()), 1, distinct=False)
                library().survey_rows(
                    ctypes.cast(at, c_char_p), len(text), byref(c_size_t(0)),
                    byref(c_format(survey.format, whole=whole)), byref(survey.c), 9,
                )  # fmt: skip
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
