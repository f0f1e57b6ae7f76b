"""Models of older versions are served as they were."""

import json
from typing import Any

import pytest

from harness.api import Client
from harness.data.older_models import LEFT
from harness.system import item, job
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject

OLD = ("0", "1", "2")


def file_of(job_id: str) -> bytes:
    return data_bucket().get(StoredObject(**only_object(item(int(job_id))["input"])))


def only_object(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in ("key", "sha256", "size")}


@pytest.mark.parametrize("job_id", OLD)
@pytest.mark.parametrize("path", ["/scores", "/labels", "/centers"])
def test_what_an_older_version_stored_is_answered_as_it_was(
    before: Client, job_id: str, path: str
) -> None:
    answer = before.get(f"/kmeans/jobs/{job_id}{path}", Accept="application/json")
    assert answer.text == LEFT["answers"][job_id][path]


@pytest.mark.parametrize("job_id", OLD)
def test_a_job_of_an_older_version_is_shown_as_it_was(before: Client, job_id: str) -> None:
    was = json.loads(LEFT["answers"][job_id][""])
    shown = before.get(f"/kmeans/jobs/{job_id}").json()
    assert shown["links"].items() >= was["links"].items()
    of_now = ("expires_at", "links")
    assert {k: v for k, v in shown.items() if k not in of_now} == {
        k: v for k, v in was.items() if k not in of_now
    }


@pytest.mark.parametrize("job_id", OLD)
def test_a_model_of_an_older_version_predicts_as_it_did(before: Client, job_id: str) -> None:
    was, points = LEFT["answers"][job_id], file_of(job_id)
    assert before.predict(points, int(job_id)).text == was["predict"]
    assert before.predict(points, int(job_id), path="/kmeans/transform").text == was["transform"]
    score = before.predict(points, int(job_id), path="/kmeans/score", Accept="application/json")
    assert score.text == was["score"]
    pickle = before.get(f"/kmeans/jobs/{job_id}/model")
    assert pickle.headers["X-Model-Sha256"] == was["model"]


def test_columns_of_an_older_version_are_checked_by_their_names(before: Client) -> None:
    for job_id in ("0", "1"):
        header, _, rows = file_of(job_id).partition(b"\n")
        first, _, others = header.partition(b",")
        refused = before.predict(b"x" + first + b"," + others + b"\n" + rows, int(job_id))
        assert refused.status == 422
        assert f"no column '{first.decode()}'" in refused.json()["detail"]


@pytest.mark.parametrize("job_id", OLD)
def test_a_fit_of_an_older_version_is_answered_without_a_new_one(
    before: Client, job_id: str
) -> None:
    params = json.loads(LEFT["answers"][job_id][""])["model_params"]
    if job_id == "1":
        params["init"] = json.loads(before.get("/kmeans/jobs/1").text)["model_params"]["init"]
    assert before.fit(int(job_id), params).status == 200
    assert item(int(job_id))["fence"] == 1


def test_a_replaced_model_of_an_older_version_is_counted_out(before: Client) -> None:
    assert before.fit(1).status == 200
    assert job(1).published.before is None
    assert before.call("DELETE", "/kmeans/jobs/1").status == 204


def test_what_has_fitted_an_older_model_is_known_until_another_fit_is_asked_for(
    before: Client,
) -> None:
    assert before.get("/kmeans/jobs/0/audit").status == 200
    assert before.fit(2, {"n_clusters": 2}, Prefer="respond-async").status == 202
    refused = before.get("/kmeans/jobs/2/audit")
    assert "kept no recipe; fit the job again" in refused.text
