"""The page of running services, open and closed, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from harness.browser import chromium
from harness.service.closed import Closed, running
from harness.service.running import Service, serving


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
