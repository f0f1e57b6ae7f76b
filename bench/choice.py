"""How often the right number of clusters is chosen: python -m bench.choice [seed …]

Of 20 data sets of a known number, of 24 more whose clusters lie along a line, and of 40 that have
no clusters, for each seed. To the 20 other rules are applied as well: the largest silhouette; the
gap statistic (the least number whose gap is within a standard error of the next one's); BigQuery
ML's, which advises the least Davies–Bouldin index; and H2O's `estimate_k`, which has clusters of
its own.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from bench.choice_sets import Known, along_a_line, structured, unstructured
from bench.h2o import estimated
from bench.measure import cpu_seconds
from kmeans_service.arrays import Array
from kmeans_service.fitting.choosing.candidates import Candidate
from kmeans_service.fitting.choosing.choice import Choice, choose, sample_of
from kmeans_service.fitting.choosing.verdict import NONE
from kmeans_service.fitting.clustering import one_thread

SEEDS = (0, 1, 2)


def in_space(X: Array) -> Array:
    Z = np.array(X - X.mean(axis=0), order="C")
    Z /= np.abs(Z).max()
    return Z


def others(known: Known, found: Choice) -> dict[str, int]:
    """What other rules choose."""
    tried = found.candidates

    def silhouette(one: Candidate) -> float:
        return -1.0 if one.silhouette is None else one.silhouette

    def davies_bouldin(one: Candidate) -> float:
        return np.inf if one.davies_bouldin is None else one.davies_bouldin

    return {
        "silhouette": max(tried, key=silhouette).n_clusters,
        "gap statistic": by_gap(tried),
        "BigQuery ML": min(tried, key=davies_bouldin).n_clusters,
        "H2O": estimated(known.X, known.most),
    }


def by_gap(tried: Sequence[Candidate]) -> int:
    known = [(one.n_clusters, one.gap, one.gap_error) for one in tried if one.gap is not None]
    for (number, gap, _), (_, next_gap, error) in pairwise(known):
        if gap >= next_gap - (error or 0.0):
            return number
    return known[-1][0]


def chosen(known: Known, seed: int) -> tuple[Choice, float]:
    start = cpu_seconds()
    rows = sample_of(in_space(known.X), seed)
    found = choose(rows, range(2, known.most + 1), seed)
    return found, cpu_seconds() - start


def main(seeds: Sequence[int]) -> None:
    right: Counter[str] = Counter()
    verdicts: Counter[tuple[str, str]] = Counter()
    lines: Counter[bool] = Counter()
    n_sets = 0
    for seed in seeds:
        for known in structured(seed):
            found, seconds = chosen(known, seed)
            rules = {"ours": found.n_clusters} | others(known, found)
            right.update(name for name, number in rules.items() if number in known.right)
            verdicts["clusters", found.verdict] += 1
            n_sets += 1
            print(
                f"{seed} | {known.name} | {found.verdict} | {rules} | {seconds:.1f} s", flush=True
            )
        for known in along_a_line(seed):
            found, seconds = chosen(known, seed)
            lines[found.n_clusters in known.right] += 1
            verdicts["along a line", found.verdict] += 1
            if found.n_clusters not in known.right or found.verdict == NONE:
                print(f"{seed} | {known.name} | {found.verdict} {found.n_clusters}", flush=True)
        for known in unstructured(seed):
            found, seconds = chosen(known, seed)
            verdicts["no clusters", found.verdict] += 1
            if found.verdict != NONE:
                print(f"{seed} | {known.name} | {found.verdict} | {seconds:.1f} s", flush=True)
    print(*(f"{name}: right on {right[name]} of {n_sets}" for name in rules), sep="\n")
    print(f"along a line: right on {lines[True]} of {lines.total()}")
    print(*(f"{what}: {verdict} {n}" for (what, verdict), n in sorted(verdicts.items())), sep="\n")


if __name__ == "__main__":
    with one_thread():
        main([int(seed) for seed in sys.argv[1:]] or SEEDS)
