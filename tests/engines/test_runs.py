"""A fit that runs elsewhere: started by the worker, looked at now and then, published as any."""

import json

import pytest

from harness.api import ASYNC, Client
from harness.elsewhere import CSV, ROLE, Elsewhere, ask
from harness.fake_aws.environment import BUCKET
from harness.limits import Set, with_worker_memory
from harness.system import (
    deliver,
    item,
    items,
    keys,
    overwrite,
    sweep,
    take_messages,
    work_off,
)
from kmeans_service import aws, config
from kmeans_service.runs import application
from worker.app import CLOSING_SECONDS

ARN = f"arn:aws:s3:::{BUCKET}/"


def test_the_worker_starts_a_run_and_its_end_publishes_what_it_found(
    client: Client, running: Elsewhere
) -> None:
    assert running.states() == ["SUBMITTED"]
    assert deliver(running.do()) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["engine"], view["scores"]["method"]) == (
        *("SUCCEEDED", "spark", "spark"),
    )
    assert client.get("/kmeans/jobs/0/labels").labels() == [1, 1, 1, 0, 0, 0]
    assert client.predict(b"0, 0\n12, 3").labels() == [1, 0]
    assert "run" not in item()


def test_its_labels_are_those_of_a_fit_here(client: Client, running: Elsewhere) -> None:
    deliver(running.do())
    labels, centers = (client.get(f"/kmeans/jobs/0/{name}").body for name in ("labels", "centers"))
    assert client.fit(0).status == 200
    assert client.get("/kmeans/jobs/0/labels").body == labels
    assert client.get("/kmeans/jobs/0/centers").body == centers


def test_it_is_told_what_to_do_and_may_do_nothing_else(running: Elsewhere) -> None:
    asked = running.let_run().asked
    prefix = running.started[0].prefix
    document = json.loads(
        aws.s3().get_object(Bucket=BUCKET, Key=f"{prefix}run.json")["Body"].read()
    )
    given = item()["input"]
    assert document["input"]["parts"] == [
        {"key": given["key"], "version_id": None, "size": len(CSV), "etag": "", "crc64nvme": None}
    ]
    assert (document["prefix"], document["fit_id"]) == (prefix, item()["fit_id"])
    assert document["recipe"]["engine"] == "spark"
    assert asked["executionRoleArn"] == ROLE
    read, find, write, _ = json.loads(asked["executionIamPolicy"]["policy"])["Statement"]
    assert read["Resource"] == [f"{ARN}{given['key']}", f"{ARN}engine/*"]
    assert write["Resource"] == f"{ARN}{prefix}*"
    assert (find["Action"], find["Resource"]) == ("s3:ListBucket", ARN.rstrip("/"))
    assert find["Condition"] == {"StringLike": {"s3:prefix": "engine/*"}}
    # 500 cents, of 16 processors with 4 GB of memory and 20 of disk each, at 2.08 a minute.
    assert asked["executionTimeoutMinutes"] == 240


def test_its_code_lies_in_the_bucket_once_under_its_digest(running: Elsewhere) -> None:
    submit = running.let_run().asked["jobDriver"]["sparkSubmit"]
    stored = [f"s3://{BUCKET}/{key}" for key in keys("engine/")]
    assert submit["entryPoint"] in stored
    assert len(stored) == 2
    [archive] = set(stored) - {submit["entryPoint"]}
    assert submit["sparkSubmitParameters"] == f"--conf a=1 --conf archives={archive}#engine"


def test_its_owner_sees_how_far_it_is_while_it_goes_on(client: Client, running: Elsewhere) -> None:
    assert client.get("/kmeans/jobs/0").json()["progress"] == {"stage": "WAITING"}
    prefix = running.let_run().prefix
    said = {"stage": "FITTING", "percent": 40, "iteration": 3, "max_iter": 300, "rows": 6, "x": []}
    aws.s3().put_object(Bucket=BUCKET, Key=f"{prefix}progress.json", Body=json.dumps(said).encode())
    del said["x"]
    assert client.get("/kmeans/jobs/0").json()["progress"] == said
    let_it_be_looked_at()
    assert item()["progress"] == said


def let_it_be_looked_at() -> None:
    """Its time has come; whoever holds it goes on holding it."""
    for found in items():
        overwrite(found, due_at=1)
    sweep()
    assert work_off() == 0


def test_without_an_event_the_sweeper_has_it_looked_at(client: Client, running: Elsewhere) -> None:
    let_it_be_looked_at()
    assert item()["status"] == "RUNNING"
    running.do()
    let_it_be_looked_at()
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"


def test_an_event_that_comes_twice_or_late_changes_nothing(running: Elsewhere) -> None:
    event = running.do()
    assert deliver(event, event) == 0
    before = item()
    assert deliver(event) == 0
    assert item() == before


def test_what_the_run_used_is_told_in_hours_and_cents(client: Client, running: Elsewhere) -> None:
    running.let_run()
    [run] = running.runs.in_states(["RUNNING"])
    run.started -= 1800
    deliver(running.do())
    spent = client.get("/kmeans/jobs/0").json()["spent"]
    assert spent["vcpu_hours"] == pytest.approx(1, abs=0.01)  # of two processors, half an hour
    assert spent["cents"] == pytest.approx(5.2624 + 4 * 0.57785, abs=0.1)


def test_a_refusal_is_the_one_that_any_fit_has(client: Client, spark: Elsewhere) -> None:
    client.upload(CSV)
    ask(client)
    work_off()
    problem = {
        "type": "urn:kmeans-service:problem:invalid-csv",
        "title": "The file cannot be read",
        "status": 422,
        "detail": 'line 7, column 2: "x" is not a number',
        "line": 7,
        "column": 2,
    }

    def refuse(prefix: str) -> int:
        body = json.dumps({"status": "refused", "problem": problem}).encode()
        aws.s3().put_object(Bucket=BUCKET, Key=f"{prefix}result.json", Body=body)
        return 0

    assert deliver(spark.do(refuse)) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["error"]) == ("FAILED", problem)


def test_what_the_worker_has_no_room_for_goes_there_by_itself(
    client: Client, spark: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload(CSV)
    with_worker_memory(monkeypatch, 1)
    monkeypatch.setattr(config, "SCRATCH_BYTES", 1)
    assert client.fit(0, **ASYNC).status == 202
    assert work_off() == 0
    assert spark.states() == ["SUBMITTED"]
    deliver(spark.do())
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], "engine" in view) == ("SUCCEEDED", False)


def test_what_the_worker_has_not_the_time_for_goes_there_by_itself(
    client: Client, spark: Elsewhere
) -> None:
    client.upload(CSV)
    assert client.fit(0, **ASYNC).status == 202
    assert deliver(*take_messages(), seconds=CLOSING_SECONDS) == 0
    assert (item()["status"], item()["attempt"]) == ("QUEUED", 0)
    assert work_off() == 0
    assert deliver(spark.do()) == 0
    assert client.get("/kmeans/jobs/0").json()["scores"]["method"] == "spark"
    assert client.fit(0, {"n_clusters": 3}).status == 200
    assert "is_long" not in item()


def test_what_it_cannot_do_is_refused(client: Client, spark: Elsewhere) -> None:
    client.upload(CSV)
    answer = ask(client, model_params={"algorithm": "swap"}, align_to=0)
    assert (answer.status, answer.json()["field"]) == (422, "engine")
    assert spark.states() == []


def test_a_fit_costs_no_more_than_it_may_over_all_of_its_runs(
    client: Client, spark: Elsewhere, limit: Set
) -> None:
    limit(run_cents=3)
    client.upload(CSV)
    ask(client)
    work_off()
    assert spark.let_run().asked["executionTimeoutMinutes"] == 1
    [run] = spark.runs.in_states(["RUNNING"])
    run.started -= 3600
    deliver(spark.do(lambda _prefix: 1))
    view = client.get("/kmeans/jobs/0").json()
    assert view["status"] == "FAILED"
    assert "at most 3 are spent on one fit" in view["error"]["detail"]
    assert view["spent"]["vcpu_hours"] == pytest.approx(2, abs=0.01)
    assert len(spark.states()) == 1


def test_a_name_leads_back_to_the_job_and_others_to_none() -> None:
    assert application.read_name("o/7/abc/2") == ("o", 7, "abc", 2)
    for name in ("", "nightly", "a/b/c/d", "o/7/abc", "o/7/abc/2/3"):
        assert application.read_name(name) is None
