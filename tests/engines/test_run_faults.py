"""A run elsewhere goes wrong: nothing wrong is published, nothing runs on for nobody, and another
attempt finishes.
"""

import json
from typing import Any

import pytest

from harness.api import Client
from harness.elsewhere import CSV, Elsewhere, ask, finishes, put
from harness.run_faults import dying_with_the_answer, fails, hooked, throttled
from harness.system import (
    deliver,
    item,
    items,
    job,
    keys,
    let_all_be_ready,
    let_leases_run_out,
    overwrite,
    sweep,
    take_messages,
    work_off,
)
from kmeans_service import config
from kmeans_service.lifecycle import fits
from local.spark.endpoint import Refused


def test_a_run_that_is_killed_is_followed_by_another(client: Client, running: Elsewhere) -> None:
    assert deliver(running.do(fails)) == 0
    assert (item()["status"], item()["attempt"], item()["fence"]) == ("RUNNING", 2, 2)
    assert len(running.states()) == 2
    finishes(client, running)


def test_the_third_one_that_is_killed_fails_the_job_with_the_reason(
    client: Client, running: Elsewhere
) -> None:
    for _ in range(3):
        assert deliver(running.do(fails)) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert view["status"] == "FAILED"
    assert "crashed 3 times; the last time, its run ended FAILED" in view["error"]["detail"]
    assert running.states() == ["FAILED"] * 3
    assert not {"run", "due_at", "lease_until"} & item().keys()


def test_an_answer_that_was_lost_leaves_a_run_that_the_sweep_ends(
    client: Client, spark: Elsewhere
) -> None:
    """The worker died with it: what it had started is in the application's list alone."""
    client.upload(CSV)
    assert ask(client).status == 202

    with dying_with_the_answer():
        work_off()
    assert spark.states() == ["SUBMITTED"]
    assert "run" not in item()
    take_messages()
    let_leases_run_out()
    assert sweep()["cancelled"] == 0  # the job still is in the hands of this fence
    assert work_off() == 0
    assert sweep()["cancelled"] == 1
    assert spark.states() == ["CANCELLED", "SUBMITTED"]
    finishes(client, spark)


def test_an_answer_that_was_lost_on_its_way_is_asked_for_again_and_is_one_run(
    client: Client, spark: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, lost = spark.runs.start, []

    def lose(asked: Any) -> Any:
        run = start(asked)
        if not lost:
            lost.append(run)
            raise Refused(500, "InternalServerException", "try again")
        return run

    monkeypatch.setattr(spark.runs, "start", lose)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    client.upload(CSV)
    assert ask(client).status == 202
    assert work_off() == 0
    assert spark.states() == ["SUBMITTED"]
    finishes(client, spark)


def test_an_application_that_takes_no_run_now_is_asked_again_and_no_attempt_is_spent(
    client: Client, spark: Elsewhere
) -> None:
    with throttled(spark, "start"):
        client.upload(CSV)
        assert ask(client).status == 202
        assert deliver(*take_messages()) == 0
    assert (item()["status"], item()["attempt"]) == ("QUEUED", 0)
    let_all_be_ready()
    sweep()
    assert work_off() == 0
    finishes(client, spark)


def test_one_that_refuses_the_run_for_good_fails_the_job_and_says_why(
    client: Client, spark: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_asked: Any) -> Any:
        raise Refused(400, "ValidationException", "no such role")

    monkeypatch.setattr(spark.runs, "start", refuse)
    client.upload(CSV)
    assert ask(client).status == 202
    assert work_off() == 0
    view = client.get("/kmeans/jobs/0").json()
    assert view["status"] == "FAILED"
    assert "its run could not be started (ValidationException)" in view["error"]["detail"]


def test_a_run_whose_fence_is_lost_is_ended(client: Client, running: Elsewhere) -> None:
    let_leases_run_out()
    fits.claim(job())
    assert sweep()["cancelled"] == 1
    assert running.states() == ["CANCELLED"]
    let_leases_run_out()
    sweep()
    assert work_off() == 0
    finishes(client, running)


def test_whoever_claims_a_job_ends_the_run_before(client: Client, running: Elsewhere) -> None:
    let_leases_run_out()
    fits.claim(job())
    let_leases_run_out()
    assert deliver(json.dumps({"owner": "tester", "job_id": 0, "fit_id": item()["fit_id"]})) == 0
    assert running.states() == ["CANCELLED", "SUBMITTED"]
    finishes(client, running)


def test_a_lease_that_nobody_renewed_is_renewed_by_whoever_looks(
    client: Client, running: Elsewhere
) -> None:
    """The run is as good as it was, however long nobody has looked."""
    let_leases_run_out()
    sweep()
    assert work_off() == 0
    assert running.states() == ["SUBMITTED"]
    assert item()["fence"] == 1
    finishes(client, running)


def test_the_run_of_a_deleted_job_is_ended_and_what_it_wrote_is_removed(
    client: Client, running: Elsewhere
) -> None:
    prefix = running.let_run().prefix
    put(prefix, "progress.json", {"stage": "FITTING"})
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert running.states() == ["CANCELLED"]
    assert running.started[0].killed
    assert item()["status"] == "DELETING"
    assert keys(prefix)
    sweep()
    assert item()["status"] == "DELETED"
    assert keys("models/") == []
    assert deliver(*running.events) == 0


def test_a_run_that_cannot_be_ended_when_its_job_is_deleted_is_ended_by_the_sweep(
    client: Client, running: Elsewhere
) -> None:
    with throttled(running, "cancel"):
        assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert (running.states(), item()["status"]) == (["SUBMITTED"], "DELETING")
    assert client.get("/kmeans/jobs/0").status == 410
    sweep()
    sweep()
    assert (running.states(), item()["status"]) == (["CANCELLED"], "DELETED")


def test_a_job_that_is_deleted_while_its_run_starts_has_none(
    client: Client, spark: Elsewhere
) -> None:
    client.upload(CSV)
    assert ask(client).status == 202

    def delete(**_: Any) -> None:
        assert client.call("DELETE", "/kmeans/jobs/0").status == 204

    with hooked("after-call", delete):
        assert work_off() == 0
    assert spark.states() == ["CANCELLED"]


def test_a_run_that_never_begins_is_ended_in_the_end(client: Client, running: Elsewhere) -> None:
    overwrite(items()[0], due_at=1, run=item()["run"] | {"until": 1})
    sweep()
    assert work_off() == 0
    assert running.states() == ["CANCELLED", "SUBMITTED"]
    assert item()["attempt"] == 2
    finishes(client, running)


def test_a_run_that_nobody_knows_any_more_is_followed_by_another(
    client: Client, running: Elsewhere
) -> None:
    overwrite(items()[0], due_at=1, run=item()["run"] | {"run_id": "00forgotten"})
    sweep()
    assert work_off() == 0
    assert item()["attempt"] == 2
    assert sweep()["cancelled"] == 1
    finishes(client, running)


def test_a_run_that_its_job_never_noted_is_cancelled_though_the_job_is_gone(
    client: Client, spark: Elsewhere
) -> None:
    client.upload(CSV)
    assert ask(client).status == 202

    with dying_with_the_answer():
        work_off()
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert spark.states() == ["SUBMITTED"]
    assert sweep()["cancelled"] == 1
    assert spark.states() == ["CANCELLED"]


def test_runs_that_are_not_ours_are_left_alone(spark: Elsewhere) -> None:
    spark.runs.start(
        {"clientToken": "x", "name": "nightly", "executionRoleArn": "", "jobDriver": {}}
    )
    assert sweep()["cancelled"] == 0
    assert spark.states() == ["SUBMITTED"]


def test_a_fit_whose_engine_was_taken_out_of_the_deployment_fails_and_says_so(
    client: Client, running: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPARK_APPLICATION")
    config.distributed.cache_clear()
    assert deliver(running.do()) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert view["status"] == "FAILED"
    assert "no engine for work beyond one function (any more)" in view["error"]["detail"]
    again = client.post_json("/kmeans/fit", {"job_id": 0})
    assert again.labels() == [1, 1, 1, 0, 0, 0]
