"""Files and points that come through a presigned upload, and the worker that takes them."""

from typing import Any

import pytest

from harness.api import MODEL_CSV, Client
from harness.presigned import follow, labels, post, predict, reserve
from harness.system import created, deliver, item, job, keys, let_all_be_ready, put, work_off
from kmeans_service.line import fit_requests
from kmeans_service.stored_object import StoredObject
from worker import predicting


@pytest.fixture
def fitted(client: Client) -> Client:
    client.upload()
    client.fit(0)
    return client


def test_a_job_waits_for_its_file_and_can_then_be_fitted(client: Client) -> None:
    reserved = reserve(client)
    assert client.get("/kmeans/jobs/0").json()["status"] == "PENDING"
    assert client.fit(0).status == 409
    assert deliver(post(reserved, MODEL_CSV)) == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "UPLOADED"
    assert client.fit(0).status == 200


def test_a_file_that_arrives_is_fitted_at_once_if_parameters_were_given(client: Client) -> None:
    arrived = post(reserve(client, model_params={"n_clusters": 3}), MODEL_CSV)
    assert deliver(arrived, arrived) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["n_samples"]) == ("SUCCEEDED", 6)
    assert view["scores"]["inertia"] == pytest.approx(10)
    assert item()["fence"] == 1


def test_a_fit_that_continues_another_is_asked_for_once_the_file_is_there(client: Client) -> None:
    asked = {"filename": "points.csv", "model_params": {"n_clusters": 2}}
    refused = client.post_json("/kmeans/uploads", asked | {"align_to": 0})
    assert (refused.status, refused.json()["field"]) == (422, "align_to")
    assert "POST /kmeans/fit" in refused.json()["detail"]
    assert client.post_json("/kmeans/uploads", asked | {"align_to": None}).status == 201


def test_a_wrong_file_fails_the_job_that_waited_for_it(client: Client) -> None:
    arrived = post(reserve(client, model_params={}), b"1, 2\n3\n")
    assert deliver(arrived, arrived) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["error"]["line"]) == ("FAILED", 2)
    assert client.fit(0).status == 422


def test_parameters_that_do_not_fit_the_file_fail_the_job_and_others_still_work(
    client: Client,
) -> None:
    deliver(post(reserve(client, model_params={"n_clusters": 7}), MODEL_CSV))
    assert "n_samples=6" in client.get("/kmeans/jobs/0").json()["error"]["detail"]
    assert client.fit(0).status == 200


def test_a_file_sent_twice_counts_once_and_what_was_taken_stays(client: Client) -> None:
    reserved = reserve(client, model_params={})
    first, second = post(reserved, MODEL_CSV), post(reserved, MODEL_CSV + b"5, 5\n")
    assert deliver(second, first, second) == 0
    assert client.get("/kmeans/jobs/0").json()["n_samples"] == 7
    assert client.get("/kmeans/jobs/0/input").body == MODEL_CSV + b"5, 5\n"
    assert item()["fence"] == 1


def test_a_file_that_comes_after_its_job_was_deleted_does_not_stay(client: Client) -> None:
    reserved = reserve(client)
    client.call("DELETE", "/kmeans/jobs/0")
    assert deliver(post(reserved, MODEL_CSV)) == 0
    assert client.get("/kmeans/jobs/0").status == 410
    assert keys() == []


def test_a_large_prediction_waits_for_its_points_and_answers_where_the_labels_are(
    fitted: Client,
) -> None:
    path, arrived = predict(fitted, b"0, 0\n12, 3\n1, 1\n")
    waiting = fitted.get(path)
    assert (waiting.status, waiting.json()["status"]) == (202, "PENDING")
    assert deliver(arrived) == 0
    far, near = fitted.predict(b"12, 3\n0, 0").labels()
    assert labels(follow(fitted.get(path))) == [near, far, near]


def test_points_that_cannot_be_predicted_are_the_predictions_error(fitted: Client) -> None:
    for points, reason in ((b"0, 0\n1, x\n", "line"), (b"1, 2, 3\n", "expected")):
        path, arrived = predict(fitted, points)
        assert deliver(arrived) == 0
        answer = fitted.get(path)
        assert answer.status == 422
        assert reason in answer.json()["error"]


def test_points_delivered_again_after_another_fit_change_no_result(fitted: Client) -> None:
    path, arrived = predict(fitted, b"0, 0\n12, 3\n")
    deliver(arrived)
    before = follow(fitted.get(path))
    fitted.fit(0, {"n_clusters": 1})
    assert deliver(arrived) == 0
    assert follow(fitted.get(path)) == before
    assert len(keys("results/")) == 1


def test_a_prediction_whose_job_is_deleted_meanwhile_leaves_nothing(
    fitted: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, arrived = predict(fitted, b"0, 0\n")
    predict_points = predicting._predict

    def delete_first(*arguments: Any) -> StoredObject:
        fitted.call("DELETE", "/kmeans/jobs/0")
        return predict_points(*arguments)

    monkeypatch.setattr(predicting, "_predict", delete_first)
    assert deliver(arrived) == 0
    assert fitted.get(path).status == 410
    assert keys() == []


@pytest.mark.usefixtures("fitted")
def test_points_for_a_prediction_that_nobody_asked_for_are_ignored() -> None:
    key = f"pending/tester/0/predictions/{'0' * 32}.csv"
    assert deliver(created(key, put(key, b"0, 0\n"))) == 0
    assert keys("results/") == []
    assert job().is_fitted_with(item()["fit_id"])


def test_a_fit_that_was_asked_for_and_did_not_come_in_line_is_put_there_by_the_next_delivery(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = reserve(client, model_params={"n_clusters": 2})
    notification = post(made, MODEL_CSV)

    def crash(*_: Any, **__: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(fit_requests, "resume", crash)
        assert deliver(notification) == 1
    assert client.get("/kmeans/jobs/0").json()["status"] == "QUEUED"
    let_all_be_ready()
    assert deliver(notification) == 0
    assert work_off() == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"
