"""`align_to`: clusters keep labels, numbers and names of those that they continue."""

import json
from typing import Any

import pytest

from harness.api import ASYNC, FORM_TYPE, Client, form
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
from harness.weeks import SWAP, WEEK_1, WEEK_2, centers, fit, points, rename, upload
from kmeans_service.lifecycle.names import names_of
from kmeans_service.models import manifest as manifests
from kmeans_service.models.numbers import Numbers


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
