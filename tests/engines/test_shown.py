"""Labels and rows that a run makes, seen by who waits for them: as the job of a fit is."""

from typing import Any

import pytest

from harness.api import Client
from harness.elsewhere import Elsewhere, Work, finishes, over_files, put
from harness.presigned import predict
from harness.run_faults import fails
from harness.system import deliver, take_messages, work_off
from kmeans_service import config

POINTS = b"0, 0\n12, 3\n" * 300
SAID = {"stage": "CHECKING", "started_at": "2026-11-28T10:00:00+00:00", "percent": 20, "cents": 3}


def asked_for_labels(client: Client) -> str:
    path, arrived = predict(client, POINTS, engine="spark")
    deliver(arrived)
    return path


def asked_for_rows(client: Client) -> str:
    path = "/kmeans/jobs/0/rows"
    assert client.get(path).status == 202
    work_off()
    take_messages()
    return path


@pytest.fixture(params=[asked_for_labels, asked_for_rows], ids=["labels", "rows"])
def path(
    request: pytest.FixtureRequest,
    client: Client,
    running: Elsewhere,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """What a run is making, of a job that a run has fitted."""
    finishes(client, running)
    monkeypatch.setattr(config, "MADE_AT_ONCE_SECONDS", 0.0)
    asked: str = request.param(client)
    return asked


def view(client: Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status == 202
    return answer.json()


def ends_after(spark: Elsewhere, seconds: float, work: Work) -> None:
    spark.let_run()
    [run] = spark.runs.in_states(["RUNNING"])
    run.started -= seconds
    assert deliver(spark.do(work)) == 0


def test_how_far_the_run_is_and_what_it_has_cost_is_shown(
    client: Client, running: Elsewhere, path: str
) -> None:
    waits = view(client, path)
    assert (waits["attempt"], waits["progress"]) == (1, {"stage": "WAITING"})
    assert "spent" not in waits
    put(running.let_run().prefix, "progress.json", SAID)
    assert view(client, path)["progress"] == SAID


@pytest.mark.parametrize("said", [b"", b"[]", b'{"percent": 3}', b'{"stage": 7, "rows": 5}'])
def test_what_cannot_be_believed_of_it_is_not_shown(
    client: Client, running: Elsewhere, path: str, said: bytes
) -> None:
    put(running.let_run().prefix, "progress.json", said)
    assert view(client, path)["progress"] == {"stage": "WAITING"}


def test_what_the_runs_before_have_used_is_shown_while_another_one_goes_on(
    client: Client, running: Elsewhere, path: str
) -> None:
    put(running.let_run().prefix, "progress.json", SAID)
    ends_after(running, 1800, fails)
    shown = view(client, path)
    assert (shown["attempt"], shown["progress"]) == (2, {"stage": "WAITING"})
    assert shown["spent"]["vcpu_hours"] == pytest.approx(1, abs=0.01)  # of two processors
    assert shown["spent"]["cents"] == pytest.approx(5.2624 + 4 * 0.57785, abs=0.1)
    assert deliver(running.do(over_files)) == 0
    assert client.get(path).status in (200, 303)


def test_what_failed_tells_what_was_spent_on_it(
    client: Client, running: Elsewhere, path: str
) -> None:
    for _ in range(3):
        ends_after(running, 1800, fails)
    refused = client.get(path)
    assert refused.status == 422
    assert refused.json()["spent"]["vcpu_hours"] == pytest.approx(3, abs=0.01)


def test_what_a_run_itself_says_is_shown(client: Client, running: Elsewhere, path: str) -> None:
    """Its last stage, in the seconds until it is known to be over."""
    over_files(running.let_run().prefix)
    progress = view(client, path)["progress"]
    assert (progress["stage"], progress["percent"]) == ("STORING", 95)
    assert progress.keys() == {"stage", "started_at", "percent", "rows", "cents"}


def test_the_engine_is_named_where_it_was_asked_for(client: Client, running: Elsewhere) -> None:
    finishes(client, running)
    assert view(client, asked_for_labels(client))["engine"] == "spark"
    by_itself, _ = predict(client, POINTS)
    assert view(client, by_itself) == {
        "prediction_id": by_itself.rpartition("/")[2],
        "job_id": 0,
        "status": "PENDING",
    }
