"""One line of log a call, with its ids and nothing of the client's data; metrics as EMF."""

import json
import logging
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from harness import contract
from harness.api import FORM_TYPE, Client, Context, event, form
from harness.output import Output
from harness.system import deliver, drop, sweep
from kmeans_service import aws, config
from local import transform

ROOT = Path(__file__).parent.parent
CANARY = "canary-7c1e"


def test_a_call_is_one_line_with_its_ids(client: Client, output: Output) -> None:
    given = event("GET", "/kmeans/jobs")
    client.send(given)
    [line] = output.lines()
    assert line["message"] == "served"
    assert (line["method"], line["path"], line["status"]) == ("GET", "/kmeans/jobs", 200)
    assert line["request_id"] == given["requestContext"]["requestId"]
    assert line["function_request_id"] == "request"
    assert line["milliseconds"] > 0


def test_a_refusal_is_one_line_too_and_its_reason_does_not_stay(
    client: Client, output: Output
) -> None:
    client.get("/kmeans/jobs/7")
    [line] = output.lines()
    assert (line["status"], line["refused"]) == (404, "JobNotFound")
    client.get("/kmeans/jobs")
    [line] = output.lines()
    assert "refused" not in line


def test_nothing_of_the_clients_is_logged(client: Client, output: Output) -> None:
    secret = {"Authorization": f"Bearer {CANARY}", "Accept": "*/*", "Cookie": CANARY}
    named = form(("file", f"{CANARY}.csv", f"{CANARY},y\n1,2\n3,4\n".encode()))
    client.call("POST", "/kmeans/upload", named, FORM_TYPE | secret)
    client.call("POST", "/kmeans/upload", form((CANARY, "a.csv", b"1")), FORM_TYPE | secret)
    client.call("POST", "/kmeans/upload", form(("file", "a", CANARY.encode())), FORM_TYPE)
    client.post_json("/kmeans/fit", {"job_id": 0, "model_params": {CANARY: CANARY}})
    client.post_json("/kmeans/fit", {"job_id": 0})
    client.predict(f"{CANARY},y\n1,2\n".encode())
    client.get(f"/kmeans/jobs?status={CANARY}")
    client.get(f"/kmeans/jobs/{CANARY}")
    client.get("/kmeans/jobs/0/model")
    assert CANARY not in output.text()


def test_nothing_of_a_dropped_or_presigned_file_is_logged_by_the_worker(
    client: Client, output: Output
) -> None:
    bad = f"{CANARY},y\n1,{CANARY}\n".encode()
    deliver(drop(f"incoming/tester/{CANARY}.csv", bad))
    deliver(drop(f"incoming/tester/{CANARY}.csv", bad, n_clusters=CANARY))
    deliver(drop(f"incoming/tester/{CANARY}-good.csv", f"{CANARY},y\n1,2\n3,4\n".encode()))
    made = client.post_json("/kmeans/uploads", {"filename": f"{CANARY}.csv"}).json()
    deliver(drop(made["fields"]["key"], bad))
    client.upload()
    client.fit(client.get("/kmeans/jobs?limit=1").json()["jobs"][0]["job_id"])
    newest = client.get("/kmeans/jobs?limit=1").json()["jobs"][0]["job_id"]
    made = client.post_json("/kmeans/predictions", {"job_id": newest}).json()
    deliver(drop(made["fields"]["key"], bad))
    sweep()
    logged = output.text()
    assert "worked" in logged
    assert CANARY not in logged


def test_no_presigned_form_or_url_is_logged(
    client: Client, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = client.post_json("/kmeans/uploads", {"filename": "a.csv"}).json()
    client.upload()
    client.fit(1)
    reserved = client.post_json("/kmeans/predictions", {"job_id": 1}).json()
    monkeypatch.setattr(config, "MAX_ANSWER_BYTES", 10)
    moved = client.get("/kmeans/jobs/1/labels")
    assert moved.status == 303
    secrets = [form["fields"]["policy"] for form in (made, reserved)]
    secrets += [value for form in (made, reserved) for name, value in form["fields"].items()
                if "signature" in name.lower()]  # fmt: skip
    secrets.append(moved.headers["Location"].partition("?")[2])
    assert len(secrets) >= 5
    logged = output.text()
    assert [secret for secret in secrets if secret in logged] == []
    assert "Signature" not in logged


def test_a_sweep_says_which_call_it_was(output: Output) -> None:
    from sweeper.app import lambda_handler

    lambda_handler({}, Context(aws_request_id="a-sweep"))
    assert {line["function_request_id"] for line in output.lines()} == {"a-sweep"}


def test_a_defect_is_logged_with_its_trace(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "dynamodb", lambda: 1 / 0)
    handler = contract.handler_of("/kmeans/jobs")
    assert handler(event("GET", "/kmeans/jobs"), Context())["statusCode"] == 500
    error, served = output.lines()
    assert error["level"] == "ERROR"
    assert "ZeroDivisionError" in error["exception"]
    assert served["status"] == 500


def test_an_upload_a_fit_and_a_prediction_are_counted_and_timed(
    client: Client, output: Output
) -> None:
    client.upload()
    found = output.metrics()
    assert found["Uploads"] == ([1.0], "Count")
    assert found["RowsUploaded"] == ([6.0], "Count")
    assert found["UploadDuration"][1] == "Milliseconds"
    client.fit()
    found = output.metrics()
    assert (found["Fits"], found["RowsFitted"]) == (([1.0], "Count"), ([6.0], "Count"))
    assert found["FitDuration"][0][0] > 0
    client.predict()
    found = output.metrics()
    assert (found["Predictions"], found["RowsPredicted"]) == (([1.0], "Count"), ([2.0], "Count"))
    assert found["PredictionDuration"][1] == "Milliseconds"


def test_what_did_no_work_counts_nothing(client: Client, output: Output) -> None:
    client.get("/kmeans/health")
    client.upload(b"a,b\nc,d\n")
    client.predict()
    assert output.metrics() == {}


TWO_CALLS = """
from docs.app import lambda_handler
from kmeans_service import telemetry
from harness.api import Context, event
for _ in range(2):
    lambda_handler(event("GET", "/kmeans/health"), Context())
telemetry.logger().error("something broke")
"""


def printed(**variables: str) -> list[dict[str, Any]]:
    """By a process of its own: a test's warnings are not what the function would print."""
    run = subprocess.run(
        [sys.executable, "-c", TWO_CALLS],
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'functions'}:{ROOT}"} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stderr == ""
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_a_cold_start_is_counted_and_nothing_is_warned_of() -> None:
    first, cold_start, second, _ = printed()
    assert (first["message"], second["message"]) == ("served", "served")
    assert cold_start["ColdStart"] == [1.0]


def kept_by_lambda(line: dict[str, Any], application_log_level: str) -> bool:
    """Whether Lambda passes a line on: what has no level, or no RFC 3339 time, is INFO to it."""
    try:
        timed = datetime.fromisoformat(line["timestamp"]).tzinfo is not None
    except (KeyError, ValueError):
        timed = False
    level = line.get("level", "INFO") if timed and "T" in line["timestamp"] else "INFO"
    numbers = logging.getLevelNamesMapping()
    return numbers[level] >= numbers[application_log_level]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("level", "messages"),
    [
        ("DEBUG", ["served", None, "served", "something broke"]),
        ("INFO", ["served", None, "served", "something broke"]),
        ("WARN", [None, "something broke"]),
        ("ERROR", [None, "something broke"]),
    ],
)
def test_a_log_level_takes_lines_below_it_and_no_metrics(
    level: str, messages: list[str | None]
) -> None:
    stated = transform.source()["Globals"]["Function"]["LoggingConfig"]["ApplicationLogLevel"]
    assert stated == {"Fn::If": ["LogsDebug", "DEBUG", "INFO"]}
    application = "DEBUG" if level == "DEBUG" else "INFO"
    lines = printed(LOG_LEVEL=level, AWS_LAMBDA_LOG_LEVEL=application)
    assert [line.get("message") for line in lines] == messages
    assert all(kept_by_lambda(line, application) for line in lines)
    for line in lines:  # errors are errors to Lambda too, and metrics are what they are
        assert kept_by_lambda(line, "ERROR") == (line.get("level") == "ERROR")
