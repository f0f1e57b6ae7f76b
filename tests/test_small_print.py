"""Small print that somebody relies on: estimates, what is kept warm, words in messages and logs."""

import io
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from authorizer.app import lambda_handler as authorizer
from authorizer.app import logger as authorizer_logger
from harness import contract
from harness.api import ASYNC, FORM_TYPE, MODEL_CSV, Client, csv, form
from harness.limits import Set, held
from harness.output import Output
from harness.presigned import post, reserve
from harness.system import (
    OWNER,
    created,
    deliver,
    drop,
    everything,
    item,
    let_leases_run_out,
    meanwhile,
    overwrite,
    sweep,
    take_messages,
)
from harness.timing import Clock
from kmeans_service import config, telemetry
from kmeans_service.fitting import capacity
from kmeans_service.lifecycle import fits
from kmeans_service.lifecycle.job import Input
from kmeans_service.line import estimates
from kmeans_service.models import loading
from kmeans_service.owners import quota
from kmeans_service.recipes.params import parse_params
from kmeans_service.recipes.recipe import Recipe
from worker import arrivals

# --- what is asked for, and what is answered ------------------------------------------------

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
    named = path.format(job_id=0, prediction_id=reserved["prediction_id"], asset="swagger-ui.css")
    answer = client.get(named, Accept="image/png")
    if "/ui" in path:  # a browser's own requests
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
        (b"x,z\n1,2\n", "column 2 is named 'z', but the model was fitted with 'y' there"),
        (b"a,y\n1,2\n", "column 1 is named 'a', but the model was fitted with 'x' there"),
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


# --- what operators are told ----------------------------------------------------------------


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


# --- estimates ------------------------------------------------------------------------------


def test_an_estimate_grows_with_what_there_is_to_do() -> None:
    given = Input("k", None, "0" * 64, 50_000_000, 1_000_000, 10, None)
    recipe = Recipe(n_clusters=5, max_iter=100)
    assert estimates.check_seconds(50_000_000) == 1
    assert estimates.prediction_seconds(50_000_000) == 5
    # 1e6 rows, 10 columns, 5 clusters, 100 iterations at 5e8 a second, and a second to read them
    assert estimates.fit_seconds(recipe, given) == pytest.approx(11)
    assert estimates.fit_seconds(replace(recipe, n_init=3), given) == pytest.approx(31)


@pytest.mark.parametrize(
    ("key", "seconds"),
    [
        (f"incoming/{OWNER}/a.csv", 10),
        (f"pending/{OWNER}/0/input.csv", 10),
        (f"pending/{OWNER}/0/predictions/{'0' * 32}.csv", 50),
    ],
)
def test_what_came_into_the_bucket_is_reckoned_by_its_size(key: str, seconds: int) -> None:
    record = json.loads(created(key))["Records"][0]
    record["s3"]["object"]["size"] = 500_000_000
    record["eventTime"] = "2026-01-02T03:04:05.678Z"
    work = arrivals.work_of(arrivals.arrival_of(record), record)
    assert work is not None
    assert (work.owner, work.seconds) == (OWNER, seconds)
    assert work.since == 1_767_323_045_678
    other = json.loads(created(key, "another version"))["Records"][0]
    assert arrivals.work_of(arrivals.arrival_of(other), other).name != work.name  # type: ignore[union-attr]


def test_what_a_row_takes_of_memory_depends_on_how_the_fit_begins_and_goes_on() -> None:
    def row(**params: Any) -> int:
        return capacity.row_bytes(2, parse_params({"n_clusters": 100, **params}))

    assert row() == row(init="random") == 8 * (2 + 1 + 8)  # the row once more as float32
    assert row(init="random", algorithm="elkan") == 8 * (2 + 100 + 2 * 2 + 8)
    few = {"algorithm": "elkan", "n_clusters": 3}
    assert row(**few) == 8 * (2 + 3 * (2 + 1) + 8)  # ln 3 = 1.1


# --- what is kept warm ------------------------------------------------------------------------


@pytest.fixture
def read(client: Client, aws: Any) -> Callable[[int], int]:
    """Predict with a job's model: how many objects that reads."""
    for number in range(3):
        client.upload(csv(number))
        assert client.fit(number).status == 200
    loading.forget()
    asked: list[str] = []
    aws.s3().meta.events.register("before-call.*.GetObject", lambda **_: asked.append(""))

    def predict(job_id: int) -> int:
        asked.clear()
        assert client.predict(job_id=job_id).status == 200
        return len(asked)

    return predict


def test_a_model_is_read_once_as_long_as_there_is_room(read: Callable[[int], int]) -> None:
    assert [read(job_id) for job_id in (0, 0, 1, 0, 1)] == [1, 0, 1, 0, 0]


def test_what_was_used_longest_ago_makes_room_for_what_is_used_now(
    read: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    read(0)
    [(_, size)] = loading._warm.values()  # the others' numbers are a few digits longer or shorter
    monkeypatch.setattr(loading, "MAX_WARM_BYTES", 2.5 * size)
    assert [read(job_id) for job_id in (1, 0, 2, 0, 1)] == [1, 0, 1, 0, 1]


def test_a_model_larger_than_all_the_room_is_kept_alone(
    read: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "MAX_WARM_BYTES", 1)
    assert [read(job_id) for job_id in (0, 0, 1, 1, 0)] == [1, 0, 1, 0, 1]


# --- counters, counted anew while they change ---------------------------------------------------


def expire_what_was_counted() -> None:
    [meta] = [found for found in everything() if found["sk"] == "META"]
    overwrite(meta, exact_until=1)


@pytest.mark.parametrize("what", ["a job", "a file", "a job less"])
def test_what_changes_while_jobs_are_counted_anew_is_not_forgotten(
    client: Client,
    limit: Set,
    aws: Any,
    what: str,
) -> None:
    client.upload(csv(0))
    client.upload(csv(1))
    arrived = post(reserve(client), MODEL_CSV)
    expire_what_was_counted()
    limit(jobs=3)

    def change() -> None:
        limit(jobs=10)
        if what == "a job":
            assert client.upload(csv(2)).status == 200
        elif what == "a file":
            assert deliver(arrived) == 0
        else:
            assert client.call("DELETE", "/kmeans/jobs/0").status == 204
        limit(jobs=3)

    with meanwhile(aws.dynamodb(), "UpdateItem", change):
        client.upload(csv(3))
    limit(jobs=10)
    live = [found for found in everything() if found["sk"].startswith("J#")]
    live = [found for found in live if found["status"] not in ("DELETING", "DELETED")]
    assert held()[0] == len(live)
    expire_what_was_counted()
    limit(jobs=1)
    before = held()
    assert client.upload(csv(4)).status == 422
    assert held() == before


# --- the last second ------------------------------------------------------------------------------


def test_a_job_made_in_the_last_second_of_another_is_told_apart_from_it(
    clock: Clock, client: Client
) -> None:
    """What has expired and DynamoDB has not removed yet is overwritten, and nothing else is."""
    client.upload()
    expires_at = item()["expires_at"]
    clock.pass_by(expires_at - clock.now - 1)
    assert client.upload().json()["job_id"] == 0
    clock.pass_by(1)
    assert client.upload().json()["job_id"] == 1
    assert client.upload().json()["job_id"] == 1
    assert quota.read(OWNER).next_id == 2


def test_centers_of_one_cluster_and_one_column_are_answered_whole(client: Client) -> None:
    client.upload(b"1\n2\n6\n")
    assert client.fit(0, {"n_clusters": 1}).status == 200
    rows = np.loadtxt(io.StringIO(client.get("/kmeans/jobs/0/centers").text), ndmin=2)
    assert rows.tolist() == [[3.0]]
    assert client.predict(b"9\n-4\n").labels() == [0, 0]
    scores = client.get("/kmeans/jobs/0/scores").json()
    assert not {"silhouette", "calinski_harabasz", "davies_bouldin"} & scores.keys()
    assert scores["cluster_sizes"] == [3]


def test_a_parameter_that_stands_twice_is_refused(client: Client) -> None:
    answer = client.get("/kmeans/jobs?limit=1&limit=2")
    assert answer.status == 422
    assert "stands 2 times" in answer.json()["detail"]
    body = form(("file", "a.csv", MODEL_CSV))
    assert client.call("POST", "/kmeans/upload", body, FORM_TYPE).status == 200
    assert config.MAX_JOB_ID == 9_999_999_999
