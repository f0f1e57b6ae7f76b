"""Data far from zero, through the service."""

import json
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from harness import PROJECT
from harness.api import FORM_TYPE, JSON_TYPE, Client, form
from harness.limits import with_worker_memory
from harness.presigned import follow, predict
from harness.presigned import labels as predicted_labels
from harness.system import as_of_an_older_version, deliver, work_off

FILES = PROJECT / "tests/files"
STAMPS = [1700000000000 + x for x in (0, 10, 20, 30, 1000, 1010, 1020, 1030, 5000, 5010)]


def groups(labels: list[int]) -> list[int]:
    """The labels, numbered as they come."""
    seen: dict[int, int] = {}
    return [seen.setdefault(label, len(seen)) for label in labels]


def column(numbers: list[int]) -> bytes:
    return b"".join(b"%d\n" % number for number in numbers)


@pytest.fixture(params=["in_memory", "out_of_core"])
def method(request: pytest.FixtureRequest, client: Client, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of all fits of the test; `client` must be there first, as it forgets the settings."""
    assert client
    if request.param == "out_of_core":
        with_worker_memory(monkeypatch, 1)
    return str(request.param)


def fitted(client: Client, body: bytes, params: dict[str, Any], method: str) -> list[int]:
    client.upload(body)
    assert client.fit(0, params).status in (200, 202)
    work_off()
    assert client.get("/kmeans/jobs/0/scores").json()["method"] == method
    labels: list[int] = client.get("/kmeans/jobs/0/labels").labels()
    return labels


def test_stamps_of_milliseconds_are_predicted_as_they_were_fitted(
    client: Client, method: str
) -> None:
    body = column(STAMPS)
    labels = fitted(client, body, {"n_clusters": 3}, method)
    assert groups(labels) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
    assert client.predict(body).labels() == labels
    path, arrived = predict(client, body)
    assert deliver(arrived) == 0
    assert predicted_labels(follow(client.get(path))) == labels
    exact = {0: 15, 1: 1015, 2: 5005}
    points = {"job_id": 0, "points": [[stamp] for stamp in STAMPS]}
    distances = client.post_json("/kmeans/transform", points, Accept="application/json").json()
    for row, (stamp, label) in enumerate(zip(STAMPS, groups(labels), strict=True)):
        mean = 1700000000000 + exact[label]
        assert distances["distances"][row][labels[row]] == pytest.approx(
            abs(stamp - mean), abs=1e-9
        )
    assert client.post_json("/kmeans/score", points).json()["score"] == pytest.approx(-1050)
    assert client.get("/kmeans/jobs/0/scores").json()["inertia"] == pytest.approx(1050)


def test_fit_predict_predicts_as_it_fits(client: Client) -> None:
    parts = [("file", "s.csv", column(STAMPS)), ("predict", "p.csv", column(STAMPS))]
    parts.append(("model_params", None, b'{"n_clusters": 3}'))
    answer = client.call("POST", "/kmeans/fit_predict", form(*parts), FORM_TYPE)
    assert groups(answer.labels()) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
    assert answer.body == client.get("/kmeans/jobs/0/labels").body


def test_a_stamp_beside_small_numbers_hides_nothing(client: Client, method: str) -> None:
    body = (FILES / "snapshot2.csv").read_bytes()
    labels = fitted(client, body, {}, method)
    assert groups(labels) == [0, 0, 0, 1, 1, 1]
    assert client.predict(body).labels() == labels
    answer = client.predict(body, path="/kmeans/transform", Accept="application/json")
    rows = answer.json()["distances"]
    assert [row.index(min(row)) for row in rows] == labels
    scores = client.get("/kmeans/jobs/0/scores").json()
    assert scores["silhouette"] == pytest.approx(0.958, abs=0.0005)


def test_epoch_milliseconds_are_judged_as_the_same_less_their_mean(
    client: Client, method: str
) -> None:
    body = (FILES / "epoch_ms.csv").read_bytes()
    numbers = list(map(int, body.split()))
    labels = fitted(client, body, {"n_clusters": 4}, method)
    assert client.predict(body).labels() == labels
    mean = sum(numbers) // len(numbers)
    X = np.array([[number - mean] for number in numbers], dtype=float)
    scores = client.get("/kmeans/jobs/0/scores").json()
    assert scores["silhouette"] == pytest.approx(silhouette_score(X, labels), rel=1e-9)
    assert scores["davies_bouldin"] == pytest.approx(davies_bouldin_score(X, labels), rel=1e-9)
    assert scores["calinski_harabasz"] == pytest.approx(
        calinski_harabasz_score(X, labels), rel=1e-9
    )
    points = {"job_id": 0, "points": [[number] for number in numbers]}
    answer = client.call("POST", "/kmeans/score", json.dumps(points).encode(), JSON_TYPE)
    assert answer.json()["score"] == pytest.approx(-scores["inertia"], rel=1e-9)


def test_a_model_of_an_older_version_predicts_by_its_centers(client: Client) -> None:
    body = column(STAMPS)
    labels = fitted(client, body, {"n_clusters": 3}, "in_memory")
    as_of_an_older_version()
    assert client.predict(body).labels() == labels
