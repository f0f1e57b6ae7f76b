"""`align_to` where clusters cannot be continued, and how columns and scalings are compared."""

import json
from typing import Any

import pytest

from harness import contract
from harness.api import FORM_TYPE, JSON_TYPE, Client, form
from harness.system import item, job, keys
from harness.weeks import WEEK_1, Json, fit, upload
from kmeans_service.fitting import aligning


@pytest.mark.parametrize("value", [-1, "0", 1.5, True, [0], 10**10])
def test_what_is_no_job_id_is_refused(weeks: Client, value: Json) -> None:
    answer = fit(weeks, 1, align_to=value)
    assert (answer.status, answer.json()["field"]) == (422, "align_to")


@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
def test_scikit_learns_algorithms_keep_scikit_learns_labels(weeks: Client, algorithm: str) -> None:
    body = {"job_id": 1, "model_params": {"algorithm": algorithm}, "align_to": 0}
    answer = weeks.post_json("/kmeans/fit", body)
    assert (answer.status, answer.json()["field"]) == (422, "align_to")
    assert '"swap"' in answer.json()["detail"]
    plain = {"job_id": 1, "model_params": {"algorithm": algorithm}, "align_to": None}
    assert weeks.post_json("/kmeans/fit", plain).status == 200


def test_a_source_that_is_not_there_is_404_and_one_without_a_model_409(weeks: Client) -> None:
    upload(weeks, WEEK_1 + b"1,1\n", "3.csv")
    weeks.call("DELETE", "/kmeans/jobs/0")
    for source, status in ((9, 404), (0, 404), (2, 409)):
        answer = fit(weeks, 1, align_to=source)
        assert (answer.status, answer.json()["field"]) == (status, "align_to")
        assert f"job {source}" in answer.json()["detail"].lower()
    assert item(1)["status"] == "UPLOADED"


def test_another_owners_job_is_none(weeks: Client) -> None:
    fit(weeks, 1)
    other = Client(lambda _method, path: contract.handler_of(path), "bob")
    assert upload(other, WEEK_1, "1.csv") == 0
    assert fit(other, 0, align_to=1).status == 404
    assert fit(other, 0).status == 200
    assert other.get("/kmeans/jobs/0/migration?from=1").status == 404
    body = json.dumps({"name": "mine"}).encode()
    assert other.call("PATCH", "/kmeans/jobs/1", body, JSON_TYPE).status == 404


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"1,2,3\n4,5,6\n7,8,9\n", "used 2 columns and this one uses 3"),
        (b"a,b,c\n1,2,3\n4,5,6\n7,8,10\n", "used 2 columns and this one uses 3"),
    ],
)
def test_other_columns_are_refused(weeks: Client, content: bytes, words: str) -> None:
    other = upload(weeks, content, "3.csv")
    answer = fit(weeks, other, 2, align_to=0)
    assert (answer.status, answer.json()["field"]) == (422, "align_to")
    assert words in answer.json()["detail"]
    both = form(
        ("file", "4.csv", content),
        ("model_params", None, b'{"algorithm": "swap"}'),
        ("align_to", None, b"0"),
    )
    assert weeks.call("POST", "/kmeans/fit_predict", both, FORM_TYPE).status == 422
    assert not [key for key in keys("models/") if "/source-" in key]


def test_a_source_of_very_many_numbers_is_refused(weeks: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(aligning, "MAX_NUMBERS", 5)
    answer = fit(weeks, 1, align_to=0)
    assert (answer.status, answer.json()["field"]) == (422, "align_to")
    assert "are 6 numbers; at most 5" in answer.json()["detail"]


NAMED_1 = b"x,y\n" + b"".join(b"%d,%d\n" % (n % 7, 50 * (n % 2)) for n in range(60))
NAMED_2 = b"y,x\n" + b"".join(b"%d,%d\n" % (50 * (n % 3 == 0), n % 7) for n in range(60))


def test_columns_are_compared_by_their_names(client: Client) -> None:
    upload(client, NAMED_1, "1.csv")
    fit(client, 0, 2)
    upload(client, NAMED_2, "2.csv")
    assert fit(client, 1, 2, align_to=0).status == 200
    assert job(1).published.numbers == (0, 1)
    old, new = (client.predict(content, at) for at, content in enumerate((NAMED_1, NAMED_1)))
    assert old.body == new.body
    other = upload(client, NAMED_2.replace(b"y,x", b"y,z"), "3.csv")
    answer = fit(client, other, 2, align_to=0)
    assert answer.status == 422
    assert "did not use the column 'z'" in answer.json()["detail"]


@pytest.mark.parametrize("scaling", ["none", "standard", "min_max", "robust"])
def test_clusters_go_on_where_another_scaling_was_chosen(client: Client, scaling: str) -> None:
    upload(client, NAMED_1, "1.csv")
    fit(client, 0, 2, preprocessing={"scaling": "standard"})
    upload(client, NAMED_2, "2.csv")
    fit(client, 1, 2, preprocessing={"scaling": scaling}, align_to=0)
    assert job(1).published.numbers == (0, 1)
    assert client.predict(NAMED_1, 1).body == client.predict(NAMED_1, 0).body


def test_normalised_rows_are_continued_by_normalised_ones_alone(client: Client) -> None:
    length = {"normalize": "l2"}
    upload(client, NAMED_1.replace(b",0", b",1"), "1.csv")
    fit(client, 0, 2, preprocessing=length)
    upload(client, NAMED_2, "2.csv")
    for other in ({}, length | {"scaling": "standard"}):
        answer = fit(client, 1, 2, preprocessing=other, align_to=0)
        assert (answer.status, answer.json()["field"]) == (422, "align_to")
    assert fit(client, 1, 2, preprocessing=length, align_to=0).status == 200
