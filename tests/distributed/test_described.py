"""A file with what its model says behind its rows, made by ranges: byte for byte the worker's."""

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
from kmeans_service.explaining import distances
from kmeans_service.explaining.assigned import assign, in_step
from kmeans_service.explaining.written import written
from kmeans_service.fitting.kernel import library
from kmeans_service.models.points import PointsTable
from kmeans_service.tables.table import read_table

pytestmark = pytest.mark.skipif(not library.runs_here(), reason="the kernel needs AVX2")

ASKED: dict[str, Any] = {
    "model_params": {"n_clusters": 4},
    "preprocessing": {"categories": "one_hot", "scaling": "robust", "missing": "drop"},
}
NAMES = ["first", "", 'the "third"', "fourth, größer"]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    monkeypatch.setattr(rows, "PART_BYTES", 1)  # each range a group of its own
    with running(tmp_path, monkeypatch) as made:
        yield made


def of_the_worker(body: bytes, fitted: Result, share: float, names: list[str]) -> bytes:
    model = fitted.manifest().model
    table = read_table(lambda: io.BytesIO(body))
    points = PointsTable(lambda: io.BytesIO(body), table, model.columns, model.columns.positions)
    found = [assign(model, some) for some, _ in in_step(points.numbered(), model.n_clusters)]
    labels, measured = (
        np.concatenate([getattr(each, name) for each in found]) for name in ("labels", "distances")
    )
    limits = distances.at(distances.quantiles_of(labels, measured, model.n_clusters), share)
    return b"".join(written(points, model, limits, names))


def of_a_run(
    runs: Runs, body: bytes, fitted: Result, range_bytes: int, share: float, names: list[str]
) -> bytes:
    uri = runs.points(body, fitted, rows={"outlier_quantile": repr(share), "names": names})
    work.do(job.load(uri), Alone(), range_bytes)
    found = runs.result_of(uri)
    assert found.document["status"] == "made", found.document
    assert found.document["result"]["size"] == len(found.body("rows.csv"))
    return found.body("rows.csv")


FORMS = {
    "as it is": TABLE,
    "CRLF and no last newline": TABLE.replace(b"\n", b"\r\n").rstrip(),
    "a mark in front": b"\xef\xbb\xbf" + TABLE,
    "comments and blank lines": b"# a comment\n\n" + TABLE.replace(b"\n", b"\n\n") + b"\n\n\n",
    "delimiters at the ends": TABLE.replace(b"\n", b",\n"),
    "Windows-1252": TABLE.replace(b"blue", "größer".encode("cp1252")),
    "cells over line breaks": TABLE.replace(b"blue", b'"bl\nue"'),
    "DOS's end mark": TABLE + b"\x1a",
    "semicolons and decimal commas": TABLE.replace(b",", b";").replace(b".", b","),
}


@pytest.mark.parametrize("range_bytes", [150, 3000, 10**6])
@pytest.mark.parametrize("form", FORMS)
def test_every_byte_is_the_workers_however_the_file_is_written_and_cut(
    form: str, range_bytes: int, runs: Runs
) -> None:
    body = FORMS[form]
    fitted = runs.run([body], 5000, **ASKED)
    described = of_a_run(runs, body, fitted, range_bytes, 0.9, NAMES)
    assert described == of_the_worker(body, fitted, 0.9, NAMES)
    assert b"outlier" in described


def test_exact_ties_fall_as_they_do_for_the_worker(runs: Runs) -> None:
    rng = np.random.default_rng(0)
    fitted = runs.run([csv(blobs(600, 40, 18, seed=1))], 10**6, model_params={"n_clusters": 18})
    predictor = fitted.manifest().model.predictor
    known = predictor.space.leave(predictor.centers)
    body = csv((known[rng.integers(18, size=900)] + known[rng.integers(18, size=900)]) / 2)
    names = [""] * 18
    described = of_a_run(runs, body, fitted, 9000, 0.99, names)
    assert described == of_the_worker(body, fitted, 0.99, names)


def test_of_very_many_rows_the_same_ones_are_measured(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every fifth of 401, wherever ranges end."""
    fitted = runs.run([TABLE], 5000, **ASKED)
    monkeypatch.setattr(distances, "MOST_ROWS", 90)
    uri = runs.points(TABLE, fitted, rows={"outlier_quantile": "0.9", "names": NAMES})
    for range_bytes in (300, 10**6):
        work.do(job.load(uri), Alone(), range_bytes)
        text = runs.result_of(uri).body("rows.csv")
        if range_bytes == 300:
            first = text
    assert text == first


def test_what_is_read_in_one_piece_is_refused_and_says_what_to_send(runs: Runs) -> None:
    fitted = runs.run([TABLE], 5000, **ASKED)
    asked = {"outlier_quantile": "0.9", "names": NAMES}
    uri = runs.points(gzip.compress(TABLE), fitted, rows=asked)
    work.do(job.load(uri), Alone(), 1000)
    assert "plain CSV" in runs.result_of(uri).problem["detail"]
