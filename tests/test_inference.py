"""The V2 inference protocol: tensors in, tensors out, and what is refused."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.api import Answer, Client
from kmeans_service.errors import ServiceError
from predict.infer_request import LENGTH, read_request
from predict.tensors import NUMBERS, Tensor

V2 = "/kmeans/v2"
MODEL = f"{V2}/models/0"
POINTS = {"name": "points", "datatype": "FP64", "shape": [2, 2], "data": [0, 0, 12, 3]}
PETS = b"age,pet,on\n1,cat,yes\n1,cat,no\n9,dog,yes\n9,dog,no\n9,dog,yes\n1,cat,no\n"


@pytest.fixture
def fitted(client: Client) -> Client:
    client.upload()
    client.fit(0, {"n_clusters": 2, "init": [[1, 2], [10, 2]]})
    return client


def infer(client: Client, *inputs: Any, **more: Any) -> Answer:
    return client.post_json(f"{MODEL}/infer", {"inputs": inputs, **more})


def outputs(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.text
    return {output["name"]: output.get("data") for output in answer.json()["outputs"]}


def sent_as_bytes(client: Client, head: Any, rest: bytes, **headers: str) -> Answer:
    text = json.dumps(head).encode()
    return client.call("POST", f"{MODEL}/infer", text + rest, {LENGTH: str(len(text)), **headers})


def test_clusters_and_distances_come_back(fitted: Client) -> None:
    answer = infer(fitted, POINTS, id="mine", model_name="0")
    assert answer.json()["id"] == "mine"
    found = outputs(answer)
    assert found["predict"] == [0, 1]
    assert found["transform"] == pytest.approx([5**0.5, 104**0.5, 122**0.5, 5**0.5])
    assert [output["shape"] for output in answer.json()["outputs"]] == [[2], [2, 2]]


@pytest.mark.parametrize(
    "change",
    [
        {"data": [[0, 0], [12, 3]]},
        {"name": "any"},
        {"datatype": "UINT8"},
        {"datatype": "FP32", "parameters": {"content_type": "np"}},
        {"parameters": None},
    ],
    ids=str,
)
def test_a_tensor_may_be_written_in_more_than_one_way(
    fitted: Client, change: dict[str, Any]
) -> None:
    answer = infer(fitted, POINTS | change, outputs=[{"name": "predict"}])
    assert outputs(answer) == {"predict": [0, 1]}


@pytest.mark.parametrize("datatype", sorted(NUMBERS))
def test_numbers_of_every_type_follow_as_bytes(fitted: Client, datatype: str) -> None:
    content = np.array([1, 1, 1, 0], dtype=NUMBERS[datatype]).tobytes()
    head = {
        "inputs": [
            {"name": "x", "datatype": datatype, "shape": [2, 2],
             "parameters": {"binary_data_size": len(content)}}
        ],
        "parameters": {"binary_data_output": True},
    }  # fmt: skip
    answer = sent_as_bytes(fitted, head, content)
    length = int(answer.headers[LENGTH])
    described = json.loads(answer.body[:length])["outputs"]
    assert [output["parameters"]["binary_data_size"] for output in described] == [8, 32]
    assert np.frombuffer(answer.body[length:][:8], "<i4").tolist() == [0, 0]
    distances = np.frombuffer(answer.body[length:][8:], "<f8")
    assert distances[0] == 1
    assert distances[2] == 2


def test_each_output_is_answered_as_it_is_wanted(fitted: Client) -> None:
    wanted = [
        {"name": "transform", "parameters": {"binary_data": False}},
        {"name": "predict", "parameters": {"binary_data": True}},
    ]
    answer = infer(fitted, POINTS, outputs=wanted, parameters={"binary_data_output": True})
    length = int(answer.headers[LENGTH])
    transform, predict = json.loads(answer.body[:length])["outputs"]
    assert len(transform["data"]) == 4
    assert "data" not in predict
    assert len(answer.body) == length + 8


def test_what_a_model_takes_and_gives_is_told(fitted: Client) -> None:
    assert fitted.get(MODEL).json() == {
        "name": "0",
        "platform": "kmeans_service",
        "inputs": [{"name": "points", "datatype": "FP64", "shape": [-1, 2]}],
        "outputs": [
            {"name": "predict", "datatype": "INT32", "shape": [-1]},
            {"name": "transform", "datatype": "FP64", "shape": [-1, 2]},
        ],
    }
    assert fitted.get(f"{MODEL}/ready").json() == {"name": "0", "ready": True}


def test_a_model_that_is_not_there_yet_is_not_ready(client: Client) -> None:
    client.upload()
    for path in (MODEL, f"{MODEL}/ready"):
        answer = client.get(path)
        assert answer.status == 409
        assert answer.json()["error"] == answer.json()["detail"]


def test_a_model_with_texts_takes_a_tensor_of_each_column(client: Client) -> None:
    client.upload(PETS, "pets.csv")
    plan = {"columns": "all", "categories": "one_hot"}
    body = {"job_id": 0, "model_params": {"n_clusters": 2}, "preprocessing": plan}
    labels = client.post_json("/kmeans/fit", body, Accept="application/json").json()["labels"]
    inputs = client.get(MODEL).json()["inputs"]
    assert [(given["name"], given["datatype"]) for given in inputs] == [
        ("age", "FP64"),
        ("pet", "BYTES"),
        ("on", "FP64"),
    ]
    pets = [b"cat", b"dog"]
    texts = b"".join(len(pet).to_bytes(4, "little") + pet for pet in pets)
    columns = [
        {"name": "on", "datatype": "BOOL", "shape": [2, 1], "data": [True, False]},
        {"name": "pet", "datatype": "BYTES", "shape": [2], "data": ["cat", " dog"]},
        {"name": "age", "datatype": "INT64", "shape": [2, 1], "data": [[1], [9]]},
    ]
    expected = [labels[0], labels[3]]
    assert outputs(infer(client, *columns))["predict"] == expected
    del columns[1]["data"]
    columns[1]["parameters"] = {"binary_data_size": len(texts)}
    wanted = [{"name": "predict"}]
    answer = sent_as_bytes(client, {"inputs": columns, "outputs": wanted}, texts)
    assert outputs(answer)["predict"] == expected


@pytest.mark.parametrize("text", [b"\1\0\0\0\xff", b"\3\0\0\0ab", b"\1\0\0"])
def test_bytes_that_are_no_texts_are_refused_by_their_tensor(client: Client, text: bytes) -> None:
    client.upload(PETS, "pets.csv")
    plan = {"columns": ["pet"], "categories": "one_hot"}
    client.post_json("/kmeans/fit", {"job_id": 0, "preprocessing": plan})
    size = {"binary_data_size": len(text)}
    tensor = {"name": "pet", "datatype": "BYTES", "shape": [1], "parameters": size}
    answer = sent_as_bytes(client, {"inputs": [tensor]}, text)
    assert (answer.status, answer.json()["field"]) == (422, "inputs[0]")
    assert "each text's length in four bytes" in answer.json()["detail"]


def test_a_row_that_would_be_dropped_has_no_cluster(client: Client) -> None:
    client.upload(b"a,b\n1,2\n1,4\n,3\n10,2\n10,4\n", "gaps.csv")
    asked = {"model_params": {"n_clusters": 2}, "preprocessing": {"missing": "drop"}}
    client.post_json("/kmeans/fit", {"job_id": 0, **asked})
    found = outputs(infer(client, POINTS | {"data": [None, 0, 1, 2]}))
    assert found["predict"][0] == -1
    assert found["transform"][:2] == [None, None]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"datatype": "BF16"}, "inputs[0].datatype"),
        ({"datatype": "BYTES"}, "inputs[0].datatype"),
        ({"datatype": "UINT8", "data": [0, 0, 256, 0]}, "inputs[0].data"),
        ({"datatype": "INT32", "data": [0, 0, 0.5, 0]}, "element 3 of inputs[0].data"),
        ({"datatype": "FP16", "data": [0, 0, 1e9, 0]}, "inputs[0].data"),
        ({"data": [0, 0, 0, 2e100]}, "row 2, column 2"),
        ({"data": [0, None, 0, 0]}, "row 1, column 2 is missing"),
        ({"data": [0, 0, 0, "0"]}, "element 4"),
        ({"data": [0, 0, 0, [1]]}, "element 4"),
        ({"data": [0, 0, 0]}, "the number of elements of inputs[0] is 3; allowed is 4"),
        ({"data": [[0, 0], [0]]}, "inputs[0].data[1]"),
        ({"data": 7}, "inputs[0].data"),
        ({"shape": [4]}, "inputs has no tensor"),
        ({"shape": [0, 2], "data": []}, "inputs[0].shape"),
        ({"shape": [2, -2]}, "inputs[0].shape"),
        ({"shape": [1, 4]}, "the points have 4 features"),
        ({"shape": [10**30, 10**30]}, "features"),
        ({"name": 7}, "inputs[0].name"),
        ({"data": None}, "data or the parameter"),
        ({"parameters": {"binary_data_size": 1}, "data": None}, "binary_data_size"),
        ({"parameters": {"shared_memory_region": "x"}}, "shared_memory_region"),
        ({"other": 1}, "other"),
    ],
    ids=str,
)
def test_a_tensor_that_is_wrong_is_told_of(
    fitted: Client, change: dict[str, Any], place: str
) -> None:
    answer = infer(fitted, POINTS | change)
    assert answer.status == 422
    assert place in answer.json()["error"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"outputs": [{"name": "classes"}]}, "outputs[0].name"),
        ({"outputs": [{"name": "predict"}] * 2}, "outputs[1].name"),
        ({"outputs": []}, "outputs"),
        ({"outputs": [7]}, "outputs[0]"),
        ({"outputs": [{"name": "predict", "parameters": {"classification": 3}}]}, "classification"),
        ({"outputs": [{"name": "predict", "parameters": {"binary_data": 1}}]}, "binary_data"),
        ({"parameters": {"sequence_id": 7}}, "sequence_id"),
        ({"model_name": "1"}, "model_name"),
        ({"id": 7}, "id"),
        ({"what": 7}, "what"),
    ],
    ids=str,
)
def test_what_else_is_wrong_is_told_of(fitted: Client, more: dict[str, Any], said: str) -> None:
    answer = infer(fitted, POINTS, **more)
    assert answer.status == 422
    assert said in answer.json()["error"]


@pytest.mark.parametrize(
    ("length", "rest", "status"),
    [("9999", b"", 400), ("x", b"", 400), ("1" * 99, b"", 400), ("", b"12345678", 400)],
)
def test_a_length_that_is_none_is_refused(
    fitted: Client, length: str, rest: bytes, status: int
) -> None:
    body = json.dumps({"inputs": [POINTS]}).encode() + rest
    headers = {LENGTH: length} if length else {}
    answer = fitted.call("POST", f"{MODEL}/infer", body, headers)
    assert answer.status == status
    assert "error" in answer.json()


def test_bytes_that_no_tensor_has_are_refused(fitted: Client) -> None:
    answer = sent_as_bytes(fitted, {"inputs": [POINTS]}, b"12345678")
    assert answer.status == 400
    assert "8 bytes" in answer.json()["error"]


def test_outputs_that_no_answer_carries_are_refused_before_they_are_computed(
    client: Client,
) -> None:
    rows = b"".join(b"%d\n" % n for n in range(300))
    client.upload(rows, "many.csv")
    client.fit(0, {"n_clusters": 300})
    data = [0] * 2000
    points = {"name": "x", "datatype": "INT8", "shape": [2000, 1], "data": data}
    assert infer(client, points).status == 413
    assert infer(client, points, parameters={"binary_data_output": True}).status == 413
    assert outputs(infer(client, points, outputs=[{"name": "predict"}]))["predict"][:1] != []


def test_nothing_else_below_v2_is_there(client: Client) -> None:
    for path in ("models", "models/0/versions/1", "repository/index"):
        answer = client.get(f"{V2}/{path}")
        assert answer.status == 404
        assert answer.json()["error"] == answer.json()["detail"]
    assert isinstance(client.get("/kmeans/other").json().get("error"), type(None))


tensors = st.fixed_dictionaries(
    {"name": st.text(max_size=2), "datatype": st.sampled_from([*NUMBERS, "BYTES", "?"]),
     "shape": st.lists(st.integers(-1, 3), max_size=3)},
    optional={"data": st.lists(st.none() | st.integers() | st.floats() | st.text(max_size=2)
                               | st.lists(st.integers(), max_size=2), max_size=5),
              "parameters": st.dictionaries(st.sampled_from(["binary_data_size", "x"]),
                                            st.integers(-1, 9), max_size=2)},
)  # fmt: skip


@given(st.lists(tensors, max_size=3), st.binary(max_size=12))
def test_no_request_raises_anything_else(inputs: Any, rest: bytes) -> None:
    head = json.dumps({"inputs": inputs}).encode()
    try:
        asked = read_request(head + rest, str(len(head)))
        for tensor in asked.tensors:
            _read(tensor)
    except ServiceError:
        return


def _read(tensor: Tensor) -> None:
    try:
        assert tensor.numbers().shape == tensor.shape
    except ServiceError:
        tensor.texts()
