"""CSV to arrays: simdjson reads the blocks whose numbers are also JSON's, the grammar the others.

A block's skeleton, what remains of it without the characters of plain numbers, must be exactly
commas and line breaks in their places. Then the block holds nothing but numbers of every row, or
simdjson refuses it, and all that JSON allows beyond the grammar is shut out.

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

_PLAIN_NUMBERS = b"0123456789+-.eE \t"
_LINES_TO_CELLS = bytes.maketrans(b"\n", b",")


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
    X.resize((filled, n_features), refcheck=False)
    return Dataset(X, rows.feature_names)


def _with_room(X: Array, filled: int, n_samples: int) -> Array:
    """Pages never written take no memory, so room costs nothing until it is filled."""
    larger = np.empty((n_samples, X.shape[1]))
    larger[:filled] = X[:filled]
    return larger


class _Decoder:
    def __init__(self, rows: CsvRows) -> None:
        self._rows = rows
        self._parser = simdjson.Parser()
        self._line = b"," * (rows.n_features - 1) + b"\n"
        self._skeleton = b""

    def decode(self, block: Block) -> Array:
        """The block's numbers, shape (rows, n_features); maybe a view of the parser's memory."""
        values = self._as_json(block.text)
        if values is None:
            values = np.array(self._rows.read(block))
        block.n_lines = len(values) // self._rows.n_features
        return values.reshape(-1, self._rows.n_features)

    def _as_json(self, text: bytes) -> Array | None:
        """The block's numbers, or None where it takes the grammar to read or to refuse them."""
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
        cells = text.translate(_LINES_TO_CELLS)
        if not self._is_plain(text) or _has_long_cell(cells, self._rows.limits.cell_length):
            return None
        try:
            array = self._parser.parse(b"[%b]" % cells)
        except (ValueError, RuntimeError):  # not JSON, or an integer of more than 64 bits
            return None
        values = np.frombuffer(cast(simdjson.Array, array).as_buffer(of_type="d"))
        if max(values.max(), -values.min()) > MAX_MAGNITUDE:
            return None
        return values

    def _is_plain(self, text: bytes) -> bool:
        """Whether the text is rows of as many cells as there are features, and plain in letters."""
        skeleton = text.translate(None, _PLAIN_NUMBERS) + b"\n"
        n_samples, remainder = divmod(len(skeleton), len(self._line))
        if remainder:
            return False
        if len(self._skeleton) < len(skeleton):
            self._skeleton = self._line * n_samples
        return self._skeleton.startswith(skeleton)


def _has_long_cell(cells: bytes, length: int) -> bool:
    """Whether a cell, with the spaces around it, is longer; hops over many cells at a time."""
    start = 0
    while len(cells) - start > length:
        start = cells.rfind(b",", start, start + length + 1) + 1
        if not start:
            return True
    return False
