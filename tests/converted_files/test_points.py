"""Points to predict in files that are converted."""

import pytest

from harness.api import Client
from harness.data.converted import BOOK, FILES, LINES, NAMES, in_two, parquet
from harness.system import (
    counted,
    deliver,
    drop,
    keys,
    lie_there,
)
from kmeans_service import aws as aws_module
from kmeans_service import config


@pytest.mark.parametrize("path", ["/kmeans/predict", "/kmeans/transform", "/kmeans/score"])
@pytest.mark.parametrize("body", [parquet(), LINES, BOOK], ids=["parquet", "lines", "book"])
def test_points_of_such_a_file_are_refused_in_a_request_which_names_the_way(
    client: Client, path: str, body: bytes
) -> None:
    client.upload(b"x,y\n" + b"1,2\n9,9\n")
    client.fit(0, {"n_clusters": 2})
    answer = client.predict(body, path=path)
    assert answer.status == 415
    assert "POST /kmeans/predictions" in answer.json()["detail"]


@pytest.mark.parametrize("body", [body for body, _ in FILES], ids=NAMES)
def test_a_large_prediction_converts_its_points(client: Client, body: bytes) -> None:
    client.upload(b"x,y\n1,2\n1,4\n10,2\n10,4\n")
    client.fit(0, {"n_clusters": 2})
    reserved = client.post_json("/kmeans/predictions", {"job_id": 0}).json()
    before = counted()
    assert deliver(drop(reserved["fields"]["key"], body)) == 0
    answer = client.get(f"/kmeans/predictions/{reserved['prediction_id']}")
    assert answer.status == 303
    assert keys("inputs/tester/converted/") == keys("pending/") == []
    [key] = keys("results/")
    labels = created_labels(key)
    assert in_two(labels)
    assert counted() - before == lie_there(aws_module) - before
    client.call("DELETE", "/kmeans/jobs/0")
    assert (keys(), counted()) == ([], 0)


def created_labels(key: str) -> list[int]:
    body = aws_module.s3().get_object(Bucket=config.settings().data_bucket, Key=key)["Body"].read()
    return [int(float(line)) for line in body.split()]


def test_points_that_cannot_be_converted_fail_the_prediction_with_the_reason(
    client: Client,
) -> None:
    client.upload(b"x,y\n1,2\n10,4\n")
    client.fit(0, {"n_clusters": 2})
    reserved = client.post_json("/kmeans/predictions", {"job_id": 0}).json()
    deliver(drop(reserved["fields"]["key"], b'{"x": 1}\n{'))
    answer = client.get(f"/kmeans/predictions/{reserved['prediction_id']}")
    assert answer.status == 422
    assert "line 2 is no JSON" in answer.json()["detail"]
    assert keys("inputs/tester/converted/") == []
