"""Peak memory of one piece of work above that of the same work on six points.

python -m bench.memory fit|predict|parse CSV N_CLUSTERS URL: prints bytes, of who works it.
URL is that of an AWS of moto's.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import ours
from bench.peaks import peak_of_children
from bench.points import six


def fit(service: ours.Ours, path: Path, n_clusters: int) -> int:
    """Of the process that the handler starts for it, or of the handler's where it starts none."""
    job_id = service.upload(path.read_bytes())
    in_child(lambda: service.fit(job_id, n_clusters))
    return peak_of_children()


def predict(service: ours.Ours, path: Path, n_clusters: int) -> int:
    """Of the worker, to which the points stream out of the bucket."""
    with path.open("rb") as file:
        some = b"".join(file.readline() for _ in range(100))
    job_id = service.upload(some)
    service.fit(job_id, min(n_clusters, 3))
    record = service.put_points(job_id, path.read_bytes())
    in_child(lambda: service.work(record))
    return peak_of_children()


def parse(_service: ours.Ours, path: Path, _n_clusters: int) -> int:
    """CSV bytes to label bytes in memory, above those bytes."""
    from kmeans_service.models.labels_to_text import to_csv
    from kmeans_service.models.nearest import nearest
    from kmeans_service.tables.dataset import parse_csv

    def labels() -> None:
        X = parse_csv(path.read_bytes()).X
        to_csv(nearest(X, X[:3].copy()))

    in_child(labels)
    return peak_of_children() - path.stat().st_size


def in_child(work: Callable[[], object]) -> None:
    from kmeans_service import aws

    child = os.fork()
    if child == 0:
        status = 1
        try:
            aws.close_connections()
            work()
            status = 0
        finally:
            os._exit(status)
    if os.waitpid(child, 0)[1]:
        raise RuntimeError("the child failed")


def main() -> None:
    answer = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the handlers' log
    name, path, n_clusters, url = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    work = {"fit": fit, "predict": predict, "parse": parse}[name]
    with ours.on(url) as service, tempfile.TemporaryDirectory() as folder:
        few = work(service, six(Path(folder)).path, 3)
        many = work(service, path, n_clusters)
    os.write(answer, json.dumps({"above": many - few, "whole": many}).encode())


if __name__ == "__main__":
    main()
