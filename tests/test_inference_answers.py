"""What the V2 inference protocol answers in, and how much of it."""

import json

import pytest

from harness.api import JSON_TYPE, Client
from kmeans_service import config

INFER = "/kmeans/v2/models/0/infer"
POINTS = {"name": "points", "datatype": "INT8", "shape": [40, 2], "data": [0] * 80}
BODY = {"inputs": [POINTS]}


@pytest.fixture
def fitted(client: Client) -> Client:
    client.upload()
    client.fit(0, {"n_clusters": 2})
    return client


def test_what_just_fits_into_an_answer_is_answered(
    fitted: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = BODY | {"parameters": {"binary_data_output": True}}
    size = 8 * (40 + 80)  # of labels, and of distances to two centers
    monkeypatch.setattr(config, "MAX_INLINE_BYTES", size)
    assert fitted.post_json(INFER, asked).status == 200
    monkeypatch.setattr(config, "MAX_INLINE_BYTES", size - 1)
    assert fitted.post_json(INFER, asked).status == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Content-Type": "text/csv"}, 415),
        ({"Accept": "text/csv"}, 406),
        ({"Accept": "*/*"}, 200),
    ],
    ids=str,
)
def test_what_is_sent_and_wanted_is_json_or_bytes_and_nothing_else(
    fitted: Client, headers: dict[str, str], status: int
) -> None:
    body = json.dumps(BODY).encode()
    assert fitted.call("POST", INFER, body, JSON_TYPE | headers).status == status


@pytest.mark.parametrize("request_id", ["", "7"])
def test_an_id_comes_back_even_where_it_is_empty(fitted: Client, request_id: str) -> None:
    assert fitted.post_json(INFER, BODY | {"id": request_id}).json()["id"] == request_id
    assert "id" not in fitted.post_json(INFER, BODY).json()
