"""All that is measured, a part after the other; the report has their goals and tables."""

import os
import sys
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

from bench import cost, end_to_end, load, notations, ours, points, report, sizes, theirs
from bench.end_to_end import EndToEnd
from bench.imports import BARE, CLIENTS, HANDLERS, SKLEARN, with_clients
from bench.measure import Seconds, in_turn, ratios, script, spread
from bench.points import Points
from bench.report import Goal, Table


@dataclass(frozen=True)
class Scale:
    """How much is measured: shapes are (n_samples, n_features)."""

    rounds: int
    inline: tuple[int, int]
    large: tuple[tuple[int, int], ...]
    parsed: tuple[tuple[int, int], ...]
    notations: tuple[int, int]
    memory: tuple[tuple[int, int], ...]
    out_of_core: tuple[int, int]
    precision: tuple[tuple[int, int, int], ...]  # and n_clusters
    offsets: tuple[float, ...]  # of the blobs, whose spread is some 30
    calls: int


FULL = Scale(
    rounds=3,
    inline=(100_000, 2),
    large=((1_000_000, 2), (200_000, 50)),
    parsed=((1_000_000, 2), (200_000, 10)),
    notations=(200_000, 10),
    memory=((1_000_000, 2), (400_000, 10), (200_000, 50)),
    out_of_core=(600_000, 50),
    precision=((1_000_000, 2, 8), (400_000, 10, 8), (100_000, 50, 100)),
    offsets=(0, 1e3, 1e6),
    calls=400,
)
SMALL = Scale(
    rounds=1,
    inline=(2_000, 2),
    large=((3_000, 10),),
    parsed=((3_000, 2),),
    notations=(3_000, 2),
    memory=((3_000, 10),),
    out_of_core=(20_000, 50),
    precision=((3_000, 2, 8),),
    offsets=(0,),
    calls=40,
)
SCALES = {"full": FULL, "small": SMALL}
SMALL_FUNCTION_MB = 512
ANSWERED = 200_000  # about as many labels as an answer can carry


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


type Found = tuple[list[Goal], list[Table]]


def at_least(what: str, values: Seconds, goal: float) -> Goal:
    return Goal(what, f"≥ {goal:g} ×", f"{spread(values)} ×", median(values) >= goal)


def at_most(what: str, values: Seconds, goal: float) -> Goal:
    return Goal(what, f"≤ {goal:g} ×", f"{spread(values, 2)} ×", median(values) <= goal)


def cold_starts(scale: Scale, _folder: Path) -> Found:
    lines = {
        "bare Python": BARE,
        "the s3 and dynamodb clients": CLIENTS,
        "sklearn.cluster": SKLEARN,
    }
    lines |= {handler: with_clients(handler) for handler in HANDLERS}
    ways = {name: lambda line=line: script("imports", line) for name, line in lines.items()}
    in_turn(1, ways)  # compiles what is not compiled yet
    found = in_turn(scale.rounds, ways)
    cpu = {name: [run["cpu"] for run in runs] for name, runs in found.items()}
    bare, clients = cpu["bare Python"], cpu["the s3 and dynamodb clients"]
    sklearn = _less(cpu["sklearn.cluster"], bare)
    goals = [
        at_most(
            f"{name} handler: import CPU beyond Python and the clients, of sklearn.cluster's",
            ratios(_less(cpu[f"{name}.app"], clients), sklearn),
            goal,
        )
        for name, goal in (("upload", 0.15), ("predict", 0.20))
    ]
    rows = [
        (
            f"`{name}`" if name in HANDLERS else name,
            spread([1000 * value for value in _less(cpu[name], bare)], 0),
            spread([run["rss"] for run in runs], 0),
            spread(ratios(_less(cpu[name], clients), sklearn), 2) if name in HANDLERS else "",
        )
        for name, runs in found.items()
    ]
    columns = (
        "imported, in a fresh interpreter with compiled bytecode",
        "CPU ms beyond bare Python",
        "peak RSS, MiB",
        "beyond the clients, of sklearn.cluster's",
    )
    note = "A handler is imported, and its clients of S3 and DynamoDB are made."
    return goals, [Table("Cold start", columns, rows, note)]


def _less(values: Seconds, base: Seconds) -> Seconds:
    return [value - low for value, low in zip(values, base, strict=True)]


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
    rows = []
    for name, given in notations.write(folder, *scale.notations).items():
        found = in_turn(
            scale.rounds,
            {step: partial(script, "steps", step, given.path) for step in ("parse", "loadtxt")},
        )
        rows.append((name, *_speed("parse", given, found["parse"], found["loadtxt"])[1:]))
        given.path.unlink()
    columns = ("numbers", "file", "MB/s", "speed beside np.loadtxt")
    return Table("CSV → array by notation", columns, rows)


def _speed(step: str, given: Points, seconds: Seconds, loadtxt: Seconds) -> tuple[str, ...]:
    megabytes = given.path.stat().st_size / 1e6
    speeds = [megabytes / max(value, 1e-9) for value in seconds]
    beside = [a / max(b, 1e-9) for a, b in zip(loadtxt, seconds, strict=True)]
    return step, given.name, spread(speeds, 1), spread(beside, 2)


def services(scale: Scale, folder: Path) -> Found:
    shapes = (scale.inline, *scale.large)
    with theirs.serving() as server, ours.serving() as service:
        warm = end_to_end.measure(server, service, points.six(folder), scale.rounds, 1)
        two = two_points(server, service, scale, warm.points)
        measured = [
            end_to_end.measure(server, service, points.write(folder, *shape), scale.rounds, 1)
            for shape in shapes
        ]
    six = end_to_end_of_six(scale, folder)
    inline, first = measured[0], measured[1]
    steps = {
        step: partial(script, "steps", step, first.points.path, first.points.n_clusters)
        for step in ("predict", "predict_with_numpy")
    }
    bytes_only = in_turn(scale.rounds, steps)
    seed = first.seconds["predict", "theirs"]
    where = first.points.name
    goals = [
        at_least(
            f"predict, CSV bytes → CSV bytes, {where}: beside the original's route",
            ratios(seed, bytes_only["predict"]),
            20,
        ),
        at_least(
            f"predict through a Lambda event, {inline.points.name}: beside the original's route",
            inline.ratio("predict"),
            12,
        ),
        at_most("predict, 2 points, warm: CPU of the original's route", two, 0.5),
        replace(
            at_least(f"fit end to end, {where}: beside the original", first.ratio("fit"), 6),
            why=f" KMeans.fit alone: {spread(first.most())} ×, the most that can be had",
        ),
        at_most(f"fit end to end, {where}: CPU of a bare script", first.over_script(), 1.3),
    ]
    alone = ratios(bytes_only["predict_with_numpy"], bytes_only["predict"])
    note = (
        f"Predict as steps without a service, CSV bytes → CSV bytes, {where}: "
        f"{spread([1000 * value for value in bytes_only['predict']])} ms, which the original's "
        f"genfromtxt, predict and savetxt in a script take {spread(alone)} times."
    )
    found = end_to_end.table([six, *measured])
    tables = [
        Table(found.title, found.columns, found.rows, note),
        cost.table([six, *measured]),
        cost.memory_table([each.points for each in measured[1:]], scale.rounds),
    ]
    return goals, tables


def end_to_end_of_six(scale: Scale, folder: Path) -> EndToEnd:
    with theirs.serving() as server, ours.serving() as service:
        given = points.six(folder)
        end_to_end.measure(server, service, given, 1, 1)  # warm
        return end_to_end.measure(server, service, given, 2 * scale.rounds, 5)


def two_points(server: theirs.Theirs, service: ours.Ours, scale: Scale, model: Points) -> Seconds:
    """CPU of ours, of the original's, for two points on a warm model."""
    apis: dict[str, theirs.Theirs | ours.Ours] = {"theirs": server, "ours": service}
    jobs = {name: api.upload(model.read()) for name, api in apis.items()}
    for name, api in apis.items():
        api.fit(jobs[name], model.n_clusters)

    def predicts(name: str) -> float:
        api = apis[name]
        before = api.cpu()
        for _ in range(20):
            api.predict(jobs[name], b"0, 0\n12, 3\n")
        return api.cpu() - before

    ways = {name: partial(predicts, name) for name in apis}
    in_turn(1, ways)
    found = in_turn(2 * scale.rounds, ways)
    return ratios(found["ours"], found["theirs"])


def memory(scale: Scale, folder: Path) -> Found:
    goals, rows = [], []
    for shape in scale.memory:
        given = points.write(folder, *shape)
        for work in ("fit", "predict", "parse"):
            above = float(script("memory", work, given.path, given.n_clusters)["above"])
            times = above / given.array_bytes
            rows.append((work, given.name, f"{above / 1e6:.0f}", f"{times:.2f}"))
            limit = {"predict": 1.5, "parse": None}.get(work, 3 if shape[1] >= 10 else 8)
            if limit:
                what = f"{work}, {given.name}: peak memory, × n·d·8 bytes"
                goals.append(Goal(what, f"≤ {limit:g}", f"{times:.2f}", times <= limit))
    goals.append(out_of_core(scale, folder))
    note = (
        "Above the same work on six points, of the process that works. `predict` is the worker's, "
        "which streams; `parse` is CSV bytes → label bytes in memory, above the bytes given."
    )
    return goals, [Table("Peak memory", ("work", "points", "MB", "× n·d·8"), rows, note)]


def out_of_core(scale: Scale, folder: Path) -> Goal:
    """The whole process of a fit whose data is larger than the function that fits it."""
    given = points.write(folder, *scale.out_of_core)
    size = given.path.stat().st_size / 1e6
    before = os.environ["WORKER_MEMORY"]
    os.environ["WORKER_MEMORY"] = str(SMALL_FUNCTION_MB)
    whole = script("memory", "fit", given.path, given.n_clusters)["whole"] / 1024**2
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


def parallel(scale: Scale, folder: Path) -> Found:
    model = points.write(folder, 1_000, 2).read()
    own = load.of_ours(model, scale.calls)
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
    "upload, fit, predict": services,
    "memory": memory,
    "float32": precision,
    "package sizes": packages,
    "parallel predicts": parallel,
}
