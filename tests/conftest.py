"""What every test may ask for: an AWS that is empty for each, the API on it, a clock, limits."""

import io
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from harness import contract, own_events
from harness.api import Client
from harness.fake_aws.state import empty_aws, serving_aws, watched_calls_are_the_clients
from harness.limits import Set
from harness.output import Output
from harness.timing import Clock
from kmeans_service import config, telemetry

pytest_plugins = ["harness.groups", "harness.kernels"]
# The same examples in every run, however busy the machine: a gate does not fail by chance. Others
# are looked for by `make fuzz`, and by PYTEST_ARGS='--hypothesis-profile=explore'.
settings.register_profile(
    "gate",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", settings.get_profile("gate"), derandomize=False)
settings.load_profile("gate")
own_events.keep_apart()


@pytest.fixture(autouse=True)
def _settings_are_read_anew() -> Iterator[None]:
    """What a test has set in the environment is not known to the next one, which may use no AWS."""
    yield
    for known in (config.settings, config.limits, config.distributed):
        known.cache_clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(int(time.time()))
    monkeypatch.setattr(time, "time", clock.time)
    return clock


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    if given := os.environ.get("AWS_OF_TESTS"):  # `make mutants` has one for many runs
        yield given
        return
    with serving_aws() as url:
        yield url


@pytest.fixture
def aws(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty bucket, table and queue; the module that makes the clients."""
    watched_calls_are_the_clients(monkeypatch)
    return empty_aws(aws_endpoint, monkeypatch)


@pytest.fixture(scope="module")
def shared_client(aws_endpoint: str) -> Iterator[Client]:
    """As `client`, for a module whose tests build on what is there."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        watched_calls_are_the_clients(monkeypatch)
        empty_aws(aws_endpoint, monkeypatch)
        yield _client()


@pytest.fixture
def client(aws: Any) -> Client:  # noqa: ARG001 (the calls need it)
    return _client()


def _client() -> Client:
    return Client(lambda _method, path: contract.handler_of(path))


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Set:
    """Set limits as a deployment does: limit(rows=3)."""

    def choose(**limits: float) -> None:
        for name, number in limits.items():
            monkeypatch.setenv(f"MAX_{name.upper()}", str(number))
        config.limits.cache_clear()

    return choose


@pytest.fixture
def output(
    client: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Output:
    log = io.StringIO()
    for handler in telemetry.logger().handlers:
        monkeypatch.setattr(handler, "stream", log)
    client.get("/kmeans/health")  # a cold start is behind us
    output = Output(log, capsys)
    output.text()
    return output
