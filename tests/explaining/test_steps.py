"""Rows are labelled as many at a time as a prediction multiplies together, wherever blocks end."""

import numpy as np
import pytest

from kmeans_service.arrays import Array
from kmeans_service.explaining.assigned import in_step
from kmeans_service.models.nearest import CHUNK

MANY = 10**9  # clusters, of which no more rows than a chunk are held at a time


def block(first: int, size: int) -> tuple[Array, Array]:
    rows = np.arange(first, first + size, dtype=float)[:, np.newaxis]
    return rows, rows + 1


@pytest.mark.parametrize(
    ("sizes", "steps"),
    [
        ([], []),
        ([CHUNK - 1], [CHUNK - 1]),
        ([CHUNK], [CHUNK]),
        ([CHUNK - 1, 2], [CHUNK, 1]),
        ([3 * CHUNK + 5, 1, CHUNK - 6], [CHUNK] * 4),
        ([2 * CHUNK + 1, CHUNK], [CHUNK] * 3 + [1]),
    ],
)
def test_each_row_comes_once_in_its_order_in_steps_of_a_chunk(
    sizes: list[int], steps: list[int]
) -> None:
    starts = np.cumsum([0, *sizes]).tolist()
    blocks = [block(start, size) for start, size in zip(starts, sizes, strict=False)]
    found = [step for step in in_step(blocks, MANY) if len(step[0])]
    assert [len(rows) for rows, _ in found] == steps
    assert [row for rows, _ in found for row in rows[:, 0]] == list(range(sum(sizes)))
    assert [end for _, ends in found for end in ends[:, 0]] == list(range(1, sum(sizes) + 1))
