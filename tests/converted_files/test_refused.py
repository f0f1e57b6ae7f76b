"""What cannot be converted, or has no room, and conversions that crash."""

import gzip
import io
import zipfile
from typing import Any

import pytest

from harness.api import Client
from harness.data.converted import (
    BOOK,
    LINES,
    ROWS,
    arrives,
    parquet,
    uploaded,
)
from harness.limits import Set
from harness.system import (
    counted,
    keys,
    let_all_be_ready,
    lie_there,
    wake_worker,
)
from kmeans_service import aws as aws_module
from kmeans_service import config


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 50_000_000)
    return file.getvalue()


@pytest.mark.parametrize(
    ("body", "filename", "kind", "words"),
    [
        (BOOK[:3000], "cut.xlsx", "invalid-csv", "cut off, damaged"),
        (parquet()[:-40], "cut.parquet", "invalid-csv", "the Parquet file cannot be read"),
        (b'{"x": 1}\n{"x": [1]}\n', "list.jsonl", "invalid-csv", "line 2: 'x' holds an array"),
        (b'{"a": "b"}\n{"a": "c"}\n', "text.jsonl", "invalid-csv", "number"),
        (bomb(), "bomb.xlsx", "too-large", "unpacks to 50,000,008 bytes"),
        (gzip.compress(LINES)[:-9], "cut.jsonl.gz", "invalid-csv", "the gzip file ends"),
    ],
    ids=["workbook", "parquet", "list", "text", "bomb", "gzip"],
)
def test_a_file_that_cannot_be_converted_makes_the_job_failed_with_the_reason(
    client: Client, body: bytes, filename: str, kind: str, words: str
) -> None:
    uploaded(client, body, filename)
    assert arrives() == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["error"]["type"]) == (
        "FAILED",
        f"urn:kmeans-service:problem:{kind}",
    )
    assert words in view["error"]["detail"]
    assert "progress" not in view
    assert client.get("/kmeans/jobs/0/input").body == body
    assert counted() == lie_there(aws_module)
    assert client.fit(0).status == 422
    client.call("DELETE", "/kmeans/jobs/0")
    assert (keys(), counted()) == ([], 0)


def test_a_file_may_come_to_no_more_bytes_than_one_may_have(client: Client, limit: Set) -> None:
    body = parquet([(1, 2)] * 2000 + ROWS)
    limit(file_bytes=len(body) + 10)
    uploaded(client, body, "points.parquet")
    arrives()
    error = client.get("/kmeans/jobs/0").json()["error"]
    assert error["type"] == "urn:kmeans-service:problem:too-large"
    assert keys("inputs/") == []


def test_converted_bytes_count_and_without_room_for_them_the_job_fails(
    client: Client, limit: Set
) -> None:
    uploaded(client, LINES, "points.jsonl")
    limit(stored_bytes=len(LINES) + 5)
    arrives()
    view = client.get("/kmeans/jobs/0").json()
    assert view["error"]["type"] == "urn:kmeans-service:problem:storage-full"
    assert keys() == ["pending/tester/0/input.csv"]
    assert counted() == lie_there(aws_module)


def test_a_conversion_that_takes_too_long_says_so_while_there_is_time_to(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute is left for storing what came of it, and for a last word."""
    uploaded(client, LINES, "points.jsonl")
    monkeypatch.setattr(aws_module.functions(), "seconds", 59.0)
    assert arrives() == 0
    error = client.get("/kmeans/jobs/0").json()["error"]
    assert error["type"] == "urn:kmeans-service:problem:too-large"
    assert "takes longer to be converted than there is time" in error["detail"]


def test_a_conversion_that_crashes_comes_again_and_in_the_end_the_job_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from convert import app
    from worker.app import GaveUp

    def crash(*_: Any, **__: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(app, "convert", crash)
        uploaded(client, LINES, "points.jsonl")
        assert arrives() == 1
        assert client.get("/kmeans/jobs/0").json()["status"] == "PENDING"
        let_all_be_ready()
    assert wake_worker() == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "UPLOADED"
    monkeypatch.setattr(app, "convert", crash)
    uploaded(client, LINES + LINES, "others.jsonl")
    arrives(1)
    for _ in range(config.MAX_ATTEMPTS - 1):
        let_all_be_ready()
        wake_worker()
    let_all_be_ready()
    with pytest.raises(GaveUp):
        wake_worker()
    view = client.get("/kmeans/jobs/1").json()
    assert (view["status"], view["error"]["type"]) == (
        "FAILED",
        "urn:kmeans-service:problem:fit-failed",
    )
