"""The kernel's fits beside scikit-learn's, and beside what no program can be faster than."""

from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from bench.goals import Found, at_least
from bench.measure import ratios, script, spread
from bench.report import Goal, Table
from bench.scale import Scale

# Of so many rows an iteration took 13.6 s before the kernel; reckoned from fewer.
LARGE_ROWS, MOST_SECONDS = 22_000_000, 4.5
WAYS = {
    "without": "NumPy and scikit-learn, CPU ms",
    "kernel": "ours, CPU ms",
    "reading": "reading alone, CPU ms",
}


def kernel(scale: Scale, _folder: Path) -> Found:
    goals, rows = [], []
    for *shape, goal in scale.alone:
        found = script("alone", *shape, scale.rounds)
        n_samples, n_features, n_clusters = shape
        name = f"{n_samples:,} × {n_features}, k={n_clusters:,}"
        faster = ratios(found["sklearn"], found["kernel"])
        what = f"fit alone, {name}: beside KMeans.fit, one thread, equal labels"
        met = at_least(what, faster, goal)
        goals.append(replace(met, met=met.met and found["equal"]))
        rows.append((name, str(found["n_iter"]), *_row(found, spread(faster))))
    columns = (
        "points",
        "iterations",
        "KMeans.fit, CPU ms",
        "ours, CPU ms",
        "KMeans.fit / ours",
        "labels",
        "passes",
        "memory alone, ms",
        "arithmetic alone, ms",
        "ours / the larger",
    )
    note = (
        "On one thread, from the array to labels and centers. The limits are this machine's, "
        "measured beside: *memory* reads the rows as often as the plain algorithm passes over "
        "them, *arithmetic* makes its products as fast as a large product of BLAS. Bounds spare "
        "products, so that ours may be below."
    )
    return goals, [Table("Fit alone", columns, rows, note)]


def _row(found: dict[str, Any], faster: str) -> tuple[str, ...]:
    own, other = ([1000 * each for each in found[name]] for name in ("kernel", "sklearn"))
    memory, arithmetic = 1000 * found["memory"], 1000 * found["arithmetic"]
    return (
        spread(other, 0),
        spread(own, 0),
        faster,
        "equal" if found["equal"] else "not equal",
        str(found["passes"]),
        f"{memory:.0f}",
        f"{arithmetic:.0f}",
        f"{median(own) / max(memory, arithmetic):.1f}",
    )


def iteration(scale: Scale, _folder: Path) -> Found:
    """Of a fit out of core, whose passes are the kernel's as well."""
    n_samples, n_features, n_clusters = scale.iteration
    found = script("iteration", *scale.iteration, scale.rounds)
    name = f"{n_samples:,} × {n_features}, k={n_clusters:,}"
    faster = ratios(found["without"], found["kernel"])
    whole = [seconds * LARGE_ROWS / n_samples for seconds in found["kernel"]]
    goal = Goal(
        f"an iteration out of core over {LARGE_ROWS:,} × {n_features}, k={n_clusters}: CPU",
        f"≤ {MOST_SECONDS:g} s",
        f"{spread(whole)} s",
        median(whole) <= MOST_SECONDS,
    )
    cells = [spread([1000 * each for each in found[way]], 0) for way in WAYS]
    columns = ("points", *WAYS.values(), "without / with", f"{LARGE_ROWS:,} rows, CPU s")
    rows = [(name, *cells, spread(faster), spread(whole))]
    note = (
        "One look at all rows of a file, from the disk's cache to new centers. *Reading alone* is "
        "its limit: it copies the rows once and computes nothing."
    )
    return [goal], [Table("Iteration out of core", columns, rows, note)]
