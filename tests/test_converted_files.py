"""Parquet, Excel and JSON Lines as people send them: in a form, presigned, dropped, as points."""

import gzip
import io
import json
import time
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import arro3.io as arro3
import pytest
from arro3.core import Array, DataType, Table

from harness.api import ASYNC, FORM_TYPE, Client, form
from harness.limits import Set
from harness.system import (
    counted,
    created,
    deliver,
    drop,
    items,
    keys,
    let_all_be_ready,
    lie_there,
    meanwhile,
)
from harness.timing import at_once
from kmeans_service import aws as aws_module
from kmeans_service import config
from kmeans_service.fitting import synchronous
from worker import conversion

BOOK = (Path(__file__).parent / "cases/book.xlsx").read_bytes()
ROWS = [(1, 2), (1, 4), (1, 0), (10, 2), (10, 4), (10, 0)]
LINES = "".join(json.dumps({"x": x, "y": y}) + "\n" for x, y in ROWS).encode()
LABELS = [0, 0, 0, 1, 1, 1]


def parquet(rows: list[tuple[int, int]] = ROWS) -> bytes:
    columns = {
        name: Array([float(row[place]) for row in rows], type=DataType.float64())
        for place, name in enumerate("xy")
    }
    file = io.BytesIO()
    arro3.write_parquet(Table.from_pydict(columns), file)
    return file.getvalue()


def uploaded(client: Client, body: bytes, filename: str) -> int:
    """The job of a form upload, whose object S3 has told the worker of."""
    answer = client.upload(body, filename)
    assert answer.status == 200, answer.text
    assert answer.json().keys() == {"filename", "job_id"}
    job_id: int = answer.json()["job_id"]
    return job_id


class TellingTime:
    """Whoever waits, meanwhile S3 tells the worker of the job's file."""

    monotonic = time.monotonic

    @staticmethod
    def sleep(_seconds: float) -> None:
        arrives()


def arrives(job_id: int = 0) -> int:
    """S3 tells the worker of the job's file; how many messages it failed."""
    return deliver(created(f"pending/tester/{job_id}/input.csv"))


def in_two(labels: list[int]) -> bool:
    """Whether the two groups of ROWS are told apart."""
    return len(set(labels)) == 2 and labels == [labels[0]] * 3 + [labels[3]] * 3


FILES = [
    (parquet(), "points.parquet"),
    (LINES, "points.jsonl"),
    (gzip.compress(LINES), "points.jsonl.gz"),
    (gzip.compress(parquet()), "points.parquet.gz"),
]
NAMES = [filename for _, filename in FILES]


@pytest.mark.parametrize(("body", "filename"), FILES, ids=NAMES)
def test_a_form_upload_answers_at_once_and_is_pending_until_it_is_converted(
    client: Client, body: bytes, filename: str
) -> None:
    job_id = uploaded(client, body, filename)
    view = client.get(f"/kmeans/jobs/{job_id}").json()
    assert (view["status"], view["progress"]) == ("PENDING", {"stage": "CONVERTING"})
    assert view["size"] == len(body)
    assert arrives() == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["n_samples"], view["n_features"]) == ("UPLOADED", 6, 2)
    assert view["feature_names"] == ["x", "y"]
    assert "progress" not in view
    assert in_two(client.fit(0, {"n_clusters": 2}).labels())
    original = client.get("/kmeans/jobs/0/input")
    assert original.body == body
    assert original.headers["Content-Type"] == "application/octet-stream"
    assert counted() == lie_there(aws_module)


def test_a_workbook_is_fitted_by_its_first_sheet_or_the_one_that_is_asked_for(
    client: Client,
) -> None:
    uploaded(client, BOOK, "book.xlsx")
    body = form(("file", "book.xlsx", BOOK), ("sheet", None, b"1"))
    assert client.call("POST", "/kmeans/upload", body, FORM_TYPE).json()["job_id"] == 1
    arrives(0), arrives(1)
    first, second = (client.get(f"/kmeans/jobs/{n}").json() for n in (0, 1))
    assert first["status"] == second["status"] == "UPLOADED"
    assert first["n_samples"] == second["n_samples"] > 1
    assert second["reading"] == {"sheet": "1"}
    columns = client.get("/kmeans/jobs/0/columns").json()
    assert any(column["kind"] == "numbers" for column in columns["columns"])
    assert client.fit(0, {"n_clusters": 2}).status == 200


def test_a_sheet_that_is_not_there_makes_the_job_failed_and_names_those_that_are(
    client: Client,
) -> None:
    body = form(("file", "book.xlsx", BOOK), ("sheet", None, b"no such"))
    client.call("POST", "/kmeans/upload", body, FORM_TYPE)
    arrives()
    view = client.get("/kmeans/jobs/0").json()
    assert view["status"] == "FAILED"
    assert view["error"]["field"] == "sheet"
    assert "the workbook has '" in view["error"]["detail"]


def test_an_option_that_the_format_does_not_have_is_refused_at_once(client: Client) -> None:
    body = form(("file", "points.jsonl", LINES), ("delimiter", None, b"comma"))
    answer = client.call("POST", "/kmeans/upload", body, FORM_TYPE)
    assert (answer.status, answer.json()["field"]) == (422, "delimiter")
    body = form(("file", "points.csv", b"1,2\n"), ("sheet", None, b"Data"))
    assert client.call("POST", "/kmeans/upload", body, FORM_TYPE).json()["field"] == "sheet"
    assert items() == []


def test_the_same_upload_again_and_at_once_is_the_same_job(client: Client) -> None:
    answers = at_once([partial(client.upload, LINES, "points.jsonl")] * 8)
    assert {(answer.status, answer.json()["job_id"]) for answer in answers} == {(200, 0)}
    assert keys() == ["pending/tester/0/input.csv"]
    arrives()
    assert client.upload(LINES, "points.jsonl").json()["job_id"] == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "UPLOADED"


def test_an_upload_that_dies_before_its_file_is_stored_is_made_good_by_the_same_again(
    client: Client, aws: Any
) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), meanwhile(aws.s3(), "PutObject", die):
        client.upload(LINES, "points.jsonl")
    assert keys() == []
    assert client.upload(LINES, "points.jsonl").json()["job_id"] == 0
    arrives()
    assert client.get("/kmeans/jobs/0").json()["status"] == "UPLOADED"


# --- fits ------------------------------------------------------------------------


def test_a_fit_of_a_file_that_is_being_converted_waits_for_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded(client, LINES, "points.jsonl")
    monkeypatch.setattr(synchronous, "time", TellingTime)
    answer = client.fit(0, {"n_clusters": 2})
    assert answer.status == 200, answer.text
    assert in_two(answer.labels())


def test_a_fit_that_does_not_wait_is_accepted_and_begins_once_the_file_is_converted(
    client: Client,
) -> None:
    uploaded(client, LINES, "points.jsonl")
    accepted = client.fit(0, {"n_clusters": 3}, **ASYNC)
    assert (accepted.status, accepted.json()["status"]) == (202, "PENDING")
    assert accepted.json()["model_params"]["n_clusters"] == 3
    assert client.fit(0, {"n_clusters": 3}, **ASYNC).status == 202
    other = client.fit(0, {"n_clusters": 2}, **ASYNC)
    assert (other.status, other.json()["type"]) == (409, "urn:kmeans-service:problem:fit-conflict")
    arrives()
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["model_params"]["n_clusters"]) == ("SUCCEEDED", 3)
    assert client.fit(0, {"n_clusters": 3}).status == 200
    assert client.fit(0, {"n_clusters": 2}).status == 200


def test_initial_centers_too_long_for_the_item_wait_with_the_fit(client: Client) -> None:
    lines = "".join(json.dumps({"x": x + 0.123456789, "y": 1}) + "\n" for x in range(400)).encode()
    uploaded(client, lines, "points.jsonl")
    init = [[x + 0.123456789, 1.0] for x in range(400)]
    params = {"n_clusters": 400, "init": init, "n_init": 1}
    preprocessing = {"columns": "all"}
    wanted = {"job_id": 0, "model_params": params, "preprocessing": preprocessing}
    for _ in range(2):
        assert client.post_json("/kmeans/fit", wanted, **ASYNC).status == 202
    assert client.post_json("/kmeans/fit", wanted | {"preprocessing": {}}, **ASYNC).status == 409
    assert len(keys("inputs/")) == 1
    arrives()
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"


def test_a_fit_whose_file_cannot_be_converted_says_why(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded(client, b'{"x": 1}\n{"x": \n', "points.jsonl")
    monkeypatch.setattr(synchronous, "time", TellingTime)
    answer = client.fit(0, {"n_clusters": 2})
    assert answer.status == 422
    assert "line 2 is no JSON" in answer.json()["detail"]


def test_fit_predict_takes_such_a_file_and_predicts_points_of_text(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = form(
        ("file", "points.parquet", parquet()),
        ("model_params", None, b'{"n_clusters": 2}'),
        ("predict", "predict.csv", b"0,0\n12,3\n"),
    )
    monkeypatch.setattr(synchronous, "time", TellingTime)
    answer = client.call("POST", "/kmeans/fit_predict", body, FORM_TYPE)
    assert answer.status == 200, answer.text
    assert sorted(answer.labels()) == [0, 1]
    assert answer.headers["X-Job-Id"] == "0"


def test_fit_predict_that_does_not_wait_is_accepted(client: Client) -> None:
    body = form(("file", "points.parquet", parquet()))
    answer = client.call("POST", "/kmeans/fit_predict", body, FORM_TYPE | ASYNC)
    assert (answer.status, answer.json()["status"]) == (202, "PENDING")
    arrives()
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"


# --- other ways in -----------------------------------------------------------------


def test_a_presigned_file_is_converted_and_fitted(client: Client) -> None:
    asked = {"filename": "book.xlsx", "sheet": 1, "model_params": {"n_clusters": 2}}
    fields = client.post_json("/kmeans/uploads", asked).json()["fields"]
    assert deliver(drop(fields["key"], BOOK)) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["reading"]) == ("SUCCEEDED", {"sheet": "1"})
    assert client.get("/kmeans/jobs/0/input").body == BOOK
    assert counted() == lie_there(aws_module)


def test_a_dropped_file_is_converted_and_fitted_and_again_it_is_the_same_job(
    client: Client,
) -> None:
    for _ in range(2):
        assert deliver(drop("incoming/tester/points.parquet", parquet())) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["n_samples"]) == ("SUCCEEDED", 6)
    assert len(items()) == 1
    assert len(keys("inputs/tester/converted/")) == 1


def test_a_dropped_file_that_cannot_be_converted_makes_a_failed_job(client: Client) -> None:
    assert deliver(drop("incoming/tester/book.xlsx", BOOK[:2000])) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert view["status"] == "FAILED"
    assert "cut off, damaged" in view["error"]["detail"]


# --- what cannot be converted ---------------------------------------------------------


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 50_000_000)
    return file.getvalue()


@pytest.mark.parametrize(
    ("body", "filename", "kind", "words"),
    [
        (BOOK[:3000], "cut.xlsx", "invalid-csv", "cut off, damaged"),
        (parquet()[:-40], "cut.parquet", "invalid-csv", "the Parquet file cannot be read"),
        (b'{"x": 1}\n{"x": [1]}\n', "list.jsonl", "invalid-csv", "line 2: 'x' holds an array"),
        (b'{"a": "b"}\n{"a": "c"}\n', "text.jsonl", "invalid-csv", "number"),
        (bomb(), "bomb.xlsx", "too-large", "unpacks to 50,000,008 bytes"),
        (gzip.compress(LINES)[:-9], "cut.jsonl.gz", "invalid-csv", "the gzip file ends"),
    ],
    ids=["workbook", "parquet", "list", "text", "bomb", "gzip"],
)
def test_a_file_that_cannot_be_converted_makes_the_job_failed_with_the_reason(
    client: Client, body: bytes, filename: str, kind: str, words: str
) -> None:
    uploaded(client, body, filename)
    assert arrives() == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["error"]["type"]) == (
        "FAILED",
        f"urn:kmeans-service:problem:{kind}",
    )
    assert words in view["error"]["detail"]
    assert "progress" not in view
    assert client.get("/kmeans/jobs/0/input").body == body
    assert counted() == lie_there(aws_module)
    assert client.fit(0).status == 422
    client.call("DELETE", "/kmeans/jobs/0")
    assert (keys(), counted()) == ([], 0)


def test_a_file_may_come_to_no_more_bytes_than_one_may_have(client: Client, limit: Set) -> None:
    body = parquet([(1, 2)] * 2000 + ROWS)
    limit(file_bytes=len(body) + 10)
    uploaded(client, body, "points.parquet")
    arrives()
    error = client.get("/kmeans/jobs/0").json()["error"]
    assert error["type"] == "urn:kmeans-service:problem:too-large"
    assert keys("inputs/") == []


def test_converted_bytes_count_and_without_room_for_them_the_job_fails(
    client: Client, limit: Set
) -> None:
    uploaded(client, LINES, "points.jsonl")
    limit(stored_bytes=len(LINES) + 5)
    arrives()
    view = client.get("/kmeans/jobs/0").json()
    assert view["error"]["type"] == "urn:kmeans-service:problem:storage-full"
    assert keys() == ["pending/tester/0/input.csv"]
    assert counted() == lie_there(aws_module)


def test_a_conversion_that_crashes_comes_again_and_in_the_end_the_job_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from convert import app
    from worker.app import GaveUp

    def crash(*_: Any, **__: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(app, "convert", crash)
        uploaded(client, LINES, "points.jsonl")
        assert arrives() == 1
        assert client.get("/kmeans/jobs/0").json()["status"] == "PENDING"
        let_all_be_ready()
    assert work_off_again() == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "UPLOADED"
    monkeypatch.setattr(app, "convert", crash)
    uploaded(client, LINES + LINES, "others.jsonl")
    arrives(1)
    for _ in range(config.MAX_ATTEMPTS - 1):
        let_all_be_ready()
        work_off_again()
    let_all_be_ready()
    with pytest.raises(GaveUp):
        work_off_again()
    view = client.get("/kmeans/jobs/1").json()
    assert (view["status"], view["error"]["type"]) == (
        "FAILED",
        "urn:kmeans-service:problem:fit-failed",
    )


def work_off_again() -> int:
    return deliver(json.dumps({"in_line": True}))


# --- deleted meanwhile ------------------------------------------------------------------


def test_a_job_that_is_deleted_while_its_file_is_converted_leaves_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert = conversion.convert

    def delete_first(*arguments: Any) -> conversion.Converted:
        assert client.call("DELETE", "/kmeans/jobs/0").status == 204
        return convert(*arguments)

    def delete_afterwards(*arguments: Any) -> conversion.Converted:
        converted = convert(*arguments)
        assert client.call("DELETE", "/kmeans/jobs/1").status == 204
        return converted

    uploaded(client, LINES, "a.jsonl")
    monkeypatch.setattr(conversion, "convert", delete_first)
    arrives(0)
    uploaded(client, LINES, "b.jsonl")
    monkeypatch.setattr(conversion, "convert", delete_afterwards)
    arrives(1)
    assert (keys(), counted()) == ([], 0)


def test_a_deletion_that_meets_the_arrival_counts_out_all_that_came(
    client: Client, aws: Any
) -> None:
    uploaded(client, LINES, "points.jsonl")
    with meanwhile(aws.dynamodb(), "TransactWriteItems", arrives):
        assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert (keys(), counted()) == ([], 0)


def test_a_deleted_job_takes_the_file_and_its_rows_along(client: Client) -> None:
    uploaded(client, LINES, "points.jsonl")
    arrives()
    client.fit(0, {"n_clusters": 2})
    client.call("DELETE", "/kmeans/jobs/0")
    assert (keys(), counted()) == ([], 0)


# --- points ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/kmeans/predict", "/kmeans/transform", "/kmeans/score"])
@pytest.mark.parametrize("body", [parquet(), LINES, BOOK], ids=["parquet", "lines", "book"])
def test_points_of_such_a_file_are_refused_in_a_request_which_names_the_way(
    client: Client, path: str, body: bytes
) -> None:
    client.upload(b"x,y\n" + b"1,2\n9,9\n")
    client.fit(0, {"n_clusters": 2})
    answer = client.predict(body, path=path)
    assert answer.status == 415
    assert "POST /kmeans/predictions" in answer.json()["detail"]


@pytest.mark.parametrize("body", [body for body, _ in FILES], ids=NAMES)
def test_a_large_prediction_converts_its_points(client: Client, body: bytes) -> None:
    client.upload(b"x,y\n1,2\n1,4\n10,2\n10,4\n")
    client.fit(0, {"n_clusters": 2})
    reserved = client.post_json("/kmeans/predictions", {"job_id": 0}).json()
    before = counted()
    assert deliver(drop(reserved["fields"]["key"], body)) == 0
    answer = client.get(f"/kmeans/predictions/{reserved['prediction_id']}")
    assert answer.status == 303
    assert keys("inputs/tester/converted/") == keys("pending/") == []
    [key] = keys("results/")
    labels = created_labels(key)
    assert in_two(labels)
    assert counted() - before == lie_there(aws_module) - before
    client.call("DELETE", "/kmeans/jobs/0")
    assert (keys(), counted()) == ([], 0)


def created_labels(key: str) -> list[int]:
    body = aws_module.s3().get_object(Bucket=config.settings().data_bucket, Key=key)["Body"].read()
    return [int(float(line)) for line in body.split()]


def test_points_that_cannot_be_converted_fail_the_prediction_with_the_reason(
    client: Client,
) -> None:
    client.upload(b"x,y\n1,2\n10,4\n")
    client.fit(0, {"n_clusters": 2})
    reserved = client.post_json("/kmeans/predictions", {"job_id": 0}).json()
    deliver(drop(reserved["fields"]["key"], b'{"x": 1}\n{'))
    answer = client.get(f"/kmeans/predictions/{reserved['prediction_id']}")
    assert answer.status == 422
    assert "line 2 is no JSON" in answer.json()["detail"]
    assert keys("inputs/tester/converted/") == []
