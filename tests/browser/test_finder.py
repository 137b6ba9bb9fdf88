"""The patient's journeys on the finder, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from api.pages.languages import LANGUAGES
from sitematch.domain.accounts.access import Actor, Caller
from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.store.capacity import rules
from sitematch.store.studies import catalogue
from tests.browser.conftest import OpenPage
from tests.browser.served import Served
from tests.browser.watched import Watch, violations

PHONE = {"width": 320, "height": 640}
DESKTOP = {"width": 1280, "height": 900}
FIRST = "Arthritis & Rheumatic Disease Specialties"


def look(page: Page, place: str, country: str = "US") -> None:
    """Fill in the form and send it."""
    page.select_option("#country", country)
    page.fill("#place", place)
    page.click(".search-go")


def clinics(page: Page) -> list[str]:
    """Read the names of the clinics shown, best first."""
    expect(page.locator(".clinic").first).to_be_visible()
    return page.locator(".clinic h3").all_inner_texts()


def settled(page: Page) -> None:
    """Wait until the map beside the answer, if there is one, is drawn."""
    panel = page.locator("#map-panel")
    if panel.count() and panel.is_visible():
        expect(page.locator(".map-canvas .map-site").first).to_be_visible()


def test_postcode_leads_to_the_nearest_clinic_without_leaving_the_page_or_telling_the_address(
    page: Page, watches: list[Watch]
) -> None:
    page.goto("/")
    page.evaluate("window.same = true")

    look(page, "33180")

    assert clinics(page)[0] == FIRST
    expect(page.locator("#results-title")).to_be_focused()
    expect(page).to_have_title("5 of 46 clinics, best first · sitematch")
    assert page.evaluate("window.same")
    assert page.url.endswith("/")
    assert not [url for url in watches[0].urls() if "33180" in url]


def test_town_leads_to_clinics_too(page: Page) -> None:
    page.goto("/")

    look(page, "Tallinn", "EE")

    assert clinics(page)[0] == "Innomedica"
    expect(page.locator(".results-head")).to_contain_text("Tallinn")


def test_postcode_alone_is_enough_and_the_guessed_country_is_shown_and_can_be_changed(page: Page) -> None:
    page.goto("/")
    page.fill("#place", "33180")
    page.keyboard.press("Enter")

    assert clinics(page)[0] == FIRST
    expect(page.locator("#country option:checked")).to_have_text("United States (guessed)")
    expect(page.locator("#country")).to_have_value("")
    page.reload()
    expect(page.locator("#country option:checked")).to_have_text("United States (guessed)")
    look(page, "Tallinn", "EE")
    expect(page.locator("#clinic-1 h3")).to_have_text("Innomedica")
    expect(page.locator("#country")).to_have_value("EE")


def test_warning_not_to_travel_is_in_view_with_the_answer_and_on_every_printed_card(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 390, "height": 844})
    page.goto("/")
    look(page, "33180")
    clinics(page)

    shown = page.locator(".notice:visible")
    expect(shown).to_have_count(1)
    expect(shown).to_be_in_viewport()
    expect(shown).to_contain_text("Do not travel")
    page.emulate_media(media="print")
    expect(page.locator(".clinic:visible .print-only:visible")).to_have_count(5)


def test_card_of_a_clinic_fits_on_a_phones_screen(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 390, "height": 844})
    page.goto("/")
    look(page, "33180")
    clinics(page)

    heights = page.evaluate(
        "[...document.querySelectorAll('.clinic')].map(card => card.getBoundingClientRect().height)"
    )

    assert max(heights) < 600  # a screen of 844 less the browser's own bars


def test_checklist_is_ticked_in_the_page_and_nothing_of_it_is_sent(page: Page, watches: list[Watch]) -> None:
    page.goto("/")
    ticks = page.locator("#trial input[type=checkbox]")
    before = len(watches[0].urls())

    for tick in ticks.all():
        tick.check()

    assert ticks.count() > 5
    assert len(watches[0].urls()) == before
    assert (
        page.evaluate("[...document.querySelectorAll('#trial input')].filter(field => field.name || field.form)") == []
    )
    assert violations(page) == []


def test_location_is_asked_only_when_pressed_and_answered_with_its_accuracy(
    open_page: OpenPage, watches: list[Watch]
) -> None:
    page = open_page(
        geolocation={"latitude": 59.437, "longitude": 24.7536, "accuracy": 1800}, permissions=["geolocation"]
    )
    page.add_init_script(
        "const ask = navigator.geolocation.getCurrentPosition.bind(navigator.geolocation); window.asked = 0;"
        "navigator.geolocation.getCurrentPosition = (...how) => { window.asked++; ask(...how) }"
    )
    page.goto("/")
    before = page.evaluate("window.asked")

    page.click("#locate")

    assert clinics(page)[0] == "Innomedica"
    assert (before, page.evaluate("window.asked")) == (0, 1)
    expect(page.locator(".results-head")).to_contain_text("accurate to within 1.8 km")
    assert not [url for url in watches[0].urls() if "59.4" in url]


def test_missing_device_location_is_shown_and_the_field_gets_the_focus(open_page: OpenPage) -> None:
    page = open_page(permissions=[])
    page.goto("/")

    page.click("#locate")

    expect(page.locator("#locate-fault")).to_contain_text("did not share")
    expect(page.locator("#place")).to_be_focused()


def test_wrong_postcode_is_mended_by_one_press(page: Page) -> None:
    page.goto("/")
    look(page, "4102")
    expect(page.locator("#place")).to_have_attribute("aria-invalid", "true")

    page.get_by_role("button", name="04102").click()

    assert len(clinics(page)) == 5
    expect(page.locator("#place")).to_have_value("04102")
    expect(page.locator("#place")).not_to_have_attribute("aria-invalid", "true")


def test_ambiguous_town_is_chosen_by_one_press(page: Page) -> None:
    page.goto("/")
    look(page, "Springfield", "")
    expect(page.locator("#fault")).to_contain_text("Several places have this name")

    page.get_by_role("button", name="Springfield, Illinois").click()

    assert clinics(page)
    expect(page.locator(".results-head")).to_contain_text("Springfield, Illinois")
    expect(page.locator("#country")).to_have_value("US")


@pytest.fixture
def own_service(tmp_path: Path) -> Iterator[Served]:
    """A service whose data the test may change."""
    service = Served(tmp_path)
    yield service
    service.close()


def test_full_clinic_is_named_below_with_its_reason(own_service: Served, open_page: OpenPage) -> None:
    fill_first_site(own_service)
    page = open_page(own_service)
    page.goto("/")

    look(page, "33180")
    while FIRST in clinics(page):  # the server detects it within a second; otherwise the test's own limit ends the wait
        page.wait_for_timeout(100)
        page.click(".search-go")
        expect(page.locator("#results")).not_to_have_attribute("aria-busy", "true")

    fold = page.locator(".left-out")
    fold.locator("summary").click()
    expect(fold).to_contain_text(FIRST)
    expect(fold).to_contain_text("This clinic has no spots for new patients.")


def fill_first_site(service: Served) -> None:
    """Fill the site nearest to Miami."""
    key = CapKey(level=CapLevel.SITE, scope=site_of(service, FIRST))
    caller = Caller(actor=Actor(actor_id="user:setup"), request_id="setup")
    rules.set_cap(service.store, caller, study_id=service.settings.study_id, key=key, spots=0, now=service.now)


def site_of(service: Served, facility: str) -> str:
    """Find a site's id by its name."""
    sites = catalogue.read_sites(service.store, service.settings.study_id)
    return next(site.site_id for site in sites if site.facility == facility)


def test_everything_works_without_a_script(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/")
    look(page, "33180")
    assert clinics(page)[0] == FIRST
    assert "33180" not in page.url

    page.locator(".filters summary").click()
    page.select_option("#within", "500miles")
    page.click(".search-go")
    assert clinics(page) == [FIRST]

    page.locator(".menu summary").click()
    page.get_by_role("button", name="Deutsch").click()
    assert clinics(page) == [FIRST]
    expect(page.locator("h1")).to_have_text("Eine Klinik in Ihrer Nähe finden")


def test_filter_narrows_the_answer_in_place_and_says_so(page: Page) -> None:
    page.goto("/")
    look(page, "33180")
    clinics(page)
    page.locator(".filters summary").click()
    page.locator("#within").focus()

    page.select_option("#within", "500miles")

    expect(page.locator(".clinic")).to_have_count(1)
    expect(page.locator("#said")).to_have_text("1 of 46 clinics, best first")
    expect(page.locator("#within")).to_be_focused()


def test_more_clinics_come_on_demand(page: Page) -> None:
    page.goto("/")
    look(page, "33180")
    clinics(page)

    page.get_by_role("button", name="Show more clinics").click()

    expect(page.locator(".clinic")).to_have_count(15)
    expect(page.locator("#clinic-6 h3")).to_be_focused()  # where the button was
    expect(page.locator("#said")).to_contain_text("15 ")
    page.get_by_role("button", name="Show more clinics").click()
    expect(page.locator(".clinic")).to_have_count(25)


def test_language_changes_with_the_answer_kept_and_colours_without_a_reload(page: Page) -> None:
    page.goto("/")
    look(page, "33180")
    clinics(page)
    page.evaluate("window.same = true")
    page.locator(".menu summary").click()

    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("window.same")
    page.get_by_role("button", name="Deutsch").click()

    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert clinics(page)[0] == FIRST


def test_link_to_share_does_not_hold_where_the_person_is(open_page: OpenPage) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/")
    look(page, "33180")
    clinics(page)

    page.get_by_role("button", name="Share this page").click()

    expect(page.locator("[data-said]")).to_contain_text("does not contain your location")
    assert page.evaluate("navigator.clipboard.readText()") == f"{page.url.rstrip('/')}/"


def test_page_is_used_by_the_keyboard_alone(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#place")).to_be_focused()
    page.keyboard.type("33180")
    page.keyboard.press("Tab")
    expect(page.locator("#country")).to_be_focused()
    page.keyboard.type("United States")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert clinics(page)[0] == FIRST
    expect(page.locator("#results-title")).to_be_focused()
    settled(page)

    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim().slice(0, 30)"))

    assert {"Print", "Share this page", "Open in a maps app", "Show more clinics"} <= set(reached)
    assert page.evaluate("document.activeElement.closest('.map-canvas')") is None or "1" in reached


def test_clinic_on_the_map_is_opened_by_the_keyboard_and_leads_to_the_list(page: Page) -> None:
    page.goto("/")
    look(page, "33180")
    settled(page)
    marker = page.get_by_role("button", name=f"1. {FIRST}")

    marker.focus()
    page.keyboard.press("Enter")
    popup = page.locator(".leaflet-popup-content")
    expect(popup).to_contain_text("closer than")
    popup.get_by_role("link", name="Show in the list").click()

    expect(page.locator("#clinic-1")).to_be_in_viewport()


def test_map_waits_behind_a_button_on_a_phone_and_loads_nothing_before(
    open_page: OpenPage, watches: list[Watch]
) -> None:
    page = open_page(viewport=PHONE)
    page.goto("/")
    look(page, "33180")
    clinics(page)
    before = [url for url in watches[0].urls() if "map" in url or "countries" in url]

    page.get_by_role("button", name="Show the map").click()

    settled(page)
    assert before == []
    assert [url for url in watches[0].urls() if "countries" in url]
    page.get_by_role("button", name="Hide the map").click()
    expect(page.locator("#map-panel")).to_be_hidden()


def test_map_holds_both_sides_of_the_antimeridian(page: Page) -> None:
    page.goto("/")
    look(page, "Suva", "FJ")
    settled(page)

    across = page.evaluate(
        "[...document.querySelectorAll('.map-canvas .map-site')].map(site => site.getBoundingClientRect().x)"
    )
    frame = page.locator(".map-canvas").bounding_box()
    assert frame is not None
    assert all(frame["x"] <= x <= frame["x"] + frame["width"] for x in across)
    # Land across the antimeridian must not be drawn as a band around the world: most of what is in view is the Pacific.
    shares = page.evaluate(
        """() => [...document.querySelectorAll(".leaflet-tile")].map(tile => {
            const { data } = tile.getContext("2d").getImageData(0, 0, tile.width, tile.height)
            return data.filter((value, i) => i % 4 === 3 && value === 0).length / (data.length / 4)
        })"""
    )
    assert sum(shares) / len(shares) > 0.6


def test_map_that_cannot_be_loaded_leaves_the_list_and_says_so(page: Page, watches: list[Watch]) -> None:
    watches[0].may_fail = True
    page.route(re.compile("/map/towns"), lambda route: route.fulfill(status=503))
    page.goto("/")

    look(page, "33180")

    expect(page.locator("#map-panel")).to_contain_text("could not be loaded")
    assert len(clinics(page)) == 5


@pytest.mark.parametrize("answer", ["abort", "foreign page"])
def test_offline_is_shown_and_trying_again_works(page: Page, watches: list[Watch], answer: str) -> None:
    def fail(route: Route) -> None:
        if route.request.method == "GET":
            route.continue_()
        elif answer == "abort":
            route.abort()
        else:
            route.fulfill(status=200, body="<h1>Log in to the hotel's network</h1>", content_type="text/html")

    watches[0].may_fail = True
    page.goto("/")
    page.route(re.compile(r"/$"), fail)
    look(page, "33180")
    expect(page.locator("#results-title")).to_have_text("You seem to be offline")
    page.unroute(re.compile(r"/$"))
    page.unroute_all()

    page.get_by_role("button", name="Try again").click()

    assert len(clinics(page)) == 5


def test_slow_server_is_waited_for_visibly(page: Page) -> None:
    held: list[Route] = []
    page.goto("/")
    page.route(re.compile(r"/$"), lambda route: held.append(route))

    look(page, "33180")

    expect(page.locator(".working")).to_be_visible()
    expect(page.locator("#results")).to_have_attribute("aria-busy", "true")
    held[0].continue_()
    assert len(clinics(page)) == 5


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("options", [{"viewport": PHONE}, {"viewport": {"width": 640, "height": 450}}])
def test_results_and_map_fit_a_small_screen_or_twice_the_size(
    open_page: OpenPage, language: str, options: dict[str, dict[str, int]]
) -> None:
    """640 by 450 is what a screen of 1280 by 900 is at a zoom of 200 %."""
    page = open_page(**options)
    page.goto(f"/?lang={language}")
    page.locator(".filters summary").click()
    look(page, "33180")
    clinics(page)
    page.locator("[data-map-open]").click()
    settled(page)

    assert page.locator("html").get_attribute("lang") == language
    assert page.evaluate("document.documentElement.scrollWidth") <= options["viewport"]["width"]


@pytest.mark.parametrize("language", ["en", "he"])
def test_what_the_map_tells_of_a_clinic_does_not_lie_under_its_buttons(open_page: OpenPage, language: str) -> None:
    page = open_page(viewport={"width": 390, "height": 844})
    page.goto(f"/?lang={language}")
    look(page, "33180")
    clinics(page)
    page.locator("[data-map-open]").click()
    settled(page)
    page.locator(".map-site").first.click()
    popup = page.locator(".leaflet-popup-content")
    expect(popup).to_be_visible()

    expect(page.locator(".leaflet-control-zoom")).to_be_visible()
    page.wait_for_function(
        """() => {
            const [popup, buttons] = [".leaflet-popup-content", ".leaflet-control-zoom"].map(
                (name) => document.querySelector(name).getBoundingClientRect()
            )
            return popup.right <= buttons.left || buttons.right <= popup.left
        }"""
    )


def test_page_from_right_to_left_is_mirrored(open_page: OpenPage) -> None:
    page = open_page(locale="he-IL", viewport=DESKTOP)
    page.goto("/")
    look(page, "33180")
    settled(page)

    def left(selector: str) -> float:
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        return box["x"]

    assert left(".brand") > left(".menu")
    assert left(".clinic") > left(".map-canvas")
    assert left("#place") > left("#country")


State = Callable[[Page], None]


def ambiguous(page: Page) -> None:
    look(page, "Springfield", "")
    expect(page.locator("#fault")).to_be_visible()


def wrong(page: Page) -> None:
    look(page, "4102")
    expect(page.locator("#fault")).to_be_visible()


def answered(page: Page) -> None:
    look(page, "33180")
    clinics(page)
    settled(page)
    for summary in page.locator(".open-in summary").all()[:1]:
        summary.click()


def menu(page: Page) -> None:
    page.locator(".menu summary").click()
    page.locator(".filters summary").click()


def popup(page: Page) -> None:
    answered(page)
    page.locator(".map-site").first.click()
    expect(page.locator(".leaflet-popup-content")).to_be_visible()
    expect(page.locator(".leaflet-popup")).to_have_css("opacity", "1")  # it fades in


def offline(page: Page) -> None:
    page.route(re.compile(r"/$"), lambda route: route.abort())
    look(page, "33180")
    expect(page.locator("#results-title")).to_have_text("You seem to be offline")


def nothing(page: Page) -> None:
    page.locator(".filters summary").click()
    page.select_option("#travel", "COVERED")
    look(page, "33180")
    expect(page.locator(".results .state")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("path", "state"),
    [
        *(("/", state) for state in (ambiguous, wrong, answered, menu, popup, offline, nothing)),
        *(("/embed", state) for state in (wrong, answered)),
    ],
)
def test_state_breaks_no_rule_of_accessibility(
    open_page: OpenPage, watches: list[Watch], path: str, state: State, scheme: str
) -> None:
    page = open_page(color_scheme=scheme, viewport=DESKTOP)
    watches[0].may_fail = state is offline
    page.goto(path)

    state(page)

    assert violations(page) == []


@pytest.mark.parametrize("locale", ["he-IL", "ja-JP"])
def test_other_language_breaks_no_rule_of_accessibility(open_page: OpenPage, locale: str) -> None:
    page = open_page(locale=locale)
    page.goto("/")

    answered(page)

    assert violations(page) == []


@pytest.mark.parametrize("language", ["en-US", "he-IL"])
def test_page_can_be_read_in_forced_colours_and_without_motion(open_page: OpenPage, language: str) -> None:
    page = open_page(locale=language, forced_colors="active", reduced_motion="reduce")
    page.goto("/")

    answered(page)

    # axe reads the colours that the sheets ask for, not those that are forced.
    assert [fault for fault in violations(page) if not fault.startswith("color-contrast")] == []
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    assert page.evaluate("document.getAnimations().length") == 0
