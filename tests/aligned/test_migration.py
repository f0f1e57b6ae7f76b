"""Which rows went from which cluster to which: counted by hand, and through the service."""

from typing import Any

import numpy as np
import pytest

from harness.api import Client
from harness.system import item, job, work_off
from kmeans_service import config
from kmeans_service.errors import FitConflict
from kmeans_service.explaining import migration, moves

PATH = "/kmeans/jobs/1/migration"
OLD = b"id,x\n" + b"".join(b"k%d,%d\n" % (row, at) for row, at in enumerate([0, 1, 2, 50, 51, 90]))
# k1 has gone over, k4 and k5 are gone, two have come; and all stand elsewhere.
NEW = b"id,x\n" + b"".join(
    b"k%d,%d\n" % (row, at) for row, at in [(7, 51), (3, 50), (1, 52), (0, 0), (2, 1), (8, 3)]
)


def fit(client: Client, content: bytes, name: str, **more: Any) -> int:
    job_id: int = client.upload(content, name).json()["job_id"]
    params = {"algorithm": "swap", "n_clusters": 2}
    asked = {"job_id": job_id, "model_params": params} | more
    assert client.post_json("/kmeans/fit", asked).status == 200
    return job_id


@pytest.fixture
def weeks(client: Client) -> Client:
    fit(client, OLD, "1.csv")
    fit(client, NEW, "2.csv", align_to=0)
    return client


def counted(client: Client, query: str) -> Any:
    answer = client.get(f"{PATH}?{query}")
    assert answer.status == 200, answer.text
    found = answer.json()
    matrix = np.array(found["matrix"])
    sizes, before = (
        client.get(f"/kmeans/jobs/{job_id}").json()["scores"]["cluster_sizes"] for job_id in (1, 0)
    )
    assert (matrix.sum(axis=0) + found["arrived"]).tolist() == sizes
    assert (matrix.sum(axis=1) + found["left"]).tolist() == before
    assert [each["size"] for each in found["clusters"]] == sizes
    assert [each["size"] for each in found["clusters_from"]] == before
    return found


def test_rows_are_found_by_their_key_wherever_they_stand(weeks: Client) -> None:
    found = counted(weeks, "from=0&key=id")
    assert found["matrix"] == [[2, 1], [0, 1]]
    assert found["arrived"] == [1, 1]
    assert found["left"] == [0, 2]
    assert (found["n_both"], found["n_stayed"]) == (4, 3)
    assert counted(weeks, "from=0&key=1")["matrix"] == found["matrix"]


def test_without_a_key_rows_are_those_at_the_same_place(weeks: Client) -> None:
    found = counted(weeks, "from=0")
    assert found["matrix"] == [[0, 3], [3, 0]]
    assert found["arrived"] == found["left"] == [0, 0]
    assert "key" not in found
    assert counted(weeks, "from=1")["n_stayed"] == 6


def test_names_and_numbers_of_both_are_told(weeks: Client) -> None:
    body = b'{"clusters": {"0": "low"}}'
    weeks.call("PATCH", "/kmeans/jobs/0", body, {"Content-Type": "application/json"})
    found = counted(weeks, "from=0&key=id")
    assert found["clusters_from"][0] == {"label": 0, "number": 0, "name": "low", "size": 3}
    assert found["clusters"][0] == {"label": 0, "number": 0, "name": None, "size": 3}


def test_a_row_that_was_dropped_is_as_one_that_is_not_there(client: Client) -> None:
    gap = {"preprocessing": {"missing": "drop", "columns": ["x", "y"]}}
    fit(client, b"x,y\n0,0\n,1\n1,0\n50,0\n51,1\n", "1.csv", **gap)
    fit(client, b"x,y\n0,0\n2,1\n,0\n50,0\n51,1\n", "2.csv", align_to=0, **gap)
    found = counted(client, "from=0")
    assert found["matrix"] == [[1, 0], [0, 2]]
    assert (found["arrived"], found["left"]) == ([1, 0], [1, 0])


def test_it_is_made_once_and_anew_for_another_fit_or_name(weeks: Client) -> None:
    first = weeks.get(f"{PATH}?from=0&key=id").headers["ETag"]
    assert weeks.get(f"{PATH}?from=0&key=id", If_None_Match=first).status == 304
    fit(weeks, OLD, "1.csv", model_params={"algorithm": "swap", "n_clusters": 1})
    assert counted(weeks, "from=0&key=id")["matrix"] == [[2, 2]]


def test_what_takes_long_is_made_by_the_worker(weeks: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(config, "MADE_AT_ONCE_SECONDS", -1.0)
    assert weeks.get(f"{PATH}?from=0&key=id").status == 202
    work_off()
    assert counted(weeks, "from=0&key=id")["n_both"] == 4


def test_of_a_job_that_is_fitted_anew_before_its_turn_nothing_is_counted(
    weeks: Client, monkeypatch: Any
) -> None:
    monkeypatch.setattr(config, "MADE_AT_ONCE_SECONDS", -1.0)
    asked = migration.asked(job(1), {"from": "0"})
    fit(weeks, OLD, "1.csv", model_params={"algorithm": "swap", "n_clusters": 1})
    assert weeks.fit(0, {"n_clusters": 2}).status == 200
    with pytest.raises(FitConflict, match="Job 0 was fitted anew"):
        list(migration.make(job(1), asked, lambda: None))


@pytest.mark.parametrize(
    ("query", "status", "field", "words"),
    [
        ("", 422, "from", "'from' is missing"),
        ("from=x", 422, "from", "'x'"),
        ("from=-1", 422, "from", "'-1'"),
        ("from=99999999999", 422, "from", "'99999999999'"),
        ("from=9", 404, "from", "no job 9"),
        ("from=2", 409, "from", "Job 2 is UPLOADED"),
        ("from=3", 422, "key", "job 1 has 6 rows and job 3 has 2"),
        ("from=0&key=no", 422, "key", "'no'"),
        ("from=0&key=9", 422, "key", "'9'"),
        ("from=3&key=id", 422, "key", "rows 1 and 2 have the same value"),
        ("from=4&key=id", 422, "key", "row 2 has no value"),
        ("from=0&by=id", 422, "by", "is not known"),
    ],
)
def test_what_cannot_be_counted_is_refused(
    weeks: Client, query: str, status: int, field: str, words: str
) -> None:
    weeks.upload(NEW + b"k9,9\n", "3.csv")
    fit(weeks, b"id,x\nsame,1\nsame,5\n", "4.csv")
    fit(weeks, b"id,x\na,1\n,5\nc,7\n", "5.csv")
    answer = weeks.get(f"{PATH}?{query}")
    assert answer.status == status
    assert answer.json()["field"] == field
    assert words in answer.json()["detail"]


def test_very_many_rows_are_not_joined_by_a_key(weeks: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(migration, "MAX_KEYED_ROWS", 5)
    answer = weeks.get(f"{PATH}?from=0&key=id")
    assert answer.status == 422
    assert "at most 5 are joined" in answer.json()["detail"]


def test_labels_that_were_changed_are_not_counted(weeks: Client, aws: Any) -> None:
    stored = item(1)["model"]["labels"]
    bucket = config.settings().data_bucket
    labels = aws.s3().get_object(Bucket=bucket, Key=stored["key"])["Body"].read()
    other = labels.replace(b"1.0", b"0.0", 1)
    aws.s3().put_object(Bucket=bucket, Key=stored["key"], Body=other)
    assert weeks.get(f"{PATH}?from=0").status == 410
    assert job(1)


# --- the counting itself ---------------------------------------------------------------


def test_blocks_of_any_length_go_in_step() -> None:
    old = [np.array(block, dtype=np.int16) for block in ([0], [], [1, 1, -1], [0])]
    new = [np.array(block, dtype=np.int16) for block in ([0, 1], [-1], [], [1, 0])]
    found = moves.by_row(old, new, (2, 2))
    assert found.matrix.tolist() == [[2, 0], [0, 1]]
    assert found.arrived.tolist() == [0, 1]
    assert found.left.tolist() == [0, 1]


@pytest.mark.parametrize("size", [1, 7, 26, 1000])
def test_labels_are_read_from_pieces_of_any_size(size: int) -> None:
    text = b"2.000000000000000000e+00\n\n0.000000000000000000e+00\n"
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert np.concatenate(list(moves.labels_in(pieces))).tolist() == [2, -1, 0]


@pytest.mark.parametrize("seed", range(20))
def test_joined_rows_are_those_that_two_loops_find(seed: int) -> None:
    random = np.random.default_rng(seed)
    keys = [random.permutation(30)[: random.integers(1, 30)] for _ in range(2)]
    old, new = (
        (np.array([b"%d" % key for key in some], dtype="S16"), random.integers(-1, 3, len(some)))
        for some in keys
    )
    found = moves.by_key(old, new, (3, 3))
    for before in range(3):
        for after in range(3):
            both = {k for k, label in zip(*old, strict=True) if label == before}
            both &= {k for k, label in zip(*new, strict=True) if label == after}
            assert found.matrix[before, after] == len(both)
    sizes = [int((new[1] == label).sum()) for label in range(3)]
    assert (found.matrix.sum(axis=0) + found.arrived).tolist() == sizes
    sizes = [int((old[1] == label).sum()) for label in range(3)]
    assert (found.matrix.sum(axis=1) + found.left).tolist() == sizes
