"""A report opened from disk in a real browser, in both themes, wide and narrow, and printed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from sklearn.datasets import load_wine

from harness.browser import chromium
from harness.explaining.fits import fit_of
from harness.explaining.reports import HOSTILE, content_of
from harness.visitor import visiting
from kmeans_service.explaining.report.page import page

pytestmark = pytest.mark.services
LOOKS = [
    {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    for width in (360, 1440)
    for scheme in ("light", "dark")
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = load_wine()
    names = [HOSTILE, *data.feature_names[1:]]
    fit = fit_of(data.data, names, None, 3, scaling="standard")
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(page(content_of(fit, HOSTILE, HOSTILE)), encoding="utf-8")
    return file


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_anybody_can_read_a_report_from_disk(
    browser: Browser, file: Path, look: dict[str, Any]
) -> None:
    with visiting(browser, file.parent.as_uri(), **look) as visitor:
        visitor.opens(file.name)
        assert visitor.is_shut_out() == []
        assert not visitor.scrolls_sideways()
        assert visitor.said == []
        assert visitor.asked == [file.as_uri()]
        marks = visitor.page.locator("figure svg path.mark").first
        assert marks.evaluate("mark => getComputedStyle(mark).fill") != "rgb(0, 0, 0)"


def test_a_report_is_printed_in_dark_ink_whatever_the_theme(browser: Browser, file: Path) -> None:
    with visiting(browser, file.parent.as_uri(), color_scheme="dark") as visitor:
        visitor.opens(file.name)
        visitor.page.emulate_media(media="print", color_scheme="dark")
        ink = visitor.page.locator("h1").evaluate("title => getComputedStyle(title).color")
        assert ink == "rgb(26, 28, 32)"
        assert visitor.page.pdf(format="A4").startswith(b"%PDF")
