"""Tables through the whole service: sent, fitted, and what is told of them."""

from typing import Any

from harness.api import FORM_TYPE, Answer, Client, form


def send(client: Client, body: bytes, name: str = "table.csv", **reading: str) -> Answer:
    fields = [(field, None, text.encode()) for field, text in reading.items()]
    return client.call("POST", "/kmeans/upload", form(("file", name, body), *fields), FORM_TYPE)


def fitted(client: Client, body: bytes, **asked: Any) -> Answer:
    assert send(client, body).status == 200
    return client.post_json("/kmeans/fit", {"job_id": 0, **asked})


def table(client: Client, path: str = "/kmeans/jobs/0/columns") -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def used(client: Client) -> list[str | None]:
    columns = table(client)["columns"]
    return [column["name"] for column in columns if column["role"] == "used"]


def centers(client: Client) -> Any:
    return client.get("/kmeans/jobs/0/centers", Accept="application/json").json()


def warnings(client: Client) -> str:
    return " ".join(client.get("/kmeans/jobs/0").json().get("warnings", []))
