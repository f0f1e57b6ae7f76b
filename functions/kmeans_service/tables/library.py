"""layers/reader/csv_survey.c and csv_columns.c through ctypes, without NumPy: bytes in, counts out.

The library lies among the packages as `csv_numbers.so`; it is no extension module, as those are
compiled against one Python.
"""

import sys
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
from pathlib import Path
from typing import Any

from kmeans_service.config import MAX_MAGNITUDE
from kmeans_service.tables.cells import N_KINDS
from kmeans_service.tables.grammar import Format

# As in decimals.h. Below, every number of 19 digits is less than half of the least double.
LEAST_POWER, LARGEST_POWER = -342, 100
PLACE_BYTES = 48


class CPower(Structure):
    _fields_ = (("high", c_uint64), ("low", c_uint64))


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
        ("columns", POINTER(CColumn)),
        ("cells", POINTER(CCell)),
    )


@cache
def library() -> CDLL:
    found = CDLL(str(_path()))
    found.survey_rows.restype = c_size_t
    found.survey_rows.argtypes = (
        c_char_p,
        c_size_t,
        POINTER(c_size_t),
        POINTER(CFormat),
        POINTER(CSurvey),
        c_size_t,
    )
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
        c_size_t,
    )
    return found


def _path() -> Path:
    for folder in sys.path:
        path = Path(folder) / "csv_numbers.so"
        if path.is_file():
            return path
    raise ImportError("csv_numbers.so is not among the packages; layers/compile.sh makes it")


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


@cache
def powers() -> Any:
    """The first 128 bits of every power of ten that a number may need."""
    found = (_leading_bits(power) for power in range(LEAST_POWER, LARGEST_POWER + 1))
    return (CPower * (LARGEST_POWER - LEAST_POWER + 1))(
        *(CPower(bits >> 64, bits & (2**64 - 1)) for bits in found)
    )


def _leading_bits(power: int) -> int:
    # 10^342 has 1137 bits: enough are left of its reciprocal.
    ten: int = 10**power if power >= 0 else (1 << 1400) // 10**-power
    surplus = ten.bit_length() - 128
    return ten >> surplus if surplus > 0 else ten << -surplus
