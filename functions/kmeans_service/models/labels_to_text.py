"""Cluster labels as text: CSV as `numpy.savetxt` writes it, and JSON.

There are few different labels and many rows: each label is written once, and the rows are taken
from that table.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from kmeans_service.arrays import Labels

ROWS_PER_CHUNK = 16 * 1024


def to_csv(labels: Labels) -> bytearray:
    """One label a line, byte for byte what `numpy.savetxt(file, labels)` writes.

    labels   shape (n_samples,), integers from 0, as many different ones as there are clusters;
             -1 is an empty line
    """
    if len(labels) and labels.min() < 0:
        return bytearray(b"".join(csv_chunks(labels)))
    table = _csv_table(labels)
    text = bytearray(len(labels) * table.itemsize)
    rows = np.frombuffer(text, table.dtype)
    for start in range(0, len(labels), ROWS_PER_CHUNK):
        part = slice(start, start + ROWS_PER_CHUNK)
        table.take(labels[part], out=rows[part], mode="clip")  # "raise" would copy every row twice
    return text


def csv_chunks(labels: Labels, rows_per_chunk: int = ROWS_PER_CHUNK) -> Iterator[bytes]:
    """As `to_csv`, in parts of so many rows."""
    table = _csv_table(labels)
    for start in range(0, len(labels), rows_per_chunk):
        rows = table.take(labels[start : start + rows_per_chunk]).tobytes()
        yield rows.translate(None, b"\0") if b"\0" in rows else rows


def to_json(labels: Labels) -> str:
    """The labels as a JSON array of integers; -1 is null."""
    table = _table(labels, lambda label: f"{label},", "null,")
    # The table pads shorter numbers with NUL.
    rows = (
        table.take(labels[start : start + ROWS_PER_CHUNK]).tobytes().translate(None, b"\0")
        for start in range(0, len(labels), ROWS_PER_CHUNK)
    )
    return f"[{b''.join(rows).decode().removesuffix(',')}]"


def _csv_table(labels: Labels) -> NDArray[np.bytes_]:
    return _table(labels, lambda label: f"{label:.18e}\n", "\n")


def _table(labels: Labels, text: Callable[[int], str], none: str) -> NDArray[np.bytes_]:
    """The text of every label up to the largest, and last, which is at -1, that of none."""
    texts = [text(label) for label in range(int(labels.max(initial=0)) + 1)]
    return np.array([each.encode() for each in [*texts, none]])
