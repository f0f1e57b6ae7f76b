"""The README's picture of the web page, of a service that is started for it: `make picture`."""

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Locator

from harness.browser import chromium
from harness.service.running import serving
from harness.visitor import Visitor, visiting

SIZE = {"width": 1280, "height": 900}


def main(file: str) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as service,
        chromium() as browser,
        visiting(browser, service.url, viewport=SIZE) as visitor,
    ):
        _example(visitor)
        visitor.page.screenshot(path=file)


def _example(visitor: Visitor) -> None:
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


if __name__ == "__main__":
    main(sys.argv[1])
