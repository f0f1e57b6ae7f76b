"""A service that asks for a token, or for what a page cannot give."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request, expect

from harness.browser import PATIENCE
from harness.data.dropped import numbers
from harness.service.closed import Closed
from harness.visitor import Visitor, visiting

pytestmark = pytest.mark.services


def test_a_closed_service_asks_for_a_token_once(
    browser: Browser, closed: Closed, table: Path
) -> None:
    token = closed.token("create --owner alice")
    with visiting(browser, closed.service.url) as visitor:
        visitor.opens()
        field = visitor.page.get_by_label("Your token")
        expect(field).to_be_visible()
        assert visitor.is_shut_out() == []
        field.fill(token)
        visitor.page.get_by_role("button", name="Open").click()
        visitor.gives(table)
        visitor.sees_clusters(3)
        visitor.page.reload()
        visitor.sees_clusters(3)
        assert not [url for url in visitor.asked if token in url]
        kept = visitor.page.evaluate("[localStorage.length, document.cookie]")
        assert kept == [0, ""]


def test_a_large_second_file_needs_the_token_for_the_service_and_none_for_the_bucket(
    browser: Browser, closed: Closed, tmp_path: Path, large: Path
) -> None:
    token = closed.token("create --owner carol")
    first = tmp_path / "first.csv"
    first.write_text(numbers(18, "x"))
    with visiting(browser, closed.service.url) as visitor:
        visitor.opens()
        visitor.page.get_by_label("Your token").fill(token)
        visitor.page.get_by_role("button", name="Open").click()
        visitor.gives(first)
        visitor.sees_clusters(3)
        asked: list[Request] = []
        visitor.page.on("request", lambda request: asked.append(request))
        visitor.page.locator("input[data-use=predict]").set_input_files(large)
        told = visitor.page.locator(".predict")
        expect(told).to_contain_text("24,000 rows predicted", timeout=2 * PATIENCE)
        for request in asked:
            given = request.headers.get("authorization")
            assert given == (f"Bearer {token}" if request.url.startswith(visitor.url) else None)


@pytest.mark.parametrize(
    ("challenge", "said"),
    [("AWS4-HMAC-SHA256", "asks for AWS signatures"), ("Bearer", "This service is closed")],
)
def test_a_service_that_lets_nobody_in_says_what_to_do(
    visitor: Visitor, challenge: str, said: str
) -> None:
    """As the gateway answers where signatures are asked for, and where a token is."""
    visitor.context.route(
        lambda url: "/jobs?" in url,
        lambda route: route.fulfill(
            status=401,
            headers={"WWW-Authenticate": challenge},
            content_type="application/problem+json",
            body='{"title": "Not authenticated", "detail": "Sign", "status": 401}',
        ),
    )
    visitor.opens()
    expect(visitor.page.locator("main")).to_contain_text(said)
    assert visitor.is_shut_out() == []
