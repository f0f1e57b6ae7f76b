"""What others do between a read and the write that it led to: nothing is lost or doubled."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from harness import contract, faults
from harness.api import ASYNC, FORM_TYPE, MODEL_CSV, Client, Context, csv, event, form
from harness.faults import Died
from harness.limits import Set, held
from harness.presigned import post, predict, reserve
from harness.system import (
    OWNER,
    deliver,
    drop,
    item,
    items,
    keys,
    looked_after,
    meanwhile,
    take_messages,
)
from kmeans_service import config
from kmeans_service.owners import quota


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def answered(client: Any, operation: str, body: bytes, status: int, times: int = 1) -> list[str]:
    """Let AWS answer this to the next calls of an operation; the calls that it answered."""
    struck: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        if len(struck) == times:
            return None
        struck.append(request.url)
        return AWSResponse(request.url, status, {}, faults._Body(body))

    client.meta.events.register(f"before-send.*.{operation}", answer)
    return struck


def status_of(method: str, path: str, *more: Any) -> int:
    """Of an answer that may be our fault, which openapi.yaml does not have."""
    status: int = contract.handler_of(path)(event(method, path, *more), Context())["statusCode"]
    return status


CONFLICT = json.dumps(
    {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message": "Transaction cancelled",
        "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}],
    }
).encode()


# --- a file and its job -----------------------------------------------------------------


def test_a_file_that_arrives_while_its_job_is_being_deleted_is_deleted_with_it(
    client: Client, aws: Any
) -> None:
    arrived = post(reserve(client), MODEL_CSV)
    with meanwhile(aws.dynamodb(), "TransactWriteItems", lambda: deliver(arrived)):
        assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert item()["status"] == "DELETED"
    assert keys() == []
    assert held() == (0, 0)


def test_a_bad_file_does_not_fail_a_job_that_a_good_one_reached_first(
    client: Client, aws: Any
) -> None:
    """Two files for one form, handled by two workers at once."""
    key = reserve(client)["fields"]["key"]
    bad, good = drop(key, b"no\nnumbers\n"), drop(key, MODEL_CSV)
    with meanwhile(aws.dynamodb(), "UpdateItem", lambda: deliver(good), 3):
        assert deliver(bad) == 0
    assert item()["status"] == "UPLOADED"
    assert client.get("/kmeans/jobs/0/input").body == MODEL_CSV
    assert keys() == [f"pending/{OWNER}/0/input.csv"]
    assert client.fit(0).status == 200


def test_of_two_good_files_for_one_form_at_once_one_is_the_jobs_and_counted(
    client: Client, aws: Any
) -> None:
    key = reserve(client)["fields"]["key"]
    first, second = drop(key, csv(1)), drop(key, MODEL_CSV)
    with meanwhile(aws.dynamodb(), "TransactWriteItems", lambda: deliver(second)):
        assert deliver(first) == 0
    assert client.get("/kmeans/jobs/0/input").body == MODEL_CSV
    assert held() == (1, len(MODEL_CSV))
    assert len(keys()) == 1


def test_a_job_that_is_fitted_meanwhile_is_not_failed_by_its_metadata(
    client: Client, aws: Any
) -> None:
    """A dropped file's parameters are wrong; its owner has asked for a good fit already."""
    dropped = drop(f"incoming/{OWNER}/a.csv", MODEL_CSV, model_params='{"n_clusters": 99}')
    with meanwhile(aws.dynamodb(), "UpdateItem", lambda: client.fit(0), 3):
        assert deliver(dropped) == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"


def test_a_job_that_is_deleted_while_its_file_is_read_stays_deleted(
    client: Client, aws: Any
) -> None:
    arrived = post(reserve(client), MODEL_CSV)
    delete: Callable[[], Any] = lambda: client.call("DELETE", "/kmeans/jobs/0")  # noqa: E731
    with meanwhile(aws.s3(), "GetObject", delete):
        assert deliver(arrived) == 0
    assert (item()["status"], keys()) == ("DELETED", [])
    assert held() == (0, 0)


# --- quotas -----------------------------------------------------------------------------


def test_of_files_that_arrive_at_once_only_those_get_in_that_there_is_room_for(
    client: Client,
    limit: Set,
    aws: Any,
) -> None:
    limit(stored_bytes=50)
    first = post(reserve(client), MODEL_CSV)
    second = post(reserve(client), MODEL_CSV)
    with meanwhile(aws.dynamodb(), "TransactWriteItems", lambda: deliver(second)):
        assert deliver(first) == 0
    assert [found["status"] for found in items()] == ["FAILED", "UPLOADED"]
    assert held() == (2, 33)


def test_an_upload_finds_the_room_gone_that_was_there_when_it_looked(
    client: Client,
    limit: Set,
    aws: Any,
) -> None:
    """A file that arrives takes bytes and no id, so the ids tell nothing of it."""
    limit(stored_bytes=66)
    arrived = post(reserve(client), MODEL_CSV)
    with meanwhile(aws.dynamodb(), "TransactWriteItems", lambda: deliver(arrived)):
        assert client.upload(csv(1)).status == 413
    assert held() == (1, 33)
    assert keys("inputs/") == []


def test_room_for_exactly_one_more_is_enough_for_a_file_that_arrives(
    client: Client,
    limit: Set,
) -> None:
    limit(stored_bytes=66)
    client.upload()
    assert deliver(post(reserve(client), MODEL_CSV)) == 0
    assert item(1)["status"] == "UPLOADED"
    assert held() == (2, 66)


def test_who_has_all_jobs_there_may_be_can_still_complete_one_of_them(
    client: Client,
    limit: Set,
) -> None:
    limit(jobs=2)
    reserved = reserve(client, model_params={"n_clusters": 3})
    client.upload()
    assert client.upload(csv(1)).status == 422
    assert deliver(post(reserved, MODEL_CSV)) == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"


def test_a_lower_limit_of_jobs_stops_no_file_that_was_promised_its_place(
    client: Client,
    limit: Set,
) -> None:
    reserved = reserve(client)
    client.upload()
    limit(jobs=1)
    assert deliver(post(reserved, MODEL_CSV)) == 0
    assert item(0)["status"] == "UPLOADED"


def test_a_new_owners_first_upload_counts_from_zero(client: Client) -> None:
    other = Client(client._route, owner="newcomer")
    assert other.upload().json()["job_id"] == 0
    assert held("newcomer") == (1, len(MODEL_CSV))
    assert quota.read("newcomer").next_id == 1


# --- transactions that meet -----------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 3])
def test_transactions_that_meet_are_made_again(client: Client, aws: Any, times: int) -> None:
    """Two writes of one item at the same moment: DynamoDB cancels one, and nothing is wrong."""
    struck = answered(aws.dynamodb(), "TransactWriteItems", CONFLICT, 400, times)
    assert client.upload().json()["job_id"] == 0
    assert len(struck) == times
    struck.clear()
    arrived = post(reserve(client), MODEL_CSV)
    assert deliver(arrived) == 0
    assert item(1)["status"] == "UPLOADED"
    struck.clear()
    assert client.call("DELETE", "/kmeans/jobs/1").status == 204
    assert len(struck) == times
    assert held() == (1, len(MODEL_CSV))


def test_a_transaction_that_fails_for_another_reason_is_our_fault_and_makes_nothing(
    client: Client, aws: Any
) -> None:
    reason = CONFLICT.replace(b"TransactionConflict", b"ValidationError")
    struck = answered(aws.dynamodb(), "TransactWriteItems", reason, 400)
    body = form(("file", "model.csv", MODEL_CSV))
    assert status_of("POST", "/kmeans/upload", body, FORM_TYPE) == 500
    assert len(struck) == 1
    assert items() == []
    assert client.upload().status == 200


# --- the bucket -----------------------------------------------------------------------------

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


# --- a file that is delivered again ----------------------------------------------------------


def test_a_dropped_file_whose_worker_died_before_its_fit_is_fitted_at_the_next_delivery(
    client: Client, aws: Any
) -> None:
    dropped = drop(f"incoming/{OWNER}/a.csv", MODEL_CSV, model_params='{"n_clusters": 3}')
    with pytest.raises(Died), meanwhile(aws.dynamodb(), "PutItem", raising(Died()), 2):
        deliver(dropped)  # the fit is asked for, but not yet noted that the file was handled
    assert item()["status"] == "QUEUED"
    assert deliver(dropped) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["model_params"]["n_clusters"]) == ("SUCCEEDED", 3)
    assert take_messages() == []


def test_an_uploaded_file_whose_worker_died_before_its_fit_is_fitted_at_the_next_delivery(
    client: Client, aws: Any
) -> None:
    arrived = post(reserve(client, model_params={"n_clusters": 3}), MODEL_CSV)
    for call in (3, 6):  # before the fit is asked for, and before it is claimed
        with pytest.raises(Died), meanwhile(aws.dynamodb(), "UpdateItem", raising(Died()), call):
            deliver(arrived)
    assert item()["status"] == "QUEUED"
    assert deliver(arrived) == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"


def test_a_dropped_file_whose_fit_was_done_is_not_fitted_again(client: Client, aws: Any) -> None:
    """Its worker died before it could note that the file was handled; a request did the fit."""
    dropped = drop(f"incoming/{OWNER}/a.csv", MODEL_CSV)
    with pytest.raises(Died), meanwhile(aws.dynamodb(), "PutItem", raising(Died()), 2):
        deliver(dropped)
    assert client.fit(0).status == 200
    assert deliver(dropped) == 0
    assert (item()["status"], item()["fence"]) == ("SUCCEEDED", 1)


# --- predictions ------------------------------------------------------------------------------


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


# --- fits ---------------------------------------------------------------------------------------


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
