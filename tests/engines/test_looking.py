"""A run is looked at: what its state means, what it says, what it has used, and whose it is."""

import json
import time
from dataclasses import replace
from typing import Any

import boto3
import pytest

from harness.api import ASYNC, Client
from harness.elsewhere import CSV, Elsewhere, ask, changing, finishes, fitted, put, stored
from harness.limits import with_worker_memory
from harness.system import deliver, item, items, job, overwrite, sweep, work_off
from kmeans_service import aws, config
from kmeans_service.fitting.engines.choice import ENGINES
from kmeans_service.lifecycle.job import Spent
from kmeans_service.runs import application, order, orders
from kmeans_service.runs.application import State
from kmeans_service.stored_object import StoredObject

# Of a job that has ended, which nothing happens to any more.
ENDS = {"SUCCESS", "FAILED", "CANCELLED"}


def test_a_run_is_over_in_just_those_states_of_awss_that_are_ends() -> None:
    """Whoever takes one for over that is not starts another beside it, or removes its files."""
    model = boto3.client("emr-serverless", region_name="eu-central-1").meta.service_model
    states = set(model.shape_for("JobRunState").enum)
    assert states > ENDS
    assert {state for state in states if State(state, "", Spent()).is_over} == ENDS


def test_runs_that_have_ended_are_none_that_nobody_waits_for(
    client: Client, running: Elsewhere
) -> None:
    finishes(client, running)
    assert sweep()["cancelled"] == 0


def test_to_cancel_a_run_that_has_just_ended_is_no_error(
    client: Client, running: Elsewhere
) -> None:
    finishes(client, running)
    [run] = running.runs.in_states(())
    application.cancel(run.run_id)
    application.cancel("00forgotten")
    assert running.states() == ["SUCCESS"]


def test_the_run_of_a_job_whose_item_cannot_be_read_goes_on(running: Elsewhere) -> None:
    """Nobody knows that it is not wanted."""
    overwrite(items()[0], input="a.csv", due_at=int(time.time()) + 900)
    assert sweep()["cancelled"] == 0
    assert running.states() == ["SUBMITTED"]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"", {"stage": "WAITING"}),
        (b"[]", {"stage": "WAITING"}),
        (b'{"percent": 3}', {"stage": "WAITING"}),
        (b'{"stage": "FITTING", "percent": true, "rows": 1.5}', {"stage": "FITTING"}),
        (b'{"stage": "FITTING", "started_at": 5, "x": "y"}', {"stage": "FITTING"}),
        (b'{"stage": "FITTING", "x": "' + b"y" * 20_000 + b'"}', {"stage": "WAITING"}),
    ],
)
def test_what_a_run_says_is_shown_as_far_as_it_can_be_believed(
    client: Client, running: Elsewhere, said: bytes, shown: Any
) -> None:
    put(running.let_run().prefix, "progress.json", said)
    assert client.get("/kmeans/jobs/0").json()["progress"] == shown


def test_a_run_has_its_time_to_wait_and_all_the_minutes_that_it_was_given(
    running: Elsewhere,
) -> None:
    minutes = running.let_run().asked["executionTimeoutMinutes"]
    most = config.RUN_WAITS_SECONDS + 60 * minutes
    assert most - 60 <= item()["run"]["until"] - time.time() <= most


def test_what_the_runs_of_a_fit_have_used_is_added_up(client: Client, running: Elsewhere) -> None:
    for work in (lambda _prefix: 1, fitted):
        running.let_run()
        [run] = running.runs.in_states(["RUNNING"])
        run.started -= 1800
        deliver(running.do(work))
    spent = client.get("/kmeans/jobs/0").json()["spent"]
    assert spent["vcpu_hours"] == pytest.approx(2, abs=0.01)


def test_what_is_billed_is_what_is_counted_once_it_is_known(
    spark: Elsewhere,  # noqa: ARG001 (there is an application)
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used = {"vCPUHour": 1.0, "memoryGBHour": 4.0, "storageGBHour": 20.0}
    billed = {"vCPUHour": 2.0, "memoryGBHour": 8.0, "storageGBHour": 0.5}
    run = {"state": "SUCCESS", "totalResourceUtilization": used}
    monkeypatch.setattr(aws.spark(), "get_job_run", lambda **_: {"jobRun": run})
    found = application.state_of("1")
    assert found is not None
    assert found.used == Spent(3600, 14_400, 72_000)
    run["billedResourceUtilization"] = billed
    found = application.state_of("1")
    assert found is not None
    assert found.used == Spent(7200, 28_800, 1800)


def test_every_attempt_computes_with_the_same_seed(client: Client, spark: Elsewhere) -> None:
    client.upload(CSV)
    assert ask(client, model_params={"random_state": None}).status == 202
    work_off()
    deliver(spark.do(lambda _prefix: 1))
    spark.let_run()
    first, second = (
        json.loads(stored(step.prefix, "run.json"))["recipe"] for step in spark.started
    )
    assert first == second
    assert isinstance(first["random_state"], int)


def test_a_run_reads_the_version_that_was_uploaded_and_the_only_one_that_was_made_of_it(
    running: Elsewhere,  # noqa: ARG001
) -> None:
    given = replace(job().checked_input, version_id="v1")
    [file] = orders.files_of(given)
    assert (file.key, file.version_id) == (given.key, "v1")
    made = StoredObject("inputs/tester/made.csv", "0" * 64, 7)
    [file] = orders.files_of(replace(given, converted=made))
    assert (file.key, file.version_id, file.size) == (made.key, None, 7)


def test_a_file_called_like_a_pattern_gives_no_right_to_others(running: Elsewhere) -> None:  # noqa: ARG001
    assert order._arn("inputs/a*?$/1").endswith("/inputs/a${*}${?}${$}/1")


def with_other_scores(prefix: str) -> int:
    fitted(prefix)
    result = json.loads(stored(prefix, "result.json"))
    scores = result["model"]["scores"] | {"inertia": 1.0}
    return changing(model=result["model"] | {"scores": scores})(prefix)


def test_scores_that_are_not_the_models_are_not_published(
    client: Client, running: Elsewhere
) -> None:
    assert deliver(running.do(with_other_scores)) == 0
    assert "model" not in item()
    finishes(client, running)


def test_what_there_is_memory_but_no_disk_for_goes_there_too(
    client: Client, spark: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload(CSV)
    assert client.fit(0).status == 200
    given, recipe = job().input, job().recipe
    assert given is not None
    assert recipe is not None
    inside, beside = (engine.estimate(given, recipe) for engine in ENGINES)
    if beside.memory >= inside.memory:  # as of a file so small
        monkeypatch.setattr(type(ENGINES[0]), "estimate", lambda *_: type(inside)(10**15, 0))
    with_worker_memory(monkeypatch, beside.memory)
    monkeypatch.setattr(config, "SCRATCH_BYTES", beside.scratch - 1)
    assert client.fit(0, {"n_clusters": 3}, **ASYNC).status == 202
    assert work_off() == 0
    assert spark.states() == ["SUBMITTED"]
