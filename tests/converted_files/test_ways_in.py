"""Parquet, Excel and JSON Lines as people send them: in a form, presigned, dropped."""

import json
from functools import partial
from typing import Any

import pytest

from harness.api import ASYNC, FORM_TYPE, Client, form
from harness.data.converted import (
    BOOK,
    FILES,
    LINES,
    NAMES,
    TellingTime,
    arrives,
    in_two,
    parquet,
    uploaded,
)
from harness.system import (
    counted,
    deliver,
    drop,
    items,
    keys,
    lie_there,
    meanwhile,
)
from harness.timing import at_once
from kmeans_service import aws as aws_module
from kmeans_service.fitting import synchronous
from kmeans_service.table import writes


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


def test_rows_of_json_that_are_longer_than_what_is_looked_at_first_are_rows(client: Client) -> None:
    wide = [{f"gene_{n:04}": value + n for n in range(1000)} for value in (0, 1, 100, 101)]
    lines = "".join(json.dumps(row) + "\n" for row in wide).encode()
    job_id = uploaded(client, lines, "genes.jsonl")
    arrives()
    assert client.get(f"/kmeans/jobs/{job_id}").json()["n_features"] == 1000
    document = b'{"points": [' + b"[1, 2], " * 1000 + b"[3, 4]]}"
    refused = client.upload(document, "points.json")
    assert (refused.status, "a JSON document" in refused.json()["detail"]) == (415, True)


def test_a_fit_that_is_asked_for_at_the_moment_its_file_is_converted_is_begun(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for a worker that has the file behind it."""
    uploaded(client, LINES, "points.jsonl")
    noted = writes.is_updated

    def behind_the_worker(*of: Any) -> bool:
        monkeypatch.setattr(writes, "is_updated", noted)
        arrives()
        return noted(*of)

    monkeypatch.setattr(writes, "is_updated", behind_the_worker)
    assert in_two(client.fit(0, {"n_clusters": 2}).labels())
