"""What is made of a model when somebody asks: once, at once or by the worker, and told if not."""

import multiprocessing
import os
import signal
import time
from typing import Any

import pytest

from harness.api import ASYNC, Answer, Client
from harness.iam.recording import forget_line
from harness.system import (
    OWNER,
    counted,
    item,
    items,
    job,
    keys,
    let_leases_run_out,
    lie_there,
    meanwhile,
    overwrite,
    sweep,
    take_messages,
    waiting,
    wake_worker,
    work_off,
)
from harness.timing import Clock
from kmeans_service import aws as clients
from kmeans_service import config
from kmeans_service.lifecycle import leftovers, results
from kmeans_service.lifecycle.explanations import Explanation
from kmeans_service.models.model import Model

ROWS = "/kmeans/jobs/0/rows"


@pytest.fixture
def fitted(client: Client) -> Client:
    client.upload()
    assert client.fit(0).status == 200
    return client


@pytest.fixture
def slow(fitted: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Nothing is made in a request."""
    monkeypatch.setattr(config, "MADE_AT_ONCE_SECONDS", -1.0)
    return fitted


def made() -> list[dict[str, Any]]:
    return items(prefix="E#")


def let_the_lease_run_out() -> None:
    let_leases_run_out()
    for found in made():
        if "lease_until" in found:
            overwrite(found, lease_until=1)


def let_a_worker_be_killed_at_it() -> None:
    """kill -9 in the middle of the rows."""

    def work() -> None:
        clients.close_connections()
        wake_worker()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Model, "predict", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        worker = multiprocessing.get_context("fork").Process(target=work)
        worker.start()
        worker.join()
    assert worker.exitcode == -signal.SIGKILL


def is_pending(answer: Answer, path: str = ROWS, **attempted: int) -> bool:
    expected = {"job_id": 0, "status": "PENDING", "result": path} | attempted
    assert answer.json() == expected
    assert answer.headers["Location"] == path
    assert int(answer.headers["Retry-After"]) >= 1
    return answer.status == 202


def test_it_is_made_once_and_is_the_same_for_who_asks_again(fitted: Client) -> None:
    first = fitted.get(ROWS)
    objects = keys("models/")
    second = fitted.get(ROWS)
    assert (first.status, second.status, first.body) == (200, 200, second.body)
    assert keys("models/") == objects
    assert fitted.get(ROWS, If_None_Match=first.headers["ETag"]).status == 304


def test_what_takes_long_is_made_by_the_worker_and_is_what_a_request_would_make(
    slow: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{ROWS}?outlier_quantile=0.9"
    assert is_pending(slow.get(path), path)
    assert is_pending(slow.get(path), path)
    assert len(waiting()) == 1
    assert work_off() == 0
    answer = slow.get(path)
    assert answer.status == 200
    monkeypatch.undo()
    assert slow.call("DELETE", "/kmeans/jobs/0").status == 204
    slow.upload()
    slow.fit(1)
    assert slow.get(path.replace("/0/", "/1/")).body == answer.body
    assert waiting() == []


def test_its_place_in_line_is_that_of_the_millisecond_in_which_it_was_asked_for(
    slow: Client,
) -> None:
    before = time.time() * 1000
    assert is_pending(slow.get(ROWS))
    assert int(before) <= made()[0]["since"] <= time.time() * 1000


def test_work_that_the_line_has_lost_is_put_there_again_by_who_asks(slow: Client) -> None:
    slow.get(ROWS)
    take_messages()
    forget_line()
    assert is_pending(slow.get(ROWS))
    assert work_off() == 0
    assert slow.get(ROWS).status == 200


def test_what_was_deleted_from_the_bucket_is_made_anew(fitted: Client, aws: Any) -> None:
    body = fitted.get(ROWS).body
    for found in made():
        aws.s3().delete_object(Bucket=config.settings().data_bucket, Key=found["result"]["key"])
    assert fitted.get(ROWS).body == body
    assert fitted.predict(path="/kmeans/predict?answer=rows").status == 200
    assert counted() == sum(each["result"]["size"] for each in made()) + job().stored_bytes


def test_what_was_deleted_is_made_anew_once_by_two_who_find_it_gone(
    fitted: Client, aws: Any
) -> None:
    fitted.get(ROWS)
    [rows] = [found for found in made() if "#rows-" in found["sk"]]
    aws.s3().delete_object(Bucket=config.settings().data_bucket, Key=rows["result"]["key"])
    with meanwhile(aws.dynamodb(), "TransactWriteItems", lambda: fitted.get(ROWS)):
        assert fitted.get(ROWS).status == 200
    assert counted() == job().stored_bytes + sum(found["result"]["size"] for found in made())
    there = aws.s3().list_objects_v2(Bucket=config.settings().data_bucket, Prefix="models/")
    noted = [found["result"]["key"] for found in made()]
    assert sorted(each["Key"] for each in there["Contents"] if "/made/" in each["Key"]) == sorted(
        noted
    )


def test_it_goes_on_after_its_worker_was_killed(slow: Client) -> None:
    slow.get(ROWS)
    let_a_worker_be_killed_at_it()
    assert is_pending(slow.get(ROWS), attempt=1)
    let_the_lease_run_out()
    assert wake_worker() == 0
    assert slow.get(ROWS).status == 200
    assert waiting() == []


def test_three_killed_workers_fail_it_and_who_asks_later_has_it_tried_again(
    clock: Clock, slow: Client
) -> None:
    slow.get(ROWS)
    for _ in range(config.MAX_ATTEMPTS):
        let_a_worker_be_killed_at_it()
        let_the_lease_run_out()
    assert wake_worker() == 0
    answer = slow.get(ROWS)
    assert (answer.status, waiting()) == (422, [])
    assert "crashed 3 times" in answer.json()["detail"]
    clock.pass_by(config.TOLD_SECONDS - 1)
    assert slow.get(ROWS).status == 422
    clock.pass_by(2)
    assert is_pending(slow.get(ROWS))
    assert work_off() == 0
    assert slow.get(ROWS).status == 200


def test_why_the_worker_could_not_make_it_is_told(slow: Client, aws: Any) -> None:
    given = job().checked_input
    aws.s3().delete_object(Bucket=config.settings().data_bucket, Key=given.key)
    slow.get(ROWS)
    assert work_off() == 0
    answer = slow.get(ROWS)
    assert answer.status == 422
    assert answer.json()["error"]["status"] == 410
    assert "upload it again" in answer.json()["detail"]


def test_why_a_request_could_not_make_it_is_its_answer(fitted: Client, aws: Any) -> None:
    given = job().checked_input
    aws.s3().delete_object(Bucket=config.settings().data_bucket, Key=given.key)
    assert fitted.get(ROWS).status == 410
    assert made() == []


def test_a_worker_without_the_time_leaves_it_to_another_and_then_says_so(slow: Client) -> None:
    slow.get(ROWS)
    assert wake_worker(seconds=5) == 0  # of which ten are for closing
    answer = slow.get(ROWS)
    assert answer.status == 422
    assert "did not finish in" in answer.json()["detail"]


@pytest.mark.parametrize("spent", [0, 1])
def test_a_crash_costs_an_attempt_and_a_handover_none(slow: Client, spent: int) -> None:
    slow.get(ROWS)
    [found] = made()
    name, of_model = found["sk"].split("#")[-1], job().published.centers.key
    asked = Explanation(OWNER, 0, name, maker="rows", of_model=of_model)
    claimed = results.claim(asked)
    assert claimed is not None
    results.release(claimed, spent=spent)
    assert made()[0]["attempt"] == spent
    assert results.claim(asked) is not None  # at once


def test_it_is_counted_and_goes_with_its_job(fitted: Client, aws: Any) -> None:
    before = counted()
    size = len(fitted.get(ROWS).body)
    assert counted() > before + size
    assert counted() == lie_there(aws)
    assert fitted.call("DELETE", "/kmeans/jobs/0").status == 204
    assert (counted(), lie_there(aws), made()) == (0, 0, [])


def test_it_goes_with_the_model_that_it_was_made_of(clock: Clock, fitted: Client, aws: Any) -> None:
    first = fitted.get(ROWS).body
    assert fitted.fit(0, {"n_clusters": 3}).status == 200
    assert fitted.get(ROWS).body != first
    assert counted() == lie_there(aws)
    clock.pass_by(config.PRESIGNED_SECONDS + leftovers.MARGIN_SECONDS)
    assert sweep()["removed"] == 1
    assert counted() == lie_there(aws)
    assert len(made()) == 2  # of the new model, and the distances that its rows are held against
    assert fitted.get(ROWS).status == 200


def test_of_a_model_that_is_replaced_meanwhile_nothing_is_kept(slow: Client, aws: Any) -> None:
    slow.get(ROWS)
    with meanwhile(aws.s3(), "PutObject", lambda: slow.fit(0, {"n_clusters": 3}), call=2):
        assert work_off() == 0
    assert [key for key in keys("models/") if "/made/rows" in key] == []
    assert counted() == lie_there(aws)


def test_of_a_job_that_is_deleted_while_a_request_makes_it_nothing_is_kept(
    fitted: Client, aws: Any
) -> None:
    gone: list[Answer] = []

    def delete() -> None:
        gone.append(fitted.call("DELETE", "/kmeans/jobs/0"))

    with meanwhile(aws.s3(), "PutObject", delete):
        assert fitted.get(ROWS).status == 410
    assert [answer.status for answer in gone] == [204]
    assert (counted(), lie_there(aws), made()) == (0, 0, [])


def test_of_a_job_that_is_deleted_meanwhile_nothing_is_kept(slow: Client, aws: Any) -> None:
    slow.get(ROWS)
    with meanwhile(aws.s3(), "PutObject", lambda: slow.call("DELETE", "/kmeans/jobs/0"), call=2):
        assert work_off() == 0
    assert keys("models/") == []
    assert (counted(), slow.get(ROWS).status) == (0, 410)


def test_of_two_who_ask_at_once_both_are_answered_and_one_object_stays(
    fitted: Client, aws: Any
) -> None:
    bodies = []
    with meanwhile(aws.dynamodb(), "TransactWriteItems", lambda: bodies.append(fitted.get(ROWS))):
        bodies.append(fitted.get(ROWS))
    assert [answer.status for answer in bodies] == [200, 200]
    assert bodies[0].body == bodies[1].body
    assert len(keys("models/")) == len({key.rpartition("/")[0] for key in keys("models/")}) + 2
    assert counted() == lie_there(aws)


def test_a_job_without_a_model_has_nothing_to_make_it_of(client: Client) -> None:
    assert client.get(ROWS).status == 404
    client.upload()
    assert client.get(ROWS).status == client.get("/kmeans/jobs/0/labels").status == 409
    client.fit(0, **ASYNC)
    assert client.get(ROWS).status == 409
    assert item()["status"] == "QUEUED"
