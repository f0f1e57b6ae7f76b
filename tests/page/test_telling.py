"""What the page tells of a fit, in the service's words or in its own."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from harness.service.running import Service
from harness.visitor import Visitor, visiting

pytestmark = pytest.mark.services


@pytest.fixture
def german(browser: Browser, service: Service) -> Iterator[Visitor]:
    with visiting(browser, service.url, locale="de-AT") as visitor:
        yield visitor


def sentences(page: Page, number: int) -> list[str]:
    found = page.locator(".sentence:not(.coming)")
    expect(found).to_have_count(number)
    return found.all_inner_texts()


def test_each_cluster_says_what_it_is(visitor: Visitor, table: Path) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    assert "higher width" in sentences(visitor.page, 3)[2]
    visitor.page.locator(".cluster-name").nth(2).click()
    expect(visitor.page.locator(".cluster.chosen .rule").first).to_contain_text("width above")


def test_sentences_and_rules_are_in_the_language_of_the_page(german: Visitor, table: Path) -> None:
    german.opens()
    german.gives(table)
    german.sees_clusters(3)
    told = sentences(german.page, 3)[2]
    assert told == "Verglichen mit den anderen Zeilen: width viel höher (Median 52,5 gegen 2,5)."
    german.page.locator(".cluster-name").nth(2).click()
    rule = german.page.locator(".cluster.chosen .rule").first
    expect(rule).to_contain_text("width über")


def test_what_is_only_told_in_english_says_so_behind_what_the_page_can_say(
    german: Visitor, tmp_path: Path
) -> None:
    """A screen reader would speak it as German."""
    file = tmp_path / "wrong.csv"
    file.write_text("age,income\n34,41000\n52000\n41,39000\n")
    german.opens()
    german.gives(file)
    english = german.page.locator(".problem [lang=en]")
    expect(english).to_contain_text("line 3 has 1 cell")
    told = german.page.get_by_role("alert")
    expect(told).to_contain_text("In Zeile 3, Spalte 2 ist die Datei nicht zu lesen.")


def test_notes_of_a_fit_are_in_the_language_of_the_page_and_the_services_own_words_folded(
    german: Visitor, table: Path
) -> None:
    german.opens()
    german.gives(table)
    german.sees_clusters(3)
    own, english = german.page.locator(".quality > details").all()[:2]
    expect(own.locator("li")).to_have_text(
        [
            "Weggelassen: id (eine Kennung); letter (überwiegend Text).",
            "Leere Zellen bekamen das Mittel ihrer Spalte: 1 in einer Spalte.",
        ]
    )
    assert (own.get_attribute("open"), english.get_attribute("open")) == ("", None)
    expect(english.locator("[lang=en] li")).to_have_count(2)


def test_a_cell_that_is_no_number_is_told_in_the_language_of_the_page(
    german: Visitor, tmp_path: Path
) -> None:
    file = tmp_path / "cell.csv"
    file.write_text("age,income\n34,41000\nfifty,52000\n41,39000\n")
    german.opens()
    german.gives(file)
    told = german.page.get_by_role("alert")
    expect(told).to_contain_text("Zeile 3, Spalte 1 („age“): „fifty“ ist")
    expect(told.locator("[lang=en]")).to_have_count(0)


def told(visitor: Visitor, audit: dict[str, Any]) -> None:
    """As the service answers of data that does not decide."""
    same: dict[str, Any] = {
        "n_starts": 50, "inertia": 2, "best_inertia": 2, "gap": 0, "reached": 1,
        "within_one_percent": 1, "distinct_optima": 1, "agreement": 1, "warnings": [],
    }  # fmt: skip
    visitor.context.route("**/audit", lambda route: route.fulfill(json=same | audit))


def test_who_asks_is_told_how_sure_the_clusters_are(visitor: Visitor, table: Path) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    page = visitor.page
    page.get_by_role("button", name="How sure is that?").click()
    expect(page.locator(".audit")).to_contain_text("Nothing better was found")
    expect(page.locator(".audit")).to_contain_text("of 50 starts")
    expect(page.get_by_role("button", name="Search further")).to_have_count(0)


def test_where_better_clusters_are_known_the_page_searches_for_them(
    visitor: Visitor, table: Path
) -> None:
    told(visitor, {"gap": 0.25, "agreement": 0.5, "reached": 0.1, "distinct_optima": 7})
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    page = visitor.page
    page.get_by_role("button", name="How sure is that?").click()
    expect(page.locator(".audit")).to_contain_text("There are better clusters than these")
    expect(page.locator(".audit")).to_contain_text("25 % more inertia")
    with page.expect_request("**/fit") as asked:
        page.get_by_role("button", name="Search further").click()
    assert asked.value.post_data_json["model_params"]["n_init"] == 10
    visitor.sees_clusters(3)


def test_an_audit_that_cannot_be_made_says_why(visitor: Visitor, table: Path) -> None:
    def refused(route: Route) -> None:
        route.fulfill(status=422, json={"title": "No", "detail": "It was out of core"})

    visitor.context.route("**/audit", refused)
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    visitor.page.get_by_role("button", name="How sure is that?").click()
    expect(visitor.page.get_by_text("It was out of core").first).to_be_visible()


def test_a_later_file_continues_the_numbers_of_an_earlier_one(
    visitor: Visitor, table: Path, tmp_path: Path
) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    page = visitor.page
    page.get_by_role("button", name="Rename Cluster 1").click()
    page.get_by_role("textbox", name="Rename Cluster 1").fill("Corner")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".cluster-name").nth(1)).to_contain_text("Corner")
    first = page.url.rpartition("=")[2]
    later = tmp_path / f"later {table.name}"
    head, *rows = table.read_text().splitlines()
    later.write_text("\n".join([head, *reversed(rows), ""]))
    visitor.opens()
    visitor.gives(later)
    visitor.sees_clusters(3)
    page.get_by_text("More options").click()
    page.get_by_label("Continue the numbers of").select_option(first)
    assert visitor.is_shut_out() == []
    page.get_by_role("button", name="Find them again").click()
    expect(page.locator(".cluster-name").nth(1)).to_contain_text("Corner")
    page.get_by_label("The same row is").select_option("id")
    page.get_by_role("button", name="Compare").click()
    moved = page.get_by_text("18 of 18 rows stayed in their cluster")
    expect(moved).to_be_visible()
    assert visitor.is_shut_out() == []


def test_without_a_search_no_numbers_are_continued(visitor: Visitor, table: Path) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    page = visitor.page
    page.get_by_text("More options").click()
    continued = page.get_by_label("Continue the numbers of")
    continued.select_option(label="this job")
    page.get_by_label("Algorithm").select_option("lloyd")
    expect(continued).to_be_disabled()
    expect(continued).to_have_value("")
    page.get_by_role("button", name="Find them again").click()
    visitor.sees_clusters(3)


def test_the_lines_for_a_program_do_what_the_page_did(visitor: Visitor, table: Path) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    visitor.page.get_by_text("The same from a program").click()
    curl, python = visitor.page.locator("pre").all_inner_texts()
    said = subprocess.run(
        ["bash", "-euc", curl], cwd=table.parent, capture_output=True, text=True, check=True
    ).stdout
    assert f'"filename": "{table.name}"' in said
    assert '"verdict": "clear"' in said
    compile(python, "lines", "exec")
    assert f'client.upload("{table.name}")' in python
