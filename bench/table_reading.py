"""A table's columns of numbers → array, beside polars, and beside a file of numbers alone."""

from functools import partial
from pathlib import Path

import numpy as np

from bench.goals import Found, at_least
from bench.measure import Seconds, in_turn, ratios, script, spread
from bench.report import Table
from bench.scale import Scale

N_NUMBERS = 10
TEXTS = ("Berlin", "a text of some length", "x")
STEPS = ("table", "polars_table")
type Speeds = dict[tuple[str, str], Seconds]
SIX, EXACT, MIXED = "numbers, %.6f", "numbers, %.18e", "10 numbers %.6f and 3 texts"


def table_steps(scale: Scale, folder: Path) -> Found:
    files = _write(folder, scale.tables)
    found = in_turn(
        scale.rounds, {step: partial(script, "each", step, *files.values()) for step in STEPS}
    )
    speeds: Speeds = {
        (name, step): [path.stat().st_size / 1e6 / each for each in seconds]
        for step in STEPS
        for (name, path), seconds in zip(files.items(), zip(*found[step], strict=True), strict=True)
    }
    rows = [(name, f"{scale.tables:,}", *_row(name, speeds)) for name in files]
    goals = [
        at_least("a table of %.6f: beside polars", _beside_polars(speeds, SIX), 1.5),
        at_least("a table of %.18e: beside polars", _beside_polars(speeds, EXACT), 1),
        at_least(
            "a table with texts: its bytes a second beside those of numbers alone",
            ratios(speeds[MIXED, "table"], speeds[SIX, "table"]),
            0.7,
        ),
    ]
    columns = ("file", "rows", "ours, MB/s", "polars, MB/s", "speed beside polars")
    note = (
        "CPU time of all threads, from bytes in memory to one array of the numbers, in memory that "
        "the process has already."
    )
    return goals, [Table("Tables", columns, rows, note)]


def _row(name: str, speeds: Speeds) -> tuple[str, ...]:
    ours, polars = speeds[name, "table"], speeds[name, "polars_table"]
    return spread(ours), spread(polars), spread(ratios(ours, polars), 2)


def _beside_polars(speeds: Speeds, name: str) -> Seconds:
    return ratios(speeds[name, "table"], speeds[name, "polars_table"])


def _write(folder: Path, n_samples: int) -> dict[str, Path]:
    X = np.random.default_rng(0).normal(0, 1000, (n_samples, N_NUMBERS))
    header = ",".join(f"x{number}" for number in range(N_NUMBERS))
    files = {name: folder / f"table-{place}.csv" for place, name in enumerate((SIX, EXACT, MIXED))}
    for name, form in ((SIX, "%.6f"), (EXACT, "%.18e")):
        np.savetxt(files[name], X, fmt=form, delimiter=",", header=header, comments="")
    with files[MIXED].open("w") as file:
        file.write(f"{header},city,said,sign\n")
        file.writelines(",".join([*(f"{x:.6f}" for x in row), *TEXTS]) + "\n" for row in X.tolist())
    return files
