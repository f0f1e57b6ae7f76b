"""What is chosen, ticked and typed is what the page shows and asks for."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from harness.visitor import Visitor

pytestmark = pytest.mark.services

CHOOSE = """({ chosen }) => {
    for (const [name, value] of chosen) {
        const field = document.querySelector(`select[name=${name}]`);
        field.value = value;
        field.dispatchEvent(new Event("change", { bubbles: true }));
    }
}"""


@pytest.fixture
def page(visitor: Visitor, table: Path) -> Page:
    """Of a table that is fitted, with all that its next fit may be asked for."""
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    visitor.page.get_by_text("More options").click()
    return visitor.page


def choose_at_once(page: Page, *chosen: tuple[str, str]) -> None:
    """One after the other, with no picture of the browser's between them."""
    page.evaluate(CHOOSE, {"chosen": chosen})


def test_what_another_choice_takes_back_is_not_shown_any_longer(page: Page) -> None:
    continued = page.get_by_label("Continue the numbers of")
    own = continued.get_by_role("option", name="this job").get_attribute("value") or ""
    choose_at_once(page, ("align_to", own), ("algorithm", "lloyd"))
    expect(continued).to_be_disabled()
    expect(continued).to_have_value("")


def test_a_tick_that_came_to_nothing_is_taken_back(visitor: Visitor, page: Page) -> None:
    def refused(route: Route) -> None:
        route.fulfill(status=503, json={"title": "Busy", "detail": "Come again"})

    visitor.context.route("**/rows*", refused)
    outliers = page.get_by_label("Outliers")
    outliers.click()
    expect(page.get_by_text("Come again").first).to_be_visible()
    expect(outliers).not_to_be_checked()


def test_a_number_can_be_typed_in_every_way_of_writing_it(visitor: Visitor, page: Page) -> None:
    other = page.get_by_role("spinbutton", name="max_iter")
    for written, value in (("1e-12", 1e-12), ("0.0020", 0.002), ("10", 10)):
        tol = page.get_by_role("spinbutton", name="tol")
        tol.fill("")
        for key in written:
            tol.press_sequentially(key)
            other.dispatch_event("input")  # the page is drawn anew, for whatever reason
        expect(tol).to_have_value(written)
        with page.expect_request("**/fit") as asked:
            page.get_by_role("button", name="Find them again").click()
        assert asked.value.post_data_json["model_params"]["tol"] == value
        visitor.sees_clusters(3)
