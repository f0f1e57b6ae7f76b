"""What a cold start loads, in CPU time and memory."""

from pathlib import Path

from bench.goals import Found, at_most
from bench.imports import BARE, CLIENTS, GOALS_FOR, SKLEARN, with_clients
from bench.measure import Seconds, in_turn, ratios, script, spread
from bench.report import Table
from bench.scale import Scale


def cold_starts(scale: Scale, _folder: Path) -> Found:
    lines = {
        "bare Python": BARE,
        "the s3 and dynamodb clients": CLIENTS,
        "sklearn.cluster": SKLEARN,
    }
    lines |= {handler: with_clients(handler) for handler in scale.handlers}
    ways = {name: lambda line=line: script("imports", line) for name, line in lines.items()}
    for _ in range(scale.warm_rounds):  # compiles what is not compiled yet
        script("imports", "; ".join(lines.values()))
    found = in_turn(scale.rounds, ways)
    cpu = {name: [run["cpu"] for run in runs] for name, runs in found.items()}
    bare, clients = cpu["bare Python"], cpu["the s3 and dynamodb clients"]
    sklearn = _less(cpu["sklearn.cluster"], bare)
    goals = [
        at_most(
            f"{handler.removesuffix('.app')} handler: import CPU beyond Python and the clients, "
            "of sklearn.cluster's",
            ratios(_less(cpu[handler], clients), sklearn),
            goal,
        )
        for handler, goal in GOALS_FOR.items()
    ]
    rows = [
        (
            f"`{name}`" if name in scale.handlers else name,
            spread([1000 * value for value in _less(cpu[name], bare)], 0),
            spread([run["rss"] for run in runs], 0),
            spread(ratios(_less(cpu[name], clients), sklearn), 2) if name in scale.handlers else "",
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
