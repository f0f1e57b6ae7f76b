"""Points that are labelled by ranges: byte for byte what the worker answers, refusals too."""

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distributed import job, rows, work
from harness.alone import Alone
from harness.spark_runs import Result, Runs, running
from harness.spark_tables import TABLE, blobs, csv
from kmeans_service.errors import ServiceError
from kmeans_service.fitting.kernel import library
from kmeans_service.models.points import PointsTable
from kmeans_service.problems import problem_document
from worker.predicting import labels_csv

pytestmark = pytest.mark.skipif(not library.runs_here(), reason="the kernel needs AVX2")

SIX = b"1,2\n1,4\n1,0\n10,2\n10,4\n10,0\n"
ASKED: dict[str, Any] = {
    "model_params": {"n_clusters": 4},
    "preprocessing": {"categories": "one_hot", "scaling": "robust", "missing": "drop"},
}


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    monkeypatch.setattr(rows, "PART_BYTES", 1)  # each range a group of its own
    monkeypatch.setattr(rows, "BLOCK_BYTES", 3000)
    with running(tmp_path, monkeypatch) as made:
        yield made


def of_the_worker(points: bytes, fitted: Result) -> bytes | dict[str, Any]:
    """Its labels, or the problem that it refuses the points with."""
    model = fitted.manifest().model
    try:
        table = PointsTable.read(
            lambda: io.BytesIO(points), model.columns, complete=model.is_complete
        )
        return b"".join(labels_csv(model, table))
    except ServiceError as error:
        return problem_document(error)


def of_a_run(runs: Runs, points: bytes, fitted: Result, range_bytes: int) -> Any:
    uri = runs.points(points, fitted)
    work.do(job.load(uri), Alone(), range_bytes)
    found = runs.result_of(uri)
    if found.document["status"] == "refused":
        return found.problem
    stored = found.document["result"]
    assert stored["key"] == f"results/o/0/p/{runs.fence}/labels.csv"
    assert stored["size"] == len(found.body("labels.csv"))
    return found.body("labels.csv")


def test_two_points_get_the_labels_of_the_nearest_of_two_centers(runs: Runs) -> None:
    fitted = runs.run([SIX], model_params={"n_clusters": 2})
    labels = of_a_run(runs, b"0,0\n12,3\n", fitted, 4)
    of_six = fitted.body("labels.csv").split()
    assert labels.split() == [of_six[0], of_six[-1]]


@pytest.mark.parametrize("range_bytes", [997, 4000, 10**6])
def test_labels_are_those_of_the_worker_wherever_ranges_end(range_bytes: int, runs: Runs) -> None:
    points = blobs(1500, 10, 20, seed=1)
    fitted = runs.run([csv(points)], 10**6, model_params={"n_clusters": 20})
    body = csv(points[::-1][:901])
    assert of_a_run(runs, body, fitted, range_bytes) == of_the_worker(body, fitted)


def test_points_that_are_as_near_to_one_center_as_to_another_are_labelled_as_by_the_worker(
    runs: Runs,
) -> None:
    """A last bit decides, and that depends on how many rows are multiplied together."""
    rng = np.random.default_rng(0)
    X = blobs(600, 40, 18, seed=1)
    fitted = runs.run([csv(X)], 10**6, model_params={"n_clusters": 18})
    centers = fitted.manifest().model.predictor
    known = centers.space.leave(centers.centers)
    between = (known[rng.integers(18, size=900)] + known[rng.integers(18, size=900)]) / 2
    body = csv(between)
    assert of_a_run(runs, body, fitted, 9000) == of_the_worker(body, fitted)


FORMS = {
    "CRLF, a header and no last newline": TABLE.replace(b"\n", b"\r\n").rstrip(),
    "a mark in front": b"\xef\xbb\xbf" + TABLE,
    "gzip": gzip.compress(TABLE),
    "UTF-16": TABLE.decode().encode("utf-16"),
    "blank lines": TABLE.replace(b"\n", b"\n\n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_that_the_fit_would_drop_are_empty_lines_however_the_file_is_written(
    form: str, runs: Runs
) -> None:
    fitted = runs.run([TABLE], 2000, **ASKED)
    labels = of_a_run(runs, FORMS[form], fitted, 700)
    assert labels == of_the_worker(FORMS[form], fitted)
    assert b"\n\n" in labels


@pytest.mark.parametrize("header", [b"y,x\n", b"z,y,x\n", b""])
def test_columns_are_found_by_their_names_in_any_order(header: bytes, runs: Runs) -> None:
    fitted = runs.run([b"x,y\n" + SIX], model_params={"n_clusters": 2})
    row = b"5,1,2\n" if header.count(b",") == 2 else b"1,2\n"
    body = header + row * 40
    assert of_a_run(runs, body, fitted, 50) == of_the_worker(body, fitted)


@pytest.mark.parametrize(
    "points",
    [
        b"x,y\n" + b"1,2\n" * 50 + b"1,a\n",
        b"x,y\n" + b"1,2\n" * 50 + b"1,\n",
        b"x,y\n" + b"1,2\n" * 50 + b"1\n",
        b"x,y\n" + b"1,2\n" * 50 + b"\xff,1\n",
        b"x,w\n1,2\n",
        b"1,2,3\n",
        b"",
        b"x,y\n",
        b"a,b\nc,d\n",
    ],
)
def test_a_refusal_is_the_worker_s(points: bytes, runs: Runs) -> None:
    fitted = runs.run([b"x,y\n" + SIX], model_params={"n_clusters": 2})
    refused = of_the_worker(points, fitted)
    assert isinstance(refused, dict)
    assert of_a_run(runs, points, fitted, 40) == refused
