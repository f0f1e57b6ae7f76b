"""Fits that crash, hang or cannot be handed on: kill -9 of the process that computes them."""

import faulthandler
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from harness.api import ASYNC, Client
from harness.faults import Died
from harness.held_fits import Held, before_fitting, sleep
from harness.system import (
    deliver,
    item,
    job,
    keys,
    let_leases_run_out,
    looked_after,
    sweep,
    take_messages,
    work_off,
)
from harness.timing import wait_until
from kmeans_service import config
from kmeans_service.fitting import computation
from kmeans_service.fitting.engines.child import Child
from kmeans_service.fitting.engines.outcome import Say
from kmeans_service.lifecycle import fits
from kmeans_service.lifecycle.job import Job
from kmeans_service.line import fit_requests
from kmeans_service.runs.running import AttemptCrashed


def killed(times: int) -> Callable[[], None]:
    """kill -9 of the calling process, so many times over all processes."""
    left = multiprocessing.Value("i", times)

    def die() -> None:
        with left.get_lock():
            left.value -= 1
        if left.value >= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return die


def test_a_synchronous_fit_out_of_time_is_handed_to_the_worker_and_costs_no_attempt(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    with monkeypatch.context() as patch:
        patch.setattr(config, "SYNCHRONOUS_SECONDS", 0.5)
        before_fitting(patch, sleep(30))
        answer = client.fit(0)
    assert answer.status == 202
    assert answer.headers["Location"] == "/kmeans/jobs/0"
    assert (item()["status"], item()["attempt"]) == ("QUEUED", 0)
    bodies = take_messages()
    assert [json.loads(body) for body in bodies] == [
        {"owner": "tester", "job_id": 0, "fit_id": item()["fit_id"], "in_line": True}
    ]
    assert deliver(*bodies) == 0
    assert (item()["status"], item()["attempt"], item()["fence"]) == ("SUCCEEDED", 1, 2)
    assert client.fit(0).status == 200


def test_a_worker_out_of_time_fails_the_job(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    before_fitting(monkeypatch, sleep(30))
    assert work_off(seconds=10.5) == 0
    assert item()["status"] == "FAILED"
    assert "did not finish" in json.loads(item()["error"])["detail"]


def test_a_fit_killed_from_outside_is_tried_again_by_the_same_worker(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held()
    before_fitting(monkeypatch, held.wait)
    client.upload()
    client.fit(0, **ASYNC)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(work_off)
        [child] = wait_until(multiprocessing.active_children)
        os.kill(child.pid or 0, signal.SIGKILL)
        held.go_on()
        assert running.result() == 0
    assert (item()["status"], item()["attempt"], item()["fence"]) == ("SUCCEEDED", 2, 2)


def test_a_fit_that_crashes_in_the_request_goes_on_in_the_worker(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    before_fitting(monkeypatch, killed(times=1))
    assert client.fit(0).status == 202
    assert work_off() == 0
    assert (item()["status"], item()["attempt"]) == ("SUCCEEDED", 2)


def test_three_crashes_fail_the_job_with_a_reason_and_the_message_is_done_with(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    before_fitting(monkeypatch, killed(times=99))
    assert work_off() == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["attempt"]) == ("FAILED", 3)
    assert "crashed 3 times" in view["error"]["detail"]
    assert looked_after() == {"queued": 0, "deleted": 0}


def crash_thrice(client: Client, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> str:
    """The reason that the job then fails with."""
    client.upload()
    client.fit(0, **ASYNC)
    before_fitting(monkeypatch, act)
    assert work_off() == 0
    detail: str = client.get("/kmeans/jobs/0").json()["error"]["detail"]
    return detail


def test_memory_is_suspected_only_where_the_process_was_killed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    detail = crash_thrice(client, monkeypatch, killed(times=99))
    assert "it was killed, as a process is that takes more memory" in detail


def test_an_error_of_ours_is_called_one(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    detail = crash_thrice(client, monkeypatch, fail)
    assert "unexpected ZeroDivisionError" in detail
    assert "memory" not in detail


def test_another_signal_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def abort() -> None:
        faulthandler.disable()  # pytest's, which would fill the log with the child's stack
        os.abort()

    detail = crash_thrice(client, monkeypatch, abort)
    assert "ended by SIGABRT" in detail
    assert "memory" not in detail


def test_a_fit_whose_record_would_be_too_large_fails_with_that_reason(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    monkeypatch.setattr(computation, "_warnings", lambda *_: ("3" * 450_000,))
    answer = client.fit(0)
    assert answer.status == 422
    assert "record of 400 KB" in answer.json()["detail"]
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["attempt"]) == ("FAILED", 1)
    assert "memory" not in view["error"]["detail"]


def test_a_job_whose_every_attempt_crashed_can_be_fitted_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    before_fitting(monkeypatch, killed(times=3))
    work_off()
    assert item()["status"] == "FAILED"
    assert client.fit(0).status == 200
    assert (item()["attempt"], item()["fence"]) == (1, 4)


def test_a_worker_that_vanished_three_times_leaves_a_failed_job(client: Client) -> None:
    """Its whole process went, so nobody could hand the job back: the sweeper brings it on."""
    client.upload()
    client.fit(0, **ASYNC)
    take_messages()
    for _ in range(3):
        fits.claim(job())
        let_leases_run_out()
    assert sweep()["woken"] == 1
    assert work_off() == 0
    assert item()["status"] == "FAILED"


def test_a_fit_whose_message_could_not_be_sent_is_not_lost(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()

    def die(_job: Job, **_wake: bool) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(fit_requests, "resume", die)
        with pytest.raises(Died):
            client.fit(0, **ASYNC)
    assert item()["status"] == "QUEUED"
    assert take_messages() == []
    let_leases_run_out()
    assert looked_after() == {"queued": 1, "deleted": 0}
    assert work_off() == 0
    assert item()["status"] == "SUCCEEDED"


def test_a_child_ends_when_its_worker_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"

    def work(_say: Say) -> None:
        note.write_text(str(os.getpid()))
        time.sleep(60)

    def worker() -> None:
        Child(work).poll(60)

    process = multiprocessing.get_context("fork").Process(target=worker)
    process.start()
    child = int(wait_until(lambda: note.exists() and note.read_text()))
    process.kill()
    process.join()
    wait_until(lambda: not running(child), seconds=5)


def running(pid: int) -> bool:
    """Whether it is there and not only waiting for its exit to be read."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(") ")[2][0] != "Z"


def test_a_child_killed_in_the_middle_of_its_result_has_died() -> None:
    def kill_while_sending() -> None:
        [process] = wait_until(multiprocessing.active_children)
        time.sleep(1)
        os.kill(process.pid or 0, signal.SIGKILL)

    child = Child(lambda _say: b"x" * 10_000_000)
    with ThreadPoolExecutor(1) as pool:
        killer = pool.submit(kill_while_sending)
        assert child.poll(0) == {"stage": "STARTING"}
        killer.result()
        assert child.poll(30) is None
    with closing(child), pytest.raises(AttemptCrashed):
        child.collect()


def test_what_the_child_wrote_before_it_crashed_goes_with_the_job(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    die, store = killed(times=1), computation.store

    def store_and_die(*arguments: Any) -> Any:
        stored = store(*arguments)
        die()
        return stored

    monkeypatch.setattr(computation, "store", store_and_die)
    monkeypatch.setattr(config, "BRIEF_WORK", 0)  # in a child, however brief
    client.fit(0, **ASYNC)
    work_off()
    assert len(keys("models/")) == 6
    client.call("DELETE", "/kmeans/jobs/0")
    assert keys() == []
