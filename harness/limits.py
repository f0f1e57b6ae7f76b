"""Limits as a deployment sets them, and what is counted of an owner."""

from collections.abc import Callable

import pytest

from harness.system import OWNER
from kmeans_service import config
from kmeans_service.owners import quota

type Set = Callable[..., None]


def held(owner: str = OWNER) -> tuple[int, int]:
    """The owner's counters: jobs and bytes."""
    counted = quota.read(owner)
    return counted.jobs, counted.stored_bytes


def with_worker_memory(monkeypatch: pytest.MonkeyPatch, megabytes: int) -> None:
    monkeypatch.setenv("WORKER_MEMORY", str(megabytes))
    config.settings.cache_clear()
