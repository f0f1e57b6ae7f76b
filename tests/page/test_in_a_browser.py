"""The whole way of somebody with a file, in a real browser."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page, Route, expect

from harness.browser import PATIENCE
from harness.service.closed import Closed
from harness.service.running import Service
from harness.visitor import Visitor, visiting

pytestmark = pytest.mark.services
# Three clusters that anybody sees, an identifier, a text, and a missing cell.
ROWS = [
    f"{100 + i},{'ab'[i % 2]},{x + i % 7},{'' if i == 4 else y + i % 11}"
    for i, (x, y) in enumerate([(0, 0), (50, 45), (0, 90)] * 6)
]
TABLE = "\n".join(["id,letter,width,height", *ROWS, ""])
CENTERS = list(enumerate([(0, 0), (500, 0), (0, 900)] * 120_000))
HTML = "<img src=x onerror=alert(1)>"
LOOKS = [
    {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    for width in (360, 1440)
    for scheme in ("light", "dark")
]


@pytest.fixture
def visitor(browser: Browser, service: Service) -> Iterator[Visitor]:
    with visiting(browser, service.url) as visitor:
        yield visitor
        assert [text for text in visitor.said if "Content Security Policy" in text] == []


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A file of a name of its own: the same one again would be the same job, as it was left."""
    file = tmp_path / f"{tmp_path.name}.csv"
    file.write_text(TABLE)
    return file


def gives_number(page: Page, number: int) -> None:
    page.get_by_label("Number of clusters").select_option("a number")
    page.get_by_label("How many", exact=True).fill(str(number))


def test_the_example_is_a_click_away_from_its_picture(visitor: Visitor) -> None:
    visitor.opens()
    visitor.page.get_by_role("button", name="Try it with an example").click()
    visitor.sees_clusters(5)
    assert {urlsplit(url).netloc for url in visitor.asked if url.startswith("http")} == {
        urlsplit(visitor.url).netloc
    }


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


def test_each_cluster_says_what_it_is(visitor: Visitor, table: Path) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    sentences = visitor.page.locator(".sentence:not(.coming)")
    expect(sentences).to_have_count(3, timeout=PATIENCE)
    expect(sentences.nth(2)).to_contain_text("higher width")
    visitor.page.locator(".cluster-name").nth(2).click()
    expect(visitor.page.locator(".cluster.chosen .rule").first).to_contain_text("width above")


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
    gives_number(page, 2)
    page.get_by_role("button", name="Find them again").click()
    visitor.sees_clusters(2)
    expect(page.locator(".apart dt").first).to_have_text("width")


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
    job = re.compile(r"/jobs/\d+$")

    def searching(route: Route) -> None:
        known = route.fetch().json()
        progress = {"stage": "CHOOSING", "n_clusters": 4}
        route.fulfill(json=known | {"status": "RUNNING", "progress": progress})

    visitor.context.route(job, searching)
    visitor.page.reload()
    work = visitor.page.locator(".work")
    expect(work).to_contain_text("Finding how many clusters there are", timeout=PATIENCE)
    expect(work).to_contain_text("trying 4 clusters")
    assert visitor.is_shut_out() == []
    visitor.context.unroute(job)
    visitor.sees_clusters(3)


def test_clusters_of_rows_too_few_to_halve_are_not_called_different_ones(
    visitor: Visitor, tmp_path: Path
) -> None:
    """Eighteen rows fall into ten clusters here, and a half has nine rows."""
    file = tmp_path / "few.csv"
    places = enumerate([(0, 0), (50, 45), (0, 90)] * 6)
    file.write_text("x,y\n" + "".join(f"{x + i % 5},{y + i % 7}\n" for i, (x, y) in places))
    visitor.opens()
    visitor.gives(file)
    visitor.sees_clusters(10)
    expect(visitor.page.locator(".verdict")).to_contain_text("too few to say")


def test_rows_without_clusters_are_said_to_have_none(visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "even.csv"
    draw = random.Random(7)
    cells = "".join(f"{draw.random():.4f},{draw.random():.4f}\n" for _ in range(300))
    file.write_text(f"width,height\n{cells}")
    visitor.opens()
    visitor.gives(file)
    expect(visitor.page.locator(".verdict")).to_contain_text(
        "There seem to be no clusters", timeout=PATIENCE
    )


def test_a_number_that_is_given_is_taken_and_nothing_is_found_then(
    visitor: Visitor, table: Path
) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    page = visitor.page
    page.get_by_label("Number of clusters").select_option("a number")
    expect(page.get_by_label("How many", exact=True)).to_have_value("3")
    gives_number(page, 4)
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
    expect(page.locator(".verdict")).to_have_count(0, timeout=PATIENCE)
    visitor.sees_clusters(3)


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


def test_every_point_is_reached_by_keys_and_told(visitor: Visitor, table: Path) -> None:
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    picture = visitor.page.locator("#picture")
    picture.focus()
    picture.press("ArrowRight")
    expect(visitor.page.get_by_role("status")).to_contain_text("Row ")
    expect(visitor.page.locator(".tip")).to_be_visible()
    picture.press("Escape")
    expect(visitor.page.locator(".tip")).to_have_count(0)


def test_a_second_file_is_seen_in_the_same_picture(
    visitor: Visitor, table: Path, tmp_path: Path
) -> None:
    points = tmp_path / "more.csv"
    points.write_text("id,letter,width,height\n1,a,50,1\n2,b,1,89\n")
    visitor.opens()
    visitor.gives(table)
    visitor.sees_clusters(3)
    visitor.page.locator("input[data-use=predict]").set_input_files(points)
    expect(visitor.page.locator(".predict")).to_contain_text("2 rows predicted", timeout=PATIENCE)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """More than a request may carry."""
    file = tmp_path / f"{tmp_path.name}-large.csv"
    rows = "".join(f"{x + i % 7 / 10},{y + i % 11 / 10},0.{i % 5}25\n" for i, (x, y) in CENTERS)
    file.write_text(f"width,height,depth\n{rows}")
    assert file.stat().st_size > 4_500_000
    return file


def test_a_large_file_goes_to_the_bucket_and_goes_on_where_the_network_broke(
    visitor: Visitor, large: Path
) -> None:
    tries: list[str] = []

    def broken_twice(route: Route) -> None:
        tries.append(route.request.url)
        if len(tries) <= 2:
            route.abort("connectionreset")
        else:
            route.continue_()

    visitor.context.route(lambda url: "partNumber" in url, broken_twice)
    visitor.opens()
    visitor.gives(large)
    expect(visitor.page.locator(".work")).to_contain_text("trying again", timeout=PATIENCE)
    visitor.sees_clusters(3)
    assert len(tries) > 2
    assert {urlsplit(url).netloc for url in tries} != {urlsplit(visitor.url).netloc}


def test_an_upload_that_is_cancelled_leaves_nothing_that_waits(
    visitor: Visitor, service: Service, large: Path
) -> None:
    visitor.context.route(lambda url: "partNumber" in url, lambda _route: None)  # it hangs
    visitor.opens()
    visitor.gives(large)
    work = visitor.page.locator(".work")
    expect(work.get_by_role("progressbar")).to_have_attribute("max", "1", timeout=PATIENCE)
    with visitor.page.expect_response(lambda answer: answer.request.method == "DELETE") as given_up:
        work.get_by_role("button", name="Cancel").click()
    assert given_up.value.status == 204
    expect(visitor.page.get_by_text("Drop a file here")).to_be_visible()
    [job] = [
        job
        for job in requests.get(f"{service.url}/jobs", timeout=60).json()["jobs"]
        if job["filename"] == large.name
    ]
    assert job["status"] == "FAILED"


def test_rows_of_a_file_that_is_no_text_are_seen_and_its_outliers_are_marked(
    visitor: Visitor, tmp_path: Path
) -> None:
    file = tmp_path / "shapes.jsonl"
    file.write_text(
        "".join(f'{{"x": {x + i % 7}, "y": {y + i % 11}}}\n' for i, (x, y) in CENTERS[:60])
    )
    visitor.opens()
    visitor.gives(file)
    visitor.sees_clusters(3)
    page = visitor.page
    expect(page.get_by_role("heading", name="First rows")).to_be_visible(timeout=PATIENCE)
    page.get_by_label("Mark outliers").check()
    page.locator("#picture").focus()
    page.locator("#picture").press("ArrowUp")
    expect(page.locator(".tip")).to_contain_text("distance to the center", timeout=PATIENCE)


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
        expect(page.get_by_role("button", name=f"Rename {new}")).to_be_visible(timeout=PATIENCE)
    page.reload()
    visitor.sees_clusters(3)
    expect(page.locator(".cluster-name").first).to_contain_text("Small ones")
    expect(page.locator("h1")).to_have_text("All shapes")


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
