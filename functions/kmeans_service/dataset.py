"""CSV to arrays: simdjson reads the blocks whose numbers are also JSON's, the grammar the others.

With commas for its line breaks and brackets around it, a block of plain rows is a JSON array of
numbers. What else JSON would allow is shut out before: other brackets, rows of other lengths.

Zero has no sign here: "-0" is 0.0. Every other value is the double nearest to its decimal form.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import simdjson
from numpy.typing import NDArray

from kmeans_service.config import MAX_MAGNITUDE
from kmeans_service.csv_grammar import CsvRows, open_csv
from kmeans_service.csv_lines import BLOCK_BYTES, DEFAULT_LIMITS, Block, ByteStream, CsvLimits

type Array = NDArray[np.float64]
type Mask = NDArray[np.bool_]

LINE_FEED = np.uint8(ord("\n"))
CARRIAGE_RETURN = np.uint8(ord("\r"))
COMMA = np.uint8(ord(","))
LINE_FEED_TO_COMMA = LINE_FEED ^ COMMA


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
        decoder = _Decoder(self._rows)
        for block in self._rows.blocks:
            yield decoder.decode(block) + 0.0


def parse_csv(body: bytes | memoryview, limits: CsvLimits = DEFAULT_LIMITS) -> Dataset:
    """All rows of a file in memory; raises InvalidCsv or TooLarge as `csv_grammar.check` does."""
    return _collect(open_csv(body, limits), len(body))


def read_csv(stream: ByteStream, size: int, limits: CsvLimits = DEFAULT_LIMITS) -> Dataset:
    """All rows of a file that is not held in memory itself; `size` is its length in bytes."""
    return _collect(open_csv(stream, limits), size)


def read_blocks(
    stream: ByteStream | bytes | memoryview,
    limits: CsvLimits = DEFAULT_LIMITS,
    block_bytes: int = BLOCK_BYTES,
) -> RowBlocks:
    """The rows of a file of any size, about `block_bytes` of text held at a time."""
    return RowBlocks(open_csv(stream, limits, block_bytes))


def _collect(rows: CsvRows, size: int) -> Dataset:
    n_features = rows.n_features
    decoder = _Decoder(rows)
    X = np.empty((0, n_features))
    filled = 0
    read = 0
    for block in rows.blocks:
        values = decoder.decode(block)
        end = filled + len(values)
        read += len(block.text) + 1
        if end > len(X):
            # Room for the whole file as if the rest had rows as long as these, and 1 % more.
            X = _with_room(X, filled, end + int(1.01 * end * max(size - read, 0) / read))
        np.add(values, 0.0, out=X[filled:end])
        filled = end
    return Dataset(X[:filled], rows.feature_names)


def _with_room(X: Array, filled: int, n_samples: int) -> Array:
    """Pages never written take no memory, so room costs nothing until it is filled."""
    larger = np.empty((n_samples, X.shape[1]))
    larger[:filled] = X[:filled]
    return larger


class _Decoder:
    def __init__(self, rows: CsvRows) -> None:
        self._rows = rows
        self._parser = simdjson.Parser()

    def decode(self, block: Block) -> Array:
        """The block's numbers, shape (rows of the block, n_features)."""
        values = self._as_json(block.text)
        if values is None and self._rows.matches(block.text):
            values = self._as_json(_in_json_notation(block.text))
        if values is None:
            values = np.array(self._rows.read(block))
        block.n_lines = len(values) // self._rows.n_features
        return values.reshape(-1, self._rows.n_features)

    def _as_json(self, text: bytes) -> Array | None:
        """The block's numbers, or None where it takes the grammar to read or to refuse them."""
        characters = np.frombuffer(text, np.uint8)
        line_breaks = characters == LINE_FEED
        if b"[" in text or (b"\r" in text and _has_lone_return(characters, line_breaks)):
            return None
        document = np.empty(len(text) + 2, np.uint8)
        document[0], document[-1] = b"[]"
        np.bitwise_xor(characters, line_breaks * LINE_FEED_TO_COMMA, out=document[1:-1])
        if not self._has_cells_in_place(document[1:-1] == COMMA, line_breaks):
            return None
        return self._numbers(document)

    def _has_cells_in_place(self, separators: Mask, line_breaks: Mask) -> bool:
        """Whether every row has as many cells as there are features, and none can be too long.

        separators, line_breaks   which characters end a cell, and which of them end a row too
        """
        n_features = self._rows.n_features
        ends = np.flatnonzero(separators)
        row_ends = ends[n_features - 1 :: n_features]
        # Any 16 cells in a row are shorter together than one may be, in all but odd files.
        marks = np.concatenate(([-1], ends[::16], [len(separators)]))
        return bool(
            (len(ends) + 1) % n_features == 0
            and np.count_nonzero(line_breaks) == len(row_ends)
            and line_breaks[row_ends].all()
            and (marks[1:] - marks[:-1]).max() <= self._rows.limits.cell_length
        )

    def _numbers(self, document: NDArray[np.uint8]) -> Array | None:
        try:
            array = cast(simdjson.Array, self._parser.parse(document.data))
            values = np.frombuffer(array.as_buffer(of_type="d"))
        except (ValueError, TypeError, RuntimeError):  # no JSON, no number, an integer over 64 bits
            return None
        return values if max(values.max(), -values.min()) <= MAX_MAGNITUDE else None


def _has_lone_return(characters: NDArray[np.uint8], line_breaks: Mask) -> bool:
    """Whether a carriage return stands anywhere but before a line feed, where JSON ignores it."""
    returns = characters == CARRIAGE_RETURN
    return bool(returns[-1] or (returns[:-1] > line_breaks[1:]).any())


def _in_json_notation(text: bytes) -> bytes:
    """Rows of the grammar without what JSON lacks most often: quotes, plus signs, a bare point."""
    text = text.translate(None, b'"+')
    for before in (b"\n", b",", b"-"):
        text = text.replace(before + b".", before + b"0.")
    return b"0" + text if text.startswith(b".") else text
