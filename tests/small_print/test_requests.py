"""The small print of requests and logs."""

import io
import json
import logging
from typing import Any

import pytest

from authorizer.app import lambda_handler as authorizer
from authorizer.app import logger as authorizer_logger
from harness import contract
from harness.api import ASYNC, MODEL_CSV, Client
from harness.limits import Set
from harness.output import Output
from harness.presigned import post, reserve
from harness.routes import filled
from harness.system import OWNER, deliver, drop, let_leases_run_out, sweep, take_messages
from kmeans_service import telemetry
from kmeans_service.lifecycle import fits

GETS = [
    path
    for method, path, operation in contract.operations()
    if method == "GET" and any("content" in found for found in operation["responses"].values())
]


@pytest.mark.parametrize("path", GETS)
def test_what_no_path_can_answer_is_refused_on_every_path(client: Client, path: str) -> None:
    client.upload()
    client.fit(0)
    reserved = client.post_json("/kmeans/predictions", {"job_id": 0}).json()
    named = filled(path, job_id="0", prediction_id=reserved["prediction_id"])
    answer = client.get(named, Accept="image/png")
    if "/ui" in path or "/page/" in path:  # a browser's own requests
        assert answer.status == 200
    else:
        assert answer.status == 406
        assert "image/png" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("name", "status"), [("", 422), ("x", 201), ("x" * 1024, 201), ("x" * 1025, 422)]
)
def test_a_file_name_has_from_1_to_1024_characters(client: Client, name: str, status: int) -> None:
    assert client.post_json("/kmeans/uploads", {"filename": name}).status == status


@pytest.mark.parametrize(("rows", "columns", "status"), [(100, 100, 422), (100, 101, 413)])
def test_initial_centers_have_ten_thousand_numbers_at_most(
    client: Client, rows: int, columns: int, status: int
) -> None:
    """Those of 100 columns do not fit the file's two, and are refused for that alone."""
    client.upload()
    params = {"n_clusters": rows, "init": [[0.5] * columns] * rows}
    assert client.fit(0, params).status == status


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (b"1\n", "the points have 1 feature, but the model was fitted with 2"),
        (b"1,2,3\n", "the points have 3 features, but the model was fitted with 2"),
        (b"x,z\n1,2\n", "the points have no column 'y', which the model was fitted with"),
        (b"a,y\n1,2\n", "the points have no column 'x', which the model was fitted with"),
    ],
)
def test_points_that_are_none_of_the_models_are_told_why(
    client: Client, points: bytes, words: str
) -> None:
    client.upload(b"x,y\n" + MODEL_CSV)
    client.fit(0)
    for path in ("/kmeans/predict", "/kmeans/transform", "/kmeans/score"):
        answer = client.predict(points, path=path)
        assert answer.status in (400, 409, 422)
        assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"1,2\n3\n", "line 2 has 1 cell, the first line has 2"),
        (b"1,2\n3,4,5\n", "line 2 has 3 cells, the first line has 2"),
    ],
)
def test_one_cell_is_a_cell_and_more_are_cells(client: Client, body: bytes, words: str) -> None:
    assert words in client.upload(body).json()["detail"]


def test_the_authorizer_says_whose_call_it_was_and_which(
    aws: Any,  # noqa: ARG001 (the settings come with it)
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = io.StringIO()
    for handler in authorizer_logger().handlers:
        monkeypatch.setattr(handler, "stream", log)
    arn = "arn:aws:execute-api:eu-central-1:123456789012:api/v1/GET/kmeans/jobs"
    for headers in ({"Authorization": "Bearer x"}, None):
        authorizer(
            {"methodArn": arn, "headers": headers, "requestContext": {"requestId": "the-id"}}, None
        )
    authorizer({"methodArn": arn}, None)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["message"] for line in lines] == ["refused"] * 3
    assert [line.get("request_id") for line in lines] == ["the-id", "the-id", None]


def test_a_job_that_cannot_be_looked_after_is_logged_with_its_id_and_trace(
    client: Client,
    output: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    take_messages()
    let_leases_run_out()

    def fail(*_: Any) -> bool:
        raise RuntimeError("for the test")

    monkeypatch.setattr(fits, "postpone", fail)
    output.text()
    with pytest.raises(ExceptionGroup):
        sweep()
    [line] = [line for line in output.lines() if line["level"] == "ERROR"]
    assert line["job_id"] == 0
    assert "for the test" in line["exception"]
    assert line["function_request_id"] == "request"


def test_a_file_of_a_form_without_room_for_it_is_logged_and_counted(
    client: Client,
    limit: Set,
    output: Output,
) -> None:
    first, second = reserve(client), reserve(client)
    limit(stored_bytes=50)
    assert deliver(post(first, MODEL_CSV)) == 0
    output.text()
    assert deliver(post(second, MODEL_CSV)) == 0
    said = output.log.getvalue()
    assert output.metrics()["FilesTurnedAway"] == ([1.0], "Count")
    assert "turned a file away" in said
    assert "large.csv" not in said


def test_logs_say_which_function_and_call_they_are_of_and_forget_it(
    client: Client,
    output: Output,
) -> None:
    deliver(drop(f"incoming/{OWNER}/a.csv", MODEL_CSV))
    sweep()
    client.get("/kmeans/jobs")
    lines = output.lines()
    assert {line["function_request_id"] for line in lines} == {"request"}
    assert {line["level"] for line in lines} == {"INFO"}
    assert logging.getLevelName(telemetry.logger().log_level) == "INFO"
