"""Rows of numbers at the speed of C: layers/reader/csv_numbers.c, called through ctypes.

The library lies among the packages as `csv_numbers.so`, which is how it is found; it is no
extension module, as those are compiled against one Python.
"""

from ctypes import CDLL, POINTER, Structure, byref, c_char_p, c_double, c_size_t, c_uint64, c_void_p
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmeans_service.config import MAX_MAGNITUDE

# As in csv_numbers.c. Below, every number of 19 digits is less than half of the least double.
LEAST_POWER, LARGEST_POWER = -342, 100


class Power(Structure):
    _fields_ = (("high", c_uint64), ("low", c_uint64))


class Rules(Structure):
    """What the rows of one file must keep; as `struct rules` has it."""

    _fields_ = (
        ("n_features", c_size_t),
        ("cell_length", c_size_t),
        ("magnitude", c_double),
        ("powers", POINTER(Power)),
    )


class RowReader:
    """Reads rows of n_features numbers, of cells up to `cell_length`, as the grammar has them."""

    def __init__(self, n_features: int, cell_length: int) -> None:
        self.rules = Rules(n_features, cell_length, MAX_MAGNITUDE, powers())

    def read(self, text: bytes, begin: int, rows: NDArray[np.float64]) -> tuple[int, int]:
        """How many rows it has read, and where the line begins that it has not.

        text    whole lines, the last one without its line break
        begin   where the first line to read begins
        rows    shape (n, n_features), contiguous; filled from its first row on
        It stops where `rows` is full, and at a line that the grammar must read, or refuse; behind
        the last line it is at len(text) + 1.
        """
        at = c_size_t(begin)
        n_rows: int = library().read_rows(
            text, len(text), byref(at), byref(self.rules), rows.ctypes.data, len(rows)
        )
        return n_rows, at.value


@cache
def library() -> CDLL:
    spec = find_spec("csv_numbers")
    if spec is None or spec.origin is None:
        raise ImportError("csv_numbers.so is not among the packages; layers/compile.sh makes it")
    library = CDLL(spec.origin)
    library.read_rows.restype = c_size_t
    library.read_rows.argtypes = (
        c_char_p,
        c_size_t,
        POINTER(c_size_t),
        POINTER(Rules),
        c_void_p,
        c_size_t,
    )
    return library


@cache
def powers() -> Any:
    """The first 128 bits of every power of ten that a number may need."""
    found = (_leading_bits(power) for power in range(LEAST_POWER, LARGEST_POWER + 1))
    return (Power * (LARGEST_POWER - LEAST_POWER + 1))(
        *(Power(bits >> 64, bits & (2**64 - 1)) for bits in found)
    )


def _leading_bits(power: int) -> int:
    # 10^342 has 1137 bits: enough are left of its reciprocal.
    ten: int = 10**power if power >= 0 else (1 << 1400) // 10**-power
    surplus = ten.bit_length() - 128
    return ten >> surplus if surplus > 0 else ten << -surplus
