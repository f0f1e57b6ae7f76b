"""CSV → array and labels → CSV, beside NumPy."""

from functools import partial
from pathlib import Path

from bench import notations, points
from bench.goals import Found, at_least
from bench.measure import Seconds, in_turn, ratios, script, spread
from bench.points import Points
from bench.report import Table
from bench.scale import Scale

ANSWERED = 200_000  # about as many labels as an answer can carry


def csv_steps(scale: Scale, folder: Path) -> Found:
    goals, rows = [], []
    steps = ("parse", "grammar", "loadtxt", "genfromtxt", "memory")
    for shape in scale.parsed:
        given = points.write(folder, *shape)
        ways = {step: partial(script, "steps", step, given.path) for step in steps}
        found = in_turn(scale.rounds, ways)
        rows += [_speed(step, given, found[step], found["loadtxt"]) for step in steps]
        where = f"CSV → array, {given.name}: beside"
        goals += [
            at_least(f"{where} np.loadtxt", ratios(found["loadtxt"], found["parse"]), 2),
            at_least(f"{where} np.genfromtxt", ratios(found["genfromtxt"], found["parse"]), 30),
        ]
    given = points.write(folder, *scale.parsed[0])
    for n_samples, step, how in (
        (given.n_samples, "csv_chunks", "streamed"),
        (min(given.n_samples, ANSWERED), "to_csv", "in one piece"),
    ):
        labels = in_turn(
            scale.rounds,
            {
                step: partial(script, "steps", step, given.path, n_samples),
                "savetxt": partial(script, "steps", "savetxt", given.path, n_samples),
            },
        )
        what = f"labels → CSV, {n_samples:,}, {how}: beside np.savetxt"
        goals.append(at_least(what, ratios(labels["savetxt"], labels[step]), 100))
    columns = ("step", "file", "MB/s", "speed beside np.loadtxt")
    note = (
        "`parse` is CSV bytes → array, `grammar` the check without NumPy; "
        "`memory` copies the bytes once: no reader can be faster. All of them in memory that the "
        "process has already."
    )
    return goals, [Table("CSV", columns, rows, note), by_notation(scale, folder)]


def by_notation(scale: Scale, folder: Path) -> Table:
    files = notations.write(folder, *scale.notations)
    paths = [given.path for given in files.values()]
    steps = ("parse", "loadtxt")
    found = in_turn(scale.rounds, {step: partial(script, "each", step, *paths) for step in steps})
    of_files = zip(*(zip(*found[step], strict=True) for step in steps), strict=True)
    rows = [
        (name, *_speed("parse", given, list(parse), list(loadtxt))[1:])
        for (name, given), (parse, loadtxt) in zip(files.items(), of_files, strict=True)
    ]
    for path in paths:
        path.unlink()
    columns = ("numbers", "file", "MB/s", "speed beside np.loadtxt")
    return Table("CSV → array by notation", columns, rows)


def _speed(step: str, given: Points, seconds: Seconds, loadtxt: Seconds) -> tuple[str, ...]:
    megabytes = given.path.stat().st_size / 1e6
    speeds = [megabytes / max(value, 1e-9) for value in seconds]
    beside = [a / max(b, 1e-9) for a, b in zip(loadtxt, seconds, strict=True)]
    return step, given.name, spread(speeds, 1), spread(beside, 2)
