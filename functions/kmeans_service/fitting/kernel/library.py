"""The compiled passes over the rows: layers/numpy/kmeans, called through ctypes.

Every pass is a function of a range of rows, so that threads can share it: ctypes lets go of the
interpreter's lock while it runs.
"""

import platform
from ctypes import (
    CDLL,
    POINTER,
    Structure,
    c_bool,
    c_double,
    c_size_t,
    c_uint64,
    c_void_p,
)
from functools import cache
from importlib.util import find_spec
from typing import Any

from numpy._core._multiarray_umath import (  # type: ignore[import-not-found]
    __cpu_features__ as cpu_features,
)

from kmeans_service.arrays import Array


class Centers(Structure):
    """As `struct centers` has it."""

    _fields_ = (
        ("n_clusters", c_size_t),
        ("n_features", c_size_t),
        ("rows", c_void_p),
        ("factors", c_void_p),
        ("norms", c_void_p),
        ("float_factors", c_void_p),
        ("float_norms", c_void_p),
        ("largest_norm", c_double),
    )


class Drift(Structure):
    """As `struct drift` has it."""

    _fields_ = (("of", c_void_p), ("most", c_double), ("margin", c_double))


class Round(Structure):
    """As `struct round` has it."""

    _fields_ = (
        ("n_features", c_size_t),
        ("n_candidates", c_size_t),
        ("last", c_void_p),
        ("candidates", c_void_p),
    )


class FloatCandidates(Structure):
    """As `struct float_candidates` has it."""

    _fields_ = (("factors", c_void_p), ("norms", c_void_p))


class Search(Structure):
    """As `struct search` has it."""

    _fields_ = (
        ("rows", c_void_p),
        ("weights", c_void_p),
        ("n", c_size_t),
        ("n_features", c_size_t),
        ("n_clusters", c_size_t),
        ("goes_on", c_bool),
        ("seed", c_uint64),
        ("patience", c_size_t),
        ("n_steps", c_size_t),
        ("most_work", c_double),
        ("more_work", c_double),
        ("workspace", c_void_p),
        ("centers", c_void_p),
        ("inertia", c_double),
        ("work", c_double),
        ("in_vain", c_size_t),
    )


# Each function's arguments: X is an address, n a size, f a double.
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "column_extents": (None, (c_void_p, c_size_t, c_size_t) + 3 * (c_void_p,)),
    "entering_block": (c_size_t, ()),
    "enter_rows": (None, (c_void_p, c_size_t, c_size_t, c_void_p, c_double, c_void_p)),
    "largest_norm": (c_double, (c_void_p, c_size_t, c_size_t)),
    "add_rows": (None, (c_void_p, c_void_p, c_void_p, c_size_t, c_size_t, c_void_p, c_void_p)),
    "add_exactly": (
        None,
        3 * (c_void_p,) + 3 * (c_size_t,) + 3 * (c_void_p,),
    ),
    "move_rows": (
        c_size_t,
        (c_void_p, c_void_p, c_void_p, c_size_t, c_size_t, c_void_p, c_void_p, c_void_p),
    ),
    "inertia": (c_double, (c_void_p, c_void_p, c_void_p, c_size_t, c_size_t, c_void_p)),
    "nearest_workspace": (c_size_t, (c_size_t,)),
    "nearest": (
        c_size_t,
        (c_void_p, c_void_p, c_size_t, POINTER(Centers), POINTER(Drift)) + 3 * (c_void_p,),
    ),
    "seeding_block": (c_size_t, ()),
    "seeding_workspace": (c_size_t, (c_size_t,)),
    "try_candidates": (
        None,
        (c_void_p, c_void_p, c_size_t, POINTER(Round), c_void_p, c_void_p, c_void_p),
    ),
    "draw_rows": (
        None,
        (c_void_p, c_void_p, c_size_t, c_size_t) + 4 * (c_void_p,) + (c_size_t, c_void_p),
    ),
    "make_float_tiles": (c_double, (c_void_p, c_size_t, c_size_t, c_void_p)),
    "measure_first": (
        c_double,
        (c_void_p, c_void_p, c_size_t, c_size_t) + 4 * (c_void_p,),
    ),
    "estimate_gains": (
        None,
        (c_void_p, c_void_p, c_size_t, c_size_t, POINTER(FloatCandidates), c_size_t)
        + 4 * (c_void_p,),
    ),
    "measure_gains": (None, (c_void_p, c_void_p, c_size_t, POINTER(Round)) + 3 * (c_void_p,)),
    "choose_candidate": (
        None,
        (c_void_p, c_void_p, c_size_t, POINTER(Round), c_size_t) + 3 * (c_void_p,),
    ),
    "search_workspace": (c_size_t, (c_size_t, c_size_t, c_size_t)),
    "swap_search": (None, (POINTER(Search),)),
}


def runs_here() -> bool:
    """Whether this processor has what the library is compiled for: of x86-64, its third level."""
    return platform.machine() != "x86_64" or bool(cpu_features["X86_V3"])


def name_here() -> str:
    """Of two that come to the same bits, the one that is fast on this processor."""
    return "kmeans_avx512" if cpu_features.get("X86_V4") else "kmeans"


def library() -> CDLL:
    return _loaded(name_here())


@cache
def _loaded(name: str) -> CDLL:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ImportError(f"{name}.so is not among the packages: local/compile.sh .venv makes it")
    library = CDLL(spec.origin)
    for symbol, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, symbol)
        function.restype, function.argtypes = result, arguments
    return library


def address(array: Array | None, row: int = 0) -> int | None:
    """Where a row of a contiguous array begins; None is C's NULL."""
    if array is None:
        return None
    return int(array.ctypes.data) + row * array.strides[0]
