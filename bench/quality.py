"""How good fits are beside restarts, and what `swap` costs: python -m bench.quality [sizes]

Of each data set, over the seeds: by how much the worst swap fit is above the best of 100 starts of
scikit-learn's (below 0: better), the CPU time of a swap fit in that of one start, how many fits of
`lloyd` are more than 0.1 % above it, how many of these carry the warning, and how many others do.
With `sizes`, of other data sets, only what swap costs.
"""

import statistics
import sys
import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans

from bench.measure import cpu_of, in_turn
from bench.quality_sets import Case, cases, sizes
from kmeans_service.fitting import clustering
from kmeans_service.fitting.clustering import Clustering
from kmeans_service.fitting.runs import best_run
from kmeans_service.recipes.params import parse_params
from kmeans_service.recipes.work import TELLING_GAIN

SEEDS, RESTARTS = 5, 100


@dataclass
class Missed:
    """Fits of lloyd that are worse than others, those of them that say so, and others that do."""

    worse: int = 0
    told: int = 0
    told_others: int = 0

    def count(self, fit: Clustering, best: float) -> None:
        told = fit.gain > TELLING_GAIN
        if fit.scores.inertia > best * (1 + TELLING_GAIN):
            self.worse += 1
            self.told += told
        else:
            self.told_others += told


def fitted(case: Case, seed: int, **params: object) -> Clustering:
    asked = {"n_clusters": case.n_clusters, "random_state": seed, **params}
    return clustering.fit(np.array(case.X, order="C"), parse_params(asked))


def cost(case: Case) -> str:
    """CPU time of swap in that of a start of scikit-learn's: median, and the largest of a seed."""
    Z = np.ascontiguousarray(case.X - case.X.mean(axis=0))
    variance = float(np.var(Z, axis=0).mean())

    def of_seed(seed: int) -> float:
        given = {"n_clusters": case.n_clusters, "random_state": seed}
        params = parse_params({**given, "algorithm": "swap"})
        start = KMeans(**given)
        ways = {
            "swap": lambda: cpu_of(lambda: best_run(Z, params, "k-means++", variance)),
            "start": lambda: cpu_of(lambda: start.fit(case.X)),
        }
        found = in_turn(3, ways)
        return min(found["swap"]) / min(found["start"])

    found = [of_seed(seed) for seed in range(SEEDS)]
    return f"{statistics.median(found):.1f} ({max(found):.1f})"


def quality(case: Case, missed: Missed) -> str:
    best = KMeans(case.n_clusters, n_init=RESTARTS, random_state=0).fit(case.X).inertia_
    swaps = [fitted(case, seed, algorithm="swap") for seed in range(SEEDS)]
    gap = max(fit.scores.inertia for fit in swaps) / best - 1
    own = Missed()
    for seed in range(SEEDS):
        own.count(fitted(case, seed), best)
    for name, value in vars(own).items():
        setattr(missed, name, getattr(missed, name) + value)
    return f"{gap:+.1e} | {own.worse} | {own.told} | {own.told_others}"


def main() -> None:
    warnings.simplefilter("ignore")
    only_sizes, missed = sys.argv[1:] == ["sizes"], Missed()
    with clustering.one_thread():
        for case in sizes() if only_sizes else cases():
            n, d = case.X.shape
            found = "" if only_sizes else f" | {quality(case, missed)}"
            shape = f"{n:,} × {d}, k={case.n_clusters}"
            print(f"{case.name} | {shape} | {cost(case)}{found}", flush=True)
    if not only_sizes:
        print(f"worse {missed.worse}, told {missed.told}; told others {missed.told_others}")


if __name__ == "__main__":
    main()
