"""Which tests run one after the other, and which are of unit size: a plugin of pytest's."""

import os
import re
from collections.abc import Iterable
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

# The fixtures of moto, and of the folder that is S3 for runs of fits beyond one machine.
_AWS = {"aws_endpoint", "runs"}

_ORDER = {"services": 0, "spark": 1, "builds": 1, "tools": 2, "nothing": 2}

# On as many workers. Each is many processes; all on one, that one ends long after the others.
SERVICES_AT_ONCE = 2


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
    """Tests of one group run one after the other: those of a folder that has one service for all of
    them; what reads a build; Spark; and else the tests of a module.
    """
    needs = _needs(module)
    if needs == "services":
        common = module.with_name("conftest.py")
        shared = common.exists() and _SERVICE.search(common.read_text())
        return str(module.parent if shared else module)
    return needs if needs in ("spark", "builds") else str(module)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """-n logical: as many as there are cores, for tests that wait for nothing. -n auto: one more,
    as tests at AWS or at services wait as much as they compute.
    """
    waiting: bool = config.option.numprocesses == "auto"
    return (os.process_cpu_count() or 1) + waiting


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first; what needs nothing is `unit`, or `aws` if it is on one."""
    needs = {item.path: _needs(item.path) for item in items}
    for item in items:
        if needs[item.path] == "nothing":
            on_aws = not _AWS.isdisjoint(getattr(item, "fixturenames", ()))
            item.add_marker(pytest.mark.aws if on_aws else pytest.mark.unit)
    items.sort(key=lambda item: _ORDER[needs[item.path]])


class _Groups(LoadScopeScheduling):  # type: ignore[misc]
    """A group goes to one worker as a whole, so that nothing of it goes on at the same time."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(_module(nodeid))

    def _assign_work_unit(self, node: Any) -> None:
        """The first group that waits; if there are enough services, the first that needs none."""
        elsewhere = [other for other in self.nodes if other is not node and self._serves(other)]
        if len(elsewhere) >= SERVICES_AT_ONCE:
            others = (group for group, tests in self.workqueue.items() if not _of_services(tests))
            if (first := next(others, None)) is not None:
                self.workqueue.move_to_end(first, last=False)
        super()._assign_work_unit(node)

    def _serves(self, node: Any) -> bool:
        return any(
            _of_services(tests) and not all(tests.values())
            for tests in self.assigned_work[node].values()
        )


def _of_services(tests: Iterable[str]) -> bool:
    return _needs(_module(next(iter(tests)))) == "services"


def _module(nodeid: str) -> Path:
    return PROJECT / nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _Groups(config, log)
