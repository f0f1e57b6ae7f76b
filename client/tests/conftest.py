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
    folder, port = tmp_path_factory.mktemp("service"), free_port()
    log = folder / "log"
    told = {
        "PORT": str(port),
        "EMULATOR_PORT": str(free_port()),
        "LOCAL_HOME": str(folder / "home"),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [PROJECT / ".venv/bin/python", "-m", "local", "run"],
            cwd=PROJECT,
            env={**os.environ, **told},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _until_ready(process, log)
        yield f"http://localhost:{port}/kmeans"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _until_ready(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + LIMIT
    while "Ready" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


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
