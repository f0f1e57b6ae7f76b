"""Files in memory that are read by ranges, as those in the bucket are by the tasks of a cluster."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from distributed.given import Given
from distributed.spans import Open
from kmeans_service.streams import ByteStream
from kmeans_service.tables.csv_lines import CsvLimits
from kmeans_service.tables.dialect import Reading


@dataclass(frozen=True)
class InMemory:
    bodies: tuple[bytes, ...]

    def opened(self, file: int) -> Open:
        def part(begin: int, end: int) -> ByteStream:
            assert 0 <= begin < end, "S3 has no empty ranges"
            return io.BytesIO(self.bodies[file][begin:end])

        return part


def given(
    bodies: Sequence[bytes],
    range_bytes: int,
    reading: Reading | None = None,
    limits: CsvLimits | None = None,
) -> Given:
    return Given(
        InMemory(tuple(bodies)),
        tuple(map(len, bodies)),
        tuple(f"part-{number}.csv" for number in range(len(bodies))),
        reading or Reading(),
        limits or CsvLimits(),
        range_bytes,
        5 * 1024**3,
    )
