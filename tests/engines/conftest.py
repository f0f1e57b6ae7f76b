"""A deployment that has an engine beyond the worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.api import Client
from harness.elsewhere import CSV, Elsewhere, ask, elsewhere
from harness.system import item, work_off


@pytest.fixture
def spark(
    client: Client,  # noqa: ARG001 (an AWS that is empty)
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Elsewhere]:
    with elsewhere(monkeypatch, tmp_path) as there:
        yield there


@pytest.fixture
def running(client: Client, spark: Elsewhere) -> Elsewhere:
    """Job 0 is fitted in a run."""
    client.upload(CSV)
    assert ask(client).status == 202
    assert work_off() == 0
    assert item()["status"] == "RUNNING"
    return spark
