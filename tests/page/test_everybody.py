"""Whoever comes: at any width, in any theme, without a mouse or eyes."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from harness.service.running import Service
from harness.visitor import Visitor, visiting

pytestmark = pytest.mark.services
LOOKS = [
    {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    for width in (360, 1440)
    for scheme in ("light", "dark")
]
SHIFTS = """() => {
    globalThis.shifts = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifts += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
}"""


def is_for_everybody(visitor: Visitor) -> None:
    assert (visitor.is_shut_out(), visitor.scrolls_sideways()) == ([], False)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_nobody_is_shut_out_at_any_width_and_in_any_theme(
    browser: Browser, service: Service, table: Path, look: dict[str, object]
) -> None:
    with visiting(browser, service.url, locale="de-DE", **look) as visitor:
        page = visitor.page
        visitor.opens()
        is_for_everybody(visitor)
        with visitor.unanswered("**/fit"):
            visitor.gives(table)
            expect(page.locator(".work")).to_contain_text("Die Gruppen werden")
            is_for_everybody(visitor)
            page.get_by_role("button", name="Abbrechen").click()
            expect(page.locator(".work")).to_have_count(0)
        page.get_by_role("button", name="Gruppen finden").click()
        visitor.sees_clusters(3)
        for summary in page.locator("summary").all():
            summary.click()
        page.get_by_role("button", name="Wie sicher ist das?").click()
        expect(page.locator(".audit")).to_be_visible()
        page.locator(".cluster-name").first.click()
        page.locator(".pencil").first.click()
        page.locator("input[data-use=predict]").set_input_files(table)
        expect(page.locator(".predict")).to_contain_text("18 Zeilen")
        is_for_everybody(visitor)
        visitor.opens("#jobs")
        page.get_by_role("button", name=re.compile("löschen")).first.click()
        expect(page.get_by_role("alert")).to_be_visible()
        is_for_everybody(visitor)


def test_no_width_scrolls_sideways(visitor: Visitor, table: Path) -> None:
    def fits() -> None:
        for width in (320, 600, 900, 1200, 2560):
            visitor.page.set_viewport_size({"width": width, "height": 700})
            assert not visitor.scrolls_sideways(), width

    visitor.opens()
    fits()
    visitor.gives(table)
    visitor.sees_clusters(3)
    for summary in visitor.page.locator("summary").all():
        summary.click()
    fits()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent.trim()"))


def goes_to(page: Page, words: str) -> None:
    """With the Tab key, from wherever the focus is."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if words in focused(page):
            return
    raise AssertionError(f"Tab does not come to {words}")


def test_a_keyboard_is_enough(browser: Browser, service: Service) -> None:
    with visiting(browser, service.url) as visitor:
        page = visitor.page
        visitor.opens()
        page.keyboard.press("Tab")
        assert focused(page) == "To the content"
        goes_to(page, "Try it with an example")
        page.keyboard.press("Enter")
        visitor.sees_clusters(5)
        goes_to(page, "Cluster 0")
        page.keyboard.press("Enter")
        expect(page.locator(".cluster.chosen")).to_have_count(1)
        page.keyboard.press("Tab")  # its pencil
        page.keyboard.press("Enter")
        expect(page.get_by_role("textbox", name="Rename Cluster 0")).to_be_focused()
        page.keyboard.type("Older ones")
        page.keyboard.press("Enter")
        expect(page.locator(".cluster-name").first).to_contain_text("Older ones")
        expect(page.get_by_role("button", name="Rename Older ones")).to_be_focused()
        page.locator("body").press("Home")
        page.get_by_role("link", name="Jobs").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#content")).to_be_focused()
        page.get_by_role("button", name="Delete customer segments.csv").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Keep it")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Delete customer segments.csv")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Keep it")).to_be_focused()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#content")).to_be_focused()


def test_what_happens_is_told_to_who_does_not_see_it(visitor: Visitor, table: Path) -> None:
    visitor.opens()
    page = visitor.page
    for role in ("banner", "navigation", "main"):
        expect(page.get_by_role(role)).to_have_count(1)  # type: ignore[arg-type]
    with visitor.unanswered("**/fit"):
        visitor.gives(table)
        expect(page.get_by_role("status")).to_have_text("Finding the clusters")
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("status")).to_contain_text("the service still works on this fit")
    page.get_by_role("button", name="Find clusters").click()
    visitor.sees_clusters(3)
    page.get_by_text("The clusters as a table").click()
    shown = page.get_by_role("group", name="The clusters as a table").get_by_role("row")
    expect(shown).to_have_count(4)


def test_nothing_jumps_while_a_job_is_opened(visitor: Visitor, table: Path) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    visitor.page.add_init_script(f"({SHIFTS})()")
    visitor.page.reload()
    visitor.sees_clusters(3)
    expect(visitor.page.locator(".sentence:not(.coming)")).to_have_count(3)
    assert visitor.page.evaluate("shifts") < 0.1  # what Web Vitals calls good


def test_nothing_moves_where_motion_is_not_wanted(
    browser: Browser, service: Service, table: Path
) -> None:
    with visiting(browser, service.url, reduced_motion="reduce") as visitor:
        visitor.opens()
        with visitor.unanswered("**/fit"):
            visitor.gives(table)
            expect(visitor.page.get_by_role("progressbar")).to_be_visible()
            assert visitor.page.evaluate("document.getAnimations().length") == 0
