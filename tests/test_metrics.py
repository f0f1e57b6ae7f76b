"""What is counted for an operator's graphs and alarms: each thing where it happens."""

import json
from typing import Any

import pytest

from harness.api import ASYNC, MODEL_CSV, Client
from harness.data.converted import BOOK, LINES, arrives, parquet, uploaded
from harness.output import Output
from harness.presigned import predict as send_points
from harness.system import (
    OWNER,
    deliver,
    drop,
    item,
    items_under,
    let_all_be_ready,
    manifest,
    overwrite,
    put,
    sweep,
    wake_worker,
    work_off,
)
from kmeans_service import config
from kmeans_service.models import loading
from worker import arrivals
from worker.app import GaveUp


def counts(output: Output) -> dict[str, float]:
    found = output.metrics().items()
    return {name: sum(values) for name, (values, unit) in found if unit == "Count"}


def test_a_fit_of_the_worker(client: Client, output: Output) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    output.text()
    work_off()
    assert counts(output) == {"Fits": 1, "RowsFitted": 6}


def test_a_fit_that_fails_in_the_worker_as_its_file_was_changed(
    client: Client, output: Output
) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    put(item()["input"]["key"], MODEL_CSV + b"1, 1\n")
    output.text()
    work_off()
    assert counts(output) == {"FitsFailed": 1, "IntegrityFailures": 1}


@pytest.mark.parametrize("body", [BOOK, parquet(), LINES], ids=["workbook", "parquet", "lines"])
def test_a_conversion(client: Client, output: Output, body: bytes) -> None:
    uploaded(client, body, "a")
    assert counts(output) == {"Uploads": 1}
    arrives()
    assert counts(output) == {"Conversions": 1}


def test_a_conversion_that_is_refused(client: Client, output: Output) -> None:
    uploaded(client, parquet()[:-40], "a.parquet")
    output.text()
    arrives()
    assert counts(output) == {"ConversionsRefused": 1}


def test_an_object_whose_handling_crashes(
    client: Client, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(arrivals, "handle", crash)
    deliver(drop("incoming/tester/a.csv", MODEL_CSV))
    for _ in range(config.MAX_ATTEMPTS - 1):
        let_all_be_ready()
        wake_worker()
    let_all_be_ready()
    assert counts(output) == {}
    with pytest.raises(GaveUp):
        wake_worker()
    assert counts(output) == {"ArrivalsGivenUp": 1}
    job = client.get("/kmeans/jobs/0").json()
    assert job["status"] == "FAILED"
    assert job["error"]["detail"].endswith("that crashed 3 times")


def test_points_of_a_form(client: Client, output: Output) -> None:
    client.upload()
    client.fit()
    output.text()
    points = {"job_id": 0, "points": [[1, 2], [10, 2], [3, 3]]}
    client.post_json("/kmeans/predict", points)
    assert counts(output) == {"Predictions": 1, "RowsPredicted": 3}


@pytest.mark.parametrize("path", ["/kmeans/jobs", "/kmeans/jobs/0"])
def test_a_damaged_record_where_somebody_reads_it(
    client: Client, output: Output, path: str
) -> None:
    client.upload()
    client.upload()
    overwrite(item(), status="FAILED", error=1)
    output.text()
    client.get(path)
    assert counts(output) == {"IntegrityFailures": 1}
    client.get("/kmeans/jobs/1")
    assert counts(output) == {}


def test_a_damaged_record_where_a_sweep_finds_it(client: Client, output: Output) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    overwrite(item(), due_at=1, error=1)
    output.text()
    sweep()
    assert counts(output)["IntegrityFailures"] == 1


def test_a_damaged_model_of_a_request_and_of_the_worker(client: Client, output: Output) -> None:
    client.upload()
    client.fit()
    put(manifest().key, b"{}")
    loading.forget()
    output.text()
    client.predict()
    assert counts(output)["IntegrityFailures"] == 1
    deliver(send_points(client, b"1, 2\n")[1])
    assert counts(output)["IntegrityFailures"] == 1


def test_work_in_line_that_cannot_be_read(client: Client, output: Output) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    [work] = [found for found in items_under("Q") if found["sk"].startswith(OWNER)]
    overwrite(work, what=json.dumps({"nothing": "known"}))
    output.text()
    work_off()
    assert counts(output) == {"IntegrityFailures": 1}
    assert [found["sk"] for found in items_under("Q")] == ["#SHARES"]
