"""Blocks in a file of the machine that made them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distributed import scratch

ROWS = np.arange(6.0).reshape(3, 2)
KEPT = np.array([True, False, True])
BLOCKS: list[Any] = [ROWS, (ROWS + 1, None, KEPT), np.empty((0, 2))]


def never() -> Iterator[Any]:
    raise AssertionError("they are made once")


def as_lists(blocks: Iterator[Any]) -> list[Any]:
    return [
        block.tolist()
        if isinstance(block, np.ndarray)
        else [None if each is None else each.tolist() for each in block]
        for block in blocks
    ]


def test_the_first_reader_makes_them_and_the_next_one_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "blocks"
    first = as_lists(scratch.kept(path, lambda: iter(BLOCKS)))
    assert first == as_lists(iter(BLOCKS)) == as_lists(scratch.kept(path, never))


def test_what_a_reader_does_with_a_block_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "blocks"
    for block in scratch.kept(path, lambda: iter([ROWS.copy()])):
        block[:] = -1
    [kept] = scratch.kept(path, never)
    assert kept.tolist() == ROWS.tolist()


def test_who_reads_no_further_leaves_no_file(tmp_path: Path) -> None:
    blocks = scratch.kept(tmp_path / "blocks", lambda: iter(BLOCKS))
    next(blocks)
    assert len(list(tmp_path.iterdir())) == 1
    del blocks
    assert not list(tmp_path.iterdir())


def test_blocks_that_cannot_be_made_leave_no_file(tmp_path: Path) -> None:
    def made() -> Iterator[Any]:
        yield ROWS
        raise OSError("the bucket is gone")

    with pytest.raises(OSError, match="gone"):
        list(scratch.kept(tmp_path / "blocks", made))
    assert not list(tmp_path.iterdir())
