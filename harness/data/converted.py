"""Files that the service converts, and the worker told of them."""

import gzip
import io
import json
import time
from collections.abc import Sequence
from typing import Any

import arro3.io as arro3
from arro3.core import Array, DataType, Table

from harness import PROJECT
from harness.api import Client
from harness.system import (
    created,
    deliver,
)

BOOK = (PROJECT / "tests/cases/book.xlsx").read_bytes()
ROWS = [(1, 2), (1, 4), (1, 0), (10, 2), (10, 4), (10, 0)]
LINES = "".join(json.dumps({"x": x, "y": y}) + "\n" for x, y in ROWS).encode()
LABELS = [0, 0, 0, 1, 1, 1]


def parquet(rows: Sequence[tuple[float, float]] = ROWS) -> bytes:
    columns: dict[str, Any] = {
        name: Array([float(row[place]) for row in rows], type=DataType.float64())
        for place, name in enumerate("xy")
    }
    file = io.BytesIO()
    arro3.write_parquet(Table.from_pydict(columns), file)
    return file.getvalue()


def uploaded(client: Client, body: bytes, filename: str) -> int:
    """The job of a form upload, whose object S3 has told the worker of."""
    answer = client.upload(body, filename)
    assert answer.status == 200, answer.text
    assert answer.json().keys() == {"filename", "job_id"}
    job_id: int = answer.json()["job_id"]
    return job_id


class TellingTime:
    """Whoever waits, meanwhile S3 tells the worker of the job's file."""

    monotonic = time.monotonic

    @staticmethod
    def sleep(_seconds: float) -> None:
        arrives()


def arrives(job_id: int = 0) -> int:
    """S3 tells the worker of the job's file; how many messages it failed."""
    return deliver(created(f"pending/tester/{job_id}/input.csv"))


def in_two(labels: list[int]) -> bool:
    """Whether the two groups of ROWS are told apart."""
    return len(set(labels)) == 2 and labels == [labels[0]] * 3 + [labels[3]] * 3


FILES = [
    (parquet(), "points.parquet"),
    (LINES, "points.jsonl"),
    (gzip.compress(LINES), "points.jsonl.gz"),
    (gzip.compress(parquet()), "points.parquet.gz"),
]
NAMES = [filename for _, filename in FILES]
