"""Which tests look at a line: those that execute it, the fastest of each module first."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from mutants.tree import HOME, PYTHON, TREE, digest

# What the template promises; lint and build, which take minutes, do not count.
OF_TEMPLATE = "tests/template"
# Of a line that everything goes through, so many are enough to notice.
MOST = 150


class Looking:
    """The tests that execute each line, by their names and seconds."""

    def __init__(self, seen: dict[str, Any]) -> None:
        self._tests: list[tuple[str, float]] = seen["tests"]
        self._lines: dict[str, dict[str, list[int]]] = seen["lines"]

    def at(self, module: str, first: int, last: int) -> list[str]:
        """Tests of these lines; of the whole module where they are run at import alone."""
        lines = self._lines.get(module, {})
        found = {test for line in range(first, last + 1) for test in lines.get(str(line), ())}
        if not found:
            found = {test for tests in lines.values() for test in tests}
        return [self._tests[test][0] for test in self._of_every_module(found)[:MOST]]

    def _of_every_module(self, tests: set[int]) -> list[int]:
        """The fastest of each test module, then the next of each: none is crowded out."""
        modules: dict[str, list[int]] = {}
        for test in sorted(tests, key=lambda test: self._tests[test][1]):
            modules.setdefault(self._tests[test][0].partition("::")[0], []).append(test)
        rounds = [(place, test) for each in modules.values() for place, test in enumerate(each)]
        return [test for _, test in sorted(rounds, key=lambda at: (at[0], self._tests[at[1]][1]))]


def looking() -> Looking:
    """As it is known of just these files, or found out now: one run of what `make unit` runs."""
    parts = ("functions", "local", "harness", "tests")
    files = [path for part in parts for path in TREE.glob(f"{part}/**/*.py")]
    path = HOME / f"seen-{digest(files)}.json"
    if not path.exists():
        print("looking at which tests execute which lines", flush=True)
        _record(path)
    return Looking(json.loads(path.read_text()))


def _record(path: Path) -> None:
    subprocess.run(
        [
            str(PYTHON),
            "-m",
            "pytest",
            "-p",
            "mutants.seen",
            "-q",
            "-m",
            "unit and not soak",
            "tests",
        ],
        cwd=TREE,
        env=os.environ | {"SEEN": str(path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,  # a test that fails here fails a mutant no more than it fails the gate
    )
