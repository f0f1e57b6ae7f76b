"""Memory with a guard behind it."""

import ctypes
import mmap

from kmeans_service.arrays import Array


class Guarded:
    """Memory whose last byte is followed by a page that nobody may touch."""

    def __init__(self, size: int) -> None:
        page = mmap.PAGESIZE
        pages = -(-size // page) + 1
        self._memory = mmap.mmap(-1, pages * page)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        libc = ctypes.CDLL(None, use_errno=True)
        guard = ctypes.c_void_p(start + (pages - 1) * page)
        no_access = 0
        assert libc.mprotect(guard, page, no_access) == 0
        self.end = start + (pages - 1) * page

    def placed(self, values: Array) -> int:
        """Where a copy of the values is that ends where the memory does."""
        at = self.end - values.nbytes
        ctypes.memmove(at, values.ctypes.data, values.nbytes)
        return at
