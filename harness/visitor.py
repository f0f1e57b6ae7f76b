"""Somebody who uses the page: opens it, gives it files, looks; and what axe says of it."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from re import Pattern
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from harness import PROJECT
from harness.browser import PATIENCE

AXE = "harness/axe/node_modules"
RUN = """axe.run().then(found => JSON.stringify(found.violations.map(
    ({id, impact, nodes}) => [id, impact, nodes.map(({html}) => html)])))"""


@cache
def axe() -> str:
    subprocess.run(
        ["make", f"{AXE}/.installed"], cwd=PROJECT, check=True, stdout=subprocess.DEVNULL
    )
    return (PROJECT / AXE / "axe-core" / "axe.min.js").read_text()


class Visitor:
    """One tab, of which everything that it logs, throws and asks other hosts for is kept."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = f"{url}/"
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.context = context
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def opens(self, address: str = "") -> None:
        self.page.goto(f"{self.url}{address}")
        expect(self.page.locator("main")).to_be_visible()

    def gives(self, file: Path) -> None:
        self.page.locator("input[data-use=take]").set_input_files(file)

    def gives_number(self, number: int) -> None:
        self.page.get_by_label("Number of clusters").select_option("a number")
        self.page.get_by_label("How many", exact=True).fill(str(number))

    def sees_clusters(self, count: int) -> None:
        expect(self.page.locator(".cluster")).to_have_count(count)
        expect(self.page.locator("#picture")).to_be_visible()

    @contextmanager
    def unanswered(self, asked: str | Pattern[str]) -> Iterator[None]:
        """What is asked of this address waits. At the end it goes through, if the page still waits
        for it: what is to happen without an answer belongs inside."""
        self.context.route(asked, lambda _route: None)
        yield
        self.context.unroute(asked)

    def is_shut_out(self) -> list[Any]:
        """What axe finds wrong, run where neither the page nor its policy sees it."""
        devtools = self.context.new_cdp_session(self.page)
        frame = devtools.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = devtools.send("Page.createIsolatedWorld", {"frameId": frame})
        place = {"contextId": world["executionContextId"], "returnByValue": True}
        devtools.send("Runtime.evaluate", {"expression": axe(), **place})
        run = {"expression": RUN, "awaitPromise": True, **place}
        found = devtools.send("Runtime.evaluate", run)["result"]["value"]
        devtools.detach()
        wrong: list[Any] = json.loads(found)
        return wrong

    def scrolls_sideways(self) -> bool:
        wide: bool = self.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        return wide


@contextmanager
def visiting(browser: Browser, url: str, **settings: Any) -> Iterator[Visitor]:
    context = browser.new_context(**{"locale": "en-US", **settings})
    visitor = Visitor(context, url)
    yield visitor
    context.close()
