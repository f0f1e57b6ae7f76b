"""Ways of doing one thing measured side by side: in turn, round by round, by CPU time."""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.threads import of_others

ROOT = Path(__file__).resolve().parent.parent
OTHERS = ROOT / ".venv-bench" / "bin" / "python"
STEPS_OF_POLARS = ("polars", "polars_table")
STEPS_OF_OTHERS = (
    *STEPS_OF_POLARS,
    "loadtxt",
    "genfromtxt",
    "savetxt",
    "fit",
    "predict_with_numpy",
)
type Seconds = list[float]


def in_turn[T](rounds: int, ways: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
    """What each way answers, round by round, so that a busy machine is busy for all of them.

    The order turns with every round: nobody always comes first.
    """
    found: dict[str, list[T]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            found[name].append(ways[name]())
    return found


def cpu_seconds() -> float:
    """CPU time of this process, its threads, and its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def cpu_of(work: Callable[[], Any]) -> float:
    before = cpu_seconds()
    work()
    return cpu_seconds() - before


def script(module: str, *arguments: object) -> Any:
    """What `python -m bench.MODULE …` prints, as JSON, from a process of its own.

    It has the functions' environment, except for the steps of others; polars is among their
    packages alone.
    """
    step = arguments[0] if module in ("steps", "each") else None
    others = step in STEPS_OF_OTHERS
    environ = of_others() if others else dict(os.environ)
    environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is deployed has bytecode, as packages have
    python = OTHERS if step in STEPS_OF_POLARS else sys.executable
    run = subprocess.run(  # noqa: S603
        [python, "-m", f"bench.{module}", *map(str, arguments)],
        cwd=ROOT,
        env=environ | {"PYTHONPATH": f"{ROOT / 'functions'}{os.pathsep}{ROOT}"},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(run.stdout.splitlines()[-1])


def ratios(over: Seconds, under: Seconds) -> Seconds:
    return [a / b for a, b in zip(over, under, strict=True)]


def spread(values: Seconds, digits: int = 1) -> str:
    """The median and, in brackets, the least and the largest."""
    low, middle, high = min(values), statistics.median(values), max(values)
    if low == high:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"
