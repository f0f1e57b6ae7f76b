"""Files that go to the bucket, which is another origin than the page's."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Locator, Route, expect

from harness.browser import PATIENCE
from harness.data.dropped import numbers
from harness.service.running import Service
from harness.visitor import Visitor

pytestmark = pytest.mark.services
IS_PART = re.compile("partNumber")


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

    visitor.context.route(IS_PART, broken_twice)
    visitor.opens()
    visitor.gives(large)
    expect(visitor.page.locator(".work")).to_contain_text("trying again")
    visitor.sees_clusters(3)
    assert len(tries) > 2
    assert {urlsplit(url).netloc for url in tries} != {urlsplit(visitor.url).netloc}


def names(service: Service) -> list[str]:
    jobs = requests.get(f"{service.url}/jobs", timeout=60).json()["jobs"]
    return [job["filename"] for job in jobs]


def hangs(visitor: Visitor) -> Locator:
    """Once the upload has begun: what the page shows of it."""
    work = visitor.page.locator(".work")
    expect(work.get_by_role("progressbar")).to_have_attribute("max", "1")
    return work


def test_an_upload_that_is_cancelled_leaves_nothing(
    visitor: Visitor, service: Service, large: Path
) -> None:
    visitor.context.route(IS_PART, lambda _route: None)
    visitor.opens()
    visitor.gives(large)
    work = hangs(visitor)
    assert large.name in names(service)
    with visitor.page.expect_response(
        lambda answer: answer.request.method == "DELETE" and "/jobs/" in answer.url
    ) as removed:
        work.get_by_role("button", name="Cancel").click()
    assert removed.value.status == 204
    expect(visitor.page.get_by_text("Drop a file here")).to_be_visible()
    assert large.name not in names(service)
    assert visitor.page.evaluate("[location.hash, sessionStorage.length]") == ["", 0]


def test_an_upload_goes_on_after_the_page_was_loaded_anew(visitor: Visitor, large: Path) -> None:
    visitor.opens()
    with visitor.unanswered(IS_PART):
        visitor.gives(large)
        hangs(visitor)
        address = visitor.page.url
        visitor.page.reload()
        card = visitor.page.locator(".predict")
        expect(card).to_contain_text(f"Choose “{large.name}” again to go on")
        assert visitor.is_shut_out() == []
    visitor.gives(large)
    visitor.sees_clusters(3)
    assert visitor.page.url == address


def test_an_upload_that_is_not_wanted_any_more_is_given_up(
    visitor: Visitor, service: Service, large: Path
) -> None:
    visitor.context.route(IS_PART, lambda _route: None)
    visitor.opens()
    visitor.gives(large)
    hangs(visitor)
    visitor.page.reload()
    visitor.page.get_by_role("button", name="Give it up").click()
    expect(visitor.page.get_by_text("Drop a file here")).to_be_visible()
    assert large.name not in names(service)


def test_where_the_service_was_not_reached_the_same_is_tried_again(
    visitor: Visitor, table: Path
) -> None:
    fit = re.compile(r"/kmeans/fit$")
    visitor.context.route(fit, lambda route: route.abort("connectionrefused"))
    visitor.opens()
    visitor.gives(table)
    expect(visitor.page.get_by_role("alert")).to_contain_text("The service cannot be reached")
    assert visitor.is_shut_out() == []
    visitor.context.unroute(fit)
    visitor.page.get_by_role("button", name="Try again").click()
    visitor.sees_clusters(3)


def test_what_only_asks_goes_on_by_itself_when_the_network_is_back(
    visitor: Visitor, table: Path
) -> None:
    tries: list[str] = []

    def broken_twice(route: Route) -> None:
        tries.append(route.request.url)
        if len(tries) <= 2:
            route.abort("internetdisconnected")
        else:
            route.continue_()

    visitor.context.route(re.compile(r"/columns$"), broken_twice)
    visitor.opens()
    visitor.gives(table)
    expect(visitor.page.locator(".work")).to_contain_text("trying again")
    visitor.sees_clusters(3)


def test_rows_of_a_large_file_come_from_the_bucket(visitor: Visitor, large: Path) -> None:
    visitor.opens()
    visitor.gives(large)
    visitor.sees_clusters(3)
    asked = len(visitor.asked)
    with visitor.page.expect_download(timeout=2 * PATIENCE) as saved:
        visitor.page.get_by_role("button", name="Rows with clusters").click()
    with Path(saved.value.path()).open() as rows:
        assert next(rows).startswith("width,height,depth,note,cluster,")
        assert sum(1 for _ in rows) == 24_000
    hosts = {urlsplit(url).netloc for url in visitor.asked[asked:] if url.startswith("http")}
    assert len(hosts) == 2


def test_a_large_second_file_goes_by_the_bucket_into_the_same_picture(
    visitor: Visitor, tmp_path: Path, large: Path
) -> None:
    file = tmp_path / "small.csv"
    file.write_text(numbers(60, "y"))
    visitor.opens()
    visitor.gives(file)
    visitor.sees_clusters(3)
    page = visitor.page
    page.locator("input[data-use=predict]").set_input_files(large)
    told = page.locator(".predict")
    expect(told).to_contain_text("24,000 rows predicted", timeout=2 * PATIENCE)
    expect(told).to_contain_text("5,000 of 24,000 rows are drawn")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save its rows with clusters").click()
    lines = Path(saved.value.path()).read_text().splitlines()
    assert lines[1].startswith("0.0,0.0,0.025,")
    labels = [line.split(",")[4] for line in lines[1:]]
    assert labels == labels[:3] * 8_000
