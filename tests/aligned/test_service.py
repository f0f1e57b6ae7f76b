"""`align_to`: clusters keep labels, numbers and names of those that they continue."""

import json
from typing import Any

import pytest

from harness import contract
from harness.api import ASYNC, FORM_TYPE, JSON_TYPE, Answer, Client, form
from harness.limits import with_worker_memory
from harness.system import (
    created,
    deliver,
    drop,
    fitted_recipe,
    item,
    job,
    keys,
    meanwhile,
    take_messages,
    work_off,
)
from kmeans_service.fitting import aligning
from kmeans_service.lifecycle.names import names_of
from kmeans_service.models import manifest as manifests
from kmeans_service.models.numbers import Numbers

Json = Any
SWAP = {"algorithm": "swap"}


def points(*groups: tuple[float, int]) -> bytes:
    """So many rows around each place of a line, a hundredth of a unit apart."""
    return b"".join(b"%f,0\n" % (at + row / 100) for at, count in groups for row in range(count))


# Largest first, as a swap search numbers them: 0, 10 and 20.
WEEK_1 = points((0, 30), (10, 20), (20, 10))
# The sizes are the other way round.
WEEK_2 = points((0, 10), (10, 20), (20, 30))


def fit(client: Client, job_id: int, n_clusters: int = 3, **more: Json) -> Answer:
    params = SWAP | {"n_clusters": n_clusters}
    return client.post_json("/kmeans/fit", {"job_id": job_id, "model_params": params} | more)


def upload(client: Client, content: bytes, name: str) -> int:
    job_id: int = client.upload(content, name).json()["job_id"]
    return job_id


def rename(client: Client, job_id: int, clusters: Json) -> None:
    body = json.dumps({"clusters": clusters}).encode()
    assert client.call("PATCH", f"/kmeans/jobs/{job_id}", body, JSON_TYPE).status == 200


def centers(client: Client, job_id: int) -> list[int]:
    """Where each label is, to the unit."""
    text = client.get(f"/kmeans/jobs/{job_id}/centers", Accept="text/csv").text
    return [round(float(line.split(",")[0])) for line in text.splitlines()]


@pytest.fixture
def weeks(client: Client) -> Client:
    """Job 0 is fitted and its clusters have names; job 1 is the week after."""
    upload(client, WEEK_1, "1.csv")
    assert fit(client, 0).status == 200
    assert centers(client, 0) == [0, 10, 20]
    rename(client, 0, {"0": "few", "1": "some", "2": "many"})
    upload(client, WEEK_2, "2.csv")
    return client


def test_without_it_clusters_are_numbered_by_size(weeks: Client) -> None:
    fit(weeks, 1)
    assert centers(weeks, 1) == [20, 10, 0]
    assert job(1).published.numbers == (0, 1, 2)
    assert "numbers" not in weeks.get("/kmeans/jobs/1").json()


def test_a_cluster_keeps_label_number_and_name(weeks: Client) -> None:
    answer = fit(weeks, 1, align_to=0)
    assert answer.status == 200
    assert answer.labels() == [0] * 10 + [1] * 20 + [2] * 30
    assert weeks.get("/kmeans/jobs/1/labels").body == answer.body
    assert centers(weeks, 1) == [0, 10, 20]
    view = weeks.get("/kmeans/jobs/1").json()
    assert view["scores"]["cluster_sizes"] == [10, 20, 30]
    assert view["numbers"] == [0, 1, 2]
    assert view["clusters"] == {"0": "few", "1": "some", "2": "many"}
    assert view["align_to"] == 0
    assert weeks.predict(b"0,0\n20,0\n", 1).labels() == [0, 2]


def test_a_new_cluster_gets_a_new_number_and_one_that_is_gone_leaves_its_own(
    weeks: Client,
) -> None:
    changed = upload(weeks, points((0, 5), (20, 30), (70, 40)), "3.csv")
    fit(weeks, changed, align_to=0)
    view = weeks.get(f"/kmeans/jobs/{changed}").json()
    assert centers(weeks, changed) == [0, 70, 20]
    assert view["numbers"] == [0, 3, 2]
    assert view["clusters"] == {"0": "few", "2": "many"}
    back = upload(weeks, WEEK_2, "4.csv")
    fit(weeks, back, align_to=changed)
    assert weeks.get(f"/kmeans/jobs/{back}").json()["numbers"] == [0, 4, 2]
    found = job(back).published
    assert found.manifest
    assert found.numbering == manifests.load(found.manifest).continued
    assert found.numbering == Numbers((0, 4, 2), 5, job(0).published.fit_id)


def test_fewer_and_more_clusters_keep_what_they_can(weeks: Client) -> None:
    fit(weeks, 1, 2, align_to=0)
    assert sorted(weeks.get("/kmeans/jobs/1").json()["numbers"]) in ([0, 2], [1, 2], [0, 1])
    more = upload(weeks, points((-30, 40), (0, 30), (10, 20), (20, 10)), "3.csv")
    fit(weeks, more, 4, align_to=0)
    assert centers(weeks, more) == [0, 10, 20, -30]
    assert weeks.get(f"/kmeans/jobs/{more}").json()["numbers"] == [0, 1, 2, 3]


def test_a_job_may_name_itself_and_asking_again_is_the_same_fit(weeks: Client) -> None:
    first = job(0).published.fit_id
    answer = fit(weeks, 0, 2, align_to=0)
    assert answer.status == 200
    second = job(0).published.fit_id
    assert second != first
    assert fitted_recipe(0).align_to is not None
    assert len(set(job(0).published.numbers) & {0, 1, 2}) == 2
    before = item()
    assert fit(weeks, 0, 2, align_to=0).body == answer.body
    assert item() == before
    assert len([key for key in keys("models/") if "/source-" in key]) == 1
    fit(weeks, 0, 3, align_to=0)
    assert job(0).published.fit_id != second
    assert job(0).published.numbering.line == first


def test_the_same_request_again_is_the_same_fit(weeks: Client) -> None:
    first = fit(weeks, 1, align_to=0)
    before = item(1), keys()
    assert fit(weeks, 1, align_to=0).body == first.body
    assert (item(1), keys()) == before
    plain = fit(weeks, 1)
    assert plain.status == 200
    assert item(1)["fit_id"] != before[0]["fit_id"]
    assert not [key for key in keys("models/tester/1/") if "/source-" in key]


def test_another_fit_of_the_source_is_another_request(weeks: Client) -> None:
    fit(weeks, 1, align_to=0)
    first = item(1)["fit_id"]
    fit(weeks, 0, 2)
    fit(weeks, 1, align_to=0)
    assert item(1)["fit_id"] != first


@pytest.mark.parametrize("change", ["deleted", "fitted anew", "renamed"])
def test_what_becomes_of_the_source_after_the_request_changes_nothing(
    weeks: Client, change: str
) -> None:
    assert (
        weeks.post_json(
            "/kmeans/fit",
            {"job_id": 1, "model_params": SWAP | {"n_clusters": 3}, "align_to": 0},
            **ASYNC,
        ).status
        == 202
    )
    match change:
        case "deleted":
            assert weeks.call("DELETE", "/kmeans/jobs/0").status == 204
        case "fitted anew":
            fit(weeks, 0, 2)
        case "renamed":
            rename(weeks, 0, {"0": "none"})
    work_off()
    view = weeks.get("/kmeans/jobs/1").json()
    assert view["status"] == "SUCCEEDED"
    assert centers(weeks, 1) == [0, 10, 20]
    assert view["clusters"] == {"0": "few", "1": "some", "2": "many"}


def test_a_source_that_is_deleted_while_it_is_looked_up_is_told_of(weeks: Client, aws: Any) -> None:
    with meanwhile(aws.s3(), "GetObject", lambda: weeks.call("DELETE", "/kmeans/jobs/0")):
        answer = fit(weeks, 1, align_to=0)
    assert answer.status in (404, 410)
    assert item(1)["status"] == "UPLOADED"
    assert keys("models/") == []


def test_of_two_requests_at_once_one_copy_is_left(weeks: Client, aws: Any) -> None:
    with meanwhile(aws.dynamodb(), "UpdateItem", lambda: fit(weeks, 1, align_to=0)):
        assert fit(weeks, 1, align_to=0).status == 200
    assert len([key for key in keys("models/") if "/source-" in key]) == 1


def test_out_of_core_clusters_are_continued_too(weeks: Client, monkeypatch: Any) -> None:
    with_worker_memory(monkeypatch, 1)
    assert fit(weeks, 1, align_to=0).status in (200, 202)
    work_off()
    view = weeks.get("/kmeans/jobs/1").json()
    assert view["scores"]["method"] == "out_of_core"
    assert centers(weeks, 1) == [0, 10, 20]
    assert weeks.get("/kmeans/jobs/1/labels").labels() == [0] * 10 + [1] * 20 + [2] * 30
    assert view["clusters"] == {"0": "few", "1": "some", "2": "many"}


# --- names ----------------------------------------------------------------------------


def test_inherited_names_can_be_changed_and_removed(weeks: Client) -> None:
    fit(weeks, 1, align_to=0)
    rename(weeks, 1, {"0": "small", "1": None})
    assert names_of(job(1)).clusters == {0: "small", 2: "many"}
    rename(weeks, 1, {"1": "middle"})
    assert names_of(job(1)).clusters == {0: "small", 1: "middle", 2: "many"}
    rename(weeks, 1, None)
    assert names_of(job(1)).clusters == {}
    assert names_of(job(0)).clusters == {0: "few", 1: "some", 2: "many"}


def test_changed_names_are_inherited_in_their_turn(weeks: Client) -> None:
    fit(weeks, 1, align_to=0)
    rename(weeks, 1, {"0": "small", "1": None})
    third = upload(weeks, WEEK_1 + b"0,0\n", "3.csv")
    fit(weeks, third, align_to=1)
    assert names_of(job(third)).clusters == {0: "small", 2: "many"}


# --- refusals -------------------------------------------------------------------------


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


# --- other ways in --------------------------------------------------------------------


def test_fit_predict_takes_it_as_a_field(weeks: Client) -> None:
    both = form(
        ("file", "3.csv", WEEK_2 + b"20,0\n"),
        ("model_params", None, b'{"algorithm": "swap", "n_clusters": 3}'),
        ("align_to", None, b"0"),
    )
    answer = weeks.call("POST", "/kmeans/fit_predict", both, FORM_TYPE)
    assert answer.labels() == [0] * 10 + [1] * 20 + [2] * 31
    missing = form(("file", "4.csv", WEEK_2 + b"1,1\n"), ("align_to", None, b"9"))
    assert weeks.call("POST", "/kmeans/fit_predict", missing, FORM_TYPE).status == 422
    missing = form(
        ("file", "4.csv", WEEK_2 + b"1,1\n"),
        ("model_params", None, b'{"algorithm": "swap"}'),
        ("align_to", None, b"9"),
    )
    assert weeks.call("POST", "/kmeans/fit_predict", missing, FORM_TYPE).status == 404
    assert len(weeks.get("/kmeans/jobs").json()["jobs"]) == 3


@pytest.mark.parametrize("name", ["align_to", "ALIGN_TO"])
def test_a_dropped_file_says_it_in_its_metadata(weeks: Client, name: str) -> None:
    params = json.dumps(SWAP | {"n_clusters": 3})
    arrived = drop("incoming/tester/3.csv", WEEK_2, model_params=params, **{name: "0"})
    assert deliver(arrived) == 0
    deliver(*take_messages())
    work_off()
    assert centers(weeks, 2) == [0, 10, 20]
    wrong = drop("incoming/tester/4.csv", WEEK_2, model_params=params, align_to="9")
    deliver(wrong)
    view = weeks.get("/kmeans/jobs/3").json()
    assert view["status"] == "FAILED"
    assert view["error"]["field"] == "align_to"


def test_a_file_that_is_still_to_be_converted_is_aligned_when_it_is_there(
    weeks: Client,
) -> None:
    places = enumerate([0] * 10 + [10] * 20 + [20] * 30)
    lines = b"".join(b'{"x": %d, "y": %d}\n' % (at, row % 2) for row, at in places)
    other = weeks.upload(lines, "3.jsonl").json()["job_id"]
    body = {"job_id": other, "model_params": SWAP | {"n_clusters": 3}, "align_to": 0}
    assert weeks.post_json("/kmeans/fit", body, **ASYNC).status == 202
    weeks.call("DELETE", "/kmeans/jobs/0")
    deliver(created(f"pending/tester/{other}/input.csv"))
    deliver(*take_messages())
    work_off()
    view = weeks.get(f"/kmeans/jobs/{other}").json()
    assert view["status"] == "SUCCEEDED", view
    assert centers(weeks, other) == [0, 10, 20]
    assert view["clusters"] == {"0": "few", "1": "some", "2": "many"}
