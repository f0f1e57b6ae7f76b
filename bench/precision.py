"""What fits in float32 would change: KMeans of the same points in both precisions.

python -m bench.precision CSV N_CLUSTERS OFFSET: prints float32's CPU time and peak memory as
shares of float64's, and what comes of it, beside float64's result: the inertia of its centers
(over the float64 data), and the share of rows in another cluster.
"""

import json
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin

from bench.measure import cpu_seconds
from bench.peaks import peak_of_this_process

type Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Fit:
    cpu: float
    peak: int  # bytes, above those before
    centers: Array
    labels: Array


def fitted(X: Array, n_clusters: int) -> Fit:
    KMeans(2, random_state=0).fit(X[:100])
    before, cpu = peak_of_this_process(), cpu_seconds()
    model = KMeans(n_clusters, random_state=0, copy_x=False).fit(X)
    cpu = cpu_seconds() - cpu
    return Fit(cpu, peak_of_this_process() - before, model.cluster_centers_, model.labels_)


def in_child(X: Array, n_clusters: int) -> Fit:
    """Each with memory of its own."""
    from kmeans_service.fitting.engines.child import Child

    with closing(Child(lambda _say: fitted(X, n_clusters))) as child:
        if child.poll(600) is None:
            return child.collect()
    raise RuntimeError("the fit takes too long")


def inertia(X: Array, centers: Array) -> float:
    difference = X - centers[pairwise_distances_argmin(X, centers)]
    return float(np.einsum("ij,ij->", difference, difference))


def in_other_clusters(labels: Array, others: Array, n_clusters: int) -> float:
    """The share of rows whose cluster is not the one that shares most rows with theirs."""
    from scipy.optimize import linear_sum_assignment

    shared = np.zeros((n_clusters, n_clusters), int)
    np.add.at(shared, (labels, others), 1)
    return 1 - float(shared[linear_sum_assignment(-shared)].sum()) / len(labels)


def main() -> None:
    path, n_clusters, offset = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    X = np.loadtxt(path, delimiter=",") + offset
    double, single = in_child(X, n_clusters), in_child(X.astype(np.float32), n_clusters)
    found = {
        "cpu": single.cpu / double.cpu,
        "memory": (single.peak + X.nbytes / 2) / (double.peak + X.nbytes),
        "inertia": inertia(X, single.centers.astype(float)) / inertia(X, double.centers) - 1,
        "labels": in_other_clusters(double.labels, single.labels, n_clusters),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
