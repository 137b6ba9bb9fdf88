"""A browser page with checks for other origins, console errors and policy violations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (4\d\d|503)")
"""Chromium's message for an expected error response, e.g. 400 for a wrong postcode."""


class Watch:
    """Collects forbidden actions of a page.

    Parameters
    ----------
    context
        All its pages are checked, including popups.
    origin
        The only allowed origin.
    """

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.origin = origin
        self.faults: list[str] = []
        self.requests: list[Request] = []
        self.may_fail = False
        """Set by a test in which the server refuses or is not there on purpose."""
        context.on("request", self._on_request)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.faults.append(f"script error: {error.error}"))

    def _on_request(self, request: Request) -> None:
        self.requests.append(request)
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "about") and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.faults.append(f"request to another origin: {request.url}")

    def _on_console(self, message: ConsoleMessage) -> None:
        # A broken Content-Security-Policy is an error here too, inline scripts and styles among them.
        if message.type not in ("error", "warning"):
            return
        if self.may_fail and (_REFUSED.search(message.text) or "net::ERR_" in message.text):
            return
        self.faults.append(f"console {message.type}: {message.text}")

    def urls(self) -> list[str]:
        """Return the address of every request so far."""
        return [request.url for request in self.requests]


def violations(page: Page) -> list[str]:
    """Return axe-core's findings for the current page, WCAG 2.2 AA and best practices; empty if there are none."""
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found: dict[str, Any] = page.evaluate("tags => axe.run(document, {runOnly: tags})", tags)
    return [
        f"{item['id']} ({item['impact']}): {item['help']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for item in found["violations"]
        for node in item["nodes"]
    ]
