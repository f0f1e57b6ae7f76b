"""Whether labels are those of the page: several clusterings of its six points are equally good."""

import re
from itertools import groupby

LABEL_ROWS = re.compile(r"(\d\.\d{18}e[+-]\d\d\n)+")
POINTS = [(1, 2), (1, 4), (1, 0), (10, 2), (10, 4), (10, 0)]


def as_good(came: str, shown: str) -> bool:
    """As many clusters, of the same inertia."""
    return (
        bool(LABEL_ROWS.fullmatch(came))
        and len(clusters(came)) == len(clusters(shown))
        and quality(came) == quality(shown)
    )


def clusters(labels: str) -> list[list[int]]:
    """Rows that have one label, whatever its number."""
    rows = sorted(enumerate(labels.split()), key=lambda row: row[1])
    return [[row for row, _ in group] for _, group in groupby(rows, key=lambda row: row[1])]


def quality(labels: str) -> float:
    """Of the six points' clustering its inertia; else nothing."""
    if len(labels.split()) != len(POINTS):
        return 0.0
    return sum(inertia([POINTS[row] for row in rows]) for rows in clusters(labels))


def inertia(points: list[tuple[int, int]]) -> float:
    """Sum of squared distances from the points' mean."""
    return sum(
        sum((value - sum(axis) / len(axis)) ** 2 for value in axis)
        for axis in zip(*points, strict=True)
    )
