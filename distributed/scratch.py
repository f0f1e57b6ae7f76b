"""Blocks of rows in a file of the machine that works on them: they go through no other process."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

_END, _ALONE = 0, 255


def kept(path: Path, made: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """The blocks that are there: arrays, or tuples of arrays and None.

    Where there are none they are made, and written as they are read: all of them, or none.
    """
    return _read(path) if path.exists() else _written(path, made())


def _written(path: Path, blocks: Iterator[Any]) -> Iterator[Any]:
    begun = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with begun.open("wb") as file:
            for block in blocks:
                _write(file, block)
                yield block
            file.write(bytes([_END]))
        begun.replace(path)
    finally:
        begun.unlink(missing_ok=True)


def _write(file: IO[bytes], block: Any) -> None:
    alone = isinstance(block, np.ndarray)
    arrays = (block,) if alone else block
    file.write(bytes([_ALONE if alone else len(arrays)]))
    for array in arrays:
        file.write(bytes([array is not None]))
        if array is not None:
            np.save(file, array, allow_pickle=False)


def _read(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        while (n_arrays := file.read(1)[0]) != _END:
            if n_arrays == _ALONE:
                [array] = _arrays(file, 1)
                yield array
            else:
                yield tuple(_arrays(file, n_arrays))


def _arrays(file: IO[bytes], n_arrays: int) -> Iterator[Any]:
    for _ in range(n_arrays):
        there = file.read(1)[0]
        yield np.load(file, allow_pickle=False) if there else None
