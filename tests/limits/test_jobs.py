"""How many jobs an owner may have."""

import random
from functools import partial
from typing import Any

import pytest

from harness.api import FORM_TYPE, MODEL_CSV, Client, csv, form
from harness.limits import Set, held, refused
from harness.presigned import post, reserve
from harness.system import (
    OWNER,
    deliver,
    drop,
    item,
    items,
    job,
    keys,
    let_leases_run_out,
    overwrite,
    sweep,
)
from harness.timing import at_once
from kmeans_service import config
from kmeans_service.owners import quota
from kmeans_service.table.keys import meta_key


def test_one_job_too_many_is_refused_and_says_how_to_make_room(client: Client, limit: Set) -> None:
    limit(jobs=2)
    assert [client.upload(csv(n)).status for n in (0, 1)] == [200, 200]
    problem = refused(client.upload(csv(2)), 422, "too-many-jobs", "DELETE /kmeans/jobs/{job_id}")
    assert (problem["jobs"], problem["max_jobs"]) == (2, 2)
    parts = form(("file", "f.csv", MODEL_CSV))
    assert client.call("POST", "/kmeans/fit_predict", parts, FORM_TYPE).status == 422
    assert client.post_json("/kmeans/uploads", {"filename": "f.csv"}).status == 422
    assert len(keys()) == 2
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert client.upload(csv(2)).json()["job_id"] == 2


def test_the_same_upload_again_is_its_job_also_at_the_limit(client: Client, limit: Set) -> None:
    limit(jobs=1, stored_bytes=len(MODEL_CSV))
    assert client.upload().json()["job_id"] == 0
    assert client.upload().json()["job_id"] == 0
    assert client.upload(filename="other.csv").status == 422
    event = drop("incoming/tester/model.csv", MODEL_CSV)
    assert deliver(event) == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"
    assert held() == (1, job().stored_bytes)


def test_of_20_uploads_at_once_one_takes_the_last_place(client: Client, limit: Set) -> None:
    limit(jobs=4)
    for number in range(3):
        client.upload(csv(number))
    answers = at_once([partial(client.upload, csv(n), f"{n}.csv") for n in range(20)])
    assert sorted(answer.status for answer in answers) == [200] + [422] * 19
    assert held() == (4, 4 * len(csv(0)) + (len(items()[3]["filename"]) - 5))
    assert len(keys()) == 4


@pytest.mark.thorough
def test_32_times_the_same_upload_at_once_is_one_job_also_in_the_last_place(
    client: Client, limit: Set
) -> None:
    limit(jobs=1)
    answers = at_once([partial(client.upload)] * 32)
    assert {(answer.status, answer.json().get("job_id")) for answer in answers} == {(200, 0)}


def test_owners_do_not_count_for_each_other(client: Client, limit: Set) -> None:
    limit(jobs=1)
    other = Client(client._route, owner="other")
    assert [client.upload().status, other.upload().status] == [200, 200]
    assert other.upload(csv(1)).status == 422


def test_a_job_that_is_deleted_many_times_at_once_is_counted_out_once(client: Client) -> None:
    client.upload(csv(0))
    client.upload(csv(1))
    answers = at_once([partial(client.call, "DELETE", "/kmeans/jobs/0")] * 8)
    assert sorted(answer.status for answer in answers) == [204] + [410] * 7
    assert held() == (1, len(csv(1)))
    let_leases_run_out()
    sweep()
    assert held() == (1, len(csv(1)))


def expire(job_id: int) -> None:
    """Time passes, for this job and what is known of it."""
    overwrite(item(job_id), expires_at=1)
    overwrite(items(prefix="META")[0], exact_until=1)


def test_what_has_expired_makes_room(client: Client, limit: Set) -> None:
    limit(jobs=2)
    client.upload(csv(0))
    client.upload(csv(1))
    assert client.upload(csv(2)).status == 422
    expire(0)
    assert client.upload(csv(2)).json()["job_id"] == 2
    assert held() == (2, len(csv(1)) + len(csv(2)))
    assert client.upload(csv(3)).status == 422


def test_a_full_quota_is_counted_anew_only_if_something_may_have_expired(
    client: Client, limit: Set, aws: Any
) -> None:
    limit(jobs=1)
    client.upload()
    asked: list[str] = []
    aws.dynamodb().meta.events.register("before-call", lambda model, **_: asked.append(model.name))
    assert client.upload(csv(1)).status == 422
    assert "Query" not in asked
    overwrite(items(prefix="META")[0], exact_until=1)
    asked.clear()
    assert client.upload(csv(1)).status == 422
    assert asked.count("Query") == 4  # jobs, predictions, what was made, what was replaced
    asked.clear()
    assert client.upload(csv(1)).status == 422
    assert "Query" not in asked


def test_jobs_from_before_there_were_counters_are_counted_first(client: Client, aws: Any) -> None:
    for number in range(3):
        client.upload(csv(number))

    def forget() -> None:
        aws.dynamodb().update_item(
            TableName=config.settings().jobs_table,
            Key=meta_key(OWNER),
            UpdateExpression="REMOVE jobs, stored_bytes, exact_until",
        )

    forget()
    client.upload(csv(3))
    assert held() == (4, 4 * len(csv(0)))
    forget()
    client.call("DELETE", "/kmeans/jobs/0")
    assert held() == (3, 3 * len(csv(0)))


@pytest.mark.thorough
def test_the_counters_follow_the_jobs_through_whatever_happens(client: Client) -> None:
    chance = random.Random(0)
    for step in range(60):
        match chance.choice(["upload", "again", "reserve", "arrive", "drop", "delete", "fit"]):
            case "upload" | "fit":
                client.upload(csv(step))
            case "again":
                client.upload(csv(0))
            case "reserve":
                reserve(client)
            case "arrive":
                content = chance.choice([csv(step), b"%PDF-1.7\n"])
                arrived = post(reserve(client), content)
                deliver(arrived, arrived)
            case "drop":
                content = chance.choice([csv(step), b"%PDF-1.7\n"])
                event = drop(f"incoming/tester/{step}.csv", content)
                deliver(event, event)
            case "delete":
                client.call("DELETE", f"/kmeans/jobs/{chance.randrange(step + 1)}")
    live = [found for found in items() if found["status"] not in ("DELETING", "DELETED")]
    assert len(live) > 10
    assert held() == (len(live), sum(job(found["job_id"]).stored_bytes for found in live))
    assert quota.read(OWNER).exact_until == min(found["expires_at"] for found in items())
    listed = client.get("/kmeans/jobs?limit=100").json()["jobs"]
    files = sum(view.get("size", 0) for view in listed)
    models = sum(job(view["job_id"]).published.stored_bytes for view in listed if "scores" in view)
    assert held() == (len(listed), files + models)
