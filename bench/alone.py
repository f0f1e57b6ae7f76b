"""A fit of an array, alone: the kernel's beside KMeans.fit, on one thread, in turn.

python -m bench.alone N_SAMPLES N_FEATURES N_CLUSTERS ROUNDS: prints CPU seconds of both, whether
their labels are equal, and the limits that a machine has: of its memory, and of its arithmetic.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.cluster import KMeans

from bench.measure import cpu_of, in_turn
from kmeans_service.arrays import Array
from kmeans_service.fitting import clustering, entering
from kmeans_service.fitting.kernel.lloyd import lloyd
from kmeans_service.fitting.kernel.rows import Rows

TOLERANCE = 1e-4


def blobs(n_samples: int, n_features: int, n_clusters: int) -> Array:
    rng = np.random.default_rng(0)
    centers = rng.uniform(-50, 50, (n_clusters, n_features))
    made: Array = centers[rng.integers(0, n_clusters, n_samples)]
    return made + rng.normal(0, 10, made.shape)


def by_kernel(X: Array, n_clusters: int) -> Any:
    """Everything that KMeans.fit does, its copy of the data included."""
    Z = X.copy()
    _, columns = entering.enter(Z)
    return lloyd(Rows(Z), n_clusters, tolerance=TOLERANCE * columns.mean_variance)


def by_sklearn(X: Array, n_clusters: int) -> Any:
    return KMeans(n_clusters, random_state=0).fit(X)


def bytes_a_second(X: Array) -> float:
    """Of memory that is read, in pieces that no cache keeps."""
    X.max()
    return float(X.nbytes / cpu_of(X.max))


def products_a_second() -> float:
    """Multiplications with an addition, of a matrix product of BLAS: nothing computes faster."""
    square = np.ones((1000, 1000))
    square @ square
    return 1e9 / cpu_of(lambda: square @ square)


def limits(X: Array, n_clusters: int, n_iter: int) -> dict[str, float]:
    """Seconds for the passes and for the products of the plain algorithm; bounds spare some.

    k-means++ reads the rows once a center, Lloyd once an iteration and once for the last labels;
    mean and variance take one pass each, the copy two.
    """
    candidates = 2 + int(np.log(n_clusters))
    passes = n_clusters + n_iter + 1 + 4
    rounds = n_clusters * candidates + (n_iter + 1) * n_clusters
    memory = max(X, np.zeros(4_000_000), key=lambda array: array.nbytes)
    return {
        "passes": passes,
        "memory": passes * X.nbytes / bytes_a_second(memory),
        "arithmetic": rounds * X.size / products_a_second(),
    }


def main() -> None:
    n_samples, n_features, n_clusters, rounds = map(int, sys.argv[1:])
    X = blobs(n_samples, n_features, n_clusters)
    found: dict[str, Any] = {}

    def timed(name: str, work: Callable[[Array, int], Any]) -> float:
        return cpu_of(lambda: found.update({name: work(X, n_clusters)}))

    ways = {"kernel": by_kernel, "sklearn": by_sklearn}
    with clustering.one_thread():
        seconds = in_turn(rounds, {name: partial(timed, name, how) for name, how in ways.items()})
        told = limits(X, n_clusters, found["kernel"].n_iter)
    equal = bool((found["kernel"].labels == found["sklearn"].labels_).all())
    print(json.dumps(seconds | told | {"equal": equal, "n_iter": found["kernel"].n_iter}))


if __name__ == "__main__":
    main()
