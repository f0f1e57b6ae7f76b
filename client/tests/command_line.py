"""The command as a process of its own, and what several tests give it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import kmeans_client
from kmeans_client import Client

ROWS = "age,income\n" + "".join(f"{20 + n % 3},{10 + n % 2}.5\n" for n in range(12))
ROWS += "".join(f"{60 + n % 3},{90 + n % 2}.5\n" for n in range(8))
SOURCES = Path(kmeans_client.__file__).parents[1]


class Kmeans:
    """The command in a folder, beside a service."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PYTHONPATH": str(SOURCES), "KMEANS_URL": url}
        self.program = [sys.executable, "-c", "from kmeans_client.command import main; main()"]

    def __call__(self, *words: str, code: int = 0, given: str | None = None) -> str:
        done = subprocess.run(
            [*self.program, *words],
            cwd=self.folder,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=100,
        )
        self.said = done.stderr
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def fitting_for_long(self, filename: str) -> subprocess.Popen[str]:
        """The command at a fit that goes on until somebody ends it."""
        lines = "".join(f"{n * 7919 % 10007},{n * 104729 % 10009}\n" for n in range(60_000))
        (self.folder / filename).write_text(lines)
        words = [filename, "-k", "400", "--algorithm", "lloyd", "--n-init", "100"]
        return subprocess.Popen(
            [*self.program, *words],
            cwd=self.folder,
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
        )


def running(client: Client, filename: str) -> int:
    """The file's job, once its fit is under way."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = next(iter(client.list_jobs()))
        if job["filename"] == filename and job["status"] in ("QUEUED", "RUNNING"):
            return job["job_id"]
        time.sleep(0.05)
    raise AssertionError("the fit did not begin")
