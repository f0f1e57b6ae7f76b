"""Which tests look at a place: those that execute it, or what names what it defines."""

import json
import os
import re
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from mutants import definitions
from mutants.tree import HOME, PYTHON, TREE, digest

# What the template promises; lint and build, which take minutes, do not count.
OF_TEMPLATE = "tests/template"
# Of a line that everything goes through, so many are enough to notice, as a rule; the first of them
# are run before the others are even imported.
MOST, FIRST = 150, 25


class Looking:
    """The tests that execute each line, by their names and seconds."""

    def __init__(self, modules: list[dict[str, Any]]) -> None:
        self._reach: Counter[str] = Counter()
        self._lines: dict[str, dict[int, set[str]]] = {}
        for seen in modules:
            self._reach.update(dict.fromkeys((test for test, _ in seen["tests"]), 0))
            for module, lines in seen["lines"].items():
                known = self._lines.setdefault(module, {})
                for line, tests in lines.items():
                    known.setdefault(int(line), set()).update(tests)
                    self._reach.update(tests)

    def at(self, module: str, first: int, last: int, most: int | None = MOST) -> list[str]:
        """Tests of these lines; of the whole module where nobody comes to them."""
        places = definitions.executed(TREE, module, range(first, last + 1))
        found = {test for name, line in places for test in self._lines.get(name, {}).get(line, ())}
        found = found or {test for tests in self._lines.get(module, {}).values() for test in tests}
        return self._of_every_module(found, Path(module).stem)[:most]

    def _of_every_module(self, tests: set[str], speaks_of: str) -> list[str]:
        """Of each module the one that executes least else, then the next: none is crowded out.

        Of test modules that speak of the code by its name, ten have the turn of one.
        """
        modules: dict[str, list[str]] = {}
        for test in sorted(tests, key=lambda test: (self._reach[test], test)):
            modules.setdefault(test.partition("::")[0], []).append(test)
        rounds = [
            (place // 10 if _names(name, speaks_of) else place + 1, test)
            for name, each in modules.items()
            for place, test in enumerate(each)
        ]
        return [test for _, test in sorted(rounds, key=lambda at: (at[0], self._reach[at[1]]))]


@cache
def _names(test_module: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", (TREE / test_module).read_text()) is not None


def looking() -> Looking:
    """As it is known of just this code; test modules that are new or changed are run for it."""
    code = [path for part in ("functions", "local") for path in TREE.glob(f"{part}/**/*.py")]
    folder = HOME / f"seen-{digest(code)}"
    folder.mkdir(parents=True, exist_ok=True)
    modules = {
        folder / f"{digest([path])}.json": str(path.relative_to(TREE))
        for path in sorted(TREE.glob("tests/**/test_*.py"))
    }
    if new := {name: path for path, name in modules.items() if not path.exists()}:
        print(f"looking at which lines {len(new)} modules of tests execute", flush=True)
        _keep(_record(folder, sorted(new)), new)
    return Looking([json.loads(path.read_text()) for path in modules])


def _keep(seen: dict[str, Any], new: dict[str, Path]) -> None:
    """A file for each module of tests."""
    of = [test.partition("::")[0] for test, _ in seen["tests"]]
    for module, path in new.items():
        tests = [test for test, name in zip(seen["tests"], of, strict=True) if name == module]
        lines = {
            name: {
                line: names
                for line, found in places.items()
                if (names := [seen["tests"][test][0] for test in found if of[test] == module])
            }
            for name, places in seen["lines"].items()
        }
        path.write_text(json.dumps({"tests": tests, "lines": lines}))


def _record(folder: Path, modules: list[str]) -> dict[str, Any]:
    """What `make short` runs of these, with the thorough ones."""
    path = folder / "now"
    command = [
        PYTHON,
        "-m",
        "pytest",
        "-p",
        "mutants.seen",
        "-q",
        "-m",
        "(unit or aws) and not soak",
    ]
    ran = subprocess.run(
        [*map(str, command), *modules],
        cwd=TREE,
        env=os.environ | {"SEEN": str(path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,  # a test that fails here fails a mutant no more than it fails the gate
    )
    if ran.returncode not in (0, 1):  # nobody would be known to come anywhere: all would survive
        raise RuntimeError(f"the tests do not run: {ran.stdout[-5000:]}")
    seen: dict[str, Any] = json.loads(path.read_text())
    return seen
