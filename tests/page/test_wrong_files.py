"""Files that cannot be clustered, and what the page says of them."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from harness.browser import PATIENCE
from harness.visitor import Visitor

pytestmark = pytest.mark.services


def test_what_is_wrong_is_shown_at_its_cell(visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text("age,income\n34,41000\nfifty,52000\n41,39000\n52,61000\n")
    visitor.opens()
    visitor.gives(file)
    alert = visitor.page.get_by_role("alert")
    expect(alert).to_contain_text("line 3, column 1", timeout=PATIENCE)
    expect(alert.locator("mark")).to_have_text("fifty")
    visitor.page.get_by_role("button", name="Leave out “age”").click()
    visitor.sees_clusters(3)


def test_a_file_that_is_refused_leaves_a_way_back(visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "ragged.csv"
    file.write_text("age,income\n34,41000\n41\n52,61000\n")
    visitor.opens()
    visitor.gives(file)
    alert = visitor.page.get_by_role("alert")
    expect(alert).to_contain_text("line 3 has 1 cell", timeout=PATIENCE)
    expect(alert.locator(".wrong")).to_contain_text("41")
    visitor.page.get_by_role("link", name="New file").click()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(
        "Drop a file, see its clusters"
    )
