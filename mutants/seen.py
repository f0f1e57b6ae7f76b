"""Which test executes which line: a plugin of pytest's, `-p mutants.seen`.

Coverage tools lose what a process knows that is killed, as each is that computes a fit: here a
forked child notes every new line at once. Lines that run at import belong to no test.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

TOOL = sys.monitoring.COVERAGE_ID
HERE = f"{Path.cwd()}/"


class Seen:
    """The lines of functions/ and local/, and the tests of each by their number."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tests: list[tuple[str, float]] = []
        self._lines: dict[str, dict[int, list[int]]] = {}
        self._children = os.open(
            f"{path}.children", os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_APPEND
        )
        self._pid = os.getpid()
        sys.monitoring.use_tool_id(TOOL, "seen")
        sys.monitoring.register_callback(TOOL, sys.monitoring.events.LINE, self._saw)

    def _saw(self, code: CodeType, line: int) -> Any:
        name = code.co_filename.removeprefix(HERE)
        if name.startswith(("functions/", "local/")):
            self._note(name, line)
        return sys.monitoring.DISABLE

    def _note(self, name: str, line: int) -> None:
        test = len(self._tests)
        if os.getpid() != self._pid:
            os.write(self._children, f"{test} {line} {name}\n".encode())
            return
        tests = self._lines.setdefault(name, {}).setdefault(line, [])
        if not tests or tests[-1] != test:
            tests.append(test)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        sys.monitoring.restart_events()
        sys.monitoring.set_events(TOOL, sys.monitoring.events.LINE)
        began = time.process_time()
        try:
            return (yield)
        finally:
            sys.monitoring.set_events(TOOL, 0)
            self._tests.append((item.nodeid, time.process_time() - began))

    def pytest_sessionfinish(self) -> None:
        with open(f"{self._path}.children") as noted:
            for entry in noted:
                test, line, name = entry.rstrip("\n").split(" ", 2)
                self._lines.setdefault(name, {}).setdefault(int(line), []).append(int(test))
        lines = {
            name: {line: sorted(set(tests)) for line, tests in found.items()}
            for name, found in self._lines.items()
        }
        self._path.write_text(json.dumps({"tests": self._tests, "lines": lines}))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Seen(Path(os.environ["SEEN"])))
