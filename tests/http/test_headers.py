"""Headers, problems and pages, as HTTP has them."""

import inspect
import math
import re
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness import contract
from harness.api import FORM_TYPE, MODEL_CSV, Client, Context, event, form
from kmeans_service import aws, errors
from kmeans_service.errors import NotAcceptable, ServiceError
from kmeans_service.http import answers
from kmeans_service.http.prefer import parse_prefer
from kmeans_service.http.request import Request
from kmeans_service.media_types import CSV, JSON
from kmeans_service.problems import STATUS, problem_document


def wish(accept: str) -> str:
    return Request({"headers": {"accept": accept}}).accepted(CSV, JSON)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", CSV),
        (" ", CSV),
        ("*/*", CSV),
        ("text/*", CSV),
        ("application/*", JSON),
        ("application/json", JSON),
        ("APPLICATION/JSON", JSON),
        ("text/csv, application/json", CSV),
        ("application/json, text/csv", JSON),
        ("application/json, text/plain, */*", JSON),
        ("text/plain, */*", CSV),
        ("text/xml, text/*, application/*", CSV),
        ("application/*, text/*", JSON),
        ("*/*, application/json", JSON),
        ("text/*, application/json;q=0.9", CSV),
        ("text/csv;q=0.2, text/csv;q=0.9, application/json;q=0.5", CSV),
        ("application/json;q=0, application/json, text/csv", JSON),
        ("text/*;q=0.9, text/csv;q=0.1, application/json;q=0.5", JSON),
        ("text/csv;q=0, text/*", None),
        ("*;q=.2, application/json;q=.1", CSV),
        ("application/json;q=0.99999", JSON),
        ("application/json;q=much, text/csv;q=0.1", CSV),
        ("application/json,", JSON),
        (",,", None),
        ("image/png", None),
        ("application/json;q=0, text/csv;q=0.000", None),
        ("text/csv;q=0.5, application/json", JSON),
        ("text/csv;q=0, */*", JSON),
        ("application/json;q=0, */*;q=0.1", CSV),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", CSV),
        ("text/csv; header=present; q=0.3, application/json; q=0.2", CSV),
        ("text/csv ; Q = 0.1 , application/json;q=0.11", JSON),
        ("application/json;q=0.001", JSON),
    ],
)
def test_the_best_liked_media_type_is_answered(accept: str, chosen: str | None) -> None:
    if chosen is None:
        with pytest.raises(NotAcceptable):
            wish(accept)
    else:
        assert wish(accept) == chosen


def test_a_header_that_is_sent_twice_is_one_list() -> None:
    given = {
        "headers": {"Accept": "text/csv;q=0.5"},
        "multiValueHeaders": {"Accept": ["application/json", "text/csv;q=0.5"]},
    }
    assert Request(given).accepted(CSV, JSON) == JSON


@pytest.mark.thorough
@given(st.text(max_size=60) | st.text("*/,;=q01. acnostexvj", max_size=60))
def test_any_accept_header_is_answered_or_refused(accept: str) -> None:
    try:
        assert wish(accept) in (CSV, JSON)
    except NotAcceptable as refused:
        assert "text/csv or application/json" in refused.detail  # noqa: PT017


@pytest.mark.parametrize(
    ("header", "wait", "applied"),
    [
        ("", math.inf, ""),
        ("respond-async", 0, "respond-async"),
        ("Respond-Async", 0, "respond-async"),
        ("wait=5", 5, "wait=5"),
        ('wait="5"', 5, "wait=5"),
        ("respond-async, wait=10", 10, "wait=10"),
        ("handling=lenient; x=1, respond-async; y", 0, "respond-async"),
        ("wait=-1", math.inf, ""),
        ("wait=soon", math.inf, ""),
        ("respond-asynchronously", math.inf, ""),
    ],
)
def test_preferences_are_read_as_rfc_7240_has_them(header: str, wait: float, applied: str) -> None:
    preference = parse_prefer(header)
    assert (preference.wait, preference.applied) == (wait, applied)


@given(st.text(max_size=200))
@example("../../etc/passwd")
@example("C:\\fakepath\\a.csv")
@example('a"; filename="b')
@example("a\r\nSet-Cookie: x=1")
@example("😀" * 1024)
@example("")
def test_any_file_name_makes_one_short_header_that_cannot_be_broken_out_of(name: str) -> None:
    header = answers.content_disposition(name)
    shape = r'attachment; filename="[A-Za-z0-9 ._()+-]*"(; filename\*=UTF-8\'\'[A-Za-z0-9%._~-]+)?'
    assert re.fullmatch(shape, header)
    assert len(header) < 1700
    saved = unquote(header.partition("UTF-8''")[2] or header.split('"')[1])
    assert "/" not in saved
    assert "\\" not in saved
    if len(name) <= 120 and not {"/", "\\"} & set(name):
        assert saved == name


def test_a_plain_file_name_is_just_itself() -> None:
    assert answers.content_disposition("model.csv") == 'attachment; filename="model.csv"'
    assert answers.content_disposition("größe.csv") == (
        "attachment; filename=\"gr__e.csv\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.csv"
    )


def refusals(base: type[ServiceError] = ServiceError) -> list[type[ServiceError]]:
    """The leaves, and what else has a title of its own."""
    found = []
    for kind in base.__subclasses__():
        below = refusals(kind)
        found += [*below, *([kind] if not below or "title" in vars(kind) else [])]
    return found


@pytest.mark.parametrize("kind", refusals())
def test_every_refusal_has_a_status_a_title_and_one_sentence(kind: type[ServiceError]) -> None:
    assert STATUS[kind] >= 400
    assert kind.title != ServiceError.title
    assert (inspect.getdoc(kind) or "").endswith(".")
    more: dict[type[ServiceError], Any] = {
        errors.MethodNotAllowed: {"allow": ()},
        errors.TooManyRequests: {"retry_after": 1},
    }
    document = problem_document(kind("what is wrong", **more.get(kind, {})))
    assert re.fullmatch(r"urn:kmeans-service:problem:[a-z]+(-[a-z]+)*", document["type"])


def test_the_table_of_statuses_has_no_row_too_many() -> None:
    assert set(STATUS) == set(refusals())


def test_a_defect_is_a_500_that_says_nothing_of_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "dynamodb", lambda: 1 / 0)
    given = event("POST", "/kmeans/upload", form(("file", "a.csv", MODEL_CSV)), FORM_TYPE)
    answer = contract.handler_of("/kmeans/upload")(given, Context())
    assert answer["statusCode"] == 500
    assert "division" not in answer["body"]
    assert given["requestContext"]["requestId"] in answer["body"]
    monkeypatch.undo()
    assert client.upload().status == 200


def test_busy_is_a_503_that_says_when_to_come_back(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import ClientError

    throttled: Any = {"Error": {"Code": "ThrottlingException"}}
    # Of a 503 without a body, botocore makes its number the code.
    unavailable: Any = {"Error": {"Code": "503"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
    for response in (throttled, unavailable):

        def busy(response: Any = response) -> Any:
            raise ClientError(response, "GetItem")

        monkeypatch.setattr(aws, "dynamodb", busy)
        answer = client.get("/kmeans/jobs/0")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")


def test_no_answer_is_taken_for_a_page_that_it_is_not(client: Client) -> None:
    answers = [client.get("/kmeans/jobs"), client.get("/kmeans/jobs/9"), client.get("/kmeans/no")]
    assert [answer.status for answer in answers] == [200, 404, 404]
    assert {answer.headers["X-Content-Type-Options"] for answer in answers} == {"nosniff"}


def test_a_wrong_method_names_the_right_ones_in_allow(client: Client) -> None:
    assert client.call("PUT", "/kmeans/jobs/0").headers["Allow"] == "DELETE, GET, HEAD, PATCH"


def test_a_slash_at_the_end_is_the_same_path(client: Client) -> None:
    assert client.get("/kmeans/ui/").body == client.get("/kmeans/ui").body
    assert client.get("/kmeans/jobs/").json() == {"jobs": []}
    assert client.call("POST", "/kmeans/ui/").status == 405


def test_the_page_and_all_it_loads_come_from_the_service_itself(client: Client) -> None:
    page = client.get("/kmeans/ui", Accept="text/html").text
    assert not re.search(r"https?://", page)
    for asset in re.findall(r"ui/([\w.-]+\.(?:js|css))", page):
        answer = client.get(f"/kmeans/ui/{asset}")
        assert answer.status == 200
        assert len(answer.body) > 10_000
