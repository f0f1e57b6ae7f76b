"""The files of a table, as they are given."""

from dataclasses import dataclass

from distributed.reading import Source
from kmeans_service.streams import ByteStream
from kmeans_service.tables.csv_lines import CsvLimits
from kmeans_service.tables.dialect import Reading


@dataclass(frozen=True, slots=True)
class Given:
    """Files to read, in the order of their rows.

    names        of each, for sentences
    range_bytes  as a range has at most
    most_bytes   that a packed file may have, unpacked
    """

    source: Source
    sizes: tuple[int, ...]
    names: tuple[str, ...]
    reading: Reading
    limits: CsvLimits
    range_bytes: int
    most_bytes: int

    def from_begin(self, file: int) -> ByteStream:
        return self.source.opened(file)(0, max(1, self.sizes[file]))
