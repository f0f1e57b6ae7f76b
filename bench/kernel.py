"""The kernel's fits beside scikit-learn's, and beside what no program can be faster than."""

from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from bench.goals import Found, at_least
from bench.measure import ratios, script, spread
from bench.report import Table
from bench.scale import Scale


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
