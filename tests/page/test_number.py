"""The number of clusters: found and told how surely, or given."""

import random
import re
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from harness.visitor import Visitor

pytestmark = pytest.mark.services


def test_the_number_of_clusters_is_found_and_the_page_says_how_sure_it_is(
    visitor: Visitor, table: Path
) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    page = visitor.page
    expect(page.get_by_label("Number of clusters")).to_have_value("auto")
    expect(page.get_by_role("status")).to_contain_text("There are 3 clusters, and they are clear")
    expect(page.locator(".verdict")).to_contain_text("There are 3 clusters")
    expect(page.get_by_role("img", name="largest for 3")).to_be_visible()
    page.get_by_text("All numbers that were tried").click()
    tried = page.locator(".tried tbody th").all_inner_texts()
    assert tried == ["2", "3 (chosen)", *map(str, range(4, 11))]
    assert visitor.is_shut_out() == []


def test_while_the_number_is_searched_the_page_says_which_is_tried(
    visitor: Visitor, table: Path
) -> None:
    """As the worker reports it of a fit that takes longer than its reports are apart."""
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    said = {"status": "RUNNING", "progress": {"stage": "CHOOSING", "n_clusters": 4}}

    def searching(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | said)

    visitor.context.route(re.compile(r"/jobs/\d+$"), searching)
    visitor.page.reload()
    work = visitor.page.locator(".work")
    expect(work).to_contain_text("Finding how many clusters there are")
    expect(work).to_contain_text("trying 4 clusters")
    assert visitor.is_shut_out() == []
    said.clear()  # it has ended
    visitor.sees_clusters(3)


def test_eighteen_rows_in_three_groups_are_three_clusters(visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "few.csv"
    places = enumerate([(0, 0), (50, 45), (0, 90)] * 6)
    file.write_text("x,y\n" + "".join(f"{x + i % 5},{y + i % 7}\n" for i, (x, y) in places))
    visitor.opens()
    visitor.gives(file)
    visitor.sees_clusters(3)


def test_rows_without_clusters_are_said_to_have_none(visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "even.csv"
    draw = random.Random(7)
    cells = "".join(f"{draw.random():.4f},{draw.random():.4f}\n" for _ in range(300))
    file.write_text(f"width,height\n{cells}")
    visitor.opens()
    visitor.gives(file)
    expect(visitor.page.locator(".verdict")).to_contain_text("There seem to be no clusters")


def test_a_number_that_is_given_is_taken_and_nothing_is_found_then(
    visitor: Visitor, table: Path
) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    page = visitor.page
    page.get_by_label("Number of clusters").select_option("a number")
    expect(page.get_by_label("How many", exact=True)).to_have_value("3")
    visitor.gives_number(4)
    assert visitor.is_shut_out() == []
    page.get_by_role("button", name="Find them again").click()
    visitor.sees_clusters(4)
    expect(page.locator(".quality")).to_contain_text("silhouette")
    expect(page.locator(".verdict, .curve")).to_have_count(0)


def test_weights_ask_for_a_number(visitor: Visitor, table: Path) -> None:
    """The service finds none for rows that count differently."""
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    page = visitor.page
    page.get_by_text("More options").click()
    page.get_by_label("Weight of a row").select_option("id")
    expect(page.get_by_label("How many", exact=True)).to_have_value("3")
    expect(page.get_by_role("option", name="find it")).to_be_disabled()
    page.get_by_role("button", name="Find them again").click()
    expect(page.locator(".verdict")).to_have_count(0)
    visitor.sees_clusters(3)
