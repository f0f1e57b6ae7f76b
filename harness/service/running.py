"""`make run` for tests: a service of its own ports and folder, over real HTTP."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest

from harness import PROJECT
from harness.ports import free_port

START_LIMIT = 60.0  # seconds
STOP_LIMIT = 45.0


class Service:
    """One local service: its settings stay, its process comes and goes."""

    program: tuple[str, ...] = ("-m", "local", "run")

    def __init__(self, home: Path, project: Path = PROJECT) -> None:
        self.home = home
        self.project = project
        self.port = free_port()
        self.emulator_port = free_port()
        self.url = f"http://localhost:{self.port}/kmeans"
        self.output = home.parent / f"{home.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._exports: dict[str, str] = {}

    @property
    def environment(self) -> dict[str, str]:
        return {
            name: value for name, value in os.environ.items() if not name.startswith("AWS_")
        } | {
            "PORT": str(self.port),
            "EMULATOR_PORT": str(self.emulator_port),
            "LOCAL_HOME": str(self.home),
        }

    def start(self) -> None:
        self._exports = {}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *self.program],
                cwd=self.project,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_LIMIT
        while "Ready" not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signals the whole process group, as a terminal's Ctrl-C does; answers the exit code."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        return self.process.wait(STOP_LIMIT)

    def said(self) -> str:
        return self.output.read_text()

    def pid_of_emulator(self) -> int:
        return int((self.home / "emulator.lock").read_text())

    def sessions(self) -> set[int]:
        """Who leads them: the emulator, with the functions in it, has a session of its own."""
        assert self.process is not None
        return {self.process.pid, self.pid_of_emulator()}

    def processes(self) -> list[str]:
        """Command lines of everything that runs out of this service's folder."""
        if not Path("/proc/self/cmdline").exists():
            pytest.skip("needs /proc to see what runs")
        lines = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                lines.append(entry.read_bytes().replace(b"\0", b" ").decode())
        return [line for line in lines if f"{self.home}/tmp" in line]

    def command(self, name: str) -> str:
        """What `python -m local NAME` says."""
        done = subprocess.run(
            [sys.executable, "-m", "local", name],
            cwd=self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def exports(self) -> dict[str, str]:
        """What `make env` says; a port is not told to it."""
        if not self._exports:
            self._exports = self._asked_exports()
        return self._exports

    def _asked_exports(self) -> dict[str, str]:
        shown = subprocess.run(
            ["bash", "-c", 'set -eu; eval "$(make -s env)"; env'],
            cwd=PROJECT,
            env=without_ports(self.environment),
            capture_output=True,
            text=True,
            check=True,
        )
        return dict(line.split("=", 1) for line in shown.stdout.splitlines() if "=" in line)

    def aws(self, service: str) -> Any:
        exports = self.exports()
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=exports["AWS_ENDPOINT_URL"],
            region_name=exports["AWS_REGION"],
            aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
        )

    def empty(self) -> None:
        """As if it were new: no jobs, and their numbers from 0 on. Nothing may be at work in it."""
        table, name = self.aws("dynamodb"), self.exports()["JOBS_TABLE"]
        for item in table.scan(TableName=name)["Items"]:
            table.delete_item(TableName=name, Key={key: item[key] for key in ("pk", "sk")})

    def write_item(self, name: str) -> None:
        item = {"pk": {"S": "TEST"}, "sk": {"S": name}}
        self.aws("dynamodb").put_item(TableName=self.exports()["JOBS_TABLE"], Item=item)
        self.aws("s3").put_object(
            Bucket=self.exports()["DATA_BUCKET"], Key=f"inputs/{name}", Body=b"x"
        )

    def has_item(self, name: str) -> bool:
        key = {"pk": {"S": "TEST"}, "sk": {"S": name}}
        found = self.aws("dynamodb").get_item(TableName=self.exports()["JOBS_TABLE"], Key=key)
        stored = self.aws("s3").get_object(
            Bucket=self.exports()["DATA_BUCKET"], Key=f"inputs/{name}"
        )
        return "Item" in found and stored["Body"].read() == b"x"


def without_ports(environment: dict[str, str]) -> dict[str, str]:
    """Of another terminal, in which only the folder is known."""
    return {name: value for name, value in environment.items() if not name.endswith("PORT")}


def refused(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "local", command],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=START_LIMIT,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    return done


@contextmanager
def serving(folder: Path) -> Iterator[Service]:
    """A new service, its data and its log in the folder, for as long as it is used."""
    service = Service(folder / "home")
    service.start()
    try:
        yield service
    finally:
        service.stop()
