"""What can be read of jobs, and that it agrees with scikit-learn."""

import hashlib
import io
import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.cluster import KMeans

from harness.api import FORM_TYPE, MODEL_CSV, PREDICT_CSV, Answer, Client, form
from harness.system import OWNER, items, overwrite
from kmeans_service import config
from kmeans_service.lifecycle import reads

X = np.loadtxt(io.BytesIO(MODEL_CSV), delimiter=",")
POINTS = np.loadtxt(io.BytesIO(PREDICT_CSV), delimiter=",")


@pytest.fixture
def fitted(client: Client) -> Client:
    """Job 0, of two columns named x and y, with two clusters."""
    client.upload(b"x,y\n" + MODEL_CSV, "größe.csv")
    assert client.fit(0).status == 200
    return client


def own(answer: Answer) -> Any:
    """The estimator in the answer, after what its reader should check."""
    assert answer.headers["X-Model-Sha256"] == hashlib.sha256(answer.body).hexdigest()
    estimator = joblib.load(io.BytesIO(answer.body))
    estimator._n_threads = 1  # it remembers; and fits are forked from this very process
    return estimator


def test_a_job_tells_what_is_known_of_it(fitted: Client) -> None:
    job = fitted.get("/kmeans/jobs/0").json()
    assert (job["job_id"], job["status"], job["filename"]) == (0, "SUCCEEDED", "größe.csv")
    assert (job["n_samples"], job["n_features"], job["feature_names"]) == (6, 2, ["x", "y"])
    assert job["size"] == len(MODEL_CSV) + 4
    assert job["model_params"]["n_clusters"] == 2
    assert job["scores"]["inertia"] == pytest.approx(16)
    times = [job[name] for name in ("created_at", "queued_at", "started_at", "finished_at")]
    assert times == sorted(times)
    assert all(datetime.fromisoformat(time).utcoffset() is not None for time in times)
    for path in job["links"].values():
        assert fitted.get(path).status == 200


def test_links_name_only_what_is_there(client: Client) -> None:
    client.upload()
    client.post_json("/kmeans/uploads", {"filename": "later.csv"})
    assert client.get("/kmeans/jobs/0").json()["links"].keys() == {"self", "input"}
    assert client.get("/kmeans/jobs/1").json()["links"].keys() == {"self"}


def test_the_list_goes_page_by_page_newest_first(client: Client) -> None:
    for number in range(7):
        client.upload(f"{number}\n".encode())
    seen, path = [], "/kmeans/jobs?limit=3"
    for size in (3, 3, 1):
        page = client.get(path).json()
        assert len(page["jobs"]) == size
        seen += [job["job_id"] for job in page["jobs"]]
        path = f"/kmeans/jobs?limit=3&cursor={page.get('next_cursor')}"
    assert seen == [6, 5, 4, 3, 2, 1, 0]
    assert "next_cursor" not in page


@pytest.mark.parametrize("job_id", [9, 98, 987, 9876, 98765, 987654, 9876543, 98765432])
def test_a_page_follows_a_job_of_any_number_of_digits(client: Client, job_id: int) -> None:
    client.upload()
    job = replace(reads.get(OWNER, 0), job_id=job_id)
    page = client.get(f"/kmeans/jobs?cursor={reads.cursor_of(job)}").json()
    assert [job["job_id"] for job in page["jobs"]] == [0]


def test_a_deletion_between_two_pages_hides_no_other_job(client: Client) -> None:
    for number in range(4):
        client.upload(f"{number}\n".encode())
    cursor = client.get("/kmeans/jobs?limit=2").json()["next_cursor"]
    client.call("DELETE", "/kmeans/jobs/2")
    page = client.get(f"/kmeans/jobs?limit=2&cursor={cursor}").json()
    assert [job["job_id"] for job in page["jobs"]] == [1, 0]


def test_the_list_is_filtered_by_status(fitted: Client) -> None:
    fitted.upload(b"1\n2\n")
    for status, expected in [("SUCCEEDED", [0]), ("UPLOADED", [1]), ("FAILED", [])]:
        jobs = fitted.get(f"/kmeans/jobs?status={status}").json()["jobs"]
        assert [job["job_id"] for job in jobs] == expected


@pytest.mark.parametrize("what", ["", "/labels", "/centers", "/scores", "/input", "/model"])
def test_what_is_unchanged_is_not_sent_again(fitted: Client, what: str) -> None:
    path = f"/kmeans/jobs/0{what}"
    etag = fitted.get(path).headers["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = fitted.get(path, If_None_Match=known)
        assert (answer.status, answer.headers["ETag"]) == (304, etag)
    assert fitted.get(path, If_None_Match='"other"').status == 200


def test_another_fit_changes_every_etag_of_it(fitted: Client) -> None:
    paths = [f"/kmeans/jobs/0{what}" for what in ("", "/labels", "/centers", "/scores", "/model")]
    before = {fitted.get(path).headers["ETag"] for path in paths}
    fitted.fit(0, {"n_clusters": 3})
    assert before.isdisjoint({fitted.get(path).headers["ETag"] for path in paths})


def test_csv_and_json_have_etags_of_their_own(fitted: Client) -> None:
    for path in ("/kmeans/jobs/0/labels", "/kmeans/jobs/0/centers"):
        as_csv = fitted.get(path).headers["ETag"]
        assert fitted.get(path, Accept="application/json", If_None_Match=as_csv).status == 200


def test_labels_and_centers_are_the_models_own(fitted: Client) -> None:
    estimator = own(fitted.get("/kmeans/jobs/0/model"))
    labels = fitted.get("/kmeans/jobs/0/labels")
    assert labels.labels() == estimator.predict(X).tolist()
    assert labels.body == fitted.fit(0).body
    as_json = fitted.get("/kmeans/jobs/0/labels", Accept="application/json").json()
    assert as_json == {"labels": labels.labels()}
    centers = fitted.get("/kmeans/jobs/0/centers")
    rows = np.loadtxt(io.StringIO(centers.text), delimiter=",")
    assert np.array_equal(rows, estimator.cluster_centers_)
    as_json = fitted.get("/kmeans/jobs/0/centers", Accept="application/json").json()
    assert as_json == {"centers": rows.tolist(), "feature_names": ["x", "y"]}


def test_scores_are_scikit_learns(fitted: Client) -> None:
    scores = fitted.get("/kmeans/jobs/0/scores").json()
    estimator = KMeans(2, random_state=0).fit(X)
    assert scores["inertia"] == pytest.approx(estimator.inertia_)
    assert sum(scores["cluster_sizes"]) == len(X)
    assert scores["n_iter"] == estimator.n_iter_


def test_the_input_comes_back_byte_for_byte_under_its_name(fitted: Client) -> None:
    answer = fitted.get("/kmeans/jobs/0/input")
    assert answer.body == b"x,y\n" + MODEL_CSV
    assert "filename*=UTF-8''gr%C3%B6%C3%9Fe.csv" in answer.headers["Content-Disposition"]


def test_the_model_names_its_versions_and_predicts_as_the_service_does(fitted: Client) -> None:
    answer = fitted.get("/kmeans/jobs/0/model")
    estimator = own(answer)
    assert not hasattr(estimator, "labels_")
    versions = dict(pair.split("=") for pair in answer.headers["X-Library-Versions"].split(", "))
    assert versions["numpy"] == np.__version__
    assert versions.keys() >= {"python", "scikit-learn", "scipy", "joblib"}
    assert fitted.predict().labels() == estimator.predict(POINTS).tolist()


def test_transform_and_score_are_scikit_learns(fitted: Client) -> None:
    estimator = own(fitted.get("/kmeans/jobs/0/model"))
    answer = fitted.predict(path="/kmeans/transform")
    rows = np.loadtxt(io.StringIO(answer.text), delimiter=",")
    assert np.allclose(rows, estimator.transform(POINTS), rtol=1e-12)
    as_json = fitted.predict(path="/kmeans/transform", Accept="application/json").json()
    assert as_json == {"distances": rows.tolist()}
    score = fitted.predict(path="/kmeans/score").json()["score"]
    assert score == pytest.approx(estimator.score(POINTS), rel=1e-12)


@pytest.mark.parametrize("path", ["/kmeans/predict", "/kmeans/transform", "/kmeans/score"])
def test_points_as_json_and_as_csv_are_the_same_points(fitted: Client, path: str) -> None:
    as_json = fitted.post_json(path, {"job_id": 0, "points": POINTS.tolist()})
    assert as_json.status == 200
    assert as_json.body == fitted.predict(path=path).body


def test_points_may_name_their_columns_as_the_model_does(fitted: Client) -> None:
    assert fitted.predict(b"x,y\n" + PREDICT_CSV).body == fitted.predict().body


def fit_predict(client: Client, *parts: tuple[str, str | None, bytes], **wishes: str) -> Answer:
    body = form(("file", "model.csv", MODEL_CSV), *parts)
    return client.call("POST", "/kmeans/fit_predict", body, FORM_TYPE | wishes)


def test_fit_predict_answers_the_labels_of_the_file(client: Client) -> None:
    answer = fit_predict(client)
    assert answer.headers["X-Job-Id"] == "0"
    assert answer.body == client.get("/kmeans/jobs/0/labels").body == client.fit(0).body
    as_json = fit_predict(client, Accept="application/json").json()
    assert as_json == {"job_id": 0, "labels": answer.labels()}


def test_fit_predict_answers_the_labels_of_other_points(client: Client) -> None:
    points = ("predict", "points.csv", PREDICT_CSV)
    params = ("model_params", None, b'{"n_clusters": 3}')
    answer = fit_predict(client, params, points)
    assert answer.body == client.predict().body
    assert client.get("/kmeans/jobs/0").json()["model_params"]["n_clusters"] == 3
    as_json = fit_predict(client, points, params, Accept="application/json").json()
    assert as_json == {"job_id": 0, "labels": answer.labels()}


def test_fit_predict_may_be_followed_instead(client: Client) -> None:
    answer = fit_predict(client, Prefer="respond-async")
    assert (answer.status, answer.json()["status"]) == (202, "QUEUED")
    assert answer.headers["Location"] == "/kmeans/jobs/0"
    assert answer.headers["Preference-Applied"] == "respond-async"


def test_an_answer_too_large_is_refused_with_the_way_out(
    fitted: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is on the answer that is asked for: JSON is a ninth of the CSV."""
    monkeypatch.setattr(config, "MAX_ANSWER_BYTES", 1000)
    points = b"0,0\n" * 100
    refused = fitted.predict(points)
    assert refused.status == 413
    assert "POST /kmeans/predictions" in refused.json()["detail"]
    assert len(fitted.predict(points, Accept="application/json").json()["labels"]) == 100
    assert fitted.predict(points * 10, Accept="application/json").status == 413
    assert fitted.predict(points, path="/kmeans/transform").status == 413


def test_large_labels_and_models_are_had_from_the_bucket(
    fitted: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    expected = {what: fitted.get(f"/kmeans/jobs/0/{what}") for what in ("labels", "model", "input")}
    monkeypatch.setattr(config, "MAX_ANSWER_BYTES", 20)
    for what, inline in expected.items():
        answer = fitted.get(f"/kmeans/jobs/0/{what}")
        assert (answer.status, answer.headers["ETag"]) == (303, inline.headers["ETag"])
        download = requests.get(answer.headers["Location"], timeout=10)
        assert download.content == inline.body
        disposition = download.headers["Content-Disposition"]
        assert disposition == inline.headers["Content-Disposition"]


def test_deleted_is_gone_for_every_read(fitted: Client) -> None:
    paths = json.loads(fitted.get("/kmeans/jobs/0").body)["links"].values()
    assert fitted.call("DELETE", "/kmeans/jobs/0").status == 204
    assert {fitted.get(path).status for path in paths} == {410}
    assert fitted.upload().json()["job_id"] == 1


@pytest.mark.thorough
def test_pages_go_on_after_a_short_one_and_show_each_job_once(client: Client) -> None:
    """What the filter leaves out makes pages of the query short."""
    for number in range(30):
        client.upload(f"{number}\n".encode())
    for found in items():
        if found["job_id"] % 3 == 0:
            overwrite(found, status="FAILED")
    seen, path = [], "/kmeans/jobs?status=FAILED&limit=4"
    while path:
        page = client.get(path).json()
        seen += [job["job_id"] for job in page["jobs"]]
        cursor = page.get("next_cursor")
        path = f"/kmeans/jobs?status=FAILED&limit=4&cursor={cursor}" if cursor else ""
    assert seen == list(range(27, -1, -3))


@pytest.mark.thorough
def test_a_page_reads_no_more_jobs_than_it_shows(client: Client, aws: Any) -> None:
    for number in range(40):
        client.upload(f"{number}\n".encode())
    read: list[int] = []
    aws.dynamodb().meta.events.register(
        "after-call.dynamodb.Query", lambda parsed, **_: read.append(parsed["ScannedCount"])
    )
    assert len(client.get("/kmeans/jobs?limit=10").json()["jobs"]) == 10
    assert read == [11]


def test_a_page_is_no_larger_than_an_answer_may_be(client: Client) -> None:
    """Names of control characters: one byte each in the file, seven in Lambda's answer."""
    names = ",".join(f"\x01{number:03}" + "\x01" * 590 for number in range(100))
    for number in range(20):
        client.upload(f"{names}\n".encode() + (b"1," * 99 + b"%d\n" % number), f"{number}.csv")
    seen, path = [], "/kmeans/jobs?limit=100"
    while path:
        answer = client.get(path)
        assert len(json.dumps(answer.text)) < 6_000_000
        seen += [job["job_id"] for job in answer.json()["jobs"]]
        cursor = answer.json().get("next_cursor")
        path = f"/kmeans/jobs?limit=100&cursor={cursor}" if cursor else ""
    assert seen == list(range(19, -1, -1))
