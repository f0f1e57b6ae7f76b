"""What these tests share."""

from typing import Any

import pytest

from kmeans_service import config


@pytest.fixture
def workers(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ARG001
    """Set how many workers there are."""

    def deploy(number: int) -> None:
        monkeypatch.setenv("WORKER_CONCURRENCY", str(number))
        config.settings.cache_clear()

    deploy(2)
    return deploy
