"""The page of running services, open and closed, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from harness.browser import chromium
from harness.data.dropped import TABLE, numbers
from harness.service.closed import Closed, running
from harness.service.running import Service, serving
from harness.visitor import Visitor, visiting


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Service]:  # noqa: ARG001 (no service where there is no browser)
    with serving(tmp_path_factory.mktemp("page")) as service:
        yield service


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Closed]:  # noqa: ARG001
    yield from running(tmp_path_factory.mktemp("closed-page"), "TOKEN")


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


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """More than a request may carry, and little to compute."""
    file = tmp_path / f"{tmp_path.name}-large.csv"
    file.write_text(numbers(24_000, "x" * 180))
    assert file.stat().st_size > 4_500_000
    return file
