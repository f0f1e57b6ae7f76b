"""CSV to arrays: C reads the rows, and the grammar each row that C leaves to it.

Zero has no sign here: "-0" is 0.0. Every other value is the double nearest to its decimal form.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.streams import ByteStream
from kmeans_service.tables.csv_grammar import CsvRows, CsvShape, open_csv
from kmeans_service.tables.csv_lines import BLOCK_BYTES, Block, CsvLimits
from kmeans_service.tables.csv_numbers import RowReader


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """X has shape (n_samples, n_features), float64, C order; `feature_names` of None: no header."""

    X: Array
    feature_names: tuple[str, ...] | None


class RowBlocks:
    """The rows of a CSV file, a block at a time, for files larger than memory.

    Iterating gives arrays of shape (rows of the block, n_features), once; it raises InvalidCsv or
    TooLarge where the file breaks the grammar.
    """

    def __init__(self, rows: CsvRows) -> None:
        self._rows = rows
        self.feature_names = rows.feature_names
        self.n_features = rows.n_features

    def __iter__(self) -> Iterator[Array]:
        for block in self._rows.blocks:
            yield _collect(self._rows, [block], len(block.text))


def parse_csv(body: bytes | memoryview, limits: CsvLimits | None = None) -> Dataset:
    """All rows of a file in memory; raises InvalidCsv or TooLarge as `csv_grammar.check` does."""
    rows = open_csv(body, limits)
    return Dataset(_collect(rows, rows.blocks, len(body)), rows.feature_names)


def read_csv(stream: ByteStream, n_samples: int, limits: CsvLimits | None = None) -> Dataset:
    """All rows of a file that is not held in memory itself, and that should have `n_samples`."""
    rows = open_csv(stream, limits)
    X = np.empty((n_samples, rows.n_features))
    return Dataset(_collect(rows, rows.blocks, 0, X), rows.feature_names)


def read_blocks(
    stream: ByteStream | bytes | memoryview,
    limits: CsvLimits | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> RowBlocks:
    """The rows of a file of any size, about `block_bytes` of text held at a time."""
    return RowBlocks(open_csv(stream, limits, block_bytes))


def shape_of(source: ByteStream | bytes | memoryview, limits: CsvLimits | None = None) -> CsvShape:
    """As `csv_grammar.check`, several times as fast, and for a file of any size."""
    blocks = read_blocks(source, limits)
    n_samples = sum(map(len, blocks))
    return CsvShape(blocks.feature_names, n_samples, blocks.n_features)


def _collect(rows: CsvRows, blocks: Iterable[Block], size: int, room: Array | None = None) -> Array:
    """The rows of all blocks.

    size  about how many bytes these have together
    room  what they are written into as far as it goes
    """
    reader = RowReader(rows.n_features, rows.limits.cell_length)
    X = np.empty((0, rows.n_features)) if room is None else room
    filled = 0
    done = 0
    for block in blocks:
        begin = 0
        block.n_lines = 0
        while begin <= len(block.text):
            if filled == len(X):
                read = done + begin
                left_of_block = len(block.text) + 1 - begin
                X = _with_room(
                    X, _more_rows(filled, read, size - read, left_of_block, rows.n_features)
                )
            n_rows, begin = reader.read(block.text, begin, X[filled:])
            if begin <= len(block.text) and filled + n_rows < len(X):
                text, begin = block.line_at(begin)
                values = rows.read(block.line + block.n_lines + n_rows, text)
                np.add(values, 0.0, out=X[filled + n_rows])
                n_rows += 1
            filled += n_rows
            block.n_lines += n_rows
        done += begin
    return X[:filled]


def _more_rows(n_rows: int, n_bytes: int, left: int, left_of_block: int, n_features: int) -> int:
    """Room for `left` bytes of rows as long as the n_rows that n_bytes held, and 1 % more.
    At least an eighth of what there is, so that few rows are copied often.

    For a start, the most rows that the block may hold: a cell has two bytes with its separator.
    """
    if n_rows == 0:
        return 1 + left_of_block // (2 * n_features)
    expected = int(1.01 * n_rows * max(left, left_of_block) / n_bytes)
    return 1 + max(expected, n_rows // 8)


def _with_room(X: Array, n_more: int) -> Array:
    """Pages never written take no memory, so room costs nothing until it is filled."""
    larger = np.empty((len(X) + n_more, X.shape[1]))
    larger[: len(X)] = X
    return larger
