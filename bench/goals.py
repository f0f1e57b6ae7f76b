"""What a measured part must come to."""

from statistics import median

from bench.measure import Seconds, spread
from bench.report import Goal, Table

type Found = tuple[list[Goal], list[Table]]


def at_least(what: str, values: Seconds, goal: float) -> Goal:
    return Goal(what, f"≥ {goal:g} ×", f"{spread(values)} ×", median(values) >= goal)


def at_most(what: str, values: Seconds, goal: float) -> Goal:
    return Goal(what, f"≤ {goal:g} ×", f"{spread(values, 2)} ×", median(values) <= goal)
