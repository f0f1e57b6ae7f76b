"""`make run ENGINE=spark`: fits on a real Spark, from their POST to their labels.

The service starts the run at an endpoint of this machine, Spark is a process of it, and its end is
an event in the queue of the worker.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from harness import spark_submit
from harness.service.running import Service
from harness.spark_tables import csv, s1_like

LIMIT = 300.0  # of a busy machine
BODY = csv(s1_like(n=3000), header=True)
ASKED = {"model_params": {"n_clusters": 15}}


class WithSpark(Service):
    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"ENGINE": "spark", "RANGE_MB": "0.02"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    spark_submit.needed()
    service = WithSpark(tmp_path_factory.mktemp("spark") / "home")
    service.start()
    try:
        yield service
    finally:
        service.stop()


def started(service: Service) -> str:
    """The address of a new job whose fit goes on in a run."""
    files = {"file": (f"{time.monotonic_ns()}.csv", BODY)}
    job_id = requests.post(f"{service.url}/upload", files=files, timeout=60).json()["job_id"]
    asked = ASKED | {"job_id": job_id, "engine": "spark"}
    answer = requests.post(f"{service.url}/fit", json=asked, timeout=60)
    assert answer.status_code == 202, answer.text
    return f"{service.url}/jobs/{job_id}"


def until[T](found: Callable[[], T], what: Callable[[], object]) -> T:
    """What is found once it is something; `what` says what there was instead."""
    deadline = time.monotonic() + LIMIT
    while not (some := found()):
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)
    return some


def view(job: str) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(job, timeout=60).json()
    return found


def is_over(job: str) -> dict[str, Any] | None:
    found = view(job)
    return found if found["status"] in ("SUCCEEDED", "FAILED") else None


def processes(service: Service) -> list[int]:
    """Of all that a run is made of: Java, the driver, the workers."""
    ours = f"SPARK_LOCAL_DIRS={service.home}/tmp".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if ours in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def running(service: Service) -> list[int]:
    return until(lambda: processes(service), service.said)


def ended(service: Service) -> None:
    """All that its run was made of; the last of them see that Java has gone."""
    until(lambda: not processes(service), lambda: processes(service))


def labels(job: str) -> str:
    return requests.get(f"{job}/labels", timeout=60).text


def finished(job: str) -> dict[str, Any]:
    found = until(lambda: is_over(job), lambda: view(job))
    assert (found["status"], found["scores"]["method"]) == ("SUCCEEDED", "spark"), found
    return found


def test_a_fit_runs_on_spark_and_its_labels_are_those_that_its_model_predicts(
    service: Service,
) -> None:
    job = started(service)
    found = finished(job)
    assert found["engine"] == "spark"
    assert found["spent"]["vcpu_hours"] > 0
    files, data = {"file": ("p.csv", BODY)}, {"job_id": found["job_id"]}
    predicted = requests.post(f"{service.url}/predict", files=files, data=data, timeout=60)
    assert labels(job).split() == predicted.text.split()
    assert len(labels(job).split()) == 3000
    ended(service)


def test_a_run_whose_processes_are_killed_is_followed_by_one_that_finishes(
    service: Service,
) -> None:
    job = started(service)
    for pid in running(service):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert finished(job)["attempt"] == 2
    assert len(labels(job).split()) == 3000


def test_a_job_that_is_deleted_ends_its_run_at_once(service: Service) -> None:
    job = started(service)
    running(service)
    assert requests.delete(job, timeout=60).status_code == 204
    ended(service)
    assert requests.get(job, timeout=60).status_code == 410


def test_a_prediction_runs_on_spark_and_its_labels_are_those_of_the_worker(
    service: Service,
) -> None:
    job = started(service)
    finished(job)
    asked = {"job_id": int(job.rpartition("/")[2])}
    by_run, by_worker = (labelled(service, asked | more) for more in ({"engine": "spark"}, {}))
    assert by_run == by_worker
    assert len(by_run.split()) == 3000
    ended(service)


def labelled(service: Service, asked: dict[str, Any]) -> bytes:
    answer = requests.post(f"{service.url}/predictions", json=asked, timeout=60)
    assert answer.status_code == 202, answer.text
    form = answer.json()
    files = {"file": ("p.csv", BODY)}
    requests.post(form["url"], form["fields"], files=files, timeout=60).raise_for_status()
    result = urljoin(service.url, form["result"])
    found = until(lambda: is_answered(result), lambda: requests.get(result, timeout=60).text)
    assert found.status_code == 200, found.text
    return found.content


def is_answered(result: str) -> requests.Response | None:
    answer = requests.get(result, timeout=60)
    return None if answer.status_code == 202 else answer
