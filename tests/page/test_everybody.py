"""Whoever comes: at any width, in any theme, without a mouse or eyes."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from harness.service.running import Service
from harness.visitor import visiting

pytestmark = pytest.mark.services
LOOKS = [
    {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    for width in (360, 1440)
    for scheme in ("light", "dark")
]


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_nobody_is_shut_out_at_any_width_and_in_any_theme(
    browser: Browser, service: Service, table: Path, look: dict[str, object]
) -> None:
    with visiting(browser, service.url, locale="de-DE", **look) as visitor:
        visitor.opens()
        assert (visitor.is_shut_out(), visitor.scrolls_sideways()) == ([], False)
        visitor.gives(table)
        visitor.sees_clusters(3)
        for summary in visitor.page.locator("summary").all():
            summary.click()
        assert (visitor.is_shut_out(), visitor.scrolls_sideways()) == ([], False)
        visitor.opens("#jobs")
        expect(visitor.page.locator(".job").first).to_be_visible()
        assert (visitor.is_shut_out(), visitor.scrolls_sideways()) == ([], False)
