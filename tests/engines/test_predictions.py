"""Large predictions that run elsewhere: begun, looked at, published and ended as fits there are."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from harness.api import Client
from harness.elsewhere import Elsewhere, look, nobody_looks_for_it_any_more, over_files, put
from harness.fake_aws.environment import BUCKET
from harness.limits import Set
from harness.presigned import follow, labels, predict
from harness.run_faults import dying_with_the_answer, fails, hooked, throttled
from harness.system import (
    deliver,
    item,
    items,
    keys,
    let_leases_run_out,
    manifest,
    overwrite,
    sweep,
    take_messages,
    waiting,
)
from kmeans_service import aws, config
from kmeans_service.lifecycle import large_predictions, results
from kmeans_service.models.predictor import Predictor

POINTS = b"0, 0\n12, 3\n" * 300
ARN = f"arn:aws:s3:::{BUCKET}/"


@pytest.fixture
def fitted(client: Client, spark: Elsewhere) -> Client:  # noqa: ARG001 (there is an engine)
    client.upload()
    client.fit(0)
    take_messages()
    return client


@pytest.fixture
def path(fitted: Client) -> str:
    """Of a prediction that goes on in a run."""
    path, arrived = predict(fitted, POINTS, engine="spark")
    assert deliver(arrived) == 0
    take_messages()
    assert fitted.get(path).status == 202
    return path


def found() -> dict[str, Any]:
    [only] = items(prefix="P#")
    return only


def prefix() -> str:
    name, fence = found()["sk"].rpartition("#")[2], found()["fence"]
    return f"results/tester/0/{name}/{fence}/"


def let_it_be_anybodys() -> None:
    let_leases_run_out()
    overwrite(found(), lease_until=1)


def is_labelled(client: Client, path: str) -> bool:
    answer = client.get(path)
    if answer.status == 202:
        return False
    by_the_worker, arrived = predict(client, POINTS)
    assert deliver(arrived) == 0
    assert follow(answer) == follow(client.get(by_the_worker))
    return True


def finishes(client: Client, spark: Elsewhere, path: str) -> None:
    """The last run ends well, all others have ended, and nobody looks for it any more."""
    assert deliver(spark.do(over_files)) == 0
    assert is_labelled(client, path)
    nobody_looks_for_it_any_more(spark)
    assert keys("pending/") == []


def test_the_labels_that_a_run_has_written_are_those_of_the_worker(
    fitted: Client, spark: Elsewhere, path: str
) -> None:
    before = items(prefix="META")[0]["stored_bytes"]
    finishes(fitted, spark, path)
    first, second = items(prefix="P#")
    assert first["result"]["sha256"] == second["result"]["sha256"]
    assert not {"run", "work"} & found_first(path).keys()
    after = items(prefix="META")[0]["stored_bytes"]
    assert after - before == 2 * first["result"]["size"]


def found_first(path: str) -> dict[str, Any]:
    name = path.rpartition("-")[2]
    [only] = [each for each in items(prefix="P#") if each["sk"].endswith(name)]
    return only


def test_it_is_told_what_to_do_and_may_do_nothing_else(spark: Elsewhere, path: str) -> None:
    asked = spark.let_run().asked
    assert spark.started[0].prefix == prefix()
    document = json.loads(
        aws.s3().get_object(Bucket=BUCKET, Key=f"{prefix()}run.json")["Body"].read()
    )
    name = path.rpartition("-")[2]
    points = f"pending/tester/0/predictions/{name}.csv"
    [part] = document["input"]["parts"]
    assert (part["key"], part["size"]) == (points, len(POINTS))
    assert part["version_id"] == json.loads(found()["work"])["version_id"]
    assert document["manifest"]["key"] == manifest().key
    assert asked["name"] == f"tester/0/P{name}/1"
    read, find, write, _ = json.loads(asked["executionIamPolicy"]["policy"])["Statement"]
    assert read["Resource"] == [f"{ARN}{points}", f"{ARN}{manifest().key}", f"{ARN}engine/*"]
    assert write["Resource"] == f"{ARN}{prefix()}*"
    assert find["Resource"] == ARN.rstrip("/")


def test_without_an_event_it_is_looked_at_every_minute(
    fitted: Client, spark: Elsewhere, path: str
) -> None:
    assert [name for _, name in waiting()] != []
    for _ in range(2):
        look()
        assert fitted.get(path).status == 202
    spark.do(over_files)
    look()
    assert is_labelled(fitted, path)


@pytest.mark.usefixtures("path")
def test_an_event_that_comes_twice_or_late_changes_nothing(spark: Elsewhere) -> None:
    event = spark.do(over_files)
    assert deliver(event, event) == 0
    before = found()
    assert deliver(event) == 0
    assert found() == before
    look()
    assert waiting() == []


def test_a_run_that_is_killed_is_followed_by_another(
    fitted: Client, spark: Elsewhere, path: str
) -> None:
    assert deliver(spark.do(fails)) == 0
    assert (found()["attempt"], found()["fence"]) == (2, 2)
    finishes(fitted, spark, path)
    assert spark.states() == ["FAILED", "SUCCESS"]


def test_the_third_one_that_is_killed_fails_it_with_the_reason(
    fitted: Client, spark: Elsewhere, path: str
) -> None:
    for _ in range(3):
        assert deliver(spark.do(fails)) == 0
    answer = fitted.get(path)
    assert answer.status == 422
    assert "crashed 3 times; the last time, its run ended FAILED" in answer.json()["detail"]
    assert spark.states() == ["FAILED"] * 3
    assert "run" not in found()
    look()
    assert waiting() == []


def damage_nothing(_prefix: str) -> int:
    """The run says that it has ended well, and has written nothing."""
    return 0


def damage(**stored: Any) -> Callable[[str], int]:
    def do(prefix: str) -> int:
        over_files(prefix)
        body = aws.s3().get_object(Bucket=BUCKET, Key=f"{prefix}result.json")["Body"].read()
        result = json.loads(body)
        put(prefix, "result.json", result | {"result": result["result"] | stored})
        return 0

    return do


def saying(result: Any) -> Callable[[str], int]:
    def do(prefix: str) -> int:
        put(prefix, "result.json", result)
        return 0

    return do


@pytest.mark.parametrize(
    "work",
    [
        damage_nothing,
        damage(key="models/tester/0/labels.csv"),
        damage(size=3),
        damage(sha256="0"),
        saying(b"{"),
        saying({"status": "fitted", "model": {}}),
    ],
)
def test_what_a_run_stored_wrongly_is_never_shown(
    fitted: Client, spark: Elsewhere, path: str, work: Callable[[str], int]
) -> None:
    assert deliver(spark.do(work)) == 0
    assert fitted.get(path).status == 202
    assert found()["fence"] == 2
    finishes(fitted, spark, path)


def test_a_refusal_is_the_workers(fitted: Client, spark: Elsewhere) -> None:
    bad = b"1, 2\n" * 300 + b"1, x\n"
    by_run, arrived = predict(fitted, bad, engine="spark")
    assert deliver(arrived) == 0
    assert deliver(spark.do(over_files)) == 0
    by_worker, arrived = predict(fitted, bad)
    assert deliver(arrived) == 0
    first, second = fitted.get(by_run), fitted.get(by_worker)
    assert (first.status, first.json()["error"]) == (422, second.json()["error"])
    assert "line 301" in first.json()["detail"]


def test_an_answer_that_was_lost_leaves_a_run_that_the_sweep_ends(
    fitted: Client, spark: Elsewhere
) -> None:
    path, arrived = predict(fitted, POINTS, engine="spark")

    with dying_with_the_answer():
        deliver(arrived)
    assert spark.states() == ["SUBMITTED"]
    assert "run" not in found()
    let_it_be_anybodys()
    assert sweep()["cancelled"] == 0  # it still is in the hands of this fence
    look()
    assert sweep()["cancelled"] == 1
    assert spark.states() == ["CANCELLED", "SUBMITTED"]
    finishes(fitted, spark, path)


def test_an_application_that_takes_no_run_now_is_asked_again_and_no_attempt_is_spent(
    fitted: Client, spark: Elsewhere
) -> None:
    path, arrived = predict(fitted, POINTS, engine="spark")
    with throttled(spark, "start"):
        assert deliver(arrived) == 0
    assert found()["attempt"] == 0
    look()
    finishes(fitted, spark, path)


def test_a_run_whose_fence_is_lost_is_ended(fitted: Client, spark: Elsewhere, path: str) -> None:
    let_it_be_anybodys()
    name = path.rpartition("/")[2]
    assert results.claim(large_predictions.find("tester", name))
    assert sweep()["cancelled"] == 1
    let_it_be_anybodys()
    look()
    assert spark.states() == ["CANCELLED", "SUBMITTED"]
    finishes(fitted, spark, path)


@pytest.mark.usefixtures("path")
def test_nobody_begins_it_anew_for_an_hour_from_every_look(spark: Elsewhere) -> None:
    overwrite(found(), lease_until=int(time.time()) + 5)
    begun = int(time.time())
    look()
    assert begun + 3_600 <= found()["lease_until"] <= time.time() + 3_600
    assert spark.states() == ["SUBMITTED"]


def test_a_lease_that_nobody_renewed_is_renewed_by_whoever_looks(
    fitted: Client, spark: Elsewhere, path: str
) -> None:
    let_it_be_anybodys()
    overwrite(found(), give_up_at=2**40)
    look()
    assert spark.states() == ["SUBMITTED"]
    assert found()["fence"] == 1
    finishes(fitted, spark, path)


def test_a_run_outlives_the_day_after_which_points_that_nobody_works_off_are_given_up(
    fitted: Client, spark: Elsewhere, path: str
) -> None:
    overwrite(found(), give_up_at=1)
    assert fitted.get(path).status == 202
    finishes(fitted, spark, path)


def test_a_run_that_never_begins_is_ended_in_the_end(
    fitted: Client, spark: Elsewhere, path: str
) -> None:
    overwrite(found(), run=found()["run"] | {"until": 1})
    look()
    assert spark.states() == ["CANCELLED", "SUBMITTED"]
    assert found()["attempt"] == 2
    finishes(fitted, spark, path)


def test_the_runs_of_a_deleted_job_are_ended_and_what_they_wrote_is_removed(
    fitted: Client, spark: Elsewhere, path: str
) -> None:
    at = prefix()
    spark.let_run()
    put(at, "progress.json", {"stage": "LABELLING"})
    assert fitted.call("DELETE", "/kmeans/jobs/0").status == 204
    assert spark.states() == ["CANCELLED"]
    assert spark.started[0].killed
    assert item()["status"] == "DELETING"
    sweep()
    assert item()["status"] == "DELETED"
    assert keys("results/") == keys("pending/") == []
    assert items(prefix="P#") == []
    look()
    assert waiting() == []
    assert fitted.get(path).status == 410


def test_a_run_that_cannot_be_ended_when_its_job_is_deleted_is_ended_by_the_sweep(
    fitted: Client, spark: Elsewhere, path: str
) -> None:
    with throttled(spark, "cancel"):
        assert fitted.call("DELETE", "/kmeans/jobs/0").status == 204
    assert (spark.states(), item()["status"]) == (["SUBMITTED"], "DELETING")
    sweep()
    sweep()
    assert (spark.states(), item()["status"]) == (["CANCELLED"], "DELETED")
    assert fitted.get(path).status == 410


def test_a_job_that_is_deleted_while_its_run_starts_has_none(
    fitted: Client, spark: Elsewhere
) -> None:
    _, arrived = predict(fitted, POINTS, engine="spark")

    def delete(**_: Any) -> None:
        assert fitted.call("DELETE", "/kmeans/jobs/0").status == 204

    with hooked("after-call", delete):
        assert deliver(arrived) == 0
    assert spark.states() == ["CANCELLED"]
    assert keys("results/") == []


def test_a_refit_meanwhile_leaves_the_run_to_the_model_that_it_was_begun_with(
    fitted: Client, spark: Elsewhere, path: str
) -> None:
    expected = fitted.predict(POINTS).labels()
    assert fitted.fit(0, {"n_clusters": 3}).status == 200
    assert deliver(spark.do(over_files)) == 0
    assert labels(follow(fitted.get(path))) == expected


def test_what_the_worker_has_not_the_time_for_goes_to_a_run(
    fitted: Client, spark: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, arrived = predict(fitted, POINTS)
    assert deliver(arrived, seconds=-1) == 0
    assert (found()["attempt"], found()["is_long"]) == (0, True)
    assert spark.states() == []
    monkeypatch.setattr(Predictor, "predict", None)
    look()
    assert spark.states() == ["SUBMITTED"]
    monkeypatch.undo()
    spark.let_run()


def test_without_an_engine_it_is_refused_with_its_size_and_how_to_have_one(
    client: Client,
) -> None:
    client.upload()
    client.fit(0)
    path, arrived = predict(client, POINTS)
    assert deliver(arrived, seconds=-1) == 0
    detail = client.get(path).json()["detail"]
    assert "3,300 bytes" in detail
    assert "DistributedEngine=emr-serverless" in detail
    refused = client.post_json("/kmeans/predictions", {"job_id": 0, "engine": "spark"})
    assert (refused.status, refused.json()["field"]) == (422, "engine")
    assert "DistributedEngine=emr-serverless" in refused.json()["detail"]


def test_many_clusters_of_a_large_file_are_a_runs_by_their_estimate(
    fitted: Client, spark: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """600 points, 2 clusters, 2 columns: 2,400 multiplications."""
    monkeypatch.setattr(config, "WORKER_SECONDS", 1e-9)
    _, arrived = predict(fitted, POINTS)
    assert deliver(arrived) == 0
    assert spark.states() == ["SUBMITTED"]
    take_messages()
    monkeypatch.undo()


@pytest.mark.parametrize("asked", ["gpu", 1, None])
def test_another_engine_is_refused_with_those_that_there_are(fitted: Client, asked: Any) -> None:
    answer = fitted.post_json("/kmeans/predictions", {"job_id": 0, "engine": asked})
    assert (answer.status, answer.json()["field"]) == (422, "engine")
    assert '"auto" or "spark"' in answer.json()["detail"]


def test_rows_are_not_a_runs_and_that_is_said(fitted: Client) -> None:
    asked = {"job_id": 0, "engine": "spark", "answer": "rows"}
    answer = fitted.post_json("/kmeans/predictions", asked)
    assert (answer.status, answer.json()["field"]) == (422, "engine")


def test_what_is_no_text_is_not_a_runs_and_that_is_said(fitted: Client, spark: Elsewhere) -> None:
    path, arrived = predict(fitted, b'{"a": 1, "b": 2}\n' * 9, engine="spark")
    assert deliver(arrived) == 0
    assert spark.states() == []
    assert "leave it out" in fitted.get(path).json()["detail"]


def test_a_prediction_costs_no_more_than_it_may_over_all_of_its_runs(
    fitted: Client, spark: Elsewhere, limit: Set
) -> None:
    limit(run_cents=3)
    path, arrived = predict(fitted, POINTS, engine="spark")
    assert deliver(arrived) == 0
    assert spark.let_run().asked["executionTimeoutMinutes"] == 1
    [run] = spark.runs.in_states(["RUNNING"])
    run.started -= 3600
    assert deliver(spark.do(fails)) == 0
    answer = fitted.get(path)
    assert answer.status == 422
    assert "at most 3 are spent on one prediction" in answer.json()["detail"]
    assert len(spark.states()) == 1


def test_one_whose_engine_was_taken_out_of_the_deployment_fails_and_says_so(
    fitted: Client, spark: Elsewhere, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = spark.do(over_files)
    monkeypatch.delenv("SPARK_APPLICATION")
    config.distributed.cache_clear()
    assert deliver(event) == 0
    assert "no engine for work beyond one function (any more)" in fitted.get(path).json()["detail"]
