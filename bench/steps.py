"""The steps by themselves, without a service around them, on one file.

python -m bench.steps STEP CSV [N_CLUSTERS]: prints the CPU seconds of the step, imports excluded.
"""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import cpu_of


def warm(work: Callable[[], Any]) -> float:
    """CPU seconds of the second time, in memory that the process has from the first.

    How long the first touch of a page takes is the machine's, and another every time.
    """
    work()
    return cpu_of(work)


def parse(path: Path) -> float:
    from kmeans_service.tables.dataset import parse_csv

    body = path.read_bytes()
    return warm(lambda: parse_csv(body))


def table(path: Path) -> float:
    """Its columns of numbers, as a fit reads them, once the file is known."""
    from kmeans_service.tables.columns import Layout, Role, read_columns
    from kmeans_service.tables.table import read_table

    body = path.read_bytes()
    found = read_table(lambda: io.BytesIO(body))
    roles = (Role.NUMBER if column.is_numeric else Role.SKIPPED for column in found.columns)
    layout = Layout(tuple(roles))
    return warm(lambda: read_columns(lambda: io.BytesIO(body), found.dialect, layout, found.n_rows))


def grammar(path: Path) -> float:
    from kmeans_service.tables.csv_grammar import check

    body = path.read_bytes()
    return warm(lambda: check(body))


def loadtxt(path: Path) -> float:
    with path.open("rb") as file:
        quote = '"' if file.read(1) == b'"' else None
    return warm(lambda: np.loadtxt(path, delimiter=",", quotechar=quote))


def genfromtxt(path: Path) -> float:
    return warm(lambda: np.genfromtxt(path, delimiter=","))


def memory(path: Path) -> float:
    """A physical limit: the file's bytes copied once."""
    body = np.fromfile(path, np.uint8)
    return warm(body.copy)


def to_csv(path: Path, n_samples: int) -> float:
    """In one piece, as an answer is."""
    from kmeans_service.models.labels_to_text import to_csv as write

    labels = _labels(path)[:n_samples]
    return warm(lambda: write(labels))


def csv_chunks(path: Path, n_samples: int) -> float:
    """As a stream, which is how many labels are stored."""
    from kmeans_service.models.labels_to_text import csv_chunks as chunks

    labels = _labels(path)[:n_samples]
    return warm(lambda: sum(map(len, chunks(labels))))


def savetxt(path: Path, n_samples: int) -> float:
    labels = _labels(path)[:n_samples]
    return warm(lambda: np.savetxt(io.BytesIO(), labels, delimiter=","))


def _labels(path: Path) -> Any:
    rows = path.read_bytes().count(b"\n")
    return np.random.default_rng(0).integers(0, 8, rows, dtype=np.int32)


def fit(path: Path, n_clusters: int) -> float:
    """The floor: scikit-learn in a script."""
    from sklearn.cluster import KMeans

    def script() -> None:
        X = np.loadtxt(path, delimiter=",")
        KMeans(n_clusters=n_clusters, random_state=0).fit(X)

    return cpu_of(script)


def polars(path: Path, n_clusters: int) -> float:
    """The fastest script of packages: CSV in, labels as CSV out."""
    import polars as pl  # type: ignore[import-not-found]
    from sklearn.cluster import KMeans

    def script() -> None:
        X = pl.read_csv(path, has_header=False).to_numpy(order="c")
        labels = KMeans(n_clusters=n_clusters, random_state=0).fit(X).labels_
        pl.DataFrame({"label": labels}).write_csv(io.BytesIO(), include_header=False)

    return cpu_of(script)


def polars_table(path: Path) -> float:
    """Its columns of numbers as an array, on one thread or more."""
    import polars as pl
    import polars.selectors as cs  # type: ignore[import-not-found]

    body = path.read_bytes()
    header = body[:1].isalpha()
    return warm(
        lambda: pl.read_csv(body, has_header=header).select(cs.numeric()).to_numpy(order="c")
    )


def kmeans(path: Path, n_clusters: int) -> float:
    """The part of a fit that is scikit-learn's own, on one thread, as in a function of one vCPU."""
    from sklearn.cluster import KMeans

    X = np.loadtxt(path, delimiter=",")
    KMeans(n_clusters=2, random_state=0).fit(X[:1000])
    return cpu_of(lambda: KMeans(n_clusters=n_clusters, random_state=0, copy_x=False).fit(X))


def predict(path: Path, n_clusters: int) -> float:
    """CSV bytes in, CSV bytes out."""
    from kmeans_service.models.labels_to_text import to_csv as write
    from kmeans_service.models.predictor import Predictor, take
    from kmeans_service.tables.dataset import parse_csv

    body = path.read_bytes()
    centers = parse_csv(body).X[:n_clusters].copy()
    predictor = Predictor(take(centers), centers)
    return cpu_of(lambda: write(predictor.predict(parse_csv(body).X)))


def predict_with_numpy(path: Path, n_clusters: int) -> float:
    """The original's three steps without its server."""
    from sklearn.cluster import KMeans

    model = KMeans(n_clusters, random_state=0).fit(
        np.genfromtxt(path, delimiter=",", max_rows=1000)
    )

    def steps() -> None:
        labels = model.predict(np.genfromtxt(path, delimiter=","))
        np.savetxt(io.BytesIO(), labels, delimiter=",")

    return cpu_of(steps)


if __name__ == "__main__":
    step, csv, *rest = sys.argv[1:]
    print(json.dumps(globals()[step](Path(csv), *map(int, rest))))
