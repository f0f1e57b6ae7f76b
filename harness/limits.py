"""Limits as a deployment sets them, and what is counted of an owner."""

from collections.abc import Callable
from typing import Any

import pytest

from harness.api import Answer
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


DROPPED = "incoming/tester/points.csv"


def refused(answer: Answer, status: int, kind: str, *words: str) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    assert (answer.status, problem["type"].rpartition(":")[2]) == (status, kind)
    for word in words:
        assert word in problem["detail"]
    return problem


def parameter(name: str) -> str:
    """The template's parameter of a limit."""
    return "Max" + "".join(word.capitalize() for word in name.split("_"))
