"""Coordinators' tasks in the console, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.coordinators import NEAR_MIAMI, PASSWORD, STUDY_ID, ConsoleBrowser
from tests.browser.served import Served
from tests.browser.watched import Watch, violations


@pytest.fixture
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleBrowser]:
    """A separate service for one test."""
    served = Served(tmp_path_factory.mktemp("console"))
    yield ConsoleBrowser(served)
    served.close()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleBrowser]:
    """A study in use, which tests only read."""
    served = Served(tmp_path_factory.mktemp("busy"))
    found = ConsoleBrowser(served)
    found.fill()
    yield found
    served.close()


PAGES = {
    "sign-in": "/console/sign-in",
    "today": "/console",
    "capacity": "/console/capacity",
    "capacity, none fits": "/console/capacity?q=nothing+like+it",
    "studies": "/console/studies",
    "account": "/console/account",
    "site": f"/console/sites/{STUDY_ID}-005",
    "caps": "/console/caps",
    "cap, question": f"/console/caps/change?level=SITE&scope={STUDY_ID}-005&change=set&spots=0",
    "take a spot": "/console/hold",
    "referrals": "/console/referrals",
    "several referrals, question": "/console/bulk?action=transfer&ids=r-held&ids=r-last&ids=r-failed",
    "referral, to another site": "/console/referrals/r-held/transfer",
    "referral, wrong step": "/console/referrals/r-screening/correct",
    "referral": "/console/referrals/r-held",
    "referral that waits": "/console/referrals/r-waiting",
    "referral, question": "/console/referrals/r-screening/screen_failure",
    "waiting list": "/console/waiting",
    "people": "/console/people",
    "calendar": "/console/calendar",
    "close, question": f"/console/caps/change?level=SITE&scope={STUDY_ID}-005&change=close",
    "imports": "/console/imports",
    "imports, question": "/console/imports/undo",
    "reports": "/console/reports",
}


def open_as(console: ConsoleBrowser, open_page: OpenPage, who: str = "ann", **options: object) -> Page:
    return console.sign_in(open_page(console.served, **options), who)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page_breaks_no_rule_of_accessibility(
    busy: ConsoleBrowser, open_page: OpenPage, name: str, scheme: str
) -> None:
    page = open_as(busy, open_page, color_scheme=scheme)

    page.goto(PAGES[name])

    assert violations(page) == []


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("name", PAGES)
def test_page_fits_a_phone_of_320_pixels_in_either_direction(
    busy: ConsoleBrowser, open_page: OpenPage, name: str, direction: str
) -> None:
    page = open_as(busy, open_page, viewport={"width": 320, "height": 640})

    page.goto(PAGES[name])
    page.evaluate("direction => { document.documentElement.dir = direction }", direction)

    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_signing_in_leads_to_the_page_that_was_asked_for(console: ConsoleBrowser, open_page: OpenPage) -> None:
    page = open_page(console.served)

    page.goto("/console/caps")
    page.get_by_label("E-mail").fill("ann@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Caps and rules")
    page.get_by_text("ann@example.org").first.click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to the console")
    page.go_back()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to the console")


def test_wrong_password_keeps_the_e_mail_and_says_what_to_do(
    console: ConsoleBrowser, open_page: OpenPage, watches: list[Watch]
) -> None:
    page = open_page(console.served)
    watches[0].may_fail = True

    page.goto("/console/sign-in")
    page.get_by_label("E-mail").fill("ann@example.org")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_contain_text("Incorrect e-mail or password")
    expect(page.get_by_label("E-mail")).to_have_value("ann@example.org")
    assert violations(page) == []


@pytest.mark.parametrize("has_script", [True, False])
def test_a_spot_is_taken_in_three_clicks_without_the_postcode_in_an_address(
    console: ConsoleBrowser, open_page: OpenPage, watches: list[Watch], has_script: bool
) -> None:
    page = open_as(console, open_page, java_script_enabled=has_script)
    page.goto("/console/capacity")

    page.get_by_role("link", name="Take a spot").first.click()
    page.get_by_label("Country").select_option("US")
    page.get_by_label("Postcode or town").fill("33180")
    page.get_by_role("button", name="Find sites").click()
    page.get_by_role("button", name="Hold a spot").first.click()

    expect(page.get_by_role("status").first).to_contain_text("The spot is held")
    expect(page.get_by_role("status").first).to_contain_text("start screening")
    assert console.state(page.url.rpartition("/")[2].partition("?")[0]) == "HELD"
    assert not any("33180" in url for url in watches[0].urls())


def test_ranked_answer_breaks_no_rule_and_fits_a_phone(busy: ConsoleBrowser, open_page: OpenPage) -> None:
    page = open_as(busy, open_page, viewport={"width": 320, "height": 640})
    page.goto("/console/hold")
    page.get_by_label("Country").select_option("US")
    page.get_by_label("Postcode or town").fill("33180")

    page.get_by_role("button", name="Find sites").click()
    page.get_by_text("Join the waiting list instead").click()

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_referral_is_enrolled_after_a_question(console: ConsoleBrowser, open_page: OpenPage) -> None:
    console.hold("r-1")
    page = open_as(console, open_page, "bob")
    page.goto("/console/referrals/r-1")

    page.get_by_role("button", name="Start screening").click()
    page.get_by_role("link", name="Enroll…").click()
    expect(page.get_by_text("A mistake can be taken back with a reason.")).to_be_visible()
    page.get_by_role("button", name="Enroll").click()

    expect(page.get_by_role("status").first).to_contain_text("Enrolled")
    assert console.state("r-1") == "ENROLLED"
    expect(page.get_by_role("heading", name="History").locator("..")).to_contain_text("you")


def test_hold_that_lapses_while_its_page_is_open_is_reported_on_the_next_action(
    console: ConsoleBrowser, open_page: OpenPage, watches: list[Watch]
) -> None:
    console.hold("r-1")
    page = open_as(console, open_page, "bob")
    page.goto("/console/referrals/r-1")
    # The session is in use, the hold 47 hours and 55 minutes old.
    console.served.later(hours=47, minutes=55)
    console.sign_in(page, "bob")
    page.reload()
    console.served.later(minutes=10)
    watches[0].may_fail = True

    page.get_by_role("button", name="Start screening").click()

    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_text("Hold lapsed").first).to_be_visible()
    assert violations(page) == []


def test_of_two_coordinators_one_gets_the_last_spot_and_the_other_a_way_on(
    console: ConsoleBrowser, open_page: OpenPage, watches: list[Watch]
) -> None:
    console.cap(1, NEAR_MIAMI)
    pages = [open_as(console, open_page, who) for who in ("ann", "max")]
    for page in pages:
        page.goto("/console/hold")
        page.get_by_label("Country").select_option("US")
        page.get_by_label("Postcode or town").fill("33180")
        page.get_by_text("Add a referral id").click()
        page.get_by_label("Referral id").first.fill(f"r-{pages.index(page)}")
        page.get_by_role("button", name="Find sites").click()
    watches[1].may_fail = True

    first, second = pages
    first.get_by_role("button", name="Hold a spot").first.click()
    expect(first.get_by_role("status").first).to_contain_text("The spot is held")
    second.get_by_role("button", name="Hold a spot").first.click()

    expect(second.get_by_role("alert")).to_contain_text("Somebody else took the last spot")
    expect(second.get_by_label("Referral id").first).to_have_value("r-1")
    assert violations(second) == []
    second.get_by_role("button", name="Hold a spot").first.click()
    expect(second.get_by_role("status").first).to_contain_text("The spot is held")
    assert (console.state("r-0"), console.state("r-1")) == ("HELD", "HELD")


def test_double_click_takes_one_spot(console: ConsoleBrowser, open_page: OpenPage) -> None:
    page = open_as(console, open_page, "bob")
    page.goto(f"/console/sites/{NEAR_MIAMI}")

    page.get_by_role("button", name="Hold a spot here").dblclick()

    expect(page.get_by_role("status").first).to_contain_text("The spot is held")
    page.goto("/console/capacity")
    expect(page.locator("tr[data-key]").locator("td[data-label=Held]")).to_have_text("1")


def test_everything_is_done_by_the_keyboard_alone(console: ConsoleBrowser, open_page: OpenPage) -> None:
    page = open_as(console, open_page, "bob")
    page.goto("/console/hold")

    def press_until(name: str, key: str = "Tab") -> None:
        for _ in range(60):
            page.keyboard.press(key)
            focused = page.evaluate("() => document.activeElement.innerText || document.activeElement.name || ''")
            if name in focused:
                return
        raise AssertionError(f"{name} cannot be reached")

    expect(page.get_by_label("Postcode or town")).to_be_focused()
    page.keyboard.type("33180")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("United States")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".picks")
    press_until("Hold a spot")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/referrals/**")
    press_until("Give the spot back")
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    page.keyboard.press("Enter")
    page.wait_for_url("**/release")
    press_until("Give the spot back")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").first).to_contain_text("Spot given back")
    assert outline == "solid"


def test_list_follows_what_others_do_without_a_reload_and_says_so(console: ConsoleBrowser, open_page: OpenPage) -> None:
    page = open_as(console, open_page, "vera")
    page.goto("/console/capacity")
    row = page.locator(f"tr[data-key='{NEAR_MIAMI}']")
    expect(row.locator("td[data-label=Held]")).to_have_text("0")
    page.evaluate("() => { window.sameDocument = true }")

    console.hold("r-1")
    page.get_by_role("link", name="Reload").click()

    expect(row.locator("td[data-label=Held]")).to_have_text("1")
    expect(page.locator("[data-live-said]")).to_contain_text("7")
    assert page.evaluate("() => window.sameDocument")


def test_lost_connection_is_shown_with_the_time_of_the_numbers(
    console: ConsoleBrowser, open_page: OpenPage, watches: list[Watch]
) -> None:
    page = open_as(console, open_page, "vera", timezone_id="America/New_York")
    page.goto("/console/capacity")
    watches[0].may_fail = True

    page.context.set_offline(True)
    page.get_by_role("link", name="Reload").click()

    expect(page.locator("[data-live-text]")).to_contain_text("cannot reach the server")
    expect(page.locator("[data-live-text]")).to_contain_text("4:30")  # 9:30 UTC, where the viewer is
    expect(page.locator("[data-live-said]")).to_contain_text("cannot reach the server")
    assert violations(page) == []
    page.context.set_offline(False)
    expect(page.locator("[data-live-text]")).to_contain_text("Live")


def test_ended_session_is_shown_on_the_open_list(console: ConsoleBrowser, open_page: OpenPage) -> None:
    page = open_as(console, open_page, "vera")
    page.goto("/console/capacity")
    console.served.later(hours=12)

    page.get_by_role("link", name="Reload").click()

    expect(page.locator("[data-live-text]")).to_contain_text("session has ended")


def test_instants_are_in_the_viewers_zone(busy: ConsoleBrowser, open_page: OpenPage) -> None:
    page = open_as(busy, open_page, timezone_id="Asia/Tokyo")

    page.goto("/console/referrals/r-held")

    expect(page.locator("main dl.facts")).to_contain_text("6:30")  # 9:30 UTC
    # Slightly less than two days, because the clock continues.
    expect(page.locator("h1 + p, .row time").first).to_contain_text(re.compile("in (2 days|47 hours)"))


def test_single_keys_search_take_a_spot_walk_the_list_and_explain_themselves(
    busy: ConsoleBrowser, open_page: OpenPage
) -> None:
    page = open_as(busy, open_page)
    page.goto("/console/caps")

    page.keyboard.press("/")
    page.wait_for_url("**/console/referrals")
    page.keyboard.press("/")
    expect(page.locator("#id")).to_be_focused()
    page.keyboard.type("r-/n?")
    expect(page.locator("#id")).to_have_value("r-/n?")  # typed, not acted on
    page.keyboard.press("ArrowDown")
    first, second = page.locator("main [data-row]").nth(0), page.locator("main [data-row]").nth(1)
    expect(first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(second).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#id")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#state")).to_be_focused()  # no trap
    first.focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    first.focus()
    page.keyboard.press("n")
    page.wait_for_url("**/console/hold")


def test_single_keys_can_be_turned_off(busy: ConsoleBrowser, open_page: OpenPage) -> None:
    page = open_as(busy, open_page)
    page.goto("/console/referrals")

    page.get_by_role("button", name="Keyboard").click()
    page.get_by_label("Use the single keys").uncheck()
    page.get_by_role("button", name="Close").click()
    page.reload()
    page.keyboard.press("n")
    page.keyboard.press("?")

    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.url.endswith("/console/referrals")
