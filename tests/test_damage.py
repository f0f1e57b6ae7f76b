"""Objects that are not what was written: never loaded, never served."""

import io
import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import contract
from harness.api import ASYNC, FORM_TYPE, JSON_TYPE, MODEL_CSV, PREDICT_CSV, Client, form
from harness.presigned import predict as send_points
from harness.routes import CALLS, filled
from harness.system import deliver, item, job, manifest, overwrite, put, work_off
from kmeans_service import config
from kmeans_service.fitting import clustering
from kmeans_service.models import loading
from kmeans_service.models import manifest as manifests
from kmeans_service.storage import data_bucket, sha256_of
from kmeans_service.stored_object import StoredObject


def never(*_: Any) -> None:
    raise AssertionError("damaged data was used")


class Canary:
    """Whoever unpickles it makes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self._path),)


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.fixture
def fitted(client: Client) -> Client:
    client.upload()
    client.fit(0)
    loading.forget()
    return client


def test_an_input_that_was_changed_is_not_fitted_by_a_request(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    put(item()["input"]["key"], MODEL_CSV.replace(b"10", b"20"))
    monkeypatch.setattr(clustering, "fit", never)
    answer = client.fit(0)
    assert (answer.status, answer.json()["title"]) == (410, "Stored object damaged")
    assert item()["status"] == "FAILED"
    assert client.get("/kmeans/jobs/0/input").status == 410


def test_an_input_that_was_changed_fails_the_job_in_the_worker_and_is_not_tried_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    put(item()["input"]["key"], MODEL_CSV + b"1, 1\n")
    monkeypatch.setattr(clustering, "fit", never)
    assert work_off() == 0
    assert (item()["status"], item()["attempt"]) == ("FAILED", 1)
    assert "not the one that was uploaded" in client.get("/kmeans/jobs/0").text


def test_an_input_that_is_gone_fails_the_job(client: Client, aws: Any) -> None:
    client.upload()
    aws.s3().delete_object(Bucket=config.settings().data_bucket, Key=item()["input"]["key"])
    assert client.fit(0).status == 410
    assert item()["status"] == "FAILED"


def test_swapped_centers_predict_nothing(fitted: Client) -> None:
    for stored in (manifest(), job().published.centers):
        put(stored.key, npy(np.array([[0.0, 0.0], [1.0, 1.0], [9.0, 9.0]])))
    assert fitted.predict().status == 410
    assert fitted.get("/kmeans/jobs/0/centers").status == 410


def made_pickle(client: Client) -> StoredObject:
    """The pickle of job 0, which is made at its first download."""
    assert client.get("/kmeans/jobs/0/model").status == 200
    made = job().published.pickle
    assert made is not None
    return made


def test_swapped_labels_and_a_swapped_model_are_not_served(fitted: Client) -> None:
    put(made_pickle(fitted).key, b"anything")
    put(job().published.labels.key, b"0\n" * 6)
    assert fitted.get("/kmeans/jobs/0/labels").status == 410
    assert fitted.get("/kmeans/jobs/0/model").status == 410
    assert fitted.fit(0).status == 410


def test_a_pickle_in_place_of_the_centers_or_the_model_never_runs(
    fitted: Client, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    evil = pickle.dumps(Canary(canary))
    as_array = npy(np.array([Canary(canary)], dtype=object))
    made = made_pickle(fitted)
    for body in (evil, as_array):
        put(manifest().key, body)
        put(job().published.centers.key, body)
        put(made.key, body)
        assert fitted.predict().status == 410
        assert fitted.get("/kmeans/jobs/0/centers").status == 410
        assert fitted.get("/kmeans/jobs/0/model").status == 410
        assert not canary.exists()
    pickle.loads(evil)
    assert canary.exists(), "the canary is one"


def test_not_even_a_pickle_with_the_right_digests_runs(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifests, "INLINE_NUMBERS", 0)
    client.upload()
    client.fit(0)
    canary = tmp_path / "canary"
    body = npy(np.array([Canary(canary)], dtype=object))
    found = item()
    for name in ("centers", "arrays"):
        put(found["model"][name]["key"], body)
        found["model"][name]["sha256"] = sha256_of(body)
    document = json.loads(data_bucket().get(manifest()))
    document["centers"]["object"]["sha256"] = sha256_of(body)
    put(manifest().key, json.dumps(document).encode())
    found["model"]["manifest"]["sha256"] = sha256_of(json.dumps(document).encode())
    overwrite(found, model=found["model"])
    with pytest.raises(ValueError, match="allow_pickle=False"):
        loading.centers_of(data_bucket().get(job().published.centers))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        loading.model_of(job().published)
    assert not canary.exists()


POINTS = form(("job_id", None, b"0"), ("file", "p.csv", PREDICT_CSV))
# What a call of each operation about job 0 needs; the others read nothing that is stored.
SENT: dict[str, tuple[bytes, dict[str, str]]] = {
    "fit": (b'{"job_id": 0}', JSON_TYPE),
    "predict": (POINTS, FORM_TYPE),
    "transform": (POINTS, FORM_TYPE),
    "score": (POINTS, FORM_TYPE),
    "createPrediction": (b'{"job_id": 0}', JSON_TYPE),
    "renameJob": (b'{"name": "another"}', JSON_TYPE),
    "infer": CALLS["infer"],
}
# They answer from the table alone, or make something new.
READ_NOTHING = {
    *("getJob", "deleteJob", "listJobs", "getScores", "createPrediction"),
    *("getUpload", "completeUpload", "abortUpload", "renameJob"),
}
OTHERS = {"upload", "createUpload", "fitPredict", "getPrediction"}
PAGES = {"root", "health", "openapi", "ui", "uiAsset", "pageAsset"}
PAGES |= {"serverMetadata", "serverLive", "serverReady"}


def kind_of(method: str, path: str, found: dict[str, Any]) -> str:
    """The operation's id; HEAD runs what GET runs."""
    runs = contract.document()["paths"][path]["get"] if method == "HEAD" else found
    operation: str = runs["operationId"]
    return operation


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        (method, path, kind_of(method, path, found))
        for method, path, found in contract.operations()
        if kind_of(method, path, found) not in OTHERS | PAGES
    ],
)
def test_no_route_serves_or_runs_a_pickle_in_place_of_what_was_stored(
    fitted: Client, tmp_path: Path, method: str, path: str, operation: str
) -> None:
    canary = tmp_path / "canary"
    evil = pickle.dumps(Canary(canary))
    assert fitted.fit(0, {"n_clusters": "auto"}).status == 200
    made, model = made_pickle(fitted), job().published
    assert model.choice is not None
    for stored in (made, model.centers, model.labels, model.choice, manifest()):
        put(stored.key, evil)
    put(item()["input"]["key"], evil)
    body, headers = SENT.get(operation, (b"", {}))
    answer = fitted.call(method, filled(path, job_id="0"), body, headers)
    assert answer.status == 410 or operation in READ_NOTHING, answer
    assert evil not in answer.body
    assert not canary.exists()


@pytest.mark.parametrize("other", [b"\x80 no text", b"1,2\n3\n", b"9,9\n" * 6])
@pytest.mark.parametrize("name", ["rows", "clusters", "projection", "audit"])
def test_nothing_is_made_of_another_file_than_the_one_that_was_uploaded(
    fitted: Client, name: str, other: bytes
) -> None:
    put(item()["input"]["key"], other)
    answer = fitted.get(f"/kmeans/jobs/0/{name}")
    assert (answer.status, "is not the one that was uploaded" in answer.text) == (410, True)


def test_a_pickle_in_place_of_the_centers_is_not_run_by_the_worker_that_predicts(
    fitted: Client, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    path, arrived = send_points(fitted, PREDICT_CSV)
    put(manifest().key, pickle.dumps(Canary(canary)))
    loading.forget()
    deliver(arrived)
    assert fitted.get(path).status in (202, 410, 422)
    assert not canary.exists()


@pytest.mark.parametrize("kind", ["model.csv", "points"])
def test_a_pickle_that_is_uploaded_is_a_file_that_is_no_csv(
    fitted: Client, tmp_path: Path, kind: str
) -> None:
    canary = tmp_path / "canary"
    evil = pickle.dumps(Canary(canary))
    answer = fitted.upload(evil) if kind == "model.csv" else fitted.predict(evil)
    assert answer.status == 415
    assert not canary.exists()
