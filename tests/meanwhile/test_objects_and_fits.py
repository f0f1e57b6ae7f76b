"""Objects, predictions and fits while something else happens."""

from collections.abc import Callable
from typing import Any

from harness.api import ASYNC, Client, csv
from harness.meanwhile import answered, raising, status_of
from harness.presigned import predict
from harness.system import OWNER, deliver, item, keys, looked_after, meanwhile, take_messages
from kmeans_service import config

PARTLY = b"""<?xml version="1.0" encoding="UTF-8"?>
<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Error><Key>models/x</Key>
<Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>
</DeleteResult>"""


def test_objects_that_s3_could_not_delete_are_not_forgotten(client: Client, aws: Any) -> None:
    """S3 answers 200 to a batch of which it deleted a part."""
    client.upload()
    client.fit(0)
    struck = answered(aws.s3(), "DeleteObjects", PARTLY, 200)
    assert status_of("DELETE", "/kmeans/jobs/0") == 500
    assert len(struck) == 1
    assert client.get("/kmeans/jobs/0").status == 410
    assert item()["status"] == "DELETING"
    assert keys() != []
    assert looked_after() == {"queued": 0, "deleted": 1}
    assert (item()["status"], keys()) == ("DELETED", [])


def test_an_object_is_deleted_with_all_its_versions_and_its_neighbours_stay(
    client: Client, aws: Any
) -> None:
    client.upload()
    key = item()["input"]["key"]
    bucket = config.settings().data_bucket
    for body in (b"another version", b"and another"):
        aws.s3().put_object(Bucket=bucket, Key=key, Body=body)
    aws.s3().delete_object(Bucket=bucket, Key=key)  # which leaves a marker
    aws.s3().put_object(Bucket=bucket, Key=f"{key}.neighbour", Body=b"of somebody else")
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert keys() == [f"{key}.neighbour"]


def test_the_objects_of_job_1_are_not_those_of_job_10(client: Client, aws: Any) -> None:
    client.upload()
    client.upload(csv(1))
    bucket = config.settings().data_bucket
    neighbour = f"models/{OWNER}/10/fit/1/centers.npy"
    aws.s3().put_object(Bucket=bucket, Key=neighbour, Body=b"of job 10")
    assert client.call("DELETE", "/kmeans/jobs/1").status == 204
    assert neighbour in keys()


def test_points_whose_job_is_deleted_at_the_last_moment_leave_no_result(
    client: Client, aws: Any
) -> None:
    client.upload()
    client.fit(0)
    path, arrived = predict(client, b"0, 0\n12, 3\n")
    delete: Callable[[], Any] = lambda: client.call("DELETE", "/kmeans/jobs/0")  # noqa: E731
    with meanwhile(aws.s3(), "PutObject", delete):
        assert deliver(arrived) == 0
    assert client.get(path).status == 410
    assert keys() == []


def test_a_prediction_that_stopped_for_another_reason_than_a_crash_is_tried_at_once(
    client: Client, aws: Any
) -> None:
    client.upload()
    client.fit(0)
    path, arrived = predict(client, b"0, 0\n12, 3\n")
    with meanwhile(aws.s3(), "PutObject", raising(RuntimeError("for the test"))):
        assert deliver(arrived) == 1
    assert client.get(path).status == 202
    assert deliver(arrived) == 0
    assert client.get(path).status == 303


def test_a_fit_asked_for_while_another_is_being_asked_for_is_refused_in_clear_words(
    client: Client, aws: Any
) -> None:
    client.upload()
    other: Callable[[], Any] = lambda: client.fit(0, {"n_clusters": 3}, **ASYNC)  # noqa: E731
    with meanwhile(aws.dynamodb(), "UpdateItem", other):
        answer = client.fit(0, {"n_clusters": 2})
    assert answer.status == 409
    assert "Another fit" in answer.json()["detail"]
    assert item()["fit_id"] is not None
    assert len(take_messages()) == 1


def test_a_fit_of_a_job_that_is_deleted_meanwhile_is_410(client: Client, aws: Any) -> None:
    client.upload()
    delete: Callable[[], Any] = lambda: client.call("DELETE", "/kmeans/jobs/0")  # noqa: E731
    with meanwhile(aws.dynamodb(), "UpdateItem", delete):
        assert client.fit(0).status == 410
    assert (item()["status"], keys()) == ("DELETED", [])
