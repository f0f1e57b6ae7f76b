"""Cluster labels as text: CSV as `numpy.savetxt` writes it, and JSON.

There are few different labels and many rows: each label is written once, and the rows are taken
from that table.
"""

import io
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from kmeans_service.label_text import ROW_BYTES

type Labels = NDArray[np.integer]

ROWS_PER_CHUNK = 16 * 1024


def to_csv(labels: Labels) -> bytes:
    """One label a line, byte for byte what `numpy.savetxt(file, labels)` writes.

    labels   shape (n_samples,), integers from 0, as many different ones as there are clusters
    """
    file = io.BytesIO()
    for chunk in csv_chunks(labels):
        file.write(chunk)
    return file.getvalue()


def csv_chunks(labels: Labels, rows_per_chunk: int = ROWS_PER_CHUNK) -> Iterator[bytes]:
    """As `to_csv`, in parts of `rows_per_chunk` * ROW_BYTES bytes."""
    table = _table(labels, lambda label: f"{label:.18e}\n")
    for start in range(0, len(labels), rows_per_chunk):
        yield table.take(labels[start : start + rows_per_chunk]).tobytes()


def to_json(labels: Labels) -> str:
    """The labels as the JSON object {"labels": [0, 1, …]}."""
    table = _table(labels, lambda label: f"{label}, ")
    # The table pads shorter numbers with NUL.
    rows = (
        table.take(labels[start : start + ROWS_PER_CHUNK]).tobytes().translate(None, b"\0")
        for start in range(0, len(labels), ROWS_PER_CHUNK)
    )
    return '{"labels": [' + b"".join(rows).decode("ascii").removesuffix(", ") + "]}"


def from_csv(body: bytes) -> Labels:
    """The labels, below 100,000, that `to_csv` wrote; ValueError for anything else."""
    if len(body) % ROW_BYTES:
        raise ValueError(f"{len(body)} bytes are not rows of {ROW_BYTES}")
    rows = np.frombuffer(body, np.uint8).reshape(-1, ROW_BYTES)
    labels = np.empty(len(rows), np.int64)
    for start in range(0, len(rows), ROWS_PER_CHUNK):
        part = slice(start, start + ROWS_PER_CHUNK)
        labels[part] = _integers(rows[part])
    if to_csv(labels) != body:
        raise ValueError("the rows are not labels")
    return labels


def _integers(rows: NDArray[np.uint8]) -> Labels:
    """Values of rows such as 1.200000000000000000e+01, below 1e5; what is no such row gives any."""
    digits = rows[:, [0, 2, 3, 4, 5]].astype(np.int64) - ord("0")
    exponents = np.clip(rows[:, 23].astype(np.int64) - ord("0"), 0, 4)
    labels: Labels = digits @ np.array([10_000, 1000, 100, 10, 1]) // 10 ** (4 - exponents)
    return labels.clip(0, 99_999)


def _table(labels: Labels, text: Callable[[int], str]) -> NDArray[np.bytes_]:
    """The text of every label up to the largest."""
    return np.array([text(label).encode() for label in range(int(labels.max(initial=0)) + 1)])
