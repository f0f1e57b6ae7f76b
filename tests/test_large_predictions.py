"""The end of large predictions whose worker crashes, and of those that nobody works off."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from harness.api import Client
from harness.faults import Fault, Faults, injected
from harness.presigned import follow, labels, predict
from harness.system import deliver, items, keys, let_leases_run_out, overwrite, waiting
from kmeans_service import aws, config
from kmeans_service.models.predictor import Predictor

POINTS = b"0, 0\n12, 3\n"


@pytest.fixture
def fitted(client: Client) -> Client:
    client.upload()
    client.fit(0)
    return client


def found() -> dict[str, Any]:
    [only] = items(prefix="P#")
    return only


def let_the_lease_run_out() -> None:
    let_leases_run_out()
    overwrite(found(), lease_until=1)


def deliver_to_a_worker_that_is_killed(arrived: str) -> None:
    """kill -9 in the middle of the points."""

    def work() -> None:
        aws.close_connections()
        deliver(arrived)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Predictor, "predict", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        worker = multiprocessing.get_context("fork").Process(target=work)
        worker.start()
        worker.join()
    assert worker.exitcode == -signal.SIGKILL


def test_a_prediction_goes_on_after_its_worker_was_killed(fitted: Client) -> None:
    path, arrived = predict(fitted, POINTS)
    deliver_to_a_worker_that_is_killed(arrived)
    assert fitted.get(path).status == 202
    assert keys("results/") == []
    let_the_lease_run_out()
    assert deliver(arrived) == 0
    assert sorted(labels(follow(fitted.get(path)))) == [0, 1]
    assert found()["attempt"] == 2


def test_three_killed_workers_fail_the_prediction_with_a_reason(fitted: Client) -> None:
    path, arrived = predict(fitted, POINTS)
    for _ in range(config.MAX_ATTEMPTS):
        deliver_to_a_worker_that_is_killed(arrived)
        let_the_lease_run_out()
    assert deliver(arrived, arrived) == 0
    answer = fitted.get(path)
    assert answer.status == 422
    assert "crashed 3 times" in answer.json()["detail"]
    assert keys("results/") == keys("pending/") == []


def test_a_delivery_beside_one_that_is_at_work_takes_nothing_away_and_is_put_off(
    fitted: Client,
) -> None:
    """The first time the slot is held, the second time only the prediction."""
    path, arrived = predict(fitted, POINTS)
    deliver_to_a_worker_that_is_killed(arrived)
    assert deliver(arrived) == 0
    let_leases_run_out()
    assert deliver(arrived) == 0
    assert (found()["attempt"], len(waiting())) == (1, 1)
    let_the_lease_run_out()
    assert deliver(arrived) == 0
    assert fitted.get(path).status == 303


def test_a_prediction_that_nobody_works_off_fails_after_a_day(fitted: Client) -> None:
    path, arrived = predict(fitted, POINTS)
    overwrite(found(), give_up_at=1)
    answer = fitted.get(path)
    assert answer.status == 422
    assert "send the points again" in answer.json()["detail"]
    assert deliver(arrived) == 0
    assert fitted.get(path).status == 422
    assert keys("results/") == []


@pytest.fixture
def faults(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:  # noqa: ARG001
    with injected(monkeypatch) as armed:
        yield armed


@pytest.mark.thorough
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.THROTTLED])
def test_no_call_to_aws_that_fails_once_fails_a_prediction(
    client: Client, faults: Faults, fault: Fault
) -> None:
    client.upload()
    client.fit(0)
    for target in range(1, 100):
        path, arrived = predict(client, POINTS)
        faults.arm(fault, target)
        with faults.watch():
            assert deliver(arrived) == 0
        struck = faults.struck
        faults.arm(fault, 0)
        assert client.get(path).status == 303
        if not struck:
            break
    assert target > 3


def test_a_cell_that_is_missing_is_named_by_its_place(fitted: Client) -> None:
    path, arrived = predict(fitted, b"0, 0\n12, NA\n")
    assert deliver(arrived) == 0
    problem = fitted.get(path).json()["error"]
    assert (problem["line"], problem["column"]) == (2, 2)
    assert problem["detail"].startswith("line 2, column 2: the cell is missing")
