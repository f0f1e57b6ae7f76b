"""What was deleted from the bucket: reads say what to do, and doing it brings it back."""

from typing import Any

import pytest

from harness.api import FORM_TYPE, MODEL_CSV, Client, form
from harness.system import as_of_an_older_version, item, job, work_off
from kmeans_service import config
from kmeans_service.models import loading


def lose(aws: Any, name: str) -> None:
    """Delete one object of the fit, as an operator or a rule of the bucket may."""
    stored = item()["model"][name]
    aws.s3().delete_object(Bucket=config.settings().data_bucket, Key=stored["key"])
    loading.forget()


@pytest.mark.parametrize("name", ["labels", "centers", "model", "manifest"])
def test_the_same_fit_asked_for_again_is_computed_anew(client: Client, aws: Any, name: str) -> None:
    client.upload()
    labels = client.fit(0)
    predicted = client.predict()
    client.get("/kmeans/jobs/0/model")
    lose(aws, name)
    again = client.fit(0)
    assert (again.status, again.body) == (200, labels.body)
    assert client.predict().body == predicted.body
    for path in ("labels", "centers", "model"):
        assert client.get(f"/kmeans/jobs/0/{path}").status == 200
    assert item()["fence"] == 2
    assert client.fit(0).body == labels.body
    assert item()["fence"] == 2


@pytest.mark.parametrize(
    ("name", "path"), [("labels", "labels"), ("centers", "centers"), ("model", "model")]
)
def test_a_read_of_what_is_lost_says_what_to_do(
    client: Client, aws: Any, name: str, path: str
) -> None:
    client.upload()
    client.fit(0)
    client.get("/kmeans/jobs/0/model")
    lose(aws, name)
    answer = client.get(f"/kmeans/jobs/0/{path}")
    assert answer.status == 410
    assert "POST /kmeans/fit" in answer.json()["detail"]


def test_a_prediction_by_a_model_that_is_lost_says_what_to_do(client: Client, aws: Any) -> None:
    client.upload()
    client.fit(0)
    lose(aws, "manifest")
    answer = client.predict()
    assert answer.status == 410
    assert "POST /kmeans/fit" in answer.json()["detail"]


def test_fit_predict_computes_anew_what_is_lost(client: Client, aws: Any) -> None:
    parts = ("file", "model.csv", MODEL_CSV), ("predict", "p.csv", b"0, 0\n12, 3\n")
    first = client.call("POST", "/kmeans/fit_predict", form(*parts), FORM_TYPE)
    lose(aws, "manifest")
    again = client.call("POST", "/kmeans/fit_predict", form(*parts), FORM_TYPE)
    assert (again.status, again.body) == (200, first.body)


def test_a_fit_that_is_computed_anew_by_the_queue_is_asked_for_once(
    client: Client, aws: Any
) -> None:
    client.upload()
    client.fit(0)
    lose(aws, "labels")
    for _ in range(3):
        assert client.fit(0, Prefer="respond-async").status == 202
    work_off()
    assert (item()["status"], item()["fence"]) == ("SUCCEEDED", 2)


@pytest.mark.parametrize("method", ["in_memory", "out_of_core"])
def test_a_fit_by_an_older_version_is_computed_anew(client: Client, method: str) -> None:
    """Such a version lost the digits of data far from zero, and stored no predictor."""
    client.upload()
    client.fit(0)
    as_of_an_older_version(method=method)
    for _ in range(2):
        assert client.fit(0).status == 200
        assert item()["fence"] == 2
    assert job().published.manifest is not None
