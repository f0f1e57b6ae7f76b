"""The files of a table, as they are given."""

from dataclasses import dataclass

from distributed import parquet
from distributed.job import Run
from distributed.reading import Source
from kmeans_service.streams import ByteStream, Pieces
from kmeans_service.tables.csv_lines import CsvLimits
from kmeans_service.tables.dialect import Reading


@dataclass(frozen=True, slots=True)
class Given:
    """Files to read, in the order of their rows.

    names        of each, for sentences
    range_bytes  as a range has at most
    most_bytes   that a packed file may have, unpacked
    is_parquet   whether they are Parquet, which is read as text by its groups of rows
    """

    source: Source
    sizes: tuple[int, ...]
    names: tuple[str, ...]
    reading: Reading
    limits: CsvLimits
    range_bytes: int
    most_bytes: int
    is_parquet: bool = False

    def raw(self, file: int) -> ByteStream:
        return self.source.opened(file)(0, max(1, self.sizes[file]))

    def from_begin(self, file: int) -> ByteStream:
        """The text of a file, packed if it is; of Parquet with a header."""
        if self.is_parquet:
            return Pieces(parquet.text(self.source.opened(file), self.sizes[file]))
        return self.raw(file)


def given_of(run: Run, range_bytes: int) -> Given:
    return Given(
        run.source,
        tuple(file.size for file in run.files),
        tuple(file.name for file in run.files),
        run.reading,
        run.csv_limits,
        range_bytes,
        run.limits.file_bytes,
    )
