"""Quotas and transactions that meet."""

import json
from typing import Any

import pytest

from harness.api import FORM_TYPE, MODEL_CSV, Client, csv, form
from harness.limits import Set, held
from harness.meanwhile import answered, status_of
from harness.presigned import post, reserve
from harness.system import deliver, item, items, keys, meanwhile
from kmeans_service.owners import quota

CONFLICT = json.dumps(
    {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message": "Transaction cancelled",
        "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}],
    }
).encode()


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
