"""Runs on a real Spark: to the last bit what one process comes to."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from distributed import job, rows, work
from harness import PROJECT, spark_submit
from harness.alone import Alone
from harness.spark_runs import Runs, running, written
from harness.spark_tables import TABLE, blobs, csv, parquet, s1_like
from kmeans_service.models.labels_to_text import to_csv

SESSION = PROJECT / "harness/spark_session.py"
RANGE_BYTES = 4000


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    spark_submit.needed()
    monkeypatch.setattr(rows, "PART_BYTES", 1)
    with running(tmp_path, monkeypatch) as made:
        yield made


X = blobs(300, 3, 3, 6)
HEADER, *LINES = csv(X, header=True).splitlines(keepends=True)
PARQUET = [
    parquet(HEADER + b"".join(lines), max_row_group_size=50) for lines in (LINES[:170], LINES[170:])
]
OF_PARQUET = (PARQUET, {"model_params": {"n_clusters": 3}})
ASKED: list[tuple[list[bytes], dict[str, Any]]] = [
    ([csv(s1_like(n=1000), header=True)], {"model_params": {"n_clusters": 15}}),
    (
        [TABLE],
        {
            "model_params": {"n_clusters": 4},
            "preprocessing": {"categories": "one_hot", "scaling": "robust", "missing": "drop"},
        },
    ),
    OF_PARQUET,
    ([TABLE, TABLE], {"preprocessing": {"weight_column": "weight", "columns": ["size"]}}),
]


PASSES = {"look", "count_texts", "shape_of", "sums", "drawn", "clusters", "label", "spread"}


def test_fits_on_spark_are_those_of_one_process_though_processes_die_and_files_of_rows_are_lost(
    runs: Runs,
) -> None:
    there = [runs.asked(bodies, **asked) for bodies, asked in ASKED]
    refused = runs.asked([b"x,y\n" + b"1,2\n" * 500 + b"1\n" + b"1,2\n" * 500])
    said = spark_submit.submitted(SESSION, str(RANGE_BYTES), *there, refused)
    lost = re.findall(r"^LOST (\d+) of (\d+)", said, re.M)
    assert len(lost) >= len(ASKED)
    assert all(there == of for there, of in lost)
    [died] = re.findall(r"^DIED (.*)", said, re.M)
    assert set(died.split()) >= PASSES
    for uri, (bodies, asked) in zip(there, ASKED, strict=True):
        here = runs.run(bodies, RANGE_BYTES, Alone(), **asked)
        assert written(runs.result_of(uri)) == written(here)
    assert runs.result_of(refused).problem["line"] == 502
    of_parquet = runs.result_of(there[ASKED.index(OF_PARQUET)])
    assert of_parquet.body("labels.csv") == bytes(to_csv(of_parquet.manifest().model.predict(X)))


def test_the_program_that_a_cluster_starts_writes_a_result(runs: Runs) -> None:
    there, here = (runs.asked([TABLE], model_params={"n_clusters": 3}) for _ in range(2))
    spark_submit.submitted(PROJECT / "distributed/run.py", there, RANGE_MB="0.003")
    work.do(job.load(here), Alone(), int(0.003 * 1024**2))
    found = runs.result_of(there)
    assert written(found) == written(runs.result_of(here))
    assert found.document["input"]["n_samples"] == 401


def test_labels_and_rows_on_spark_are_those_of_one_process_though_processes_die(runs: Runs) -> None:
    fitted = [runs.run([bodies[0]], 10**6, **asked) for bodies, asked in ASKED]
    there = [runs.points(bodies[0], of) for of, (bodies, _) in zip(fitted, ASKED, strict=True)]
    refused = runs.points(b"x,y\n" + b"1,2\n" * 500, fitted[0])
    bodies = [TABLE, gzip.compress(TABLE)]
    rows_there, rows_here = (runs.rows(bodies, fitted[1], 0.9, [""] * 4) for _ in range(2))
    said = spark_submit.submitted(SESSION, str(RANGE_BYTES), *there, refused, rows_there)
    [died] = re.findall(r"^DIED (.*)", said, re.M)
    assert set(died.split()) == {"of_another", "look", "label", "measure", "write"}
    work.do(job.load(rows_here), Alone(), 10**6)
    described, expected = (runs.result_of(uri).body("rows.csv") for uri in (rows_there, rows_here))
    assert described == expected
    for uri, of in zip(there, fitted, strict=True):
        assert runs.result_of(uri).body("labels.csv") == of.body("labels.csv")
    assert "c0" in runs.result_of(refused).problem["detail"]
