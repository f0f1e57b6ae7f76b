"""A deployment that has an engine beyond the worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.api import Client
from harness.elsewhere import Elsewhere, elsewhere


@pytest.fixture
def spark(
    client: Client,  # noqa: ARG001 (an AWS that is empty)
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Elsewhere]:
    with elsewhere(monkeypatch, tmp_path) as there:
        yield there
