"""A fit that nobody waits for any more: no request ends one, so the page says that it goes on."""

import re
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Route, expect

from harness.service.running import Service
from harness.visitor import Visitor, visiting

pytestmark = pytest.mark.services
IS_JOB = re.compile(r"/jobs/\d+$")


def cancels(visitor: Visitor, table: Path) -> None:
    """The worker has the fit, and nothing is heard of it until somebody stops waiting."""

    def queued(route: Route) -> None:
        visitor.context.route(IS_JOB, lambda _route: None)
        route.continue_(headers={**route.request.headers, "prefer": "respond-async"})

    visitor.context.route("**/fit", queued)
    visitor.opens()
    with visitor.page.expect_response("**/fit"):
        visitor.gives(table)
    visitor.page.get_by_role("button", name="Cancel", exact=True).click()
    expect(visitor.page.locator(".goes-on")).to_contain_text("still works on this fit")
    visitor.context.unroute_all()


@pytest.mark.parametrize("width", [360, 1440])
def test_a_cancelled_fit_can_be_waited_for_again(
    browser: Browser, service: Service, table: Path, width: int
) -> None:
    with visiting(browser, service.url, viewport={"width": width, "height": 800}) as visitor:
        cancels(visitor, table)
        assert (visitor.is_shut_out(), visitor.scrolls_sideways()) == ([], False)
        visitor.page.get_by_role("button", name="Wait for it").click()
        visitor.sees_clusters(3)
        expect(visitor.page.locator(".goes-on")).to_have_count(0)


def test_a_cancelled_fit_ends_with_its_job(visitor: Visitor, table: Path) -> None:
    cancels(visitor, table)
    address = visitor.page.url.replace("/#job=", "/jobs/")
    visitor.page.get_by_role("button", name="Delete the job and its file").click()
    expect(visitor.page.get_by_text("Drop a file here")).to_be_visible()
    with pytest.raises(HTTPError) as gone:
        urlopen(address)
    assert gone.value.code == 410
