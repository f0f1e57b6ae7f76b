"""Rows of numbers at the speed of C: layers/reader/csv_numbers.c, called through ctypes."""

from ctypes import CDLL, POINTER, Structure, byref, c_char_p, c_double, c_size_t, c_void_p
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kmeans_service.config import MAX_MAGNITUDE
from kmeans_service.tables.compiled import CPower, path, powers


class Rules(Structure):
    """What the rows of one file must keep; as `struct rules` has it."""

    _fields_ = (
        ("n_features", c_size_t),
        ("cell_length", c_size_t),
        ("magnitude", c_double),
        ("powers", POINTER(CPower)),
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
    library = CDLL(str(path()))
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
