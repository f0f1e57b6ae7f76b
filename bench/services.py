"""Upload, fit and predict end to end, beside the original."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

from bench import cost, end_to_end, ours, points, theirs
from bench.end_to_end import EndToEnd
from bench.goals import Found, at_least, at_most
from bench.measure import Seconds, in_turn, ratios, script, spread
from bench.points import Points
from bench.report import Goal, Table
from bench.scale import Scale


def services(scale: Scale, folder: Path) -> Found:
    shapes = (scale.inline, *scale.large)
    with theirs.serving() as server, ours.serving() as service:
        few = points.six(folder)
        if scale.warm_rounds:
            end_to_end.warm(server, service, few)
        two = two_points(server, service, scale, few)
        six = end_to_end.measure(server, service, few, scale.short_rounds, 5, _beside(scale))
        measured = [
            end_to_end.measure(
                server,
                service,
                points.write(folder, *shape),
                scale.rounds,
                scripts=_beside(scale, has_goals=shape == scale.large[0]),
            )
            for shape in shapes
        ]
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
            at_least(f"fit end to end, {where}: beside the original", first.ratio("fit"), 8),
            why=f" KMeans.fit alone: {spread(first.most())} ×, the most that can be had",
        ),
        at_least(
            f"fit end to end, {where}: beside polars + KMeans.fit + polars as a script",
            first.beside_polars(),
            2.2,
        ),
        of_six(six),
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


def _beside(scale: Scale, has_goals: bool = False) -> Mapping[str, str]:
    return end_to_end.SCRIPTS if scale.all_scripts or has_goals else {}


def of_six(found: EndToEnd) -> Goal:
    milliseconds = [1000 * value for value in found.seconds["fit", "ours"]]
    met = median(milliseconds) <= 20
    return Goal(
        "fit of six points through the handler", "≤ 20 ms", f"{spread(milliseconds)} ms", met
    )


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
    in_turn(scale.warm_rounds, ways)
    found = in_turn(scale.short_rounds, ways)
    return ratios(found["ours"], found["theirs"])
