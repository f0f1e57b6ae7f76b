"""How long five rows wait behind other owners' long fits, in the service as it runs.

    python -m bench.fairness [OWNERS] [FITS] [--project FOLDER]

OWNERS others (1) ask for FITS long fits each (10), in the background; two seconds later somebody
with five rows does. Two workers; the fits end by themselves, in about half a minute of CPU each.
FOLDER is another version's working copy, with an environment of its own.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import requests

from harness import PROJECT
from harness.api import FORM_TYPE, form
from harness.service.running import Service

LONG = {"n_clusters": 100, "init": "random", "n_init": 10, "max_iter": 300, "tol": 0}
FIVE_ROWS = b"1,2\n1,4\n1,0\n10,2\n10,4\n"
LIMIT = 900.0
BACKGROUND = {"Prefer": "respond-async"}


class Closed(Service):
    """A service of two workers, which knows its owners by their tokens."""

    @property
    def environment(self) -> dict[str, str]:
        chosen = {"ACCESS": "TOKEN", "PARAMETERS": "WorkerConcurrency=2"}
        return super().environment | chosen

    def token(self, owner: str) -> str:
        made = subprocess.run(  # noqa: S603 (this very program)
            [sys.executable, "-m", "local.tokens", "create", "--owner", owner],
            cwd=self.project,
            env=self.environment | {"PYTHONPATH": "functions"},
            capture_output=True,
            text=True,
            check=True,
        )
        return made.stdout.strip()


class Owner:
    def __init__(self, service: Closed, name: str) -> None:
        self._url = service.url
        self._headers = {"Authorization": f"Bearer {service.token(name)}"}

    def ask(self, content: bytes, params: dict[str, Any]) -> int:
        """A new job, whose fit is to be done in the background."""
        body = form(("file", "points.csv", content))
        headers = self._headers | FORM_TYPE
        answer = requests.post(f"{self._url}/upload", body, headers=headers, timeout=60)
        job_id = int(answer.json()["job_id"])
        asked = requests.post(
            f"{self._url}/fit",
            json={"job_id": job_id, "model_params": params},
            headers=self._headers | BACKGROUND,
            timeout=60,
        )
        asked.raise_for_status()
        return job_id

    def job(self, job_id: int) -> dict[str, Any]:
        answer = requests.get(f"{self._url}/jobs/{job_id}", headers=self._headers, timeout=60)
        found: dict[str, Any] = answer.json()
        return found

    def seconds_until_done(self, job_id: int) -> float:
        start = time.monotonic()
        while (job := self.job(job_id))["status"] in ("QUEUED", "RUNNING"):
            if time.monotonic() - start > LIMIT:
                raise TimeoutError(json.dumps(job))
            time.sleep(0.1)
        if job["status"] != "SUCCEEDED":
            raise RuntimeError(json.dumps(job))
        return time.monotonic() - start

    def count(self, n_jobs: int) -> dict[str, int]:
        states = [self.job(number)["status"] for number in range(n_jobs)]
        return {state: states.count(state) for state in sorted(set(states))}


def points(seed: int, rows: int = 8_000, columns: int = 20) -> bytes:
    """No groups in them: the iterations take long to come to rest."""
    draw = random.Random(seed)  # noqa: S311
    return "".join(
        ",".join(f"{draw.random():.6f}" for _ in range(columns)) + "\n" for _ in range(rows)
    ).encode()


def measure(service: Closed, n_owners: int, n_fits: int) -> None:
    alone = Owner(service, "small")
    print(f"warm-up: {alone.seconds_until_done(alone.ask(FIVE_ROWS, {})):.1f} s")
    seconds = alone.seconds_until_done(alone.ask(FIVE_ROWS + b"9,9\n", {}))
    print(f"five rows alone: {seconds:.1f} s")
    others = [Owner(service, f"large-{number}") for number in range(n_owners)]
    for number, owner in enumerate(others):
        for fit in range(n_fits):
            owner.ask(points(1000 * number + fit), LONG)
    time.sleep(2)
    waits = []
    for row in range(3):
        job_id = alone.ask(FIVE_ROWS + b"9,%d\n" % row, {})
        waits.append(alone.seconds_until_done(job_id))
        print(f"five rows behind {n_owners} x {n_fits} fits: {waits[-1]:.1f} s", flush=True)
        time.sleep(1)
    print("meanwhile:", *[owner.count(n_fits) for owner in others[:3]])


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.fairness", description=__doc__)
    parser.add_argument("owners", nargs="?", type=int, default=1)
    parser.add_argument("fits", nargs="?", type=int, default=10)
    parser.add_argument("--project", type=Path, default=PROJECT)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        service = Closed(Path(folder) / "home", given.project.resolve())
        service.start()
        try:
            measure(service, given.owners, given.fits)
        finally:
            service.stop()


if __name__ == "__main__":
    main()
