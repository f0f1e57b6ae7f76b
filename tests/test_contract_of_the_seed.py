"""The three calls of the original example, answer for answer."""

import io

import numpy as np
import pytest

from harness.api import MODEL_CSV, Client


def inertia(points: np.ndarray, labels: list[int]) -> float:
    """Sum of squared distances to the mean of each cluster."""
    total = 0.0
    for label in set(labels):
        cluster = points[np.array(labels) == label]
        total += float(((cluster - cluster.mean(axis=0)) ** 2).sum())
    return total


POINTS = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]], dtype=float)


def test_upload_answers_the_file_name_and_the_first_job(client: Client) -> None:
    answer = client.upload()
    assert (answer.status, answer.json()) == (200, {"filename": "model.csv", "job_id": 0})
    assert answer.headers["Content-Type"] == "application/json"


def test_the_same_upload_again_is_the_same_job(client: Client) -> None:
    client.upload()
    assert client.upload().json()["job_id"] == 0


def test_the_same_name_with_other_bytes_is_a_new_job(client: Client) -> None:
    client.upload()
    assert client.upload(MODEL_CSV + b"5, 5\n").json()["job_id"] == 1


def test_fit_answers_labels_as_savetxt_writes_them(client: Client) -> None:
    client.upload()
    answer = client.fit(0, {"n_clusters": 3})
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    expected = io.BytesIO()
    np.savetxt(expected, np.array(answer.labels()))
    assert answer.body == expected.getvalue()
    # Four partitions into three clusters are tied at this optimum.
    assert inertia(POINTS, answer.labels()) == pytest.approx(10)
    assert set(answer.labels()) == {0, 1, 2}


def test_fit_without_parameters_makes_two_clusters(client: Client) -> None:
    client.upload()
    labels = client.fit(0).labels()
    assert len(set(labels[:3])) == len(set(labels[3:])) == 1
    assert set(labels) == {0, 1}


def test_predict_puts_the_two_points_into_different_clusters(client: Client) -> None:
    client.upload()
    client.fit(0, {"n_clusters": 3})
    answer = client.predict()
    assert answer.status == 200
    first, second = answer.labels()
    assert first != second


def test_a_model_serves_any_number_of_predictions(client: Client) -> None:
    client.upload()
    client.fit(0)
    answers = {client.predict().body for _ in range(5)}
    assert len(answers) == 1


def test_labels_come_as_json_where_that_is_accepted(client: Client) -> None:
    client.upload()
    fitted = client.fit(0, Accept="application/json")
    assert fitted.json().keys() == {"labels"}
    assert fitted.json()["labels"] == client.fit(0).labels()
    predicted = client.predict(Accept="application/json")
    assert predicted.json()["labels"] == client.predict().labels()
