"""A report's page in a real browser: under its own policy, for the keyboard, for screen readers and on paper."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page

from sitematch.domain.accounts.access import Actor, Caller, Grant, Permission, Role
from sitematch.domain.capacity.states import Action
from sitematch.store.accounts import accounts, tokens
from sitematch.store.capacity import ledger
from sitematch.store.studies.catalogue import read_sites
from tests.browser.conftest import OpenPage
from tests.browser.served import Served
from tests.browser.watched import violations

KINDS = ["capacity", "funnel"]


@pytest.fixture(scope="module")
def secret(served: Served) -> str:
    """A viewer's token, for a study in which some spots are in use."""
    store, study_id, now = served.store, served.settings.study_id, served.now
    caller = Caller(actor=Actor(actor_id="user:setup"), request_id="setup")
    for number, site in enumerate(read_sites(store, study_id)[:5]):
        ledger.place_hold(store, caller, study_id=study_id, site_id=site.site_id, referral_id=f"r-{number}", now=now)
    ledger.move(store, caller, action=Action.START_SCREENING, referral_id="r-0", now=now)
    account = accounts.create_account(store, email="eve@example.org", now=now)
    accounts.give(store, account_id=account.account_id, grant=Grant(role=Role.VIEWER, study_id=study_id))
    made = tokens.create_token(
        store,
        account_id=account.account_id,
        label="for a test",
        scopes=frozenset({Permission.REPORTS_READ}),
        expires_at=now + timedelta(days=1),
        now=now,
    )
    return made.secret


def show(open_page: OpenPage, secret: str, kind: str, **options: object) -> Page:
    page = open_page(extra_http_headers={"Authorization": f"Bearer {secret}"}, **options)
    page.goto(f"/v1/reports/{kind}?format=html")
    return page


@pytest.mark.parametrize("kind", KINDS)
def test_a_reports_page_is_styled_drawn_and_breaks_no_rule(open_page: OpenPage, secret: str, kind: str) -> None:
    page = show(open_page, secret, kind)

    assert page.locator("h1").inner_text() == kind.capitalize()
    # The style sheet was allowed by its hash; the fixture checks that nothing else was refused.
    assert page.locator("thead th").first.evaluate("cell => getComputedStyle(cell).borderBottomWidth") == "2px"
    box = page.locator("svg").first.bounding_box()
    assert box is not None and box["width"] > 300 and box["height"] > 60
    assert page.locator("svg text", has_text="Held").count() > 0
    assert violations(page) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_reports_page_fits_a_phone(open_page: OpenPage, secret: str, kind: str) -> None:
    page = show(open_page, secret, kind, viewport={"width": 320, "height": 640})

    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_numbers_of_a_plot_unfold_by_the_keyboard(open_page: OpenPage, secret: str) -> None:
    page = show(open_page, secret, "capacity")
    numbers = page.locator("details table").first
    assert not numbers.is_visible()

    page.locator("summary").first.focus()
    page.keyboard.press("Enter")

    assert numbers.is_visible()
    assert "Held" in numbers.inner_text()


def test_a_screen_reader_is_told_what_a_plot_shows(open_page: OpenPage, secret: str) -> None:
    page = show(open_page, secret, "capacity")

    plot = page.get_by_role("img", name="Spots in use by country")

    assert plot.count() == 1
    assert "Spots in use by country" in plot.locator("desc").text_content()  # type: ignore[operator]
