"""The compiled reader, layers/reader, as its callers find it: `csv_numbers.so` among the packages.

It is no extension module, as those are compiled against one Python.
"""

import sys
from ctypes import Structure, c_uint64
from functools import cache
from pathlib import Path
from typing import Any

# As in decimals.h. Below, every number of 19 digits is less than half of the least double.
LEAST_POWER, LARGEST_POWER = -342, 100


class CPower(Structure):
    _fields_ = (("high", c_uint64), ("low", c_uint64))


def path() -> Path:
    for folder in sys.path:
        found = Path(folder) / "csv_numbers.so"
        if found.is_file():
            return found
    raise ImportError("csv_numbers.so is not among the packages; layers/compile.sh makes it")


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
