"""HEAD answers as GET does without the body, and everything private is kept by no cache."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from harness import contract
from harness.api import Client
from harness.presigned import post
from harness.routes import filled
from harness.system import deliver, take_messages
from kmeans_service import config

READ = [path for verb, path, _ in contract.operations() if verb == "GET"]
PRIVATE = "private, no-store"


@pytest.fixture(scope="module")
def fitted(shared_client: Client) -> Client:
    shared_client.upload()
    shared_client.fit(0)
    return shared_client


@pytest.fixture(scope="module")
def names(fitted: Client) -> dict[str, str]:
    prediction = fitted.post_json("/kmeans/predictions", {"job_id": 0}).json()["prediction_id"]
    return {"job_id": "0", "prediction_id": prediction}


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html, */*"])
def test_head_answers_as_get_does_without_the_body(
    fitted: Client, names: dict[str, str], path: str, accept: str
) -> None:
    path = filled(path, **names)
    got = fitted.get(path, Accept=accept)
    head = fitted.call("HEAD", path, headers={"Accept": accept})
    assert (head.status, head.body) == (got.status, b"")
    length = {"Content-Length": str(len(got.body))} if got.body else {}
    assert head.headers == got.headers | length


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/kmeans/jobs/7", 404),
        ("/kmeans/jobs/x/labels", 422),
        ("/kmeans/jobs?limit=0", 422),
        ("/kmeans/nothing", 404),
        ("/kmeans/upload", 405),
    ],
)
def test_head_is_refused_as_get_is_without_the_problem(
    fitted: Client, path: str, status: int
) -> None:
    got, head = fitted.get(path), fitted.call("HEAD", path)
    assert (head.status, head.body, got.status) == (status, b"", status)
    assert head.headers["Content-Type"] == "application/problem+json"
    # The request's id is as long in both, the method's name is not.
    longer = len("HEAD") - len("GET") if status == 405 else 0
    assert int(head.headers["Content-Length"]) == len(got.body) + longer


def test_what_is_unchanged_is_so_for_head_too_and_says_who_may_keep_it(fitted: Client) -> None:
    for path in ("/kmeans/jobs/0", "/kmeans/jobs/0/labels", "/kmeans/jobs/0/model"):
        etag = fitted.get(path).headers["ETag"]
        for method in ("GET", "HEAD"):
            answer = fitted.call(method, path, headers={"If-None-Match": etag})
            assert (answer.status, answer.body) == (304, b"")
            assert answer.headers["ETag"] == etag
            assert answer.headers["Cache-Control"] == PRIVATE
            assert "Content-Length" not in answer.headers


def test_a_303_is_signed_for_the_method_that_asked_and_starts_no_work(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    client.fit(0)
    made = client.post_json("/kmeans/predictions", {"job_id": 0})
    deliver(post(made.json(), b"0,0\n12,3\n"))
    monkeypatch.setattr(config, "MAX_ANSWER_BYTES", 20)
    job = "/kmeans/jobs/0"
    found = [made.headers["Location"], *(f"{job}/{part}" for part in ("labels", "input", "model"))]
    for path in [*found, f"{job}/centers"]:
        sent = {"Accept": "text/csv, */*"}
        to_get, to_head = (client.call(verb, path, headers=sent) for verb in ("GET", "HEAD"))
        assert (to_get.status, to_head.status, to_head.body) == (303, 303, b"")
        head = requests.head(to_head.headers["Location"], timeout=10)
        got = requests.get(to_get.headers["Location"], timeout=10)
        assert head.status_code == got.status_code == 200, head.text
        assert head.content == b""
        assert int(head.headers["Content-Length"]) == len(got.content) > 0
        for url in (to_get.headers["Location"], to_head.headers["Location"]):
            assert parse_qs(urlsplit(url).query)["response-cache-control"] == [PRIVATE]
    assert take_messages() == []


def test_everything_but_the_pages_own_files_is_kept_by_no_cache(
    fitted: Client, names: dict[str, str]
) -> None:
    answers = {path: fitted.get(filled(path, **names)) for path in READ}
    answers |= {path: fitted.get(path) for path in ("/kmeans/jobs/7", "/kmeans/nothing")}
    answers |= {
        "upload": fitted.upload(),
        "fit": fitted.fit(0),
        "predict": fitted.predict(),
        "refused": fitted.upload(b"a,1\n"),
        "later": fitted.fit(0, {"n_clusters": 3}, Prefer="respond-async"),
        "method": fitted.call("PUT", "/kmeans/jobs"),
    }
    kept = {name: answer.headers["Cache-Control"] for name, answer in answers.items()}
    for path in ("/kmeans/ui/{asset}", "/kmeans/page/{version}/{asset}"):
        assert kept.pop(path).startswith("public")
    assert set(kept.values()) == {PRIVATE}
