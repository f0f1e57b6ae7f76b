"""The web page in a real browser, beside a service that was just started: what somebody waits for.

    python -m bench.page

Seconds are the wall's, of the whole machine, on which the browser works as well; of what everybody
waits for first the service's CPU time as well, which other work on the machine leaves as it is.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Page, Route

from bench import points
from bench.goals import Found
from bench.measure import spread
from bench.report import Goal, Table
from bench.scale import FULL, Scale
from harness.browser import NAMES, chromium
from harness.lighthouse_scores import scores
from harness.processes import seconds_of_sessions
from harness.service.running import Service, serving
from harness.visitor import Visitor, visiting

BEST = 95  # of each of Lighthouse's categories
CLUSTERS = 5
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
MIDDLE = """() => {
    const { x, y, width, height } = document.getElementById("picture").getBoundingClientRect();
    return [x + width / 2, y + height / 2];
}"""
FRAMES = """() => {
    let last = performance.now();
    globalThis.longest = 0;
    const frame = (now) => {
        globalThis.longest = Math.max(globalThis.longest, now - last);
        last = now;
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
}"""
type Measured = dict[str, list[float]]
WHAT = {
    "cold paint": ("first paint after the service was started", None),
    "paint": ("first paint", 1.0),
    "example": ("from the click on the example to its picture, after a start", 3.0),
    "example cpu": ("CPU time of the whole service for that", None),
    "given": (f"from drop to picture, {CLUSTERS} clusters asked for", 5.0),
    "found": ("from drop to picture, their number found", None),
    "frame": ("longest frame while the picture is moved", 0.1),
}


def page(scale: Scale, folder: Path) -> Found:
    given = points.write(folder, *scale.page)
    if not any(map(shutil.which, NAMES)):
        return [Goal("the web page", "see above", "no Chromium is here", None)], []
    found: Measured = {name: [] for name in WHAT}
    best: dict[str, float] = {}
    for number in range(scale.rounds):
        home = folder / f"page{number}"
        home.mkdir()
        with serving(home) as service:
            _round(service, given.path, found, scale.moves)
            if scale is FULL and not best:
                best = scores(f"{service.url}/", home)
    goals = [_goal(name, found[name], most) for name, (_, most) in WHAT.items() if most]
    goals += [
        Goal(f"Lighthouse: {name}", f"≥ {BEST}", f"{100 * score:.0f}", 100 * score >= BEST)
        for name, score in best.items()
    ]
    rows = [(what, spread(found[name], 2)) for name, (what, _) in WHAT.items()]
    note = f"In Chromium without a GPU; the file dropped has {given.name}."
    return goals, [Table("The web page", ("what", "seconds"), rows, note)]


def _goal(name: str, values: list[float], most: float) -> Goal:
    what = f"web page: {WHAT[name][0]}"
    return Goal(what, f"≤ {most:g} s", f"{spread(values, 2)} s", median(values) <= most)


def _round(service: Service, file: Path, found: Measured, moves: int) -> None:
    """A service and a browser that were just started, and then one visitor after the other."""
    with chromium() as browser:
        with visiting(browser, service.url) as visitor:
            found["cold paint"].append(_paint(visitor))
            press = visitor.page.get_by_role("button", name="Try it with an example").click
            before = seconds_of_sessions(service.sessions())
            found["example"].append(_until_picture(visitor, press))
            found["example cpu"].append(seconds_of_sessions(service.sessions()) - before)
        with visiting(browser, service.url) as visitor:
            found["paint"].append(_paint(visitor))
            visitor.context.route("**/kmeans/fit", _asks_for_clusters)
            found["given"].append(_until_picture(visitor, lambda: visitor.gives(file)))
            found["frame"].append(_longest_frame(visitor.page, moves))
        other = file.with_name("other.csv")  # the same again would be the same job
        other.write_bytes(file.read_bytes())
        with visiting(browser, service.url) as visitor:
            visitor.opens()
            found["found"].append(_until_picture(visitor, lambda: visitor.gives(other)))


def _paint(visitor: Visitor) -> float:
    visitor.opens()
    while (painted := visitor.page.evaluate(PAINTED)) is None:
        visitor.page.wait_for_timeout(20)
    return float(painted) / 1000


def _until_picture(visitor: Visitor, begin: Callable[[], None]) -> float:
    before = time.perf_counter()
    begin()
    visitor.page.locator("#picture").wait_for()
    visitor.page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    return time.perf_counter() - before


def _asks_for_clusters(route: Route) -> None:
    """Of a file that is dropped, the page itself asks for their number first."""
    asked: Any = route.request.post_data_json
    asked["model_params"]["n_clusters"] = CLUSTERS
    route.continue_(post_data=json.dumps(asked))


def _longest_frame(page: Page, moves: int) -> float:
    """While the picture is dragged to and fro."""
    page.locator(".sentence:not(.coming)").first.wait_for()
    page.locator("#picture").hover()
    x, y = page.evaluate(MIDDLE)
    page.mouse.down()
    page.evaluate(FRAMES)
    for step in range(moves):
        page.mouse.move(x + 60 - abs(step % 120 - 60), y + step % 60)
    page.mouse.up()
    return float(page.evaluate("longest")) / 1000


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        goals, [table] = page(FULL, Path(name))
    for goal in goals:
        print(f"{goal.measured:>20}  {goal.goal:>8}  {goal.what}")
    for what, seconds in table.rows:
        print(f"{seconds:>20}  {what}")
