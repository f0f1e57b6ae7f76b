"""All that is measured, a part after the other; the report has their goals and tables."""

import os
import sys
import tempfile
from pathlib import Path

from bench import load, points, report, sizes
from bench.cold_starts import cold_starts
from bench.command import command
from bench.first_picture import first_picture
from bench.goals import Found
from bench.kernel import iteration, kernel
from bench.measure import script
from bench.page import page
from bench.reading import csv_steps
from bench.report import Goal, Table
from bench.scale import SCALES, Scale
from bench.services import services
from bench.table_reading import table_steps
from harness.fake_aws.state import serving_aws
from harness.service.running import Service, serving

SMALL_FUNCTION_MB = 512


def measure(size: str, path: Path) -> None:
    """Measure at this size and write the report."""
    scale = SCALES[size]
    goals: list[Goal] = []
    tables: list[Table] = []
    with tempfile.TemporaryDirectory() as name:
        for title, part in PARTS.items():
            print(f"measuring {title} …", file=sys.stderr, flush=True)
            more_goals, more_tables = part(scale, Path(name))
            goals += more_goals
            tables += more_tables
    report.write(path, scale.rounds, goals, tables)
    print(f"wrote {path}", file=sys.stderr)


def memory(scale: Scale, folder: Path) -> Found:
    with serving_aws() as url:
        return memory_on(url, scale, folder)


def memory_on(url: str, scale: Scale, folder: Path) -> Found:
    goals, rows = [], []
    for shape in scale.memory:
        given = points.write(folder, *shape)
        for work in ("fit", "predict", "parse"):
            above = float(script("memory", work, given.path, given.n_clusters, url)["above"])
            times = above / given.array_bytes
            rows.append((work, given.name, f"{above / 1e6:.0f}", f"{times:.2f}"))
            limit = {"predict": 1.5, "parse": None}.get(work, 1.6 if shape[1] >= 10 else 3.5)
            if limit:
                what = f"{work}, {given.name}: peak memory, × n·d·8 bytes"
                goals.append(Goal(what, f"≤ {limit:g}", f"{times:.2f}", times <= limit))
    goals.append(out_of_core(url, scale, folder))
    note = (
        "Above the same work on six points, of the process that works. `predict` is the worker's, "
        "which streams; `parse` is CSV bytes → label bytes in memory, above the bytes given."
    )
    return goals, [Table("Peak memory", ("work", "points", "MB", "× n·d·8"), rows, note)]


def out_of_core(url: str, scale: Scale, folder: Path) -> Goal:
    """The whole process of a fit whose data is larger than the function that fits it."""
    given = points.write(folder, *scale.out_of_core)
    size = given.path.stat().st_size / 1e6
    before = os.environ["WORKER_MEMORY"]
    os.environ["WORKER_MEMORY"] = str(SMALL_FUNCTION_MB)
    whole = script("memory", "fit", given.path, given.n_clusters, url)["whole"] / 1024**2
    os.environ["WORKER_MEMORY"] = before
    given.path.unlink()
    what = f"fit of {size:.0f} MB of CSV in a function of {SMALL_FUNCTION_MB} MB: RSS"
    return Goal(what, f"≤ {SMALL_FUNCTION_MB} MiB", f"{whole:.0f} MiB", whole <= SMALL_FUNCTION_MB)


def precision(scale: Scale, folder: Path) -> Found:
    rows = []
    for n_samples, n_features, n_clusters in scale.precision:
        given = points.write(folder, n_samples, n_features)
        for offset in scale.offsets:
            found = script("precision", given.path, n_clusters, offset)
            rows.append(
                (
                    f"{given.name}, k={n_clusters}",
                    f"{offset:g}",
                    f"{found['cpu']:.2f}",
                    f"{found['memory']:.2f}",
                    f"{100 * found['inertia']:+.2g} %",
                    f"{100 * found['labels']:.2g} %",
                )
            )
    columns = (
        "points",
        "offset",
        "CPU, of float64's",
        "peak memory, of float64's",
        "inertia, beside float64's",
        "rows in another cluster",
    )
    note = (
        "KMeans.fit of the same points in float32, which the service does not do "
        "([decisions.md](decisions.md)), measured once."
    )
    return [], [Table("float32", columns, rows, note)]


def packages(_scale: Scale, _folder: Path) -> Found:
    limits = {"fit": 190, "predict": 80, "upload": 20}
    found = sizes.megabytes()
    return [
        Goal(
            f"{name}: code and layers, unzipped",
            f"≤ {limit} MB",
            f"{found[name]:.1f} MB" if found else "run `make build` first",
            found[name] <= limit if found else None,
        )
        for name, limit in limits.items()
    ], []


def on_one_service(scale: Scale, folder: Path) -> Found:
    """What is measured of `make run` and needs no start of its own."""
    home = folder / "service"
    home.mkdir()
    with serving(home) as service:
        goals, tables = parallel(scale, folder, service)
        return [*goals, *command(scale, folder, service)], tables


def parallel(scale: Scale, folder: Path, service: Service) -> Found:
    model = points.write(folder, 1_000, 2).read()
    own = load.of_ours(service, model, scale.calls)
    other = load.of_theirs(model, scale.calls)
    goal = Goal("right answers under 4 parallel predicts", "all", str(own), own.right == own.calls)
    rows = [
        (name, str(found), f"{found.calls / found.seconds:.0f}")
        for name, found in (("ours, `make run`", own), ("the original", other))
    ]
    columns = ("server", "answers", "requests a second, wall clock")
    note = "20 to 50 points a call, four callers, each with points of its own, one job."
    return [goal], [Table("Parallel predicts over HTTP", columns, rows, note)]


PARTS = {
    "imports": cold_starts,
    "CSV": csv_steps,
    "Tables": table_steps,
    "fits alone": kernel,
    "iterations out of core": iteration,
    "upload, fit, predict": services,
    "memory": memory,
    "float32": precision,
    "package sizes": packages,
    "parallel predicts, the command": on_one_service,
    "the first picture": first_picture,
    "the web page": page,
}
