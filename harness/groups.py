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
_BUILD = re.compile(r"^from harness\.template\.sam import .*\b(build|installed)\b", re.M)
_TOOLS = re.compile(r"^from harness\.template\.sam import", re.M)

_ORDER = {"services": 0, "spark": 1, "builds": 1, "tools": 2, "nothing": 2}


@cache
def _needs(module: Path) -> str:
    source = module.read_text()
    if _SERVICE.search(source):
        return "services"
    if _SPARK.search(source):
        return "spark"
    if _BUILD.search(source):
        return "builds"
    return "tools" if _TOOLS.search(source) else "nothing"


@cache
def _group(module: Path) -> str:
    """Tests of one group run one after the other: those that read a build, those of a folder whose
    conftest starts a service for all of them, and else those of a module.
    """
    if (needs := _needs(module)) in ("spark", "builds"):
        return needs
    common = module.with_name("conftest.py")
    shared = needs == "services" and common.exists() and _SERVICE.search(common.read_text())
    return str(module.parent if shared else module)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: who is at the services waits as much as it computes."""
    return (os.process_cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first; `make unit` runs what needs nothing."""
    needs = {item.path: _needs(item.path) for item in items}
    for item in items:
        if needs[item.path] == "nothing":
            item.add_marker(pytest.mark.unit)
    items.sort(key=lambda item: _ORDER[needs[item.path]])


class _Groups(LoadScopeScheduling):  # type: ignore[misc]
    """A group goes to one worker as a whole, so that nothing of it goes on at the same time."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(PROJECT / nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _Groups(config, log)
