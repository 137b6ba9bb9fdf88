"""The answer stays in the tab, in a real browser: reload, back, forward, a search that stalls or is sent twice."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_finder import FIRST, clinics, look, settled
from tests.browser.watched import Watch


def posts(watch: Watch) -> int:
    """Count the searches that were sent."""
    return sum(request.method == "POST" and request.url == f"{watch.origin}/" for request in watch.requests)


def test_reload_shows_the_same_answer_without_asking_the_server_again(page: Page, watches: list[Watch]) -> None:
    page.goto("/")
    look(page, "33180")
    page.get_by_role("button", name="Show more clinics").click()
    expect(page.locator(".clinic")).to_have_count(15)
    before = posts(watches[0])

    page.reload()

    expect(page.locator(".clinic")).to_have_count(15)
    expect(page.locator("#place")).to_have_value("33180")
    expect(page).to_have_title("15 of 46 clinics, best first · sitematch")
    assert posts(watches[0]) == before
    settled(page)


def test_back_leads_through_the_searches_to_the_form_and_forward_again(page: Page) -> None:
    page.goto("/")
    look(page, "33180")
    clinics(page)
    look(page, "Tallinn", "EE")
    expect(page.locator("#clinic-1 h3")).to_have_text("Innomedica")

    page.go_back()
    expect(page.locator("#clinic-1 h3")).to_have_text(FIRST)
    expect(page.locator("#place")).to_have_value("33180")
    page.go_back()
    expect(page.locator(".clinic")).to_have_count(0)
    expect(page).to_have_title("Find a clinic near you · sitematch")
    page.go_forward()
    page.go_forward()

    expect(page.locator("#clinic-1 h3")).to_have_text("Innomedica")
    expect(page.locator("#place")).to_have_value("Tallinn")


def test_answer_is_there_again_after_another_page(page: Page) -> None:
    page.goto("/")
    look(page, "33180")
    clinics(page)
    page.goto("/docs")

    page.go_back()

    assert clinics(page)[0] == FIRST


def test_jump_inside_the_page_keeps_the_answer(page: Page) -> None:
    page.goto("/")
    look(page, "33180")
    clinics(page)

    page.evaluate("location.hash = 'trial'")
    page.go_back()

    assert clinics(page)[0] == FIRST


def test_page_in_another_language_is_kept_on_reload_too(page: Page) -> None:
    page.goto("/")
    look(page, "33180")
    clinics(page)
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")

    page.reload()

    assert clinics(page)[0] == FIRST
    expect(page.locator("html")).to_have_attribute("lang", "de")


def test_old_answer_is_asked_for_again_and_stays_if_the_server_is_away(page: Page, watches: list[Watch]) -> None:
    page.clock.install()
    page.goto("/")
    look(page, "33180")
    clinics(page)
    watches[0].may_fail = True
    page.route(re.compile(r"/$"), lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.clock.fast_forward("20:00")
    before = posts(watches[0])

    page.reload()

    expect(page.locator("#results")).not_to_have_attribute("aria-busy", "true")
    assert clinics(page)[0] == FIRST
    assert posts(watches[0]) == before + 1


def test_nothing_of_the_place_is_in_an_address_or_the_history_or_in_another_tab(
    page: Page, watches: list[Watch]
) -> None:
    page.goto("/")
    look(page, "33180")
    clinics(page)

    other = page.context.new_page()
    other.goto("/")

    assert "33180" not in page.evaluate("location.href + JSON.stringify(history.state)")
    assert page.evaluate("localStorage.length") == 0
    assert not [url for url in watches[0].urls() if "33180" in url]
    expect(other.locator(".clinic")).to_have_count(0)
    assert other.evaluate("Object.keys(sessionStorage).filter((name) => name.includes('answer'))") == []


def test_search_can_be_cleared_from_the_tab(page: Page) -> None:
    page.goto("/")
    look(page, "33180")
    clinics(page)

    page.get_by_role("button", name="Clear my search").click()

    expect(page.locator(".clinic")).to_have_count(0)
    expect(page.locator("#place")).to_have_value("")
    expect(page.locator("#place")).to_be_focused()
    assert "33180" not in page.evaluate("JSON.stringify(sessionStorage)")
    page.reload()
    expect(page.locator(".clinic")).to_have_count(0)


def test_search_that_stalls_is_ended_after_15_seconds_and_can_be_tried_again(page: Page, watches: list[Watch]) -> None:
    watches[0].may_fail = True
    page.clock.install()
    page.goto("/")
    held: list[Route] = []
    page.route(re.compile(r"/$"), lambda route: held.append(route))
    look(page, "33180")
    expect(page.locator(".working")).to_be_visible()
    page.clock.fast_forward(14_000)
    expect(page.locator(".working")).to_be_visible()

    page.clock.fast_forward(1_500)

    expect(page.locator("#results-title")).to_have_text("The search takes too long")
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    assert clinics(page)[0] == FIRST


def test_second_press_while_the_search_runs_sends_nothing(page: Page, watches: list[Watch]) -> None:
    page.goto("/")
    held: list[Route] = []
    page.route(re.compile(r"/$"), lambda route: held.append(route))
    look(page, "33180")
    page.click(".search-go")
    page.click(".search-go")

    held[0].continue_()

    assert clinics(page)[0] == FIRST
    assert posts(watches[0]) == 1


def test_back_without_a_script_leads_to_the_form_and_stays_on_the_site(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/")
    look(page, "33180")
    clinics(page)

    page.go_back()

    expect(page.locator("#place")).to_be_visible()
    assert "33180" not in page.url
