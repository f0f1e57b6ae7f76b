"""A job's model by the V2 inference protocol: with Triton's own client, and with ours."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from kmeans_client import Client, problems

from .points import CSV, SIX, TWO

POINTS = np.array([[0.0, 0.0], [12.0, 3.0]])
DISTANCES = [[5**0.5, 104**0.5], [122**0.5, 5**0.5]]


@pytest.fixture
def triton(url: str) -> Iterator[InferenceServerClient]:
    with InferenceServerClient(url.removeprefix("http://")) as client:
        yield client


@pytest.fixture(scope="module")
def model(client: Client) -> str:
    job_id = client.upload(CSV, "served.csv")["job_id"]
    client.fit(job_id, TWO)
    return str(job_id)


def tensor(triton: InferenceServerClient, model: str, points: Any, binary: bool) -> InferInput:
    """As its metadata says that the model takes it."""
    (told,) = triton.get_model_metadata(model)["inputs"]
    assert told["shape"] == [-1, points.shape[1]]
    found = InferInput(told["name"], list(points.shape), told["datatype"])
    return found.set_data_from_numpy(points, binary_data=binary)


def test_the_server_lives_and_says_what_it_is(triton: InferenceServerClient) -> None:
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.get_server_metadata()["extensions"] == ["binary_tensor_data"]


@pytest.mark.parametrize("binary", [True, False], ids=["bytes", "json"])
def test_all_outputs_come_where_none_is_named(
    triton: InferenceServerClient, model: str, binary: bool
) -> None:
    assert triton.is_model_ready(model)
    found = triton.infer(model, [tensor(triton, model, POINTS, binary)], request_id="mine")
    assert found.get_response()["id"] == "mine"
    assert found.as_numpy("predict").tolist() == [0, 1]
    assert found.as_numpy("transform") == pytest.approx(np.array(DISTANCES))


@pytest.mark.parametrize("binary", [True, False], ids=["bytes", "json"])
def test_an_output_comes_as_it_is_asked_for(
    triton: InferenceServerClient, model: str, binary: bool
) -> None:
    wanted = [InferRequestedOutput("predict", binary_data=binary)]
    found = triton.infer(model, [tensor(triton, model, POINTS, True)], outputs=wanted)
    assert found.as_numpy("predict").dtype == np.int32
    assert found.as_numpy("predict").tolist() == [0, 1]
    assert found.as_numpy("transform") is None


def test_many_points_are_those_of_predict(
    triton: InferenceServerClient, model: str, client: Client
) -> None:
    points = np.random.default_rng(0).normal(5, 5, (20_000, 2))
    found = triton.infer(model, [tensor(triton, model, points, True)])
    assert found.as_numpy("predict").tolist() == list(client.predict(int(model), points))
    assert found.as_numpy("transform").shape == (20_000, 2)


def test_a_refusal_is_read_as_one(triton: InferenceServerClient, model: str) -> None:
    assert not triton.is_model_ready("999999")
    with pytest.raises(InferenceServerException, match="There is no job 999999") as refused:
        triton.get_model_metadata("999999")
    assert refused.value.status() == "404"
    three = InferInput("points", [1, 3], "FP64").set_data_from_numpy(np.zeros((1, 3)))
    with pytest.raises(InferenceServerException, match="the points have 3 features"):
        triton.infer(model, [three])
    with pytest.raises(InferenceServerException, match="sequence_id"):
        triton.infer(model, [tensor(triton, model, POINTS, True)], sequence_id=7)


def test_our_client_has_the_same_calls(client: Client, model: str) -> None:
    job_id = int(model)
    assert client.server_live()
    assert client.server_ready()
    assert client.server_metadata()["name"] == "kmeans-service"
    assert client.model_ready(job_id)
    assert not client.model_ready(client.upload(CSV, "not-fitted.csv")["job_id"])
    (told,) = client.model_metadata(job_id)["inputs"]
    data = {**told, "shape": [6, 2], "data": SIX}
    answer = client.infer(job_id, [data], outputs=[{"name": "predict"}])
    assert answer["outputs"][0]["data"] == [0, 0, 0, 1, 1, 1]
    with pytest.raises(problems.InvalidParameter, match="shape"):
        client.infer(job_id, [{**data, "shape": [0, 2]}])
