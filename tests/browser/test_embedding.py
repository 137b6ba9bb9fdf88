"""The finder inside the page of another origin."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask import Response
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from tests.browser.served import Quiet, Served


class Host:
    """Another website's server: another port is another origin."""

    def __init__(self) -> None:
        self.page = ""
        self.policy = ""
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = {"Content-Security-Policy": self.policy}
        return Response(self.page, content_type="text/html; charset=utf-8", headers=headers)(environ, start_response)

    def hold(self, service: Served, element: str) -> None:
        """Serve a page with the element, with its own strict policy."""
        self.policy = f"default-src 'none'; script-src {service.origin}; frame-src {service.origin}"
        script = f'<script src="{service.origin}/embed.js" defer></script>'
        self.page = f'<!doctype html><html lang="en"><title>Host</title>{script}{element}</html>'

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def host() -> Iterator[Host]:
    server = Host()
    yield server
    server.close()


@pytest.fixture
def hospitable(tmp_path: Path, host: Host) -> Iterator[Served]:
    """A service that lets the host's pages show its finder."""
    service = Served(tmp_path, frame_ancestors=host.origin)
    yield service
    service.close()


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Page]:
    """A blank page without checks, because it may send requests to both origins."""
    context = chromium.new_context(locale="en-US")
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def test_element_shows_the_finder_in_its_language_and_grows_with_the_answer(
    host: Host, hospitable: Served, visitor: Page
) -> None:
    host.hold(hospitable, '<sitematch-finder study="NCT06064929" lang="de" country="EE"></sitematch-finder>')
    visitor.goto(host.origin)
    frame = visitor.frame_locator("iframe")
    expect(frame.locator("h1")).to_have_text("Eine Klinik in Ihrer Nähe finden")
    before = visitor.locator("iframe").bounding_box()

    frame.locator("#place").fill("Tallinn")
    frame.locator(".search-go").click()

    expect(frame.locator(".clinic").first).to_contain_text("Innomedica")
    expect(frame.locator("html")).to_have_attribute("lang", "de")
    visitor.wait_for_function(
        "before => document.querySelector('sitematch-finder').shadowRoot.querySelector('iframe').clientHeight > before",
        arg=before["height"] if before else None,
    )
    assert frame.locator("html").evaluate("root => root.scrollHeight - root.clientHeight") <= 1


def test_the_page_around_learns_nothing_but_the_height(host: Host, hospitable: Served, visitor: Page) -> None:
    visitor.add_init_script("window.heard = []; addEventListener('message', event => heard.push(event.data))")
    host.hold(hospitable, '<sitematch-finder country="US"></sitematch-finder>')
    visitor.goto(host.origin)
    frame = visitor.frame_locator("iframe")
    frame.locator("#place").fill("33180")
    frame.locator(".search-go").click()
    expect(frame.locator(".clinic").first).to_be_visible()

    heard = visitor.evaluate("heard")

    assert heard
    assert {tuple(message) for message in heard} == {("sitematchHeight",)}


def test_frame_is_refused_without_permission(host: Host, served: Served, visitor: Page) -> None:
    refused: list[str] = []
    visitor.on("console", lambda message: refused.append(message.text))

    host.hold(served, "<sitematch-finder></sitematch-finder>")
    visitor.goto(host.origin)

    expect(visitor.frame_locator("iframe").locator("#search")).to_have_count(0)
    assert any("frame-ancestors" in text for text in refused)


def test_script_of_a_listed_origin_gets_matches_and_that_of_another_does_not(
    host: Host, tmp_path: Path, visitor: Page
) -> None:
    ask = """async (address) => {
      const body = JSON.stringify({postcode: "33180", country: "US", limit: 1});
      try {
        const answer = await fetch(address + "/v1/matches", {method: "POST", headers: {"Content-Type": "application/json"}, body});
        return (await answer.json()).matches.length;
      } catch (error) { return "refused"; }
    }"""
    host.page, host.policy = "<!doctype html><title>Host</title>", ""
    for name, origins, expected in (("open", (host.origin,), 1), ("closed", ("https://elsewhere.example",), "refused")):
        service = Served(tmp_path / name, cors_origins=origins)
        try:
            visitor.goto(host.origin)
            assert visitor.evaluate(ask, service.origin) == expected
        finally:
            service.close()
