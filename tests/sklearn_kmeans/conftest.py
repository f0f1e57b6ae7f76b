"""What scikit-learn's tests are given, and which of their cases are of something else."""

import os

import pytest

from harness.sklearn_kmeans.cases import left_out

SEEDS = range(int(os.environ.get("KERNEL_SEEDS", "3")))


@pytest.fixture(params=SEEDS)
def global_random_seed(request: pytest.FixtureRequest) -> int:
    """As scikit-learn's own conftest.py has it."""
    seed: int = request.param
    return seed


@pytest.fixture
def global_dtype() -> type:
    return float


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    others = [item for item in items if left_out(_parameters(item))]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if not left_out(_parameters(item))]


def _parameters(item: pytest.Item) -> dict[str, object]:
    if "test_upstream" not in item.nodeid:
        return {}
    called = getattr(item, "callspec", None)
    return dict(called.params) if called else {}
