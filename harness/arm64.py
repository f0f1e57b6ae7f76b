"""The kernel as it is compiled for arm64, run on any machine: by unicorn, QEMU's processors.

What C computes is arm64's; the driver, NumPy and BLAS stay this machine's.
"""

import ctypes
import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from struct import iter_unpack, unpack_from
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
from unicorn import UC_ARCH_ARM64, UC_MODE_ARM, Uc
from unicorn import arm64_const as names

from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel import assignment, clusters, library, lloyd, rows, seeding, swap

ROOT = Path(__file__).resolve().parent.parent
DRIVER = (assignment, clusters, lloyd, rows, seeding, swap)

CODE, BACK = 0x10_0000, 0xF_0000  # where it is loaded, and where its functions return to
STACK, STACK_BYTES = 0x100_0000, 1 << 20
ARRAYS, ARRAYS_BYTES = 0x1000_0000, 1 << 28
REGISTERS = 8  # further arguments are on the stack
LOADED, SYMBOLS = 1, 11  # PT_LOAD, SHT_DYNSYM


def compiled() -> Path:
    """kmeans.so for arm64, as it is deployed; made once of the same sources."""
    sources = (*ROOT.glob("layers/numpy/kmeans/*.[ch]"), *ROOT.glob("layers/comp*.*"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()
    folder = Path(sys.prefix) / "arm64" / digest
    if not (folder / "kmeans.so").exists():
        folder.mkdir(parents=True, exist_ok=True)
        compiler = ("bash", ROOT / "layers/compile.sh", sys.executable)
        subprocess.run([*compiler, "aarch64-linux", folder, "kmeans"], check=True)
    return folder / "kmeans.so"


@contextmanager
def kernel_on_arm64() -> Iterator["Processor"]:
    """A context in which the kernel's driver calls the functions of an arm64 processor."""
    processor = Processor(compiled().read_bytes())
    functions = SimpleNamespace(**{name: processor.function(name) for name in library._SIGNATURES})
    fakes = {"address": processor.address, "library": lambda: functions}
    with ExitStack() as stack:
        for module in DRIVER:
            for name, fake in fakes.items():
                stack.enter_context(mock.patch.object(module, name, fake))
        yield processor


class Processor:
    """Calls C with copies of its arrays, and copies back what C has left there."""

    def __init__(self, image: bytes) -> None:
        self.n_calls = 0
        self._symbols = symbols(image)
        self._arrays: dict[int, Array] = {}
        self._uc = Uc(UC_ARCH_ARM64, UC_MODE_ARM)
        self._uc.mem_map(BACK, 0x1000)
        self._uc.mem_map(CODE, 1 << 20)
        self._uc.mem_map(STACK, STACK_BYTES)
        self._uc.mem_map(ARRAYS, ARRAYS_BYTES)
        self._uc.reg_write(names.UC_ARM64_REG_CPACR_EL1, 3 << 20)  # vectors may be used
        for address, content in segments(image):
            self._uc.mem_write(CODE + address, content)

    def address(self, array: Array | None, row: int = 0) -> int | None:
        """As library.address; remembers which array it is that lies there."""
        at = library.address(array, row)
        if array is not None and at is not None:
            self._arrays[at] = array[row:]
        return at

    def function(self, name: str) -> Callable[..., Any]:
        result, kinds = library._SIGNATURES[name]

        def call(*arguments: Any) -> Any:
            self.n_calls += 1
            room = _Room(self._uc, self._arrays)
            whole, floating = [], []
            for kind, argument in zip(kinds, arguments, strict=True):
                if kind is ctypes.c_double:
                    floating.append(float(argument))
                else:
                    whole.append(room.argument(kind, argument))
            self._run(self._symbols[name], whole, floating)
            room.copy_back()
            return self._result(result)

        return call

    def _run(self, at: int, whole: list[int], floating: list[float]) -> None:
        """By the procedure call standard for the Arm 64-bit architecture."""
        for i, value in enumerate(whole[:REGISTERS]):
            self._uc.reg_write(names.UC_ARM64_REG_X0 + i, value)
        for i, number in enumerate(floating):
            self._uc.reg_write(names.UC_ARM64_REG_D0 + i, _bits(number))
        stacked = np.array(whole[REGISTERS:], dtype=np.uint64).tobytes()
        top = STACK + STACK_BYTES - 256
        self._uc.mem_write(top, stacked)
        self._uc.reg_write(names.UC_ARM64_REG_SP, top)
        self._uc.reg_write(names.UC_ARM64_REG_X30, BACK)
        self._uc.emu_start(CODE + at, BACK)

    def _result(self, kind: Any) -> Any:
        if kind is ctypes.c_double:
            return np.uint64(self._uc.reg_read(names.UC_ARM64_REG_D0)).view(np.float64).item()
        return self._uc.reg_read(names.UC_ARM64_REG_X0)


class _Room:
    """The arguments of one call, in the memory of the processor."""

    def __init__(self, uc: Uc, arrays: dict[int, Array]) -> None:
        self._uc, self._arrays, self._free = uc, arrays, ARRAYS
        self._placed: dict[int, int] = {}
        self._back: list[Callable[[], None]] = []

    def argument(self, kind: Any, value: Any) -> int:
        if kind is ctypes.c_void_p:
            return self._array(value)
        if kind in (ctypes.c_size_t, ctypes.c_uint):
            return int(value)
        return 0 if value is None else self._structure(getattr(value, "_obj", value))

    def copy_back(self) -> None:
        for copy in self._back:
            copy()

    def _array(self, at: int | None) -> int:
        if at is None:
            return 0
        if at not in self._placed:
            array = self._arrays[at]
            self._placed[at] = here = self._place(array.tobytes())
            self._back.append(lambda: self._read(array, here))
        return self._placed[at]

    def _read(self, array: Array, here: int) -> None:
        content = self._uc.mem_read(here, array.nbytes)
        if array.flags.writeable:
            array[...] = np.frombuffer(content, array.dtype).reshape(array.shape)

    def _structure(self, given: ctypes.Structure) -> int:
        """A copy, its pointers to where their arrays are here."""
        copy = type(given).from_buffer_copy(given)
        kinds = {field[0]: field[1] for field in given._fields_}
        pointers = [name for name, kind in kinds.items() if kind is ctypes.c_void_p]
        for name in pointers:
            setattr(copy, name, self._array(getattr(given, name)))
        here = self._place(bytes(copy))

        def read() -> None:
            left = type(given).from_buffer_copy(self._uc.mem_read(here, ctypes.sizeof(copy)))
            for name in kinds.keys() - set(pointers):
                setattr(given, name, getattr(left, name))

        self._back.append(read)
        return here

    def _place(self, content: bytes) -> int:
        here, self._free = self._free, self._free + -(-len(content) // 64) * 64
        self._uc.mem_write(here, content)
        return here


def _bits(number: float) -> int:
    return int(np.float64(number).view(np.uint64))


# --- ELF: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html ----------------


def segments(image: bytes) -> Iterator[tuple[int, bytes]]:
    """Where each part is loaded, and the part. It is one without relocations."""
    offset, (size, count) = unpack_from("<Q", image, 32)[0], unpack_from("<HH", image, 54)
    for header in range(offset, offset + size * count, size):
        kind, _, begin, address, _, n_bytes = unpack_from("<IIQQQQ", image, header)
        if kind == LOADED:
            yield address, image[begin : begin + n_bytes]


def symbols(image: bytes) -> dict[str, int]:
    """Where each function is."""
    offset, (size, count) = unpack_from("<Q", image, 40)[0], unpack_from("<HH", image, 58)
    sections = [unpack_from("<IIQQQQII", image, offset + size * i) for i in range(count)]
    [(_, _, _, _, begin, n_bytes, link, _)] = [each for each in sections if each[1] == SYMBOLS]
    texts = sections[link][4]
    found = {}
    for name, _, _, _, value, _ in iter_unpack("<IBBHQQ", image[begin : begin + n_bytes]):
        end = image.index(b"\0", texts + name)
        found[image[texts + name : end].decode()] = value
    return found
