"""The whole way of somebody with a file, in a real browser."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Route, expect

from harness.data.dropped import ROWS, TABLE
from harness.visitor import Visitor

pytestmark = pytest.mark.services
GIVEN = """([way, text]) => {
    const given = new DataTransfer();
    if (way === "paste") given.setData("text/plain", text);
    else given.items.add(new File([text], "dropped.csv"));
    const init = { bubbles: true, cancelable: true, clipboardData: given, dataTransfer: given };
    const event = way === "paste" ? new ClipboardEvent(way, init) : new DragEvent(way, init);
    document.body.dispatchEvent(event);
}"""
HTML = "<img src=x onerror=alert(1)>"


def test_the_example_is_a_click_away_from_its_picture(visitor: Visitor) -> None:
    visitor.opens()
    visitor.page.get_by_role("button", name="Try it with an example").click()
    visitor.sees_clusters(5)
    assert {urlsplit(url).netloc for url in visitor.asked if url.startswith("http")} == {
        urlsplit(visitor.url).netloc
    }


def test_no_function_is_asked_for_a_job_while_it_starts_for_the_page(
    visitor: Visitor, table: Path
) -> None:
    held: list[Route] = []
    visitor.page.route("**/jobs?limit=1", lambda route: held.append(route))
    visitor.opens()
    visitor.gives(table)
    visitor.page.wait_for_url("**/#job=*")  # it was uploaded
    visitor.page.evaluate("new Promise(requestAnimationFrame)")
    assert not [url for url in visitor.asked if re.search(r"/jobs/\d+$", url)]
    held[0].continue_()
    visitor.sees_clusters(3)


def test_a_file_becomes_columns_clusters_and_files_to_take_away(
    visitor: Visitor, table: Path
) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    page = visitor.page
    columns = page.locator("table.columns tbody tr")
    expect(columns).to_have_count(4)
    used = [row.locator("input").is_checked() for row in columns.all()]
    assert used == [False, False, True, True]
    expect(columns.nth(3).locator("td.right")).to_have_text("1")
    sizes = [text for text in page.locator(".cluster-name").all_inner_texts() if "6 rows" in text]
    assert len(sizes) == 3
    with page.expect_download() as saved:
        page.get_by_role("button", name="Rows with clusters").click()
    lines = Path(saved.value.path()).read_text().splitlines()
    assert lines[0].startswith("id,letter,width,height,cluster,")
    cells = [line.split(",") for line in lines[1:]]
    assert [",".join(row[:4]) for row in cells] == ROWS
    labels = [row[4] for row in cells]
    assert labels == labels[:3] * 6
    assert set(labels) == {"0", "1", "2"}
    for name in ("Report", "Labels", "Centers", "Model"):
        with page.expect_download() as saved:
            page.get_by_role("button", name=re.compile(f"^{name}")).click()
        assert Path(saved.value.path()).stat().st_size > 0


def test_of_rows_that_take_long_it_is_shown_how_far_they_are(visitor: Visitor, table: Path) -> None:
    """As a run elsewhere says it, which this service has not."""
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    said = {"status": "PENDING", "progress": {"stage": "MEASURING", "percent": 25, "cents": 7}}

    def making(route: Route) -> None:
        if said:
            route.fulfill(status=202, json=said)
        else:
            route.continue_()

    visitor.context.route(re.compile(r"/jobs/\d+/rows$"), making)
    page = visitor.page
    page.get_by_role("button", name="Rows with clusters").click()
    work = page.locator(".work")
    expect(work).to_contain_text("measuring distances · 25% · 7 cents so far")
    expect(work.get_by_role("progressbar")).to_have_js_property("value", 0.25)
    with page.expect_download() as saved:
        said.clear()  # it has ended
    assert Path(saved.value.path()).stat().st_size > 0


def test_of_a_dataset_nothing_is_asked_for_that_only_a_run_can_make(
    visitor: Visitor, table: Path
) -> None:
    """What a run makes costs: it is made for who wants the rows, not for who looks at the job."""
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    asked: list[str] = []

    def of_many_files(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | {"files": 3})

    visitor.context.route(re.compile(r"/jobs/\d+$"), of_many_files)
    visitor.page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    visitor.page.reload()
    visitor.sees_clusters(3)
    visitor.page.wait_for_load_state("networkidle")
    assert any(path.endswith("/clusters") for path in asked)
    last = {path.rpartition("/")[2] for path in asked}
    assert not last & {"rows", "projection", "input"}
    with visitor.page.expect_download() as saved:
        visitor.page.get_by_role("button", name="Rows with clusters").click()
    assert Path(saved.value.path()).stat().st_size > 0


def test_a_dataset_that_its_first_fit_still_reads_is_waited_for(
    visitor: Visitor, table: Path
) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    asked: list[str] = []
    progress = {"stage": "READING", "percent": 15}
    unread = {"job_id": 0, "filename": "nightly", "files": 3, "status": "RUNNING"}
    said = unread | {"progress": progress, "links": {}}

    def reading(route: Route) -> None:
        route.fulfill(json=said or route.fetch().json() | {"files": 3})

    visitor.context.route(re.compile(r"/jobs/\d+$"), reading)
    visitor.page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    visitor.page.reload()
    expect(visitor.page.locator(".work")).to_contain_text("reading the rows · 15%")
    assert not [path for path in asked if path.endswith("/columns")]
    said.clear()  # it has ended
    visitor.sees_clusters(3)


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_cells_are_pasted_and_files_dropped_anywhere(visitor: Visitor, way: str) -> None:
    """Cells as a spreadsheet of a German office copies them."""
    visitor.opens()
    visitor.page.evaluate(GIVEN, [way, TABLE.replace(",", "\t").replace(".", ",")])
    visitor.sees_clusters(3)
    name = {"paste": "pasted cells.csv", "drop": "dropped.csv"}[way]
    expect(visitor.page.locator("h1")).to_have_text(name)
    expect(visitor.page.locator("main")).to_contain_text("separated by tab")


def test_leaving_the_page_loses_nothing(visitor: Visitor, table: Path) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    visitor.page.reload()
    visitor.sees_clusters(3)
    visitor.opens("#jobs")
    visitor.page.get_by_role("link", name=table.name).click()
    visitor.sees_clusters(3)


def test_another_choice_of_columns_is_another_fit(visitor: Visitor, table: Path) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    page = visitor.page
    page.get_by_role("checkbox", name="Use height").uncheck()
    visitor.gives_number(2)
    page.get_by_role("button", name="Find them again").click()
    visitor.sees_clusters(2)
    expect(page.locator(".apart dt").first).to_have_text("width")


def test_names_and_cells_that_are_html_are_shown_as_they_are(
    visitor: Visitor, tmp_path: Path
) -> None:
    file = tmp_path / "<b>bold<b>.csv"
    cells = "\n".join(f"{i % 3 * 90 + i % 4},{i % 3 * 50 + i % 5}.5,<i>{i}</i>" for i in range(12))
    file.write_text(f"{HTML},<b>x</b>,text\n{cells}\n")
    visitor.opens()
    visitor.gives(file)
    visitor.sees_clusters(3)
    expect(visitor.page.locator("h1")).to_have_text("<b>bold<b>.csv")
    expect(visitor.page.locator("table.columns th[scope=row]").first).to_have_text(HTML)
    assert visitor.page.locator("main b, main i, main img").count() == 0


def test_names_of_a_job_and_of_its_clusters_stay(visitor: Visitor, table: Path) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    page = visitor.page
    for old, new in (("Cluster 0", "Small ones"), (table.name, "All shapes")):
        page.get_by_role("button", name=f"Rename {old}").click()
        field = page.get_by_role("textbox", name=f"Rename {old}")
        field.fill(new)
        field.press("Enter")
        expect(page.get_by_role("button", name=f"Rename {new}")).to_be_visible()
    page.reload()
    visitor.sees_clusters(3)
    expect(page.locator(".cluster-name").first).to_contain_text("Small ones")
    expect(page.locator("h1")).to_have_text("All shapes")


def test_a_job_is_deleted_after_one_question(visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "to be deleted.csv"
    file.write_text(TABLE)
    visitor.opens()
    visitor.gives(file)
    visitor.sees_clusters(3)
    visitor.opens("#jobs")
    page = visitor.page
    expect(page.locator(".usage")).to_contain_text(re.compile(r"\d+ jobs?; .+ of 54 GB"))
    page.get_by_label("Search by name").fill("TO BE")
    expect(page.locator(".job")).to_have_count(1)
    page.get_by_role("button", name="Delete to be deleted.csv").click()
    page.get_by_role("alert").get_by_role("button", name="Delete").click()
    expect(page.locator(".job")).to_have_count(0)
