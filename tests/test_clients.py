"""What real clients send by themselves, literally, and what each of them is answered."""

import pytest

from harness.api import Client

CSV, JSON = "text/csv", "application/json"
CHROME = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;"
    "q=0.8,application/signed-exchange;v=b3;q=0.7"
)
SAFARI = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/png,image/svg+xml,*/*;q=0.8"
# Accept as sent unasked, None for none, and the type in which labels then come.
CLIENTS: dict[str, tuple[str | None, str]] = {
    "curl": ("*/*", CSV),
    "wget": ("*/*", CSV),
    "requests and httpx": ("*/*", CSV),
    "fetch": ("*/*", CSV),
    "axios and Angular": ("application/json, text/plain, */*", JSON),
    "jQuery.getJSON": ("application/json, text/javascript, */*; q=0.01", JSON),
    "Postman": ("*/*", CSV),
    "Chrome, an address": (CHROME, CSV),
    "Firefox, an address": (FIREFOX, CSV),
    "Safari, an address": (SAFARI, CSV),
    "R's httr": ("application/json, text/xml, application/xml, */*", JSON),
    "Java's HttpURLConnection": ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", CSV),
    "Java's HttpClient and OkHttp": (None, CSV),
    "Go's net/http": (None, CSV),
    "PowerShell": (None, CSV),
    "RestSharp": (
        "application/json, text/json, text/x-json, text/javascript, application/xml, text/xml",
        JSON,
    ),
    "the seed's curl": ("text/csv", CSV),
}


@pytest.fixture(scope="module")
def fitted(shared_client: Client) -> Client:
    shared_client.upload()
    shared_client.fit(0)
    return shared_client


def sent(accept: str | None) -> dict[str, str]:
    return {} if accept is None else {"Accept": accept}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_gets_labels_in_the_form_that_it_likes_best(fitted: Client, name: str) -> None:
    accept, wanted = CLIENTS[name]
    answers = [
        fitted.fit(0, **sent(accept)),
        fitted.predict(**sent(accept)),
        fitted.predict(path="/kmeans/transform", **sent(accept)),
        fitted.get("/kmeans/jobs/0/labels", **sent(accept)),
        fitted.get("/kmeans/jobs/0/centers", **sent(accept)),
    ]
    assert {answer.status for answer in answers} == {200}
    assert {answer.headers["Content-Type"].partition(";")[0] for answer in answers} == {wanted}


@pytest.mark.parametrize("name", [name for name in CLIENTS if name != "the seed's curl"])
def test_a_client_is_told_of_its_job_and_gets_its_files(fitted: Client, name: str) -> None:
    accept = CLIENTS[name][0]
    assert fitted.get("/kmeans/jobs/0", **sent(accept)).json()["job_id"] == 0
    if name != "RestSharp":  # which takes neither CSV nor bytes
        assert fitted.get("/kmeans/jobs/0/input", **sent(accept)).status == 200
        assert fitted.get("/kmeans/jobs/0/model", **sent(accept)).status == 200
