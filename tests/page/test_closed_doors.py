"""A service that asks for a token, or for what a page cannot give."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

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
