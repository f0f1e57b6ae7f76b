"""S3 forbids what it should not: a right or a key is missing. That is our defect, and never "gone".

S3 answers 403 instead of 404 to whoever may not list; test_simulated_rights.py holds every role
that reads to that right. So a 403 means what it says.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSResponse

from harness import contract, faults
from harness.api import MODEL_CSV, Answer, Client, Context, answer_of, event
from harness.system import deliver, drop, item, keys
from kmeans_service import aws
from kmeans_service.models import loading

FORBIDDEN = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@contextmanager
def forbidding() -> Iterator[list[str]]:
    """S3 forbids every read; the list fills with what was asked for."""
    asked: list[str] = []

    def refuse(request: Any, **_: Any) -> AWSResponse:
        asked.append(request.url)
        return AWSResponse(request.url, 403, {}, faults._Body(FORBIDDEN))

    events = aws.s3().meta.events
    events.register("before-send.s3.GetObject", refuse)
    try:
        yield asked
    finally:
        events.unregister("before-send.s3.GetObject", refuse)


def answered(path: str) -> Answer:
    """Past the contract, which documents no defects."""
    return answer_of(contract.handler_of(path)(event("GET", path), Context()))


def test_a_file_that_s3_forbids_to_read_is_no_job_that_is_gone(client: Client) -> None:
    client.upload()
    with forbidding() as asked:
        answer = answered("/kmeans/jobs/0/input")
    assert asked
    assert answer.status == 500
    assert answer.json()["type"].endswith("internal-error")
    assert client.get("/kmeans/jobs/0").json()["status"] == "UPLOADED"


def test_a_dropped_file_that_s3_forbids_to_read_is_not_taken_for_one_that_is_gone(
    client: Client,
) -> None:
    """Its message comes again, in the end among the dead letters, which ring an alarm."""
    with forbidding():
        assert deliver(drop("incoming/tester/a.csv", MODEL_CSV)) == 1
    assert client.get("/kmeans/jobs").json() == {"jobs": []}
    assert keys("incoming/") == ["incoming/tester/a.csv"]


def test_a_model_that_s3_forbids_to_read_stays_what_it_is(client: Client) -> None:
    client.upload()
    client.fit(0)
    loading.forget()
    stored = keys("models/")
    with forbidding() as asked:
        assert answered("/kmeans/jobs/0/centers").status == 500
        assert answered("/kmeans/jobs/0/labels").status == 500
    assert len(asked) >= 2
    assert keys("models/") == stored
    assert item()["status"] == "SUCCEEDED"
    assert client.predict().status == 200
