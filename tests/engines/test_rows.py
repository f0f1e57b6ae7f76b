"""Rows with their clusters, made elsewhere: of what a run fitted, and what is too long."""

import json
from typing import Any

import pytest

from harness.api import Client
from harness.elsewhere import (
    CSV,
    Elsewhere,
    finishes,
    look,
    nobody_looks_for_it_any_more,
    over_files,
    put,
)
from harness.fake_aws.environment import BUCKET
from harness.limits import Set
from harness.run_faults import dying_with_the_answer, fails, throttled
from harness.system import (
    deliver,
    item,
    items,
    job,
    keys,
    let_leases_run_out,
    manifest,
    overwrite,
    sweep,
    take_messages,
    waiting,
    work_off,
)
from kmeans_service import aws, config
from kmeans_service.explaining import rows

ARN = f"arn:aws:s3:::{BUCKET}/"
PATH = "/kmeans/jobs/0/rows?outlier_quantile=0.9"


@pytest.fixture
def fitted(client: Client, running: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> Client:
    """By a run; what is asked for takes too long for a request."""
    finishes(client, running)
    monkeypatch.setattr(config, "MADE_AT_ONCE_SECONDS", 0.0)
    return client


@pytest.fixture
def asked(fitted: Client) -> Client:
    """The rows are being made in a run."""
    assert fitted.get(PATH).status == 202
    assert work_off() == 0
    take_messages()
    return fitted


def found() -> dict[str, Any]:
    [only] = [each for each in items(prefix="E#") if "#rows-" in each["sk"]]
    return only


def let_it_be_anybodys() -> None:
    let_leases_run_out()
    overwrite(found(), lease_until=1)


def is_made(client: Client) -> bool:
    answer = client.get(PATH)
    if answer.status == 202:
        return False
    of_the_worker = rows.make(job(), rows.asked(job(), {"outlier_quantile": "0.9"}), lambda: None)
    assert answer.body == b"".join(of_the_worker)
    assert answer.body.count(b"\n") == CSV.count(b"\n")
    return True


def are_made(client: Client, spark: Elsewhere) -> None:
    """The last run ends well, all others have ended, and nobody looks for it any more."""
    assert deliver(spark.do(over_files)) == 0
    assert is_made(client)
    nobody_looks_for_it_any_more(spark)


def test_rows_of_what_a_run_fitted_are_made_by_a_run_and_are_the_workers(
    asked: Client, running: Elsewhere
) -> None:
    before = items(prefix="META")[0]["stored_bytes"]
    are_made(asked, running)
    stored = found()["result"]
    assert not {"run", "work"} & found().keys()
    both = [each["result"]["size"] for each in items(prefix="E#")]
    assert items(prefix="META")[0]["stored_bytes"] - before == sum(both)
    assert stored["key"].startswith(f"{manifest().key.rpartition('/')[0]}/made/rows-")


def test_it_is_told_what_to_do_and_may_do_nothing_else(asked: Client, running: Elsewhere) -> None:
    step = running.let_run()
    body = aws.s3().get_object(Bucket=BUCKET, Key=f"{step.prefix}run.json")["Body"].read()
    document, name = json.loads(body), found()["sk"].rpartition("#")[2]
    assert document["rows"] == {"outlier_quantile": "0.9", "names": ["", ""]}
    assert document["manifest"]["key"] == manifest().key
    given = item()["input"]
    assert [part["key"] for part in document["input"]["parts"]] == [given["key"]]
    assert step.asked["name"] == f"tester/0/E1-{name}/1"
    read, _, write, _ = json.loads(step.asked["executionIamPolicy"]["policy"])["Statement"]
    assert read["Resource"] == [f"{ARN}{key}" for key in (given["key"], manifest().key, "engine/*")]
    assert write["Resource"] == f"{ARN}{step.prefix}*"
    assert step.prefix == f"{manifest().key.rpartition('/')[0]}/made/{name}/1/"
    are_made(asked, running)


def test_an_event_that_comes_twice_late_or_never_changes_nothing(
    asked: Client, running: Elsewhere
) -> None:
    look()
    assert asked.get(PATH).status == 202
    event = running.do(over_files)
    look()
    assert is_made(asked)
    before = found()
    assert deliver(event, event) == 0
    assert found() == before
    assert waiting() == []


def test_a_run_that_is_killed_is_followed_by_another_and_the_third_fails_it(
    asked: Client, running: Elsewhere
) -> None:
    for _ in range(3):
        assert deliver(running.do(fails)) == 0
    answer = asked.get(PATH)
    assert answer.status == 422
    assert "crashed 3 times; the last time, its run ended FAILED" in answer.json()["detail"]
    overwrite(found(), again_at=1)
    assert asked.get(PATH).status == 202
    assert work_off() == 0
    are_made(asked, running)


def test_what_a_run_stored_wrongly_is_never_shown(asked: Client, running: Elsewhere) -> None:
    def elsewhere(prefix: str) -> int:
        stored = {"key": manifest().key, "sha256": "0" * 64, "size": manifest().size}
        put(prefix, "result.json", {"status": "made", "result": stored})
        return 0

    assert deliver(running.do(elsewhere)) == 0
    assert asked.get(PATH).status == 202
    are_made(asked, running)


def test_an_answer_that_was_lost_leaves_a_run_that_the_sweep_ends(
    fitted: Client, running: Elsewhere
) -> None:
    assert fitted.get(PATH).status == 202

    with dying_with_the_answer():
        work_off()
    let_it_be_anybodys()
    assert sweep()["cancelled"] == 0
    look()
    assert sweep()["cancelled"] == 1
    assert running.states() == ["SUCCESS", "CANCELLED", "SUBMITTED"]
    are_made(fitted, running)


def test_an_application_that_takes_no_run_now_is_asked_again_and_no_attempt_is_spent(
    fitted: Client, running: Elsewhere
) -> None:
    assert fitted.get(PATH).status == 202
    with throttled(running, "start"):
        assert deliver(*take_messages()) == 0
    assert found()["attempt"] == 0
    look()
    are_made(fitted, running)


def test_the_runs_of_a_deleted_job_are_ended_and_what_they_wrote_is_removed(
    asked: Client, running: Elsewhere
) -> None:
    put(running.let_run().prefix, "progress.json", {"stage": "MEASURING"})
    assert asked.call("DELETE", "/kmeans/jobs/0").status == 204
    assert running.states() == ["SUCCESS", "CANCELLED"]
    assert item()["status"] == "DELETING"
    sweep()
    assert item()["status"] == "DELETED"
    assert keys("models/") == []
    look()
    assert waiting() == []


def test_of_a_model_that_is_replaced_nobody_waits_for_rows(
    asked: Client, running: Elsewhere
) -> None:
    assert asked.fit(0, {"n_clusters": 3}).status == 200
    assert sweep()["cancelled"] == 1
    assert running.states() == ["SUCCESS", "CANCELLED"]
    look()
    assert waiting() == []


def run_out_of_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker has been at the rows of a job of its own, and has not finished."""
    client.upload(CSV)
    assert client.fit(0).status == 200
    monkeypatch.setattr(config, "MADE_AT_ONCE_SECONDS", 0.0)
    assert client.get(PATH).status == 202
    assert deliver(*take_messages(), seconds=-1) == 0


def test_what_the_worker_has_not_the_time_for_goes_to_a_run(
    client: Client, spark: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_out_of_time(client, monkeypatch)
    assert (found()["attempt"], found()["is_long"]) == (0, True)
    assert spark.states() == []
    look()
    assert spark.states() == ["SUBMITTED"]
    are_made(client, spark)


def test_without_an_engine_what_is_too_long_fails_as_ever(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_out_of_time(client, monkeypatch)
    answer = client.get(PATH)
    assert answer.status == 422
    assert "DistributedEngine=emr-serverless" in answer.json()["detail"]


def test_they_cost_no_more_than_they_may_over_all_of_their_runs(
    asked: Client, running: Elsewhere, limit: Set
) -> None:
    limit(run_cents=3)
    running.let_run()
    [run] = running.runs.in_states(["RUNNING"])
    run.started -= 3600
    assert deliver(running.do(fails)) == 0
    answer = asked.get(PATH)
    assert "at most 3 are spent on one answer" in answer.json()["detail"]
