"""Which tests run one after the other, and which are of unit size: a plugin of pytest's."""

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from harness import PROJECT

# What a module imports if it starts a whole service, or reads what `make build` makes.
_SERVICE = re.compile(
    r"^from harness\.service\.(running|closed) import"
    r"|^pytestmark = pytest\.mark\.services",
    re.M,
)
_SPARK = re.compile(r"^from harness import .*\bspark_submit\b", re.M)
_BUILD = re.compile(r"^from harness\.template\.sam import .*\b(build|installed|env\w+)\b", re.M)


@cache
def _group(module: Path) -> str:
    """Tests of one group run one after the other; the others of a module are a group as well."""
    source = module.read_text()
    if _SERVICE.search(source):
        return "services"
    if _SPARK.search(source):
        return "spark"
    return "builds" if _BUILD.search(source) else str(module)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: who is at the services waits as much as it computes."""
    return (os.process_cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Services come first, as they take longest; `make unit` runs what needs neither them nor
    builds.
    """
    groups = {item.path: _group(item.path) for item in items}
    for item in items:
        if groups[item.path] == str(item.path):
            item.add_marker(pytest.mark.unit)
    order = {"services": 0, "spark": 1, "builds": 1}
    items.sort(key=lambda item: order.get(groups[item.path], 2))


class _Groups(LoadScopeScheduling):  # type: ignore[misc]
    """A group goes to one worker as a whole, so that nothing of it goes on at the same time."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(PROJECT / nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _Groups(config, log)
