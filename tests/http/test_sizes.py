"""How large a body, an answer and a time may be."""

import math

import pytest

from harness.api import FORM_TYPE, MODEL_CSV, Client, form
from harness.timing import Clock
from kmeans_service import config
from kmeans_service.errors import MalformedRequest, TooLarge
from kmeans_service.http import answers
from kmeans_service.http.job_answers import stored_input
from kmeans_service.http.request import Request
from kmeans_service.lifecycle.job import Input, Job, Status


def labels_of(client: Client, rows: int) -> int:
    """The status of a prediction of so many points."""
    return client.predict(b"1\n" * rows).status


def test_an_answer_is_as_large_as_lambda_carries_and_not_larger(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label has 25 bytes, and its line feed is two in the JSON string that carries it."""
    client.upload(b"1\n2\n")
    assert client.fit(0).status == 200
    monkeypatch.setattr(config, "MAX_ANSWER_BYTES", 26 * 100)
    assert labels_of(client, 100) == 200
    assert labels_of(client, 101) == 413
    monkeypatch.setattr(config, "MAX_ANSWER_BYTES", 26 * 100 - 1)
    assert labels_of(client, 100) == 413
    assert labels_of(client, 99) == 200


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        (b"x" * 10, True),
        (b"x" * 11, False),
        (b"\n" * 5, True),
        (b"\n" * 6, False),
        (b"x" * 8 + b"\n", True),
        (b"x" * 9 + b"\n", False),
    ],
)
def test_line_feeds_count_twice_in_an_answer(
    monkeypatch: pytest.MonkeyPatch, text: bytes, fits: bool
) -> None:
    monkeypatch.setattr(config, "MAX_ANSWER_BYTES", 10)
    assert answers.fits_answer(text) == answers.fits_answer(bytearray(text)) == fits
    if not fits:
        with pytest.raises(TooLarge):
            answers.check_answer_size(text)


def test_numbers_are_counted_before_they_are_computed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload(b"1\n2\n9\n")
    assert client.fit(0, {"n_clusters": 2}).status == 200
    monkeypatch.setattr(config, "MAX_ANSWER_BYTES", 20 * answers.NUMBER_BYTES)
    assert client.predict(b"1\n" * 10, path="/kmeans/transform").status == 200
    assert client.predict(b"1\n" * 11, path="/kmeans/transform").status == 413
    assert client.get("/kmeans/jobs/0/centers").status == 200
    monkeypatch.setattr(config, "MAX_ANSWER_BYTES", 2 * answers.NUMBER_BYTES - 1)
    assert client.get("/kmeans/jobs/0/centers").status == 303


def test_the_longest_float_is_no_longer_than_is_reckoned_with() -> None:
    longest = max((-1.7976931348623157e308, -2.2250738585072014e-308), key=lambda x: len(repr(x)))
    assert len(f"{longest!r}, ") == answers.NUMBER_BYTES


def test_a_body_may_have_as_many_bytes_as_lambda_carries(client: Client) -> None:
    """4,500,000 bytes are 6,000,000 as base64, Lambda's own limit."""
    empty = form(("file", "large.csv", b""))
    room = config.MAX_INLINE_BYTES - len(empty)
    largest = b"1\n" * (room // 2 - 1)
    largest += b" " * (room - len(largest))
    for extra, status in ((b"", 200), (b" ", 413)):
        body = form(("file", "large.csv", largest + extra))
        assert len(body) == config.MAX_INLINE_BYTES + len(extra)
        assert client.call("POST", "/kmeans/upload", body, FORM_TYPE).status == status


def test_a_body_that_is_text_or_absent_is_read_as_it_is() -> None:
    assert Request({"body": "größe", "isBase64Encoded": False}).body() == "größe".encode()
    assert Request({"body": None}).body() == b""
    assert Request({"body": "AAEC", "isBase64Encoded": True}).body() == b"\0\1\2"
    for damaged in ("A", "AA=A", "A!==", "é"):
        with pytest.raises(MalformedRequest):
            Request({"body": damaged, "isBase64Encoded": True}).body()


def test_a_file_that_is_answered_as_it_is_leaves_room_for_base64(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    client.fit(0)
    size = math.ceil(len(MODEL_CSV) * 11 / 8)  # of base64's four bytes for three, and headers
    monkeypatch.setattr(config, "MAX_ANSWER_BYTES", size)
    answer = client.get("/kmeans/jobs/0/input")
    assert (answer.status, answer.body) == (200, MODEL_CSV)
    model = client.get("/kmeans/jobs/0/model")
    assert model.status == 303
    monkeypatch.setattr(config, "MAX_ANSWER_BYTES", size - 1)
    assert client.get("/kmeans/jobs/0/input").status == 303


def test_four_million_bytes_of_a_file_are_answered_as_they_are_and_no_more() -> None:
    def carried(size: int) -> float:
        file = Input("inputs/o/1.csv", None, "0" * 64, size, 1, 1, None)
        return stored_input(Job("o", 0, Status.UPLOADED, "large.csv", {}, file)).carried

    assert carried(4_000_000) <= config.MAX_ANSWER_BYTES < carried(4_000_001)


@pytest.mark.parametrize("headers", [{"X-Request-Start": "t=soon"}, {"X-Request-Start": "1.5"}, {}])
def test_a_time_of_arrival_that_is_none_is_now(clock: Clock, headers: dict[str, str]) -> None:
    for context in ({}, {"requestTimeEpoch": 0}, {"requestTimeEpoch": None}, None):
        given = Request({"headers": headers, "requestContext": context})
        assert given.arrived == clock.now


def test_the_earliest_time_known_of_a_request_is_when_it_arrived(clock: Clock) -> None:
    now = clock.now

    def arrived(queued: float, received: float) -> float:
        return Request(
            {
                "headers": {"x-request-start": f"t={queued:.6f}"},
                "requestContext": {"requestTimeEpoch": int(received * 1000)},
            }
        ).arrived

    assert arrived(now - 2.5, now - 1) == now - 2.5
    assert arrived(now - 1, now - 2) == now - 2
    assert arrived(now + 50, now + 40) == now  # another machine's clock
    assert arrived(now - 299, now - 301) == now - 299
    assert arrived(now - 301, now - 1) == now - 1
