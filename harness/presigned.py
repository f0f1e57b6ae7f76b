"""Uploads and downloads by presigned URL, as a caller makes them."""

from typing import Any

import requests

from harness.api import Answer, Client
from harness.system import created


def post(form: dict[str, Any], body: bytes) -> str:
    """Send the file as the form says; S3's notification of it."""
    answer = requests.post(form["url"], form["fields"], files={"file": body}, timeout=10)
    answer.raise_for_status()
    return created(form["fields"]["key"], answer.headers.get("x-amz-version-id"))


def reserve(client: Client, **more: Any) -> dict[str, Any]:
    answer = client.post_json("/kmeans/uploads", {"filename": "large.csv", **more})
    assert answer.status == 201
    reserved: dict[str, Any] = answer.json()
    return reserved


def predict(client: Client, points: bytes, **more: Any) -> tuple[str, str]:
    """Points on their way: the path of the result, and the notification."""
    answer = client.post_json("/kmeans/predictions", {"job_id": 0, **more})
    assert answer.status == 202
    return answer.headers["Location"], post(answer.json(), points)


def follow(answer: Answer) -> str:
    assert answer.status == 303
    found = requests.get(answer.headers["Location"], timeout=10)
    found.raise_for_status()
    return found.text


def labels(csv: str) -> list[int]:
    return [int(float(line)) for line in csv.split()]
