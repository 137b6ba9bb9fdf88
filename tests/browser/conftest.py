"""A real Chromium with the real service."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.served import Served
from tests.browser.watched import Watch
from tools.browser import get_chromium
from tools.node import get_node

FLAGS = [
    # In a container, and as root, Chromium's own sandbox cannot start.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    # It must not send requests by itself.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]


@contextmanager
def started_chromium() -> Iterator[Browser]:
    """Start the Chromium of `tools.browser`."""
    chromium = get_chromium()
    # Playwright's own Node.js needs a library that a minimal system lacks.
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = get_node().node
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.path, env={**os.environ, **chromium.environment}, args=FLAGS
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser; without one the tests fail instead of skipping."""
    with started_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A new installation; a test that changes shared data creates its own."""
    service = Served(tmp_path_factory.mktemp("served"))
    yield service
    service.close()


OpenPage = Callable[..., Page]


@pytest.fixture
def watches() -> list[Watch]:
    """The watch of every context of the test."""
    return []


@pytest.fixture
def open_page(chromium: Browser, served: Served, watches: list[Watch]) -> Iterator[OpenPage]:
    """Open pages as the options of a Playwright context say (viewport, locale, color_scheme, …), each on its own.

    A page starts blank, with the service as its base; any forbidden action fails the test at its end.
    """
    contexts: list[BrowserContext] = []

    def open_one(service: Served = served, **options: Any) -> Page:
        context = chromium.new_context(base_url=service.origin, **{"locale": "en-US", **options})
        contexts.append(context)
        context.set_default_timeout(20_000)
        watches.append(Watch(context, service.origin))
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()
    faults = [fault for watch in watches for fault in watch.faults]
    assert not faults, "\n".join(faults)


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A page of a desktop's size."""
    return open_page(viewport={"width": 1280, "height": 900})
