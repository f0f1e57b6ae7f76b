"""A fit of data in memory.

python -m bench.fitting CSV N_CLUSTERS: prints seconds by the clock and CPU seconds.
"""

import json
import sys
import time
from pathlib import Path

from bench.measure import cpu_seconds


def main() -> None:
    path, n_clusters = Path(sys.argv[1]), int(sys.argv[2])
    from kmeans_service.fitting import clustering
    from kmeans_service.recipes.params import parse_params
    from kmeans_service.tables.dataset import parse_csv

    params = parse_params({"n_clusters": n_clusters, "random_state": 0})
    X = parse_csv(path.read_bytes()).X
    clustering.fit(X[:1000].copy(), params)
    cpu, begin = cpu_seconds(), time.perf_counter()
    clustering.fit(X, params)
    seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "cpu": cpu_seconds() - cpu}))


if __name__ == "__main__":
    main()
