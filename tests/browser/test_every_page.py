"""Rules for every page: no other origin, no console error, no violation of a strict policy, no axe violation.

The fixture that opens pages checks the first two in every test of this folder.
"""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.served import Served
from tests.browser.watched import violations

PAGES = ("/", "/docs", "/problems", "/problems/invalid-postcode")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_breaks_no_rule_of_accessibility(open_page: OpenPage, path: str, scheme: str) -> None:
    page = open_page(color_scheme=scheme)

    page.goto(path)

    assert violations(page) == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_a_phone_of_320_pixels(open_page: OpenPage, path: str) -> None:
    page = open_page(viewport={"width": 320, "height": 640})

    page.goto(path)

    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("path", PAGES)
def test_the_policy_excuses_no_inline_script_or_style(served: Served, path: str) -> None:
    answer = served.app.test_client().get(path)

    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_the_watch_sees_what_is_forbidden(open_page: OpenPage, watches: list) -> None:  # type: ignore[type-arg]
    page = open_page()
    page.goto("/")
    (watch,) = watches

    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">inline</p>')")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.bad = 1'}))")
    page.evaluate("fetch('http://127.0.0.1:9/').catch(() => {})")
    page.evaluate("console.error('something')")
    page.wait_for_timeout(200)

    seen = " ".join(watch.faults)
    watch.faults.clear()
    assert "style" in seen
    assert "script" in seen
    assert "127.0.0.1:9" in seen
    assert "something" in seen
    assert not page.evaluate("Boolean(window.bad)")
