"""layers/reader/csv_survey.c and csv_columns.c through ctypes, no NumPy: bytes in, counts out."""

from ctypes import (
    CDLL,
    POINTER,
    Structure,
    c_bool,
    c_char,
    c_char_p,
    c_double,
    c_size_t,
    c_ubyte,
    c_uint64,
    c_void_p,
)
from functools import cache

from kmeans_service.config import MAX_MAGNITUDE
from kmeans_service.tables.cells import N_KINDS
from kmeans_service.tables.compiled import CPower, path, powers
from kmeans_service.tables.grammar import Format

PLACE_BYTES = 48


class CNotation(Structure):
    _fields_ = (("mark", c_ubyte), ("magnitude", c_double), ("powers", POINTER(CPower)))


class CFormat(Structure):
    _fields_ = (
        ("n_cells", c_size_t),
        ("cell_length", c_size_t),
        ("row_length", c_size_t),
        ("notation", CNotation),
        ("delimiter", c_ubyte),
        ("whole", c_bool),
    )


class CPlace(Structure):
    _fields_ = (("line", c_uint64), ("length", c_uint64), ("text", c_char * PLACE_BYTES))


_COUNTS = [
    "pointed",
    "whole",
    "flags",
    "digits",
    "padded",
    "dates",
    "shortest",
    "longest",
    "rises",
    "steps",
    "distinct",
    "first_hash",
    "varied",
    "text_bytes",
    "more",
    "least_line",
]
_NUMBERS = ["first", "last", "least", "largest", "mean", "squares"]
_PLACES = ["missing", "boolean", "other"]


class CColumn(Structure):
    _fields_ = (
        ("kinds", c_uint64 * N_KINDS),
        *((name, c_uint64) for name in _COUNTS),
        *((name, c_double) for name in _NUMBERS),
        *((name, CPlace) for name in _PLACES),
    )


class CCell(Structure):
    _fields_ = (
        ("begin", c_char_p),
        ("length", c_size_t),
        ("kind", c_uint64),
        ("down", c_uint64),
        ("value", c_double),
    )


class CSurvey(Structure):
    _fields_ = (
        ("rows", c_uint64),
        ("blanks", c_uint64),
        ("line", c_uint64),
        ("filled", c_uint64),
        ("capacity", c_uint64),
        ("n_slots", c_uint64),
        ("slots", c_void_p),
        ("owners", c_void_p),
        ("columns", POINTER(CColumn)),
        ("cells", POINTER(CCell)),
    )


@cache
def library() -> CDLL:
    found = CDLL(str(path()))
    found.survey_rows.restype = c_size_t
    found.survey_rows.argtypes = (
        c_char_p,
        c_size_t,
        POINTER(c_size_t),
        POINTER(CFormat),
        POINTER(CSurvey),
        c_size_t,
    )
    found.know_values.restype = None
    found.know_values.argtypes = (POINTER(CSurvey), c_void_p, c_size_t)
    found.add_cell.restype = None
    found.add_cell.argtypes = (POINTER(CSurvey), c_size_t, POINTER(CCell), c_ubyte)
    found.read_columns.restype = c_size_t
    found.read_columns.argtypes = (
        c_char_p,
        c_size_t,
        POINTER(c_size_t),
        POINTER(CFormat),
        c_char_p,
        POINTER(c_uint64),
        c_void_p,
        c_void_p,
        c_void_p,
        c_size_t,
    )
    return found


def c_format(format: Format, *, whole: bool) -> CFormat:
    notation = CNotation(ord(format.decimal), MAX_MAGNITUDE, powers())
    return CFormat(
        format.n_cells,
        format.limits.cell_length,
        format.limits.line_length + 1,
        notation,
        ord(format.delimiter),
        whole,
    )
