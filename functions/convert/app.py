"""Called by the worker: a Parquet file, a workbook or JSON Lines in, CSV beside it.

It knows no jobs and no table: it reads one object and writes another.
"""

import hashlib
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from convert.converters import convert
from kmeans_service import config, telemetry
from kmeans_service.errors import ServiceError
from kmeans_service.media_types import CSV
from kmeans_service.storage import data_bucket
from kmeans_service.streams import ByteStream, HashingStream
from kmeans_service.tables.bytes_in import unpacked
from kmeans_service.tables.csv_lines import pieces_from
from kmeans_service.tables.dialect import Reading
from kmeans_service.tables.formats import check_format

PIECE_BYTES = 1024**2
HEAD_BYTES = 4096
# What storing the result takes, and a last word.
CLOSING_SECONDS = 60.0
# A workbook is in memory whole, and takes twice the bytes of its XML (measured).
MEMORY_OF_A_WORKBOOK = 4


@telemetry.logger().inject_lambda_context(clear_state=True)
@telemetry.metrics().log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What is at `target` then, or why there is nothing.

    event   key and version_id of a file, `target` for its rows, and its `reading`
    """
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - CLOSING_SECONDS
    try:
        converted = _converted(event, deadline)
    except ServiceError as error:
        telemetry.count("ConversionsRefused")
        return {"refused": type(error).__name__, "detail": error.detail, "members": error.members}
    telemetry.count("Conversions")
    return converted


def _converted(event: dict[str, Any], deadline: float) -> dict[str, Any]:
    most = config.limits().file_bytes
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "source"), Path(folder, "target")
        original = HashingStream(data_bucket().open(event["key"], event["version_id"]).stream)
        _save(original, source, most)
        with source.open("rb") as file:
            format = check_format(file.read(HEAD_BYTES))
        reading = convert(
            source,
            target,
            format,
            Reading(**event["reading"]),
            most,
            in_memory=config.settings().memory_bytes // MEMORY_OF_A_WORKBOOK,
            deadline=deadline,
        )
        with target.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
            file.seek(0)
            data_bucket().upload(event["target"], file, CSV)
    return {
        "original": {"key": event["key"], "sha256": original.sha256, "size": original.size},
        "rows": {"key": event["target"], "sha256": sha256, "size": size},
        "reading": asdict(reading),
    }


def _save(stream: ByteStream, source: Path, most_bytes: int) -> None:
    """The file on disk, unpacked if it is packed with gzip."""
    with source.open("wb") as file:
        for piece in unpacked(pieces_from(stream, PIECE_BYTES), PIECE_BYTES, most_bytes):
            file.write(piece)
