"""Tensors of the V2 inference protocol: in JSON, or their bytes behind it.

Source: github.com/kserve/open-inference-protocol, and Triton's extension "binary_tensor_data".
"""

import itertools
import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.errors import InvalidParameter
from kmeans_service.http.points import refused
from kmeans_service.json_values import is_integer, shown

TEXTS = "BYTES"
# By datatype; little-endian, as the protocol has them. A truth is a byte.
NUMBERS = {
    "BOOL": "u1",
    **{f"UINT{8 * size}": f"<u{size}" for size in (1, 2, 4, 8)},
    **{f"INT{8 * size}": f"<i{size}" for size in (1, 2, 4, 8)},
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "b": (bool,),
    "u": (int,),
    "i": (int,),
    "f": (int, float, type(None)),
}


@dataclass(frozen=True)
class Tensor:
    """One input.

    place  in the request, `inputs[0]`
    shape  of which no number is negative
    data   elements, row by row; or their bytes
    """

    place: str
    name: str
    datatype: str
    shape: tuple[int, ...]
    data: list[Any] | bytes

    def numbers(self) -> Array:
        """Of this shape, float64, NaN for null; raises InvalidParameter."""
        if self.datatype not in NUMBERS:
            allowed = f"one of {', '.join(NUMBERS)}: the model takes numbers here"
            raise refused(f"{self.place}.datatype", shown(self.datatype), allowed)
        found = self._of_bytes() if isinstance(self.data, bytes) else self._of_json(self.data)
        return found.astype(np.float64).reshape(self.shape)

    def texts(self) -> Sequence[str | None]:
        """Row by row; raises InvalidParameter."""
        if self.datatype != TEXTS:
            allowed = f"{TEXTS}: the column holds texts"
            raise refused(f"{self.place}.datatype", shown(self.datatype), allowed)
        if isinstance(self.data, list):
            values = self._flat(self.data)
            self._check_types(values, (str, type(None)), "a text or null")
            return values
        try:
            found = [text.decode() for text in _lengthy(self.data)]
        except (struct.error, UnicodeDecodeError):
            raise InvalidParameter(
                f"the bytes of {self.place} are not as {TEXTS} has them: each text's length in "
                "four bytes, and the text in UTF-8",
                field=self.place,
            ) from None
        self._check_count(len(found))
        return found

    def _of_bytes(self) -> Array:
        kind = np.dtype(NUMBERS[self.datatype])
        expected = math.prod(self.shape) * kind.itemsize
        if len(self.data) != expected:
            allowed = f"{expected}, as {self.datatype} of shape {list(self.shape)} has them"
            raise refused(f"{self.place}.parameters.binary_data_size", str(len(self.data)), allowed)
        return np.frombuffer(bytes(self.data), dtype=kind)

    def _of_json(self, data: list[Any]) -> Array:
        values = self._flat(data)
        kind = np.dtype(NUMBERS[self.datatype])
        of_kind = "b" if self.datatype == "BOOL" else kind.kind
        self._check_types(values, _TYPES[of_kind], f"a value of {self.datatype}")
        try:
            with np.errstate(over="ignore"):  # what is infinite then is refused as such
                return np.array(values, dtype=kind)
        except OverflowError:
            allowed = f"values of {self.datatype}"
            raise refused(f"{self.place}.data", "a number beyond it", allowed) from None

    def _flat(self, data: list[Any]) -> list[Any]:
        """Row by row, whether it came flat or as the shape is nested."""
        if data and isinstance(data[0], list) and len(self.shape) == 2:
            for row, values in enumerate(data):
                if not isinstance(values, list) or len(values) != self.shape[1]:
                    allowed = f"an array of {self.shape[1]}, as `shape` says"
                    raise refused(f"{self.place}.data[{row}]", shown(values), allowed)
            data = list(itertools.chain.from_iterable(data))
        self._check_count(len(data))
        return data

    def _check_count(self, found: int) -> None:
        if found != math.prod(self.shape):
            allowed = f"{math.prod(self.shape)}, as `shape` says: {list(self.shape)}"
            raise refused(f"the number of elements of {self.place}", str(found), allowed)

    def _check_types(self, values: list[Any], types: tuple[type, ...], allowed: str) -> None:
        if set(types).issuperset(map(type, values)):
            return
        at = next(at for at, value in enumerate(values) if type(value) not in types)
        place = f"element {at + 1} of {self.place}.data"
        raise refused(place, shown(values[at]), allowed)


def _lengthy(data: bytes) -> Iterator[bytes]:
    """Texts, each behind its length; raises struct.error."""
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        (text,) = struct.unpack_from(f"{size}s", data, at + 4)
        yield text
        at += 4 + size


def shape_of(place: str, shape: Any) -> tuple[int, ...]:
    """Raises InvalidParameter."""
    if not isinstance(shape, list) or not all(is_integer(n) and n >= 0 for n in shape):
        raise refused(f"{place}.shape", shown(shape), "an array of integers from 0 on")
    return tuple(shape)
