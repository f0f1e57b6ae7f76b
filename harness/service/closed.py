"""`make run ACCESS=…`, called with curl."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import PROJECT
from harness.service.running import Service, without_ports

POINTS = "1,2\n1,4\n10,2\n10,4\n"


@dataclass(frozen=True)
class Said:
    """What curl got."""

    status: int
    headers: dict[str, str]
    body: str

    def json(self) -> dict[str, object]:
        read: dict[str, object] = json.loads(self.body)
        return read


class Closed:
    """A running service that asks for credentials."""

    def __init__(self, folder: Path, access: str) -> None:
        self.service = Service(folder / "home")
        self.access = access

    @property
    def environment(self) -> dict[str, str]:
        return self.service.environment | {"ACCESS": self.access}

    def start(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(os.environ, "ACCESS", self.access)
            self.service.start()

    def curl(self, path: str, *options: str, given: str | None = None) -> Said:
        url = f"http://localhost:{self.service.port}{path}"
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", "60", "--include", *options, url],
            input=given,
            capture_output=True,
            text=True,
            errors="replace",  # a model is no text
            check=True,
        )
        head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
        while head.startswith("HTTP/1.1 100"):
            head, _, body = body.partition("\n\n")
        first, *lines = head.split("\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return Said(int(first.split()[1]), headers, body)

    def token(self, arguments: str) -> str:
        """What `make token` prints, without what it says."""
        done = subprocess.run(
            ["make", "-s", "token", f"ARGS={arguments}"],
            cwd=PROJECT,
            env=without_ports(self.environment),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()


def running(folder: Path, access: str) -> Iterator[Closed]:
    closed = Closed(folder, access)
    closed.start()
    try:
        yield closed
    finally:
        closed.service.stop()


def bearer(token: str) -> list[str]:
    return ["-H", f"Authorization: Bearer {token}"]
