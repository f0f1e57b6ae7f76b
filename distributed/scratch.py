"""Blocks of rows in a file of the machine that works on them: they go through no other process."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

_END, _ALONE = 0, 255


def write(path: Path, blocks: Iterator[Any]) -> None:
    """Arrays, or tuples of arrays and None; all or nothing."""
    begun = path.with_name(f"{path.name}.{os.getpid()}")
    with begun.open("wb") as file:
        for block in blocks:
            alone = isinstance(block, np.ndarray)
            arrays = (block,) if alone else block
            file.write(bytes([_ALONE if alone else len(arrays)]))
            for array in arrays:
                file.write(bytes([array is not None]))
                if array is not None:
                    np.save(file, array, allow_pickle=False)
        file.write(bytes([_END]))
    begun.replace(path)


def read(path: Path) -> Iterator[Any]:
    """What was written."""
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
