"""Swagger UI of a running service in a real browser."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from harness.browser import PATIENCE, chromium
from harness.service.closed import Closed, running
from harness.service.running import Service, serving
from harness.timing import wait_until


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Service]:  # noqa: ARG001 (no service where there is no browser)
    with serving(tmp_path_factory.mktemp("swagger")) as service:
        yield service


@pytest.fixture(scope="module")
def hosts() -> set[str]:
    """Every host that a page asked for something."""
    return set()


@pytest.fixture(scope="module")
def context(browser: Browser, hosts: set[str]) -> BrowserContext:
    context = browser.new_context(viewport={"width": 1280, "height": 1024})
    context.set_default_timeout(PATIENCE)
    context.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    return context


@pytest.fixture(scope="module")
def page(context: BrowserContext, service: Service) -> Page:
    page = context.new_page()
    show(page, f"{service.url}/ui/")
    return page


def show(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator(".opblock").first).to_be_visible()


def operation(page: Page, name: str) -> Locator:
    """The operation's block, opened, its "Try it out" pressed."""
    block = page.locator(f"[id$='-{name}'].opblock")
    if "is-open" not in (block.get_attribute("class") or ""):
        block.locator(".opblock-summary-control").click()
        block.get_by_role("button", name="Try it out").click()
    return block


def ask(block: Locator) -> tuple[str, Locator]:
    """Status of the answer that the page shows, and where it shows it."""
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table")
    expect(answer).to_be_visible()
    status = answer.locator(".response-col_status").nth(1).inner_text()
    return status.split()[0], answer


def execute(block: Locator) -> tuple[str, str]:
    """Status and body of the answer that the page shows."""
    status, answer = ask(block)
    return status, answer.locator(".highlight-code code").first.inner_text()


def test_every_operation_of_the_contract_is_shown(page: Page, service: Service) -> None:
    contract = page.request.get(f"{service.url}/openapi.json").json()
    wanted = {
        method["operationId"]
        for methods in contract["paths"].values()
        for method in methods.values()
    }
    blocks = page.locator(".opblock").all()
    shown = {(block.get_attribute("id") or "").rpartition("-")[2] for block in blocks}
    assert shown == wanted
    expect(page.locator(".errors-wrapper")).to_have_count(0)


def test_the_page_is_also_found_without_its_last_slash(
    context: BrowserContext, service: Service
) -> None:
    page = context.new_page()
    show(page, f"{service.url}/ui")
    page.close()


def test_health_can_be_tried_out(page: Page) -> None:
    status, body = execute(operation(page, "health"))
    assert status == "200"
    assert json.loads(body)["status"] == "ok"


def test_a_file_uploaded_with_the_form_becomes_a_job(page: Page, tmp_path: Path) -> None:
    points = tmp_path / "points.csv"
    points.write_text("1, 2\n1, 4\n10, 2\n10, 4\n")
    upload = operation(page, "upload")
    upload.locator("input[type=file]").set_input_files(points)
    status, body = execute(upload)
    assert status == "200"
    assert json.loads(body) == {"filename": "points.csv", "job_id": 0}


def test_no_request_goes_to_another_host(page: Page, service: Service, hosts: set[str]) -> None:
    for path in ("/ui/", "/ui"):
        show(page, f"{service.url}{path}")
    assert hosts == {f"localhost:{service.port}"}


def test_the_page_loads_nothing_and_runs_nothing_that_its_policy_does_not_name(
    context: BrowserContext, service: Service
) -> None:
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    show(page, f"{service.url}/ui/")
    assert [text for text in said if "Content Security Policy" in text or "Error" in text] == []
    asked = page.request.get(f"{service.url}/ui/")
    assert "default-src 'none'" in asked.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in asked.headers["content-security-policy"]
    # A script that somebody got into the page does not run.
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.intruder = true";
        document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.intruder = 1'>");
    }""")
    page.wait_for_timeout(300)
    assert page.evaluate("window.intruder") is None
    page.close()


def predicted(service: Service) -> tuple[str, str]:
    """A large prediction that has its result: its id, and the form that its points were sent by."""
    points = {"file": ("points.csv", "1, 2\n1, 4\n10, 2\n10, 4\n")}
    job_id = requests.post(f"{service.url}/upload", files=points, timeout=60).json()["job_id"]
    requests.post(f"{service.url}/fit", json={"job_id": job_id}, timeout=60).raise_for_status()
    form = requests.post(f"{service.url}/predictions", json={"job_id": job_id}, timeout=60).json()
    requests.post(form["url"], form["fields"], files=points, timeout=60).raise_for_status()
    result = f"http://localhost:{service.port}{form['result']}"
    wait_until(lambda: requests.get(result, timeout=60, allow_redirects=False).status_code == 303)
    return form["prediction_id"], result


def test_what_lies_in_the_bucket_is_shown_too(page: Page, service: Service) -> None:
    block = operation(page, "getPrediction")
    block.locator("input[placeholder=prediction_id]").fill(predicted(service)[0])
    status, answer = ask(block)
    assert status == "200"
    with page.expect_download() as saved:
        answer.get_by_role("link", name="Download file").click()
    labels = Path(saved.value.path()).read_text().split()
    assert [float(label) for label in labels] in ([0, 0, 1, 1], [1, 1, 0, 0])


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """An empty page of another origin."""

    class Empty(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


SEND = """async ([form, method]) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
    body.append("file", new Blob(["1, 2\\n3, 4\\n"]), "points.csv");
    const answer = await fetch(form.url, {method: "POST", body});
    return [answer.status, answer.headers.get("ETag")];
}"""
READ = """async ([url, method, body]) => {
    const answer = await fetch(url, {method, body: body || undefined});
    return [answer.status, answer.headers.get("ETag"), (await answer.text()).length];
}"""


def test_a_page_of_another_origin_may_use_the_urls_that_are_signed_for_it(
    context: BrowserContext, service: Service, elsewhere: str
) -> None:
    page = context.new_page()
    page.goto(elsewhere)
    form = requests.post(f"{service.url}/uploads", json={"filename": "a.csv"}, timeout=60).json()
    status, etag = page.evaluate(SEND, [form, "POST"])
    assert (status, bool(etag)) == (204, True)
    _, result = predicted(service)
    for method in ("GET", "HEAD"):
        asked = requests.request(method, result, timeout=60, allow_redirects=False)
        status, etag, length = page.evaluate(READ, [asked.headers["Location"], method, None])
        assert (status, bool(etag), length > 0) == (200, True, method == "GET")
    put = service.aws("s3").generate_presigned_url(
        "put_object", {"Bucket": service.exports()["DATA_BUCKET"], "Key": "inputs/put.csv"}
    )
    status, etag, _ = page.evaluate(READ, [put, "PUT", "1, 2"])
    assert (status, bool(etag)) == (200, True)
    page.close()


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Closed]:  # noqa: ARG001
    yield from running(tmp_path_factory.mktemp("closed-swagger"), "TOKEN")


@pytest.fixture
def locked(browser: Browser, closed: Closed) -> Iterator[tuple[Page, str]]:
    """The page of a closed service, and alice's token, which so far only opened the page itself."""
    token = closed.token("create --owner alice")
    context = browser.new_context(http_credentials={"username": "me", "password": token})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    show(page, f"{closed.service.url}/ui/")
    yield page, token
    context.close()


def authorize(page: Page, token: str) -> None:
    page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".dialog-ux")
    dialog.locator("input").fill(token)
    dialog.get_by_role("button", name=re.compile("^Apply|^Authorize")).click()
    dialog.get_by_role("button", name="Close").last.click()


def test_without_authorize_a_route_that_asks_for_credentials_answers_401(
    locked: tuple[Page, str],
) -> None:
    status, body = execute(operation(locked[0], "listJobs"))
    assert status == "401"
    assert json.loads(body)["title"] == "Not authenticated"


def test_authorize_opens_the_routes_for_the_owner_of_the_token(
    locked: tuple[Page, str], tmp_path: Path
) -> None:
    page, token = locked
    authorize(page, token)
    points = tmp_path / "points.csv"
    points.write_text("1, 2\n1, 4\n10, 2\n10, 4\n")
    upload = operation(page, "upload")
    upload.locator("input[type=file]").set_input_files(points)
    assert execute(upload)[0] == "200"
    status, body = execute(operation(page, "listJobs"))
    assert status == "200"
    assert [job["filename"] for job in json.loads(body)["jobs"]] == ["points.csv"]


def test_a_wrong_token_given_to_authorize_opens_nothing(locked: tuple[Page, str]) -> None:
    page, _ = locked
    authorize(page, "km_" + "a" * 43)
    assert execute(operation(page, "listJobs"))[0] == "401"
