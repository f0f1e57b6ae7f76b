"""A service of this session's own, started as `make run` starts it."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

# scikit-learn's checks of an estimator skip one without it; it is read when SciPy is imported.
os.environ["SCIPY_ARRAY_API"] = "1"

import pytest
from hypothesis import HealthCheck, settings

from kmeans_client import Client

PROJECT = Path(__file__).parents[2]
LIMIT = 120  # seconds until it is ready

settings.register_profile(
    "gate",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("gate")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if given := os.environ.get("KMEANS_URL_OF_TESTS"):  # one that runs already
        yield given
        return
    service = Service(tmp_path_factory.mktemp("service"))
    service.start()
    try:
        yield service.url
    finally:
        service.stop()


class Service:
    """One on ports of its own, which can be stopped and started again."""

    def __init__(self, folder: Path, **told: str) -> None:
        port = free_port()
        self.url = f"http://localhost:{port}/kmeans"
        self.told = {
            "PORT": str(port),
            "EMULATOR_PORT": str(free_port()),
            "LOCAL_HOME": str(folder / "home"),
            **told,
        }
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [PROJECT / ".venv/bin/python", "-m", "local", "run"],
                cwd=PROJECT,
                env={**os.environ, **self.told},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + LIMIT
        while "Ready" not in self._log.read_text():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(60)
            self._process = None


@pytest.fixture(scope="session")
def client(url: str) -> Iterator[Client]:
    with Client(url) as client:
        yield client


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or leaves anything of the user's."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path_factory.mktemp(name)))
    for name in ("KMEANS_URL", "KMEANS_TOKEN", "KMEANS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
