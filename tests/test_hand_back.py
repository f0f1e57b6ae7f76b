"""A stop of the local service is no attempt of the fits that it interrupts."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from harness import PROJECT as ROOT
from harness.api import ASYNC, Client
from harness.service.running import Service, serving
from harness.system import item, job, take_messages
from harness.timing import wait_until
from kmeans_service import config
from kmeans_service.lifecycle import fits
from kmeans_service.line import shares

# Some 20 s of work.
HARD = {"n_clusters": 60, "n_init": 40, "max_iter": 300, "tol": 0}


def hand_back(stopped_at: float) -> str:
    """As the next start does it, for a stop at this time."""
    done = subprocess.run(
        [sys.executable, "-m", "local.hand_back", str(int(stopped_at))],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "functions"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_fit_that_ran_at_the_stop_is_queued_as_it_was(client: Client) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    take_messages()
    claimed = fits.claim(job())
    assert (item()["status"], item()["attempt"]) == ("RUNNING", 1)
    assert hand_back(time.time()).endswith(": 1\n")
    assert (item()["status"], item()["attempt"]) == ("QUEUED", 0)
    assert [json.loads(body)["fit_id"] for body in take_messages()] == [claimed.fit_id]


def test_a_fit_that_was_claimed_since_the_stop_is_left_alone(client: Client) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    take_messages()
    fits.claim(job())
    assert hand_back(time.time() - config.LEASE_SECONDS) == ""
    assert (item()["status"], item()["attempt"]) == ("RUNNING", 1)
    assert take_messages() == []


def test_the_slots_of_workers_that_ended_with_the_service_are_free(client: Client) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    assert isinstance(shares.take(math.inf), shares.Slot)
    stopped_at = time.time()
    hand_back(stopped_at - config.SLOT_SECONDS - 1)  # it was taken since then
    assert len(shares.read().slots) == 1
    hand_back(stopped_at)
    assert shares.read().slots == {}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path) as running:
        yield running


def test_ctrl_c_in_the_middle_of_a_fit_costs_no_attempt(service: Service) -> None:
    rows = "".join(f"{n % 997},{n % 991},{n % 983},{n % 977}\n" for n in range(20_000))
    requests.post(f"{service.url}/upload", files={"file": ("hard.csv", rows)}, timeout=60)
    asked = {"job_id": 0, "model_params": HARD}
    wait = {"Prefer": "respond-async"}
    answer = requests.post(f"{service.url}/fit", json=asked, headers=wait, timeout=60)
    assert answer.status_code == 202, answer.text
    wait_until(lambda: view(service)["status"] == "RUNNING", 60)
    assert view(service)["attempt"] == 1
    assert service.stop(signal.SIGINT) == 0
    service.start()
    wait_until(lambda: "that go on now: 1" in service.said(), 60)
    wait_until(lambda: view(service)["status"] == "RUNNING", 60)
    assert view(service)["attempt"] == 1


def view(service: Service) -> dict[str, Any]:
    read: dict[str, Any] = requests.get(f"{service.url}/jobs/0", timeout=60).json()
    return read
