"""Fits of files that are read by ranges: the same to the last bit however they are cut."""

import gzip
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from distributed import job, rows, work
from distributed.data import FilesData
from distributed.tables import read_files
from harness import in_ranges
from harness.alone import Alone
from harness.spark_runs import Runs, recipe, running, written
from harness.spark_tables import TABLE, blobs, csv, s1_like
from kmeans_service.fitting import out_of_core
from kmeans_service.fitting.kernel import library
from kmeans_service.models.labels_to_text import to_csv
from kmeans_service.tables.columns import Layout, Role, read_columns
from kmeans_service.tables.table import read_table

pytestmark = pytest.mark.skipif(not library.runs_here(), reason="the kernel needs AVX2")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    monkeypatch.setattr(rows, "PART_BYTES", 1)  # each range a group of its own
    monkeypatch.setattr(rows, "BLOCK_BYTES", 3000)
    with running(tmp_path, monkeypatch) as made:
        yield made


def test_six_points_fall_into_their_two_columns(runs: Runs) -> None:
    body = b"1,2\n1,4\n1,0\n10,2\n10,4\n10,0\n"
    found = runs.run([body], 8, model_params={"n_clusters": 2})
    assert sorted(
        found.manifest()
        .model.predictor.space.leave(found.manifest().model.predictor.centers)
        .tolist()
    ) == [[1, 2], [10, 2]]
    assert found.scores["inertia"] == pytest.approx(16)
    labels = found.body("labels.csv").decode().split()
    assert len(set(labels[:3])) == len(set(labels[3:])) == 1
    assert len(set(labels)) == 2


DATA = {
    "iris": (datasets.load_iris().data, 3),
    "wine": (datasets.load_wine().data, 4),
    "S1-like": (s1_like(), 15),
    "many features": (blobs(3000, 40, 6, 1), 6),
    "digits": (np.ascontiguousarray(datasets.load_digits().data), 10),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", DATA)
def test_the_inertia_is_that_of_the_fit_out_of_core(name: str, runs: Runs) -> None:
    X, k = DATA[name]
    with tempfile.TemporaryFile() as file:
        spilled = out_of_core.spill(iter([X]), X.shape[1], file)
        asked = recipe(model_params={"n_clusters": k})
        there = out_of_core.fit(spilled, asked, io.BytesIO(), lambda _progress: None)
    found = runs.run([csv(X)], 5000, model_params={"n_clusters": k})
    assert found.scores["inertia"] <= 1.001 * there.scores.inertia
    assert found.scores["cluster_sizes"] == list(there.scores.cluster_sizes)
    for score in ("davies_bouldin", "calinski_harabasz", "silhouette"):
        assert found.scores[score] == pytest.approx(getattr(there.scores, score), rel=1e-9)


ASKED: dict[str, dict[str, Any]] = {
    "as it is": {},
    "standard": {"scaling": "standard"},
    "robust, median": {"scaling": "robust", "missing": "median"},
    "min_max, drop": {"scaling": "min_max", "missing": "drop"},
    "one hot": {"scaling": "standard", "categories": "one_hot"},
    "normalised": {"normalize": "l2", "scaling": "standard"},
    "weighted": {"weight_column": "weight", "columns": ["size"]},
    "weighted, one hot": {"weight_column": "weight", "categories": "one_hot"},
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", ASKED)
def test_no_way_to_cut_a_file_changes_a_bit_of_the_fit(name: str, runs: Runs) -> None:
    asked: dict[str, Any] = {"model_params": {"n_clusters": 4}, "preprocessing": ASKED[name]}
    whole = written(runs.run([TABLE], len(TABLE), **asked))
    for size in (700, 4097):
        assert written(runs.run([TABLE], size, Alone(seed=size), **asked)) == whole


class Noting(Alone):
    """Notes what its rows are gone over for."""

    def __init__(self) -> None:
        super().__init__()
        self.passes: list[str] = []

    def kept(self, make: Any, shared: Any, groups: Any) -> Any:
        kept = super().kept(make, shared, groups)
        fold = kept.fold

        def noted(work: Any, shared: Any) -> Any:
            self.passes.append(work.__name__)
            return fold(work, shared)

        kept.fold = noted  # type: ignore[method-assign]
        return kept


FLAGGED = b"flag,x\n" + b"".join(b"%s,%d\n" % (b"yny"[i % 3 :][:1], i * i) for i in range(300))


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (csv(blobs(200, 3, 3, 6) * 1e5), {}),
        (FLAGGED, {}),
        (FLAGGED, {"preprocessing": {"weight_column": "x"}}),
    ],
    ids=["numbers", "words for 1 and 0", "weighted"],
)
def test_rows_that_are_fitted_as_they_are_are_added_up_as_they_are_read(
    body: bytes, asked: dict[str, Any], runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = Noting()
    found = runs.run([body], 500, fleet, **asked)
    assert "label" in fleet.passes
    assert "sums" not in fleet.passes
    monkeypatch.setattr(FilesData, "_powers", lambda data: np.full(data.plan.n_features, 60))
    apart = Noting()
    assert written(runs.run([body], 500, apart, **asked)) == written(found)
    assert "sums" in apart.passes


@pytest.mark.thorough
@pytest.mark.parametrize(
    "params",
    [
        {"n_clusters": 5, "algorithm": "swap"},
        {"n_clusters": {"min": 2, "max": 5}},
        {"n_clusters": 3, "init": [[0, 0], [1e6, 1e6], [5e9, 5e9]]},
        {"n_clusters": 3, "init": "random", "n_init": 2, "max_iter": 3},
    ],
    ids=str,
)
def test_nor_does_it_of_another_search(params: dict[str, Any], runs: Runs) -> None:
    body = csv(s1_like(n=800), header=True)
    whole = written(runs.run([body], len(body), model_params=params))
    assert written(runs.run([body], 700, Alone(seed=1), model_params=params)) == whole


@pytest.mark.thorough
@pytest.mark.parametrize("name", ASKED)
def test_labels_are_those_that_the_model_predicts_of_the_file_in_one(name: str, runs: Runs) -> None:
    found = runs.run([TABLE], 200, model_params={"n_clusters": 4}, preprocessing=ASKED[name])
    model = found.manifest().model
    table = read_table(lambda: io.BytesIO(TABLE))
    columns = model.columns
    roles = [Role.SKIPPED] * columns.n_features
    for position in columns.positions:
        word = position in columns.booleans
        text = position in columns.categories
        roles[position] = Role.LEVEL if text else Role.BOOLEAN if word else Role.NUMBER
    layout = Layout(tuple(roles), columns.texts)
    points = read_columns(lambda: io.BytesIO(TABLE), table.dialect, layout, table.n_rows)
    assert found.body("labels.csv") == bytes(to_csv(model.predict(points)))


ENDS = {
    "CRLF": lambda body: body.replace(b"\n", b"\r\n"),
    "byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "blank lines": lambda body: body.replace(b"\n", b"\n\n", 90) + b"\n\n",
    "no last line break": lambda body: body.rstrip(b"\n"),
    "comments": lambda body: b"# one\n# two\n" + body,
}


@pytest.mark.parametrize("name", ENDS)
def test_labels_stand_in_the_order_of_the_rows(name: str, runs: Runs) -> None:
    X = blobs(600, 3, 3, 5)
    asked: dict[str, Any] = {"model_params": {"n_clusters": 3}}
    plain = runs.run([csv(X, header=True)], 10**6, **asked)
    body = ENDS[name](csv(X, header=True))
    for size in (1024, 5000, 64 * 1024**2):
        assert runs.run([body], size, **asked).body("labels.csv") == plain.body("labels.csv")


def test_several_files_are_one_table(runs: Runs) -> None:
    X = blobs(300, 3, 3, 6)
    whole = runs.run([csv(X, header=True)], 900, model_params={"n_clusters": 3})
    parts = [csv(part, header=True) for part in np.array_split(X, 7)]
    nothing, names = b"", b"c0,c1,c2\n"
    found = runs.run([nothing, *parts, names], 900, model_params={"n_clusters": 3})
    assert written(found) == written(whole)


def test_files_without_anything_are_refused_as_an_empty_file_is(runs: Runs) -> None:
    found = runs.run([b"", b""], 900, model_params={"n_clusters": 3})
    assert found.problem["detail"] == "the file is empty; it needs at least one row of numbers"


def test_packed_files_are_read_one_by_one_and_the_job_says_so(runs: Runs) -> None:
    X = blobs(300, 3, 3, 6)
    whole = runs.run([csv(X, header=True)], 900, model_params={"n_clusters": 3})
    parts = [gzip.compress(csv(part, header=True)) for part in np.array_split(X, 3)]
    found = runs.run(parts, 900, model_params={"n_clusters": 3})
    [said] = [each for each in found.scores["warnings"] if "in one piece" in each]
    assert said.startswith("3 of 3 files were read in one piece")
    found.scores["warnings"].remove(said)
    if not found.scores["warnings"]:
        del found.scores["warnings"]
    assert written(found) == written(whole)


def test_a_piece_has_no_more_rows_than_a_part_of_an_object_has_labels(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b"7\n8\n9\n" * 100
    asked: dict[str, Any] = {"model_params": {"n_clusters": 2}}
    expected = written(runs.run([body], 10**6, **asked))
    monkeypatch.setattr(rows, "MOST_ROWS", 50)
    files = read_files(in_ranges.given([body], 10**6), Alone())
    assert [each.n_rows for each in files.spans] == [50] * 6
    assert written(runs.run([body], 10**6, **asked)) == expected
    refused = runs.run([body, gzip.compress(body)], 10**6, **asked).problem
    assert refused["status"] == 413
    assert refused["detail"].startswith("part-1.csv: 300 rows are read in one piece, which has 50")


def test_a_packed_file_among_others_is_read_in_one_piece_and_the_others_by_ranges(
    runs: Runs,
) -> None:
    X = blobs(300, 3, 3, 6)
    whole = runs.run([csv(X, header=True)], 900, model_params={"n_clusters": 3})
    parts = [csv(part, header=True) for part in np.array_split(X, 3)]
    parts[1] = gzip.compress(parts[1])
    found = runs.run(parts, 900, model_params={"n_clusters": 3})
    assert "1 of 3 files were read in one piece" in str(found.scores["warnings"])
    assert found.body("labels.csv") == whole.body("labels.csv")


OF_OTHER_FORMATS = {
    "a Parquet file": b"PAR1" + b"\0" * 20,
    "an Excel workbook": b"PK\x03\x04....xl/",
    "a file of JSON objects": b'{"x": 1, "y": 2}\n',
    "an ORC file": b"ORC\0\0",
}


# A Parquet file that comes first says that all are: tests/distributed/test_parquet.py.
PLACES = [(0, name) for name in OF_OTHER_FORMATS if "Parquet" not in name]


@pytest.mark.parametrize(("place", "name"), [*PLACES, *((1, name) for name in OF_OTHER_FORMATS)])
def test_a_file_of_another_format_is_refused_by_its_name(place: int, name: str, runs: Runs) -> None:
    bodies = [b"x,y\n1,2\n3,4\n"] * 2
    bodies[place] = OF_OTHER_FORMATS[name]
    found = runs.run(bodies, 16, model_params={"n_clusters": 2})
    assert found.problem["status"] == 415
    assert found.problem["detail"].startswith(f"part-{place}.csv: ")
    assert place == 0 or name in found.problem["detail"]


def test_a_file_that_went_before_it_was_read_is_named(runs: Runs) -> None:
    uri = runs.asked([b"x,y\n1,2\n3,4\n"] * 3, model_params={"n_clusters": 2})
    (runs.folder / "bucket/incoming/o/1/part-1.csv").unlink()
    work.do(job.load(uri), Alone(), 16)
    problem = runs.result_of(uri).problem
    assert (problem["status"], problem["detail"]) == (
        410,
        "part-1.csv: the file was deleted, replaced or has expired",
    )


def test_a_bad_cell_of_several_files_is_named_with_its_file_and_its_line_there(runs: Runs) -> None:
    good, bad = b"x,y\n" + b"1,2\n3,4\n" * 20, b"x,y\n" + b"5,6\n" * 9 + b"7\n" + b"5,6\n" * 9
    found = runs.run([good, bad, good], 16, model_params={"n_clusters": 2})
    assert (found.problem["line"], found.problem["column"]) == (11, 2)
    assert found.problem["detail"].startswith("part-1.csv: line 11 has 1 cell")
    assert found.problem["status"] == 422


def test_a_file_with_another_header_is_refused_by_its_name(runs: Runs) -> None:
    found = runs.run([b"x,y\n1,2\n3,4\n", b"y,x\n1,2\n"], 16, model_params={"n_clusters": 2})
    assert found.problem["detail"].startswith("part-1.csv: its first row is not the header of")


def test_what_cannot_be_fitted_is_refused_as_it_is_of_one_file(runs: Runs) -> None:
    found = runs.run([b"x,y\n1,2\n3,4\n"], 4, model_params={"n_clusters": 3})
    assert found.problem["detail"] == (
        "model_params.n_clusters is 3; allowed is at most n_samples=2, the rows of the file"
    )
