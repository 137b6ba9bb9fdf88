"""``make screenshots``: every page and state as a picture, at a phone's and a desktop's size, in light and dark.

Run ``python -m tests.browser.screenshots [FOLDER] [PART OF A NAME …]``; without a part of a name, all are taken.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.conftest import started_chromium
from tests.browser.coordinators import ConsoleBrowser
from tests.browser.served import Served
from tests.browser.test_console import PAGES as CONSOLE_PAGES
from tests.browser.test_finder import ambiguous, answered, menu, nothing, offline, wrong

SIZES = {"phone": (390, 844), "desktop": (1440, 900)}
SCHEMES = ("light", "dark")
FINDER_STATES = {
    "answer": answered,
    "ambiguous": ambiguous,
    "wrong": wrong,
    "nothing": nothing,
    "offline": offline,
    "menu": menu,
}
LANGUAGES = ("es", "fr", "de", "pt", "ja", "zh-Hant", "he")


@dataclass(frozen=True, slots=True)
class Shot:
    """One screenshot: the page, the actions there, and the person or language."""

    name: str
    act: Callable[[Page], None]
    locale: str = "en-US"
    is_signed_in: bool = False


def shots() -> Iterator[Shot]:
    """Yield every page and state."""
    yield Shot("find", lambda page: _go(page, "/"))
    for name, state in FINDER_STATES.items():
        yield Shot(f"find-{name}", _on_the_finder(state))
    for tag in LANGUAGES:
        yield Shot(f"find-in-{tag}", _on_the_finder(answered), locale=tag)
    yield Shot("embedded", lambda page: _go(page, "/embed"))
    for path in ("/docs", "/problems", "/problems/invalid-postcode", "/no-such-page"):
        yield Shot(path.strip("/").replace("/", "-"), lambda page, path=path: _go(page, path))  # type: ignore[misc]
    for name, path in CONSOLE_PAGES.items():
        shown = f"console-{name.replace(', ', '-').replace(' ', '-')}"
        yield Shot(shown, lambda page, path=path: _go(page, path), is_signed_in=path != "/console/sign-in")  # type: ignore[misc]


def _on_the_finder(state: Callable[[Page], None]) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.goto("/")
        state(page)

    return act


def _go(page: Page, path: str) -> None:
    page.goto(path)
    page.wait_for_load_state("networkidle")


def take(browser: Browser, console: ConsoleBrowser, shot: Shot, into: Path) -> None:
    """Take a picture in each size and colour scheme."""
    for size, (width, height) in SIZES.items():
        for scheme in SCHEMES:
            context = browser.new_context(
                base_url=console.served.origin,
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]
                locale=shot.locale,
                reduced_motion="reduce",
            )
            page = context.new_page()
            if shot.is_signed_in:
                console.sign_in(page)
            shot.act(page)
            page.screenshot(path=into / f"{shot.name}-{size}-{scheme}.png", full_page=True)
            context.close()


def main(arguments: list[str]) -> None:
    """Take the screenshots whose names contain one of the words, or all."""
    into = Path(arguments[0] if arguments else "build/screenshots")
    into.mkdir(parents=True, exist_ok=True)
    wanted = [shot for shot in shots() if not arguments[1:] or any(word in shot.name for word in arguments[1:])]
    with tempfile.TemporaryDirectory() as home, started_chromium() as browser:
        served = Served(Path(home))
        console = ConsoleBrowser(served)
        console.fill()
        for shot in wanted:
            take(browser, console, shot, into)
            print(shot.name)
        served.close()
    print(f"{len(wanted) * len(SIZES) * len(SCHEMES)} pictures in {into}.")


if __name__ == "__main__":
    main(sys.argv[1:])
