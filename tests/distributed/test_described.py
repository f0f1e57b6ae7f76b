"""Files with what their model says behind their rows, made by ranges: byte for byte the worker's
of one file.
"""

import gzip
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distributed import described, job, rows, work
from harness.alone import Alone
from harness.spark_runs import Result, Runs, running
from harness.spark_tables import TABLE, blobs, csv, parquet
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
    runs: Runs,
    bodies: Sequence[bytes],
    fitted: Result,
    range_bytes: int,
    share: float,
    names: list[str],
) -> bytes:
    uri = runs.rows(bodies, fitted, share, names)
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
    "packed": gzip.compress(TABLE),
    "UTF-16": TABLE.decode().encode("utf-16"),
    "UTF-16, big and packed": gzip.compress(b"\xfe\xff" + TABLE.decode().encode("utf-16-be")),
    "old Mac": TABLE.replace(b"\n", b"\r"),
}


@pytest.mark.parametrize("range_bytes", [150, 3000, 10**6])
@pytest.mark.parametrize("form", FORMS)
def test_every_byte_is_the_workers_however_the_file_is_written_and_cut(
    form: str, range_bytes: int, runs: Runs
) -> None:
    body = FORMS[form]
    fitted = runs.run([body], 5000, **ASKED)
    made = of_a_run(runs, [body], fitted, range_bytes, 0.9, NAMES)
    assert made == of_the_worker(body, fitted, 0.9, NAMES)
    assert b"outlier" in made.replace(b"\0", b"")


def test_exact_ties_fall_as_they_do_for_the_worker(runs: Runs) -> None:
    rng = np.random.default_rng(0)
    fitted = runs.run([csv(blobs(600, 40, 18, seed=1))], 10**6, model_params={"n_clusters": 18})
    predictor = fitted.manifest().model.predictor
    known = predictor.space.leave(predictor.centers)
    body = csv((known[rng.integers(18, size=900)] + known[rng.integers(18, size=900)]) / 2)
    names = [""] * 18
    bodies = [body[: (cut := body.index(b"\n", 9000) + 1)], body[cut:]]
    made = of_a_run(runs, bodies, fitted, 5000, 0.99, names)
    assert made == of_the_worker(body, fitted, 0.99, names)


def test_of_very_many_rows_the_same_ones_are_measured(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every fifth of 401, wherever ranges end."""
    fitted = runs.run([TABLE], 5000, **ASKED)
    monkeypatch.setattr(distances, "MOST_ROWS", 90)
    uri = runs.rows([TABLE], fitted, 0.9, NAMES)
    for range_bytes in (300, 10**6):
        work.do(job.load(uri), Alone(), range_bytes)
        text = runs.result_of(uri).body("rows.csv")
        if range_bytes == 300:
            first = text
    assert text == first


def parts(body: bytes) -> list[bytes]:
    """The table in four files, each with its header: one of a row, one without any."""
    header, *lines = body.splitlines(keepends=True)
    return [header + b"".join(some) for some in (lines[:150], lines[150:151], [], lines[151:])]


MARK = b"\xef\xbb\xbf"
OLD_MAC = TABLE.replace(b"\n", b"\r")
CRLF = TABLE.replace(b"\n", b"\r\n")
OVER_LINES = TABLE.replace(b"blue", b'"bl\nue"')
CUT = OVER_LINES.index(b"1700,")
WINDOWS = TABLE.replace(b"blue", "größer".encode("cp1252"))
PACKED = [gzip.compress(part) for part in parts(TABLE)]
IN_UTF16 = [part.decode().encode("utf-16") for part in parts(TABLE)]
HEADER = TABLE[: TABLE.index(b"\n") + 1]

TOGETHER: dict[str, tuple[list[bytes], bytes]] = {
    "as they are": (parts(TABLE), TABLE),
    "no last line breaks": ([part.rstrip() for part in parts(TABLE)], TABLE.rstrip()),
    "CRLF and no last line breaks": ([part.rstrip() for part in parts(CRLF)], CRLF.rstrip()),
    "marks in front": ([MARK + part for part in parts(TABLE)], MARK + TABLE),
    "comments": ([b"# one\n\n" + part for part in parts(TABLE)], b"# one\n\n" + TABLE),
    "DOS's end marks": ([part + b"\x1a" for part in parts(TABLE)], TABLE + b"\x1a"),
    "DOS's end marks alone in a line": (
        [part.rstrip() + b"\n\x1a" for part in parts(TABLE)],
        TABLE + b"\x1a",
    ),
    "Windows-1252": (parts(WINDOWS), WINDOWS),
    "cells over line breaks": ([OVER_LINES[:CUT], HEADER + OVER_LINES[CUT:]], OVER_LINES),
    "packed": (PACKED, TABLE),
    "packed, without last line breaks": (
        [gzip.compress(part.rstrip()) for part in parts(TABLE)],
        TABLE.rstrip(),
    ),
    "packed, with marks": (
        [gzip.compress(MARK + part + b"\x1a") for part in parts(TABLE)],
        MARK + TABLE + b"\x1a",
    ),
    "one packed": ([*parts(TABLE)[:1], *PACKED[1:2], *parts(TABLE)[2:]], TABLE),
    "the first one packed": ([*PACKED[:1], *parts(TABLE)[1:]], TABLE),
    "UTF-16": (IN_UTF16, TABLE.decode().encode("utf-16")),
    "UTF-16, big ends and packed ones": (
        [
            b"\xfe\xff" + parts(TABLE)[0].decode().encode("utf-16-be"),
            *IN_UTF16[1:3],
            gzip.compress(IN_UTF16[3]),
        ],
        b"\xfe\xff" + TABLE.decode().encode("utf-16-be"),
    ),
    "old Mac": (
        [part.replace(b"\n", b"\r").rstrip() for part in parts(TABLE)],
        OLD_MAC.rstrip(),
    ),
    "a header first": ([HEADER, *parts(TABLE)], TABLE),
    "a header first, without a line break": ([HEADER.rstrip(), *parts(TABLE)], TABLE),
    "a packed header first": ([gzip.compress(HEADER.rstrip()), *parts(TABLE)], TABLE),
    "an empty file last": ([*parts(TABLE), b""], TABLE),
}


@pytest.mark.parametrize("range_bytes", [pytest.param(700, marks=pytest.mark.thorough), 10**6])
@pytest.mark.parametrize("form", TOGETHER)
def test_of_many_files_every_byte_is_that_of_one(form: str, range_bytes: int, runs: Runs) -> None:
    bodies, together = TOGETHER[form]
    fitted = runs.run(bodies, 10**6, **ASKED)
    made = of_a_run(runs, bodies, fitted, range_bytes, 0.9, NAMES)
    assert made == of_the_worker(together, fitted, 0.9, NAMES)


SMALL = [b"x,y\n1,2\n1,4", b"# of tuesday\nx,y\r\n1,0\r\n\r\n10,2", b"x,y\n10,4\n10,0\n"]


def test_each_file_keeps_how_its_own_rows_are_written(runs: Runs) -> None:
    fitted = runs.run(SMALL, model_params={"n_clusters": 2})
    found = of_a_run(runs, SMALL, fitted, 10**6, 0.9, ["low", "high"])
    rows_alone = [line.split(b",")[:4] for line in found.splitlines(keepends=True)]
    assert found.startswith(b"x,y,cluster,cluster_name,distance,second,margin,outlier\n1,2,")
    assert [row[0] for row in rows_alone] == [b"x", b"1", b"1", b"1", b"\r\n", b"10", b"10", b"10"]
    breaks = [line.endswith(b"\r\n") for line in found.splitlines(keepends=True)]
    assert breaks == [False, False, False, True, True, False, False, False]
    assert b"tuesday" not in found


@pytest.mark.parametrize("mark", [b"", MARK])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_files_without_headers_have_none_together(mark: bytes, pack: Any, runs: Runs) -> None:
    bodies = [pack(mark + body) for body in (b"1,2\n1,4", b"1,0\n10,2\n", b"10,4\n10,0")]
    together = mark + b"1,2\n1,4\n1,0\n10,2\n10,4\n10,0"
    fitted = runs.run(bodies, model_params={"n_clusters": 2})
    for range_bytes in (4, 1000):
        made = of_a_run(runs, bodies, fitted, range_bytes, 0.9, ["", ""])
        assert made == of_the_worker(together, fitted, 0.9, ["", ""])


def test_parquet_is_answered_as_the_csv_that_it_would_be_made(runs: Runs) -> None:
    body = b"x,t\n" + b"".join(b"%d.5,t%d\n" % (i % 7 * 10, i % 3) for i in range(2500))
    header, *lines = body.splitlines(keepends=True)
    tables = [header + b"".join(some) for some in (lines[:1700], [], lines[1700:])]
    bodies = [parquet(table) for table in tables]
    asked = {"model_params": {"n_clusters": 4}, "preprocessing": {"categories": "one_hot"}}
    fitted = runs.run(bodies, **asked)
    made = of_a_run(runs, bodies, fitted, 1000, 0.9, NAMES)
    assert made == of_the_worker(body, fitted, 0.9, NAMES)


def test_no_part_of_the_object_is_smaller_than_s3_takes_or_larger(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PART_BYTES", 3000)
    fitted = runs.run(PACKED, **ASKED)
    uri, again = (runs.rows(PACKED, fitted, 0.9, NAMES) for _ in range(2))
    sizes = []
    written_by = described.PartWriter.write

    def watched(writer: Any, index: int, file: Any) -> Any:
        sizes.append(file.tell())
        return written_by(writer, index, file)

    monkeypatch.setattr(described.PartWriter, "write", watched)
    work.do(job.load(uri), Alone(), 1000)
    assert len(sizes) == 2
    assert min(sizes[:-1]) >= 3000

    monkeypatch.setattr(described, "MOST_PART_BYTES", max(sizes) - 1)
    work.do(job.load(again), Alone(), 1000)
    assert "as plain CSV" in runs.result_of(again).problem["detail"]
