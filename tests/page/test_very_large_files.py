"""A file of 300 MB by the page: sent a part at a time, broken off, taken up again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from harness.browser import PATIENCE
from harness.data.dropped import numbers
from harness.service.running import Service
from harness.visitor import Visitor

pytestmark = [pytest.mark.services, pytest.mark.soak]
SIZE = 300_000_000
PART = 16 * 1024**2
LONG = 20 * PATIENCE


@pytest.fixture
def huge(tmp_path: Path) -> Iterator[Path]:
    """Rows of much text, so that they are sent for longer than they are computed."""
    file = tmp_path / "huge.csv"
    head, _, rows = numbers(30_000, "x" * 500).partition("\n")
    with file.open("w") as written:
        written.write(f"{head}\n")
        while written.tell() < SIZE:
            written.write(rows)
    yield file
    file.unlink()


def shown(page: Page) -> float:
    """Bytes that the page says have gone."""
    bar = page.locator(".work").get_by_role("progressbar")
    return float(bar.evaluate("bar => bar.value")) * SIZE


def jobs(service: Service, status: str) -> list[Any]:
    found = requests.get(f"{service.url}/jobs?status={status}", timeout=60).json()["jobs"]
    return list(found)


def memory_of_tabs(browser: Browser) -> int:
    """The most that any process of a page has ever held."""
    devtools = browser.new_browser_cdp_session()
    processes = devtools.send("SystemInfo.getProcessInfo")["processInfo"]
    devtools.detach()
    status = [
        Path(f"/proc/{each['id']}/status").read_text()
        for each in processes
        if each["type"] == "renderer"
    ]
    return max(int(text.partition("VmHWM:")[2].split()[0]) * 1024 for text in status)


def test_a_file_of_300_mb_is_sent_in_parts_broken_off_and_taken_up_again(
    visitor: Visitor, service: Service, browser: Browser, huge: Path
) -> None:
    page, sent = visitor.page, []
    visitor.context.on(
        "requestfinished",
        lambda request: sent.append(request.url) if "partNumber" in request.url else None,
    )
    visitor.opens()
    held = memory_of_tabs(browser)
    visitor.gives(huge)
    expect(page.locator(".work")).to_contain_text("/s")
    while len(sent) < 3:
        page.wait_for_timeout(50)
    visitor.context.set_offline(True)
    expect(page.locator(".work")).to_contain_text("trying again")
    visitor.context.set_offline(False)
    while len(sent) < 6:
        page.wait_for_timeout(50)
    page.reload()
    [job] = jobs(service, "PENDING")
    come = requests.get(f"{service.url}/uploads/{job['job_id']}", timeout=60).json()["received"]
    card = page.locator(".predict")
    expect(card).to_contain_text("Choose “huge.csv” again to go on")
    visitor.gives(huge)
    expect(page.locator(".work").get_by_role("progressbar")).to_have_attribute("max", "1")
    assert abs(shown(page) - come) < 2 * PART
    expect(page.locator(".cluster").first).to_be_visible(timeout=LONG)
    parts = -(-SIZE // PART)
    assert parts <= len(sent) <= parts + 2  # what had come was not sent again
    assert memory_of_tabs(browser) - held < SIZE / 2
    assert jobs(service, "RUNNING") == jobs(service, "PENDING") == []
    expect(page.locator(".picture")).to_contain_text("rows are drawn", timeout=LONG)


def test_a_file_of_300_mb_that_is_cancelled_leaves_nothing(
    visitor: Visitor, service: Service, huge: Path
) -> None:
    visitor.opens()
    visitor.gives(huge)
    expect(visitor.page.locator(".work")).to_contain_text("/s")
    with visitor.page.expect_response(
        lambda answer: answer.request.method == "DELETE" and "/jobs/" in answer.url
    ):
        visitor.page.get_by_role("button", name="Cancel").click()
    expect(visitor.page.get_by_text("Drop a file here")).to_be_visible()
    assert jobs(service, "PENDING") == jobs(service, "FAILED") == []
