"""Records that somebody has changed or cut: seen as what they are, and in nobody's way."""

from typing import Any

import pytest

from harness.api import ASYNC, Client
from harness.system import (
    item,
    items,
    job,
    keys,
    let_leases_run_out,
    overwrite,
    sweep,
    take_messages,
)
from kmeans_service import config
from kmeans_service.line import waiting
from kmeans_service.table.values import marshal

DAMAGE: dict[str, dict[str, Any]] = {
    "an unknown status": {"status": "LOST"},
    "parameters that are no JSON": {"params": "{"},
    "a file that is none": {"input": "a.csv"},
    "a file without its digest": {"input": {"key": "inputs/tester/x.csv"}},
    "a time that is none": {"due_at": "soon"},
    "another owner": {"owner": "other"},
    "another id": {"job_id": 7},
    "a model that is none": {"model": {"fit_id": "x"}},
    "an error that is no text": {"error": 1},
}


@pytest.fixture
def three(client: Client) -> Client:
    """Jobs 0, 1 and 2, all queued."""
    for number in range(3):
        client.upload(f"1\n2\n{number}\n".encode(), f"{number}.csv")
        client.fit(number, **ASYNC)
    take_messages()
    return client


def damage(aws: Any, job_id: int, values: dict[str, Any]) -> None:
    """The index takes no `due_at` that is a text: such a record leaves it."""
    found = item(job_id)
    if isinstance(values.get("due_at"), str):
        found.pop("gsi1pk")
    aws.dynamodb().put_item(TableName=config.settings().jobs_table, Item=marshal(found | values))


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_record_is_shown_as_one_and_can_be_deleted(
    three: Client, aws: Any, name: str
) -> None:
    damage(aws, 1, DAMAGE[name])
    jobs = three.get("/kmeans/jobs").json()["jobs"]
    assert [(job["job_id"], job["status"]) for job in jobs] == [
        (2, "QUEUED"),
        (1, "DAMAGED"),
        (0, "QUEUED"),
    ]
    assert jobs[1]["links"] == {"self": "/kmeans/jobs/1"}
    answer = three.get("/kmeans/jobs/1")
    assert (answer.status, answer.json()["type"]) == (
        410,
        "urn:kmeans-service:problem:model-damaged",
    )
    assert jobs[1]["error"]["detail"] == answer.json()["detail"]
    assert three.call("DELETE", "/kmeans/jobs/1").status == 204
    assert [job["job_id"] for job in three.get("/kmeans/jobs").json()["jobs"]] == [2, 0]
    assert item(1)["status"] == "DELETED"
    assert three.upload(b"1\n2\n").json()["job_id"] == 3


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_record_stops_no_sweep(three: Client, aws: Any, name: str) -> None:
    assert three.get("/kmeans/jobs/0").status == 200
    for number in (1, 2):  # as of a version that knew no lines
        waiting.done(waiting.fit_of(job(number)))
    let_leases_run_out()
    damage(aws, 0, DAMAGE[name])
    assert sweep()["queued"] == 2


def test_a_damaged_record_without_its_day_of_expiry_is_not_hidden(three: Client, aws: Any) -> None:
    found = item(1)
    found.pop("expires_at")
    aws.dynamodb().put_item(TableName=config.settings().jobs_table, Item=marshal(found))
    assert [job["job_id"] for job in three.get("/kmeans/jobs").json()["jobs"]] == [2, 1, 0]
    assert three.get("/kmeans/jobs/1").status == 200


def test_the_deletion_of_a_damaged_record_that_stopped_half_way_is_finished(
    three: Client, aws: Any
) -> None:
    overwrite(item(1), lease_until=10**10)
    three.call("DELETE", "/kmeans/jobs/1")
    damage(aws, 1, {"params": "{", "lease_until": 1})
    assert sweep()["deleted"] == 1
    assert item(1)["status"] == "DELETED"
    assert len(keys("inputs/")) == 2


def test_room_taken_by_a_damaged_job_is_had_back(
    three: Client, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(aws, 1, {"input": {"key": "inputs/tester/x.csv", "size": "6"}})
    three.call("DELETE", "/kmeans/jobs/1")
    [counters] = items(prefix="META")
    assert counters["jobs"] == 2
    monkeypatch.setenv("MAX_STORED_BYTES", "20")
    config.limits.cache_clear()
    assert three.upload(b"11\n22\n").status == 200
    config.limits.cache_clear()
