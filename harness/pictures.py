"""The pictures of the documentation, of a service that is started for them: `make pictures`."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator

from harness import PROJECT
from harness.browser import chromium
from harness.documents import Example, examples
from harness.reader import Reader
from harness.service.running import Service, serving
from harness.visitor import visiting

DOCS = PROJECT / "docs"
PAGE = {"width": 1280, "height": 900}
REPORT = {"width": 900, "height": 1000}


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as clone,
        serving(Path(folder)) as service,
        chromium() as browser,
    ):
        _page(browser, service)
        reader = Reader(Path(clone), service)
        with _report(browser, reader, DOCS / "tutorial.md", "customers") as report:
            report.evaluate("it => it.scrollIntoView()")
            report.page.screenshot(path=DOCS / "pictures/report.png")
        with _report(browser, reader, DOCS / "explanation/k-means.md", "crescents") as report:
            report.screenshot(path=DOCS / "pictures/crescents.png")


def _page(browser: Browser, service: Service) -> None:
    """The web page with its example, and what it says of a point."""
    with visiting(browser, service.url, viewport=PAGE) as visitor:
        visitor.opens()
        visitor.page.get_by_role("button", name=re.compile("example")).click()
        visitor.sees_clusters(5)
        visitor.page.locator(".sentence:not(.coming)").first.wait_for()
        picture: Locator = visitor.page.locator("#picture")
        picture.focus()
        for _ in range(2):
            picture.press("ArrowRight")
        visitor.page.locator(".tip").wait_for()
        visitor.page.evaluate("scrollTo(0, 76)")
        visitor.page.screenshot(path=DOCS / "page.png")


@contextmanager
def _report(browser: Browser, reader: Reader, page: Path, name: str) -> Iterator[Locator]:
    """The picture in the report that the page's own commands write."""
    reader.reads(_up_to_the_report(examples(page.read_text()), name))
    tab = browser.new_page(viewport=REPORT)  # type: ignore[arg-type]
    tab.goto((reader.folder / f"{name}.report.html").as_uri())
    yield tab.locator("svg").first
    tab.close()


def _up_to_the_report(told: list[Example], name: str) -> list[Example]:
    writes = re.compile(rf"^kmeans \S*{name}\.csv", re.M)
    last = next(place for place, example in enumerate(told) if writes.search(example.code))
    return told[: last + 1]


if __name__ == "__main__":
    main()
