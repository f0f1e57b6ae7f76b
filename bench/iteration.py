"""An iteration out of core: the kernel's passes beside NumPy's and scikit-learn's, in turn.

python -m bench.iteration N_SAMPLES N_FEATURES N_CLUSTERS ROUNDS: prints CPU seconds of both, and of
reading the rows' file alone, which is in memory.
"""

import io
import json
import sys
import tempfile
from functools import partial
from unittest import mock

from bench.alone import blobs
from bench.measure import cpu_of, in_turn
from kmeans_service.arrays import Array
from kmeans_service.fitting import clustering, out_of_core, passes
from kmeans_service.fitting.kernel import library
from kmeans_service.fitting.out_of_core import InFile, RowFile

PART = 100_000


def with_kernel(rows: RowFile, centers: Array) -> None:
    passes.iterate(InFile(rows, io.BytesIO()), centers)


def without(rows: RowFile, centers: Array) -> None:
    with mock.patch.object(library, "runs_here", return_value=False):
        passes.iterate(InFile(rows, io.BytesIO()), centers)


def reading(rows: RowFile, _centers: Array) -> None:
    rows.file.seek(0)
    while rows.file.read(out_of_core.CHUNK_BYTES):
        pass


def main() -> None:
    n_samples, n_features, n_clusters, rounds = map(int, sys.argv[1:])
    X = blobs(n_samples, n_features, n_clusters)
    parts = (X[start : start + PART] for start in range(0, n_samples, PART))
    with tempfile.TemporaryFile() as file, clustering.one_thread():
        rows = out_of_core.spill(parts, n_features, file)
        centers = rows.space.enter(X[:n_clusters].copy())
        hows = {"kernel": with_kernel, "without": without, "reading": reading}
        ways = {name: partial(cpu_of, partial(how, rows, centers)) for name, how in hows.items()}
        in_turn(1, ways)  # warm
        print(json.dumps(in_turn(rounds, ways)))


if __name__ == "__main__":
    main()
