"""Whatever leads back to the service leads there, under a stage, a base path and neither."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from harness import contract
from harness.api import FORM_TYPE, JSON_TYPE, MODEL_CSV, Answer, Context, answer_of, event, form
from harness.system import deliver, drop
from kmeans_service.http.location import own_path, root_of, rooted

HOST = "https://api.example"
TOO_MUCH = b'{"job_id": 0, "points": [[' + b"1.5," * 1_200_000 + b"1.5]]}"
type Place = Callable[[dict[str, Any]], dict[str, Any]]


def behind_stage(given: dict[str, Any]) -> dict[str, Any]:
    """As API Gateway calls under its own host name: the stage is in one of the two paths."""
    context = given["requestContext"] | {"path": f"/v1{given['path']}", "stage": "v1"}
    return given | {"requestContext": context}


def behind(base: str) -> Place:
    def place(given: dict[str, Any]) -> dict[str, Any]:
        """As API Gateway calls under a custom domain: the base path is in both."""
        path = base + given["path"]
        context = given["requestContext"] | {"path": path, "stage": "v1"}
        return given | {"path": path, "requestContext": context}

    return place


def in_sam_local(given: dict[str, Any]) -> dict[str, Any]:
    context = given["requestContext"] | {"path": given["resource"], "stage": "v1"}
    return given | {"requestContext": context}


def behind_the_front_door(given: dict[str, Any]) -> dict[str, Any]:
    """Of `make run`, which hides the emulator's stage from its clients."""
    context = given["requestContext"] | {"path": f"/local{given['path']}", "stage": "local"}
    headers = (given["headers"] or {}) | {"X-Forwarded-Prefix": "/"}
    return given | {"headers": headers, "multiValueHeaders": None, "requestContext": context}


PLACES: dict[str, tuple[Place, str]] = {
    "a stage": (behind_stage, "/v1"),
    "a base path": (behind("/ml"), "/ml"),
    "a base path of two": (behind("/ml/clusters"), "/ml/clusters"),
    "a base path called as the service": (behind("/kmeans"), "/kmeans"),
    "a custom domain without a base path": (behind(""), ""),
    "sam local": (in_sam_local, ""),
    "the front door": (behind_the_front_door, ""),
}


class Deployed:
    """The API in one place; what a client asks for is looked up by its URL, as there."""

    def __init__(self, place: Place, root: str) -> None:
        self.place, self.root = place, root

    def call(
        self, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        path = url.removeprefix(HOST)
        assert path.startswith(f"{self.root}/kmeans"), f"{url} is not of this API"
        path = path.removeprefix(self.root)
        assert contract.template_of(path) != contract.UNKNOWN, f"{url} is no route"
        given = self.place(event(method, path, body, headers))
        return answer_of(contract.handler_of(path)(given, Context()))

    def url(self, path: str) -> str:
        return f"{HOST}{self.root}{path}"


def links_in(answer: Answer, asked: str) -> Iterator[str]:
    """Absolute URLs of everything in an answer that is a URL or names a path of the service."""
    for header in ("Location", "Content-Location", "Link"):
        if header in answer.headers:
            yield urljoin(asked, answer.headers[header])
    if not answer.headers.get("Content-Type", "").partition(";")[0].endswith("json"):
        return
    text = answer.text
    for found in re.findall(r"(?<![\w.-])(?:https?:/)?/[\w/{}.+-]*kmeans/[\w/{}.-]*", text):
        yield urljoin(asked, found.rstrip("."))


@pytest.fixture(params=PLACES)
def deployed(request: pytest.FixtureRequest, aws: Any) -> Deployed:  # noqa: ARG001
    return Deployed(*PLACES[request.param])


def fill(deployed: Deployed) -> list[tuple[str, Answer]]:
    """Jobs in every state that has links or says what to do, and the answers that made them."""
    made = []

    def post(path: str, body: bytes, headers: dict[str, str]) -> None:
        url = deployed.url(path)
        made.append((url, deployed.call("POST", url, body, headers)))

    def post_json(path: str, value: Any, **headers: str) -> None:
        post(path, json.dumps(value).encode(), JSON_TYPE | headers)

    post("/kmeans/upload", form(("file", "a.csv", MODEL_CSV)), FORM_TYPE)
    post_json("/kmeans/predict", {"job_id": 0, "points": [[1, 2]]})  # 409, says how to fit
    post_json("/kmeans/fit", {"job_id": 0}, Prefer="respond-async")
    post_json("/kmeans/fit", {"job_id": 0})
    post(
        "/kmeans/fit_predict", form(("file", "b.csv", b"1\n2\n")), FORM_TYPE | {"Prefer": "wait=0"}
    )
    post_json("/kmeans/uploads", {"filename": "c.csv"})
    post_json("/kmeans/predictions", {"job_id": 0})
    post("/kmeans/predict", TOO_MUCH, JSON_TYPE)  # 413
    deliver(drop("incoming/tester/bad.csv", b"a,1\n"))
    return made


def reads(deployed: Deployed, names: dict[str, str]) -> set[tuple[str, str]]:
    """Every GET of every job; a HEAD has its headers alone, and is asked for one of them."""
    jobs = {"GET": ("0", "1", "2", "3", "99"), "HEAD": ("0",)}
    return {
        (method, deployed.url(template.format(job_id=job_id, **names)))
        for method, template, _ in contract.operations()
        for job_id in jobs.get(method, ())
    }


@pytest.mark.thorough
def test_every_link_of_every_answer_leads_to_a_route(deployed: Deployed) -> None:
    answers = fill(deployed)
    prediction = answers[6][1].json()["prediction_id"]
    names = {"prediction_id": prediction, "asset": "nothing.js", "version": "0"}
    for method, url in sorted(reads(deployed, names)):
        answers.append((url, deployed.call(method, url)))
    found = {}  # where each link was found
    for asked, answer in answers:
        assert answer.status < 500, answer.text
        if not asked.endswith("openapi.json"):
            found |= dict.fromkeys(links_in(answer, asked), asked)
    ours = [url for url in found if urlsplit(url).netloc == "api.example"]  # others are S3's
    for url in ours:
        if "{" not in url:
            led_to = deployed.call("GET", url)
            assert led_to.status in (200, 202, 303, 404, 405, 409), (found[url], url, led_to.text)
    seen = {urlsplit(url).path.removeprefix(deployed.root) for url in ours}
    for path in ("/kmeans/jobs/0/model", "/kmeans/jobs/2", f"/kmeans/predictions/{prediction}"):
        assert path in seen
    assert {"/kmeans/fit", "/kmeans/predictions", "/kmeans/ui/", "/kmeans/uploads"} <= seen


def test_the_root_is_the_page_for_a_browser_and_links_for_a_program(
    deployed: Deployed,
) -> None:
    for path in ("/kmeans", "/kmeans/"):
        page = deployed.call("GET", deployed.url(path), headers={"Accept": "text/html,*/*;q=0.8"})
        assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        for loaded in re.findall(r'(?:href|src)="([^"]+)"', page.text):
            found = deployed.call("GET", urljoin(deployed.url(path), loaded))
            assert found.status == 200, loaded
        links = deployed.call("GET", deployed.url(path), headers={"Accept": "*/*"}).json()["links"]
        assert links["jobs"] == f"{deployed.root}/kmeans/jobs"
        for link in links.values():
            assert deployed.call("GET", HOST + link).status == 200


def test_the_published_contract_is_about_the_place_it_was_read_at(deployed: Deployed) -> None:
    url = deployed.url("/kmeans/openapi.json")
    document = deployed.call("GET", url).json()
    [server] = document["servers"]
    base = urljoin(url, server["url"]).rstrip("/")
    for path, item in document["paths"].items():
        if "get" in item and "{" not in path:
            assert deployed.call("GET", base + path).status == 200


def test_what_is_stored_knows_of_no_place(aws: Any) -> None:  # noqa: ARG001
    """Asked for under one root and looked at under another."""
    under_stage, under_base = (Deployed(*PLACES[name]) for name in ("a stage", "a base path"))
    fill(under_stage)
    links = under_base.call("GET", under_base.url("/kmeans/jobs/0")).json()["links"]
    assert links["self"] == "/ml/kmeans/jobs/0"


@pytest.mark.parametrize(
    ("forwarded", "root"),
    [
        ("/", ""),
        ("/behind", "/behind"),
        ("/a/b/", "/a/b"),
        ("//evil.example", "/v1"),
        ("https://evil.example", "/v1"),
        ("/a b", "/v1"),
        ("/a\\b", "/v1"),
        ("behind", "/v1"),
        ("/?x", "/v1"),
        ("", "/v1"),
    ],
)
def test_a_proxy_may_say_what_stands_before_and_cannot_lead_to_another_host(
    aws: Any,  # noqa: ARG001
    forwarded: str,
    root: str,
) -> None:
    given = behind_stage(event("GET", "/kmeans", headers={"X-Forwarded-Prefix": forwarded}))
    answer = answer_of(contract.handler_of("/kmeans")(given, Context()))
    assert answer.json()["links"]["self"] == f"{root}/kmeans/"


def test_a_path_that_is_not_the_resources_is_routed_as_it_stands(aws: Any) -> None:  # noqa: ARG001
    """A slash in percent, which API Gateway takes for a part of the name."""
    given = event("GET", "/kmeans/jobs/0") | {"path": "/kmeans/jobs/0/input/x"}
    assert answer_of(contract.handler_of("/kmeans/jobs/0")(given, Context())).status == 404


def test_in_a_problem_document_only_the_details_name_operations() -> None:
    named = "send POST /kmeans/fit"
    found = rooted({"title": named, "detail": named, "error": {"detail": named}}, "/v1")
    below = "send POST /v1/kmeans/fit"
    assert found == {"title": named, "detail": below, "error": {"detail": below}}


@pytest.mark.parametrize("resource", ["/kmeans/{unknown+}", "/kmeans/jobs", "/kmeans/jobs/{id}"])
@pytest.mark.parametrize("path", ["/nothing", "/nothing/here", "/", "/nothing/"])
def test_what_is_not_below_the_service_has_no_root(path: str, resource: str) -> None:
    event = {"path": path, "resource": resource}
    assert (own_path(event), root_of(event)) == (path, "")
