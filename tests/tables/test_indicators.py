"""The columns of a job name the indicators that its fit has made of texts."""

from typing import Any

from harness.api import Client

TEXT = "place,x\nrome,1.5\n,2.5\nbonn,3.5\nrome,4.5\n"


def columns(client: Client) -> dict[str, Any]:
    found = client.get("/kmeans/jobs/0/columns").json()["columns"]
    return {column["name"]: column for column in found}


def fit(client: Client, categories: str) -> None:
    body = {"job_id": 0, "preprocessing": {"categories": categories}}
    assert client.post_json("/kmeans/fit", body).status == 200


def test_a_column_of_texts_names_its_indicators_once_it_is_fitted(client: Client) -> None:
    client.upload(TEXT.encode())
    assert "indicators" not in columns(client)["place"]
    fit(client, "one_hot")
    found = columns(client)
    assert found["place"]["role"] == "levels"
    assert found["place"]["indicators"] == ["place=bonn", "place=rome", "place (missing)"]
    assert "indicators" not in found["x"]
    fit(client, "leave_out")
    assert "indicators" not in columns(client)["place"]
