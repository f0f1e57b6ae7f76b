"""docs/benchmarks.md, from what was measured."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numpy", "scipy", "scikit-learn", "pybase64", "boto3")
INTRODUCTION = """# Benchmarks

Written by `make bench`; the next run writes it anew. Every ratio compares two ways that were
measured in turn in this run, by CPU time (user and system, of all threads and child processes),
as the median of {rounds} rounds with the least and the largest in brackets. Read the ratios; the
absolute figures are this machine's.

- *the original*: the Flask and Connexion server that this service replaces (`bench/original`), in
  an environment of its own, with the same NumPy and scikit-learn; called over HTTP, warm.
- *ours*: the real handlers, warm, called with API Gateway's and S3's events, from the event's JSON
  text to the answer's. S3 and DynamoDB are moto in another process, whose time is not counted.
- Bodies over 4.4 MB do not fit a Lambda event. There, ours is the way such a file takes: reserved
  over the API, put into the bucket, worked by the queue's function, the result in the bucket.
"""


@dataclass(frozen=True)
class Goal:
    """A goal and what was measured of it; `met` is None where it was not measured.

    why   what was measured that tells why it is not met
    """

    what: str
    goal: str
    measured: str
    met: bool | None
    why: str = ""


@dataclass(frozen=True)
class Table:
    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""


def write(path: Path, rounds: int, goals: list[Goal], tables: list[Table]) -> None:
    marks = {True: "✓", False: "✗", None: "not measured"}
    shown = [
        (goal.what, goal.goal, goal.measured, marks[goal.met] + (goal.met is False) * goal.why)
        for goal in goals
    ]
    parts = [
        INTRODUCTION.format(rounds=rounds),
        _machine(),
        _markdown(Table("Goals", ("what", "goal", "measured", ""), shown)),
        *map(_markdown, tables),
    ]
    path.write_text("\n".join(parts))


def _machine() -> str:
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}: {models[0] if models else platform.processor()}, "
        f"{len(os.sched_getaffinity(0))} CPUs, load {os.getloadavg()[0]:.1f} at the end; "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"{packages}.\n"
    )


def _markdown(table: Table) -> str:
    lines = [
        f"## {table.title}\n",
        *([table.note + "\n"] if table.note else []),
        _row(table.columns),
        "|" + "---|" * len(table.columns),
        *map(_row, table.rows),
        "",
    ]
    return "\n".join(lines)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
