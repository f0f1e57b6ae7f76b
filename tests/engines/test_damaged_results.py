"""What a run has left is not whole: it is not published, and another attempt finishes."""

import json
from typing import Any

import pytest

from harness.api import Client
from harness.elsewhere import CSV, Elsewhere, changing, finishes, fitted, put, stored
from harness.system import deliver, item


def result_of(prefix: str) -> Any:
    fitted(prefix)
    return json.loads(stored(prefix, "result.json"))


def without_result(prefix: str) -> int:
    put(prefix, "progress.json", {"stage": "FITTING"})
    return 0


def with_half_a_result(prefix: str) -> int:
    fitted(prefix)
    put(prefix, "result.json", b'{"status": "fitt')
    return 0


def with_another_manifest(prefix: str) -> int:
    fitted(prefix)
    body = stored(prefix, "manifest.json")
    put(prefix, "manifest.json", body.replace(b"5.5", b"5.6") + b"\n")
    return 0


def with_shorter_labels(prefix: str) -> int:
    fitted(prefix)
    put(prefix, "labels.csv", b"1\n")
    return 0


def with_other_centers(prefix: str) -> int:
    fitted(prefix)
    body = stored(prefix, "centers.npy")
    put(prefix, "centers.npy", body[:-1] + b"\x7f")
    return 0


def of_another_fit(prefix: str) -> int:
    result = result_of(prefix)
    return changing(model=result["model"] | {"fit_id": "0" * 32})(prefix)


def with_objects_of_somebody_else(prefix: str) -> int:
    result = result_of(prefix)
    labels = result["model"]["labels"] | {"key": item()["input"]["key"], "size": len(CSV)}
    put(prefix, "result.json", result | {"model": result["model"] | {"labels": labels}})
    return 0


@pytest.mark.parametrize(
    "work",
    [
        without_result,
        with_half_a_result,
        with_another_manifest,
        with_shorter_labels,
        with_other_centers,
        of_another_fit,
        with_objects_of_somebody_else,
        changing(status="well"),
        changing(model={}),
        changing(model=[]),
        changing(status="refused", problem="no"),
    ],
)
def test_a_result_that_is_not_whole_is_not_published(
    client: Client, running: Elsewhere, work: Any
) -> None:
    assert deliver(running.do(work)) == 0
    assert "model" not in item()
    assert (item()["status"], item()["attempt"]) == ("RUNNING", 2)
    finishes(client, running)
