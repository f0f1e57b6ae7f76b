"""Files that go to the bucket, which is another origin than the page's."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Route, expect

from harness.browser import PATIENCE
from harness.service.running import Service
from harness.visitor import Visitor

pytestmark = pytest.mark.services


def test_a_large_file_goes_to_the_bucket_and_goes_on_where_the_network_broke(
    visitor: Visitor, large: Path
) -> None:
    tries: list[str] = []

    def broken_twice(route: Route) -> None:
        tries.append(route.request.url)
        if len(tries) <= 2:
            route.abort("connectionreset")
        else:
            route.continue_()

    visitor.context.route(lambda url: "partNumber" in url, broken_twice)
    visitor.opens()
    visitor.gives(large)
    expect(visitor.page.locator(".work")).to_contain_text("trying again", timeout=PATIENCE)
    visitor.sees_clusters(3)
    assert len(tries) > 2
    assert {urlsplit(url).netloc for url in tries} != {urlsplit(visitor.url).netloc}


def test_an_upload_that_is_cancelled_leaves_nothing_that_waits(
    visitor: Visitor, service: Service, large: Path
) -> None:
    visitor.context.route(lambda url: "partNumber" in url, lambda _route: None)  # it hangs
    visitor.opens()
    visitor.gives(large)
    work = visitor.page.locator(".work")
    expect(work.get_by_role("progressbar")).to_have_attribute("max", "1", timeout=PATIENCE)
    with visitor.page.expect_response(lambda answer: answer.request.method == "DELETE") as given_up:
        work.get_by_role("button", name="Cancel").click()
    assert given_up.value.status == 204
    expect(visitor.page.get_by_text("Drop a file here")).to_be_visible()
    [job] = [
        job
        for job in requests.get(f"{service.url}/jobs", timeout=60).json()["jobs"]
        if job["filename"] == large.name
    ]
    assert job["status"] == "FAILED"
