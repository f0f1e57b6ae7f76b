"""Uploads at once, again, half-way and after the end of their job."""

from functools import partial
from typing import Any

import pytest

from harness.api import MODEL_CSV, Client, csv
from harness.faults import Died
from harness.system import item, items, keys, overwrite
from harness.timing import at_once
from kmeans_service import config
from kmeans_service.lifecycle import creation
from kmeans_service.owners import quota
from kmeans_service.owners.quota import Holdings
from kmeans_service.storage import DataBucket
from kmeans_service.table import writes


@pytest.mark.thorough
def test_64_different_uploads_at_once_get_the_ids_from_0_to_63(client: Client) -> None:
    answers = at_once([partial(client.upload, csv(n), f"{n}.csv") for n in range(64)])
    assert {answer.status for answer in answers} == {200}
    assert sorted(answer.json()["job_id"] for answer in answers) == list(range(64))
    for number, answer in enumerate(answers):
        path = f"/kmeans/jobs/{answer.json()['job_id']}/input"
        assert client.get(path).body == csv(number)
    assert sorted(keys()) == sorted(job["input"]["key"] for job in items())


def test_32_times_the_same_upload_at_once_is_one_job_with_one_object(client: Client) -> None:
    answers = at_once([partial(client.upload)] * 32)
    assert {(answer.status, answer.json()["job_id"]) for answer in answers} == {(200, 0)}
    assert keys() == [item(0)["input"]["key"]]
    assert len(items()) == 1


def test_the_same_bytes_under_another_name_are_a_new_job(client: Client) -> None:
    assert client.upload(filename="a.csv").json()["job_id"] == 0
    assert client.upload(filename="b.csv").json()["job_id"] == 1


def test_the_same_name_with_other_bytes_is_a_new_job_and_the_old_one_keeps_its_own(
    client: Client,
) -> None:
    client.upload(csv(1))
    assert client.upload(csv(2)).json()["job_id"] == 1
    assert [client.get(f"/kmeans/jobs/{n}/input").body for n in (0, 1)] == [csv(1), csv(2)]


def test_two_owners_count_from_0_each_and_never_meet(client: Client) -> None:
    other = Client(client._route, owner="other")
    assert client.upload().json()["job_id"] == 0
    assert other.get("/kmeans/jobs/0").status == 404
    assert other.upload().json()["job_id"] == 0
    other.call("DELETE", "/kmeans/jobs/0")
    assert client.get("/kmeans/jobs/0/input").body == MODEL_CSV


def test_an_upload_that_dies_after_storing_its_object_leaves_no_job_and_can_be_sent_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(creation, "create", die)
        with pytest.raises(Died):
            client.upload()
    assert items() == []
    assert client.get("/kmeans/jobs/0").status == 404
    assert client.upload().json()["job_id"] == 0


def test_what_a_deleted_job_was_made_from_can_be_uploaded_again_as_a_new_job(
    client: Client,
) -> None:
    client.upload()
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert keys() == []
    assert client.upload().json()["job_id"] == 1
    assert client.get("/kmeans/jobs/0").status == 410
    assert client.get("/kmeans/jobs/1/input").body == MODEL_CSV


def test_deleting_a_job_spares_the_object_of_the_same_upload_made_again_meanwhile(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second upload comes when the job is marked and its objects are about to go."""
    client.upload()
    remove = DataBucket.delete

    def upload_first(bucket: DataBucket, key: str, version_id: str | None = None) -> None:
        monkeypatch.setattr(DataBucket, "delete", remove)
        assert client.upload().json()["job_id"] == 1
        bucket.delete(key, version_id)

    monkeypatch.setattr(DataBucket, "delete", upload_first)
    client.call("DELETE", "/kmeans/jobs/0")
    assert client.get("/kmeans/jobs/1/input").body == MODEL_CSV
    assert client.upload().json()["job_id"] == 1


def test_an_expired_job_is_gone_at_once_and_its_upload_makes_a_new_one(client: Client) -> None:
    client.upload()
    for found in (*items(), *items(prefix="UP#")):
        overwrite(found, expires_at=1)
    assert client.get("/kmeans/jobs/0").status == 410
    assert client.fit(0).status == 410
    assert client.get("/kmeans/jobs").json()["jobs"] == []
    assert client.upload().json()["job_id"] == 1
    assert client.upload().json()["job_id"] == 1


def test_a_job_that_dynamodb_has_removed_stays_gone(client: Client, aws: Any) -> None:
    client.upload()
    found = items()[0]
    key = {"pk": {"S": found["pk"]}, "sk": {"S": found["sk"]}}
    aws.dynamodb().delete_item(TableName=config.settings().jobs_table, Key=key)
    assert client.get("/kmeans/jobs/0").status == 410
    assert client.get("/kmeans/jobs/1").status == 404


def test_an_id_is_not_given_twice_though_its_job_was_removed_and_the_count_was_read_before(
    client: Client, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    for found in (*items(), *items(prefix="UP#")):
        key = {"pk": {"S": found["pk"]}, "sk": {"S": found["sk"]}}
        aws.dynamodb().delete_item(TableName=config.settings().jobs_table, Key=key)
    now = quota.read("tester")
    counted = iter([Holdings(), now])
    monkeypatch.setattr(quota, "read", lambda _owner: next(counted))
    assert client.upload().json()["job_id"] == 1


def test_an_upload_whose_id_is_taken_over_and_over_is_told_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes, "TRIES", 2)
    monkeypatch.setattr(creation, "_create", lambda *_: False)
    answer = client.upload()
    assert answer.status == 503
    assert "Retry-After" in answer.headers
