"""How many requests an owner may make, and what is refused rather than decoded."""

import gzip
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness import contract, faults
from harness.api import FORM_TYPE, MODEL_CSV, Client
from harness.limits import DROPPED, Set, refused
from harness.output import Output
from harness.routes import PUBLIC, filled
from harness.system import OWNER, created, deliver, items
from kmeans_service import config
from kmeans_service.owners import rate


@pytest.fixture
def minute(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """What time it is, in seconds since some minute began."""
    assert aws  # which sets another window
    monkeypatch.setattr(rate, "WINDOW_SECONDS", 60)

    def set_clock(seconds: float) -> None:
        clock = type("Clock", (), {"time": staticmethod(lambda: 1_800_000_000 + seconds)})
        monkeypatch.setattr(rate, "time", clock)

    set_clock(0)
    return set_clock


def spent(meter: rate.Meter, tries: int, owner: str = OWNER) -> int:
    """How many of these requests are let in."""
    count = 0
    for _ in range(tries):
        try:
            meter.spend(owner)
        except rate.TooManyRequests:
            continue
        count += 1
    return count


def test_one_request_too_many_is_told_when_to_come_again(
    client: Client, limit: Set, minute: Callable[[float], None]
) -> None:
    limit(requests_per_minute=3)
    rate.meter.cache_clear()
    minute(17.5)
    assert [client.get("/kmeans/jobs").status for _ in range(3)] == [200] * 3
    answer = client.get("/kmeans/jobs")
    refused(answer, 429, "too-many-requests", "Your 3 requests of this minute are used up", "43 s")
    assert answer.headers["Retry-After"] == "43"
    assert Client(client._route, owner="other").get("/kmeans/jobs").status == 200
    minute(59.9)
    assert client.get("/kmeans/jobs").headers["Retry-After"] == "1"
    minute(60)
    assert client.get("/kmeans/jobs").status == 200


@pytest.mark.usefixtures("minute")
def test_every_path_counts_but_health_and_the_documentation(client: Client, limit: Set) -> None:
    limit(requests_per_minute=1)
    rate.meter.cache_clear()
    client.get("/kmeans/jobs")
    names = {"job_id": "0", "prediction_id": "0-0"}
    free = set()
    for method, path, _ in contract.operations():
        if client.call(method, filled(path, **names)).status != 429:
            free.add(path)
    pages = {"/kmeans", "/kmeans/openapi.json", "/kmeans/ui", "/kmeans/ui/{asset}"}
    assert free == pages | set(PUBLIC)


@pytest.mark.thorough
@pytest.mark.usefixtures("minute")
@settings(max_examples=10)
@given(st.integers(1, 1000), st.lists(st.integers(1, 150), min_size=1, max_size=6))
@example(1, [1, 1])
@example(199, [100, 99, 1])
@example(200, [150, 51])
@example(201, [101, 101])
@example(201, [202])  # of whose last batch of two there is one left
@example(300, [150, 150, 150])
def test_execution_environments_share_one_limit(most: int, tries: list[int]) -> None:
    owner = uuid.uuid4().hex
    batch = max(1, most // 100)
    meters = [rate.Meter(most) for _ in tries]
    let_in = sum(spent(meter, count, owner) for meter, count in zip(meters, tries, strict=True))
    assert let_in <= most
    # What is in another environment's hands is not there for this one.
    assert let_in >= min(sum(tries), most - (len(tries) - 1) * (batch - 1))


@pytest.mark.usefixtures("minute")
def test_a_hundred_writes_a_minute_are_the_most_there_are(aws: Any) -> None:
    asked: list[str] = []
    aws.dynamodb().meta.events.register("before-call", lambda model, **_: asked.append(model.name))
    meter = rate.Meter(5000)
    assert spent(meter, 20_000, "busy") == 5000
    assert asked == ["UpdateItem"] * 101  # the last one learns that there are no more


@pytest.mark.usefixtures("minute")
def test_a_counter_goes_when_its_minute_is_over() -> None:
    rate.Meter(10).spend("counted")
    [counter] = items("counted", prefix="RATE#")
    assert counter["granted"] == 1
    assert counter["expires_at"] == 1_800_000_000 + 120


@pytest.mark.usefixtures("minute")
def test_requests_are_let_in_and_it_is_noted_while_dynamodb_is_too_busy_to_count(
    monkeypatch: pytest.MonkeyPatch,
    client: Client,
    output: Output,
    aws: Any,
) -> None:
    rate.meter.cache_clear()
    busy: list[str] = []

    def turn_away(request: Any, **_: Any) -> Any:
        if request.headers.get("X-Amz-Target", b"").endswith(b"UpdateItem"):
            busy.append(request.url)
            body = b'{"__type": "x#ProvisionedThroughputExceededException"}'
            return AWSResponse(request.url, 400, {}, faults._Body(body))
        return None

    monkeypatch.setattr("botocore.endpoint.time", faults.Hurried())
    aws.dynamodb().meta.events.register("before-send", turn_away)
    output.text()
    assert client.get("/kmeans/jobs").status == 200
    said = output.log.getvalue()
    assert output.metrics()["RequestsUncounted"] == ([1.0], "Count")
    assert "too busy to count requests" in said
    tried = len(busy)
    assert client.get("/kmeans/jobs").status == 200
    assert len(busy) == tried  # not asked for every request


BODIES = [
    (method, path, media_type)
    for method, path, operation in contract.operations()
    for media_type in operation.get("requestBody", {}).get("content", {})
]


@pytest.mark.parametrize(("method", "path", "media_type"), BODIES)
def test_a_compressed_body_is_refused_on_every_path(
    client: Client, method: str, path: str, media_type: str
) -> None:
    headers = FORM_TYPE if media_type == "multipart/form-data" else {"Content-Type": media_type}
    answer = client.call(
        method, filled(path, job_id="0"), b"\x1f\x8b", headers | {"Content-Encoding": "gzip"}
    )
    refused(answer, 415, "unsupported-media-type", "send the body uncompressed")


def test_a_packed_file_that_is_dropped_is_read_and_kept_as_it_is(client: Client, aws: Any) -> None:
    aws.s3().put_object(
        Bucket=config.settings().data_bucket,
        Key=DROPPED,
        Body=gzip.compress(MODEL_CSV, mtime=0),
        ContentEncoding="gzip",
    )
    assert deliver(created(DROPPED)) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["n_samples"]) == ("SUCCEEDED", 6)
    assert client.get("/kmeans/jobs/0/input").body == gzip.compress(MODEL_CSV, mtime=0)
