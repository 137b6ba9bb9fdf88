from __future__ import annotations

import gzip
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.pages.assets import Assets
from sitematch.domain.studies.study import Phase, RecruitmentStatus
from sitematch.services.finding.finder import Finder
from tests.api.builders import SITES, make_app, make_finder, make_site

MIAMI = {"place": "33180", "country": "US"}


class ParsedPage(HTMLParser):
    """Collects what the tests look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def choices(page: ParsedPage) -> list[str]:
    return [button["value"] for button in page.all("button") if button.get("name") == "choice"]


def test_form_sends_by_post_and_every_field_has_a_label(client: FlaskClient) -> None:
    page = ParsedPage(client.get("/").text)

    assert {form["id"]: (form["method"], form["action"]) for form in page.all("form")} == {
        "search": ("post", "/#results"),
        "preferences": ("post", "/"),
    }
    labels = {label["for"] for label in page.all("label")}
    seen = [field for field in page.all("input") + page.all("select") if field.get("type") != "hidden"]
    filters = {"within", "minutes", "order", "travel", "only_country"}
    assert labels == {field["id"] for field in seen} == {"country", "place"} | filters
    assert len(page.all("option")) > 250


def test_enter_in_the_form_presses_find_clinics(client: FlaskClient) -> None:
    page = ParsedPage(client.post("/", data=MIAMI).text)

    # A form's first button is the one that Enter presses, wherever on the page it stands.
    elements = [(tag, attributes) for tag, attributes in page.elements if tag in ("form", "button")]
    start = elements.index(("form", next(form for form in page.all("form") if form["id"] == "search")))
    before = [attributes for tag, attributes in elements[:start] if tag == "button"]
    assert not [button for button in before if button.get("form") == "search"]
    assert next(attributes for tag, attributes in elements[start:] if attributes.get("type") == "submit")


def test_postcode_gives_the_ranked_list_with_reasons_and_the_left_out_folded_below(client: FlaskClient) -> None:
    response = client.post("/", data=MIAMI)

    text = response.text
    fold = text.index("left-out")
    assert response.status_code == 200
    assert text.index("Hospital miami<") < text.index("Hospital portland<") < fold
    assert fold < text.index("Hospital miami-full<")
    assert "Travel costs are covered" in text
    assert "2 spots left" in text
    assert "Shares 8 spots with all clinics" in text
    assert "This clinic is full: all its spots are taken." in text
    assert "The sites are stand-ins." in text
    assert "Codes: made for tests." in text


def test_filters_narrow_the_list_and_stay_chosen(client: FlaskClient) -> None:
    narrowed = client.post("/", data={**MIAMI, "within": "100km", "travel": "COVERED", "only_country": "US"})

    page = ParsedPage(narrowed.text)
    assert [item["data-name"] for item in page.all("li") if "data-rank" in item] == ["Hospital miami"]
    chosen = {option["value"] for option in page.all("option") if "selected" in option}
    assert chosen == {"US", "100km", "COVERED"}


def test_empty_distance_is_reported_and_the_nearest_shown(client: FlaskClient) -> None:
    text = client.post("/", data={"place": "1010", "country": "NZ", "within": "25km"}).text

    assert "No clinic within the distance you chose can take a patient now." in text
    assert "Hospital suva<" in text


def test_more_clinics_are_shown_on_demand(client: FlaskClient) -> None:
    first = ParsedPage(client.post("/", data={**MIAMI, "show": "2"}).text)
    more = next(button["value"] for button in first.all("button") if button.get("name") == "show")

    second = ParsedPage(client.post("/", data={**MIAMI, "show": more}).text)

    assert [len([li for li in page.all("li") if "data-rank" in li]) for page in (first, second)] == [2, 6]


def test_device_location_is_answered_with_its_accuracy(client: FlaskClient) -> None:
    in_koeln = {"latitude": "50.94", "longitude": "6.96", "accuracy_m": "1500"}
    at_sea = {"latitude": "25.96", "longitude": "-80.14", "accuracy_m": "1500"}

    text = client.post("/", data=in_koeln).text
    far_from_towns = client.post("/", data=at_sea).text

    assert "Your location, near Köln, North Rhine-Westphalia, Germany" in text
    assert "accurate to within 1.5 km" in text
    assert "Hospital berlin<" in text
    assert "Your location<" in far_from_towns


def test_location_is_answered_in_the_units_of_its_country(client: FlaskClient) -> None:
    text = client.post("/", data={"latitude": "39.8", "longitude": "-89.6", "accuracy_m": "1610"}).text

    assert "near Springfield, Illinois, United States" in text
    assert "accurate to within 1.0 mi" in text


def test_typed_place_beats_a_location_that_the_form_still_holds(client: FlaskClient) -> None:
    text = client.post("/", data={"place": "10115", "country": "DE", "latitude": "25.96", "longitude": "-80.14"}).text

    assert "10115, Berlin, Germany" in text


@pytest.mark.parametrize(
    "fields",
    [
        {"latitude": "north", "longitude": "1"},
        {"latitude": "91", "longitude": "1"},
        {"latitude": "1"},
        {"latitude": "1", "longitude": "1", "accuracy_m": "much"},
        {**MIAMI, "within": "far"},
        {**MIAMI, "within": "0km"},
        {**MIAMI, "travel": "PAID"},
        {**MIAMI, "show": "0"},
        {**MIAMI, "only_country": "Atlantis"},
    ],
)
def test_invalid_field_is_reported_and_nothing_breaks(client: FlaskClient, fields: dict[str, str]) -> None:
    response = client.post("/", data=fields)

    assert response.status_code == 400
    assert 'role="alert"' in response.text


def test_wrong_postcode_keeps_what_was_typed_and_offers_what_was_perhaps_meant(client: FlaskClient) -> None:
    response = client.post("/", data={"place": "4102", "country": "US"})

    page = ParsedPage(response.text)
    assert response.status_code == 400
    assert "Not a valid postcode for United States" in response.text
    typed = next(field for field in page.all("input") if field.get("id") == "place")
    assert (typed["value"], typed["aria-invalid"]) == ("4102", "true")
    assert choices(page) == ["US|04102"]


def test_code_of_another_country_is_offered_with_the_countrys_name(client: FlaskClient) -> None:
    page = client.post("/", data={"country": "DE", "place": "04102"}).text

    assert "04102, United States" in page


def test_suggestion_that_is_pressed_takes_the_place_of_what_was_typed(client: FlaskClient) -> None:
    response = client.post("/", data={"place": "4102", "country": "", "choice": "US|04102"})

    page = ParsedPage(response.text)
    assert response.status_code == 200
    assert next(field for field in page.all("input") if field.get("id") == "place")["value"] == "04102"
    assert "Hospital portland<" in response.text


def test_ambiguous_town_needs_a_choice(client: FlaskClient) -> None:
    response = client.post("/", data={"place": "Springfield", "country": ""})

    assert response.status_code == 422
    assert "Several places have this name" in response.text
    assert choices(ParsedPage(response.text)) == ["US|Springfield, Missouri", "US|Springfield, Illinois"]


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"place": "Nirgendwo", "country": "US"}, 404, "We cannot find a town with this name"),
        ({"place": "99999", "country": "US"}, 404, "We cannot find this postcode"),
        ({"place": "33180", "country": "Atlantis"}, 400, "We do not recognise this country"),
        ({}, 400, "Enter a postcode or town"),
        ({**MIAMI, "study": "NCT09999999"}, 404, "We cannot find this study"),
    ],
)
def test_fault_is_named_for_what_it_is(client: FlaskClient, form: dict[str, str], status: int, said: str) -> None:
    response = client.post("/", data=form)

    assert response.status_code == status
    assert said in response.text


def test_script_gets_the_results_alone_whatever_they_say(client: FlaskClient) -> None:
    part = {"Sitematch-Part": "results"}

    found = client.post("/", data=MIAMI, headers=part)
    wrong = client.post("/", data={"place": "4102", "country": "US"}, headers=part)

    for response in (found, wrong):
        assert response.status_code == 200
        assert response.headers["Sitematch-Part"] == "results"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.text.lstrip().startswith('<div id="answer"')
    assert "Hospital miami<" in found.text
    assert 'data-field="place"' in wrong.text


def test_no_link_of_the_page_holds_where_the_person_is(client: FlaskClient) -> None:
    page = ParsedPage(client.post("/", data=MIAMI).text)

    for _, attributes in page.elements:
        for name in ("href", "src", "action"):
            assert "33180" not in attributes.get(name, "")
            assert "25.9597" not in attributes.get(name, "")


def test_clinic_opens_in_other_maps_only_by_plain_links_that_tell_no_referrer(client: FlaskClient) -> None:
    page = ParsedPage(client.post("/", data=MIAMI).text)

    elsewhere = [link for link in page.all("a") if link["href"].startswith("https:")]
    assert {link["href"].split("/")[2] for link in elsewhere} == {
        "www.openstreetmap.org", "www.google.com", "maps.apple.com", "clinicaltrials.gov",
    }  # fmt: skip
    assert all("noreferrer" in link["rel"] for link in elsewhere)
    assert any(link["href"].startswith("geo:25.79000,-80.21000") for link in page.all("a"))


def test_trial_is_described_from_the_studys_own_fields_with_source_and_date(tmp_path: Path, gazetteer: Path) -> None:
    study = {
        "summary": "What is tried.",
        "has_placebo": False,
        "timeline": (Phase(name="screening", weeks_min=2, weeks_max=4), Phase(name="follow-up", weeks_min=1, weeks_max=1)),
        "who": ("Adults",),
        "who_not": ("Children",),
        "age_min_years": 18,
        "sex": "FEMALE",
    }  # fmt: skip
    text = make_app(tmp_path, make_finder(gazetteer, **study)).test_client().get("/").text

    for said in (
        "What is tried.", "There is no placebo group", "2 to 4 weeks", "1 week<", "Adults", "Children", "18 years or older.",
        "Women only.", "As of January 2, 2026.", "Source: made for tests.",
    ):  # fmt: skip
        assert said in text


@pytest.mark.parametrize(
    ("has_placebo", "said"),
    [(True, "There is a placebo group"), (None, "Whether there is a placebo group is not known here")],
)
def test_placebo_group_is_never_denied_without_knowing(
    tmp_path: Path, gazetteer: Path, has_placebo: bool | None, said: str
) -> None:
    text = make_app(tmp_path, make_finder(gazetteer, has_placebo=has_placebo)).test_client().get("/").text

    assert said in text
    assert "no placebo group" not in text


@pytest.mark.parametrize(
    ("form", "status"),
    [({}, 400), ({"place": ""}, 400), ({**MIAMI, "more": "1"}, 400), ({"place": "x" * 20_000, "country": "US"}, 400)],
)
def test_bad_form_is_explained_on_the_page(client: FlaskClient, form: dict[str, str], status: int) -> None:
    response = client.post("/", data=form)

    assert response.status_code == status
    assert 'role="alert"' in response.text
    assert len(response.text) < 60_000


def test_what_is_typed_and_what_a_record_says_cannot_become_markup(tmp_path: Path, finder: Finder) -> None:
    hostile = "<script>alert(1)</script>"
    sites = (make_site("evil", (25.8, -80.2), facility=hostile),)
    client = make_app(tmp_path, Finder(finder.gazetteer, finder.study, sites)).test_client()

    results = client.post("/", data=MIAMI).text
    fault = client.post("/", data={"place": f'9"{hostile}', "country": "US"}).text

    assert hostile not in results
    assert "&lt;script&gt;" in results
    assert hostile not in fault


@pytest.mark.parametrize("path", ["/", "/docs", "/problems", "/problems/not-found", "/nothing"])
def test_page_holds_no_inline_script_or_style_and_nothing_from_elsewhere(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers={"Accept": "text/html"})

    page = ParsedPage(response.text)
    assert all(script["src"].startswith("/static/built/") for script in page.all("script"))
    assert not page.all("style")
    for _, attributes in page.elements:
        assert not any(name == "style" or name.startswith("on") for name in attributes)
        for name in ("src", "href", "action"):
            assert not re.match(r"(?i)\w+:|//", attributes.get(name, "")), attributes
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_style_sheet_and_icon_are_served_and_load_nothing(client: FlaskClient) -> None:
    page = ParsedPage(client.get("/").text)

    for link in page.all("link"):
        with client.get(link["href"]) as asset:
            assert asset.status_code == 200
            assert asset.headers["X-Content-Type-Options"] == "nosniff"
            assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", asset.text)


@pytest.mark.parametrize("path", ["/", "/docs", "/problems", "/problems/not-found", "/nothing"])
def test_page_has_a_language_a_title_one_heading_and_unique_ids(client: FlaskClient, path: str) -> None:
    text = client.get(path, headers={"Accept": "text/html"}).text
    page = ParsedPage(text)

    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == 1
    assert len(ids) == len(set(ids))
    assert re.search(r"<title>[^<]{10,}</title>", text)
    for _, attributes in page.elements:
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in ids
        for name in ("aria-labelledby", "aria-describedby"):
            assert attributes.get(name, ids[0]) in ids


def test_result_is_not_cached_but_the_form_can_be(client: FlaskClient) -> None:
    assert client.post("/", data=MIAMI).headers["Cache-Control"] == "no-store"
    assert client.get("/").headers["Cache-Control"] == "no-cache"


def test_first_load_of_the_page_is_under_150_kilobytes_packed(client: FlaskClient) -> None:
    packed = {"Accept-Encoding": "gzip"}
    page = client.get("/", headers=packed)
    loaded = {"/": len(page.data)}
    found = ParsedPage(gzip.decompress(page.data).decode())
    addresses = [link["href"] for link in found.all("link")] + [script["src"] for script in found.all("script")]
    while addresses:
        address = addresses.pop()
        if address in loaded:
            continue
        with client.get(address, headers=packed) as asset:
            assert asset.status_code == 200
            loaded[address] = len(asset.data)
            text = (gzip.decompress(asset.data) if asset.content_encoding == "gzip" else asset.data).decode()
        # A module's own imports are loaded with it; import() is not.
        addresses += [f"/static/built/{name}" for name in re.findall(r'(?:from|import)"\./([^"]+)"', text)]

    assert sum(loaded.values()) < 150_000, loaded
    assert len(loaded) >= 5


def test_what_is_built_is_kept_for_good_and_comes_packed_as_the_client_can_unpack(client: FlaskClient) -> None:
    address = ParsedPage(client.get("/").text).all("script")[0]["src"]

    sizes = {}
    for coding in ("br", "gzip", ""):
        with client.get(address, headers={"Accept-Encoding": coding}) as asset:
            assert asset.headers.get("Content-Encoding", "") == coding
            assert asset.headers["Content-Type"].startswith("text/javascript")
            assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert asset.headers["Vary"] == "Accept-Encoding"
            sizes[coding] = len(asset.data)

    assert sizes["br"] < sizes["gzip"] < sizes[""]


@pytest.mark.parametrize("path", ["/static/built/../../app.py", "/static/built/none.js", "/static/none.svg"])
def test_nothing_outside_the_static_folder_is_sent(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_page_goes_bare_but_works_where_nothing_was_built(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assets = Assets(tmp_path)

    assert assets.address("site.css") == ""
    assert assets.read("embed.js") is None
    assert "make run" in caplog.text


def test_only_the_page_for_frames_may_be_framed_and_only_by_those_named(tmp_path: Path, finder: Finder) -> None:
    app = make_app(tmp_path, finder, frame_ancestors="https://lupus.example")

    policies = {
        path: app.test_client().get(path).headers["Content-Security-Policy"].rpartition("; ")[2]
        for path in ("/", "/embed", "/docs")
    }

    assert policies == {
        "/": "frame-ancestors 'none'",
        "/embed": "frame-ancestors https://lupus.example",
        "/docs": "frame-ancestors 'none'",
    }


def test_framed_page_answers_in_the_language_of_its_address_and_remembers_nothing(client: FlaskClient) -> None:
    form = client.get("/embed?lang=he&country=us")
    page = ParsedPage(form.text)
    answer = client.post(page.all("form")[0]["action"], data=MIAMI)

    assert page.all("html")[0]["dir"] == "rtl"
    assert '<html lang="he"' in answer.text
    assert "US" in [option["value"] for option in page.all("option") if "selected" in option]
    assert "Set-Cookie" not in answer.headers
    assert 'data-rank="1"' in answer.text


def test_script_for_others_pages_may_be_loaded_from_there(client: FlaskClient) -> None:
    script = client.get("/embed.js")

    assert script.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "sitematch-finder" in script.text
    assert client.get("/embed.js", headers={"If-None-Match": script.headers["ETag"]}).status_code == 304


def test_tile_server_that_is_set_is_allowed_and_named_and_no_other(tmp_path: Path, finder: Finder) -> None:
    app = make_app(tmp_path, finder, tiles_url="https://tiles.example/{z}/{x}/{y}.png", tiles_attribution="© <Tiles>")

    page = app.test_client().get("/")

    assert "img-src 'self' https://tiles.example;" in page.headers["Content-Security-Policy"]
    assert 'data-tiles-url="https://tiles.example/{z}/{x}/{y}.png"' in page.text
    assert "© &lt;Tiles&gt;" in page.text


def test_circles_are_round_reach_the_farthest_clinic_and_are_cut_at_the_antimeridian(client: FlaskClient) -> None:
    asked = {"latitude": -18.14, "longitude": 178.44, "uncertainty_km": 8, "farthest_km": 1150, "lang": "de"}

    drawn = client.post("/map/circles", json=asked).json

    assert [(circle["km"], circle["text"]) for circle in drawn["circles"]] == [(500.0, "500 km"), (1000.0, "1.000 km")]
    assert [len(circle["area"]) for circle in drawn["circles"]] == [2, 2]
    assert len(drawn["uncertainty"]) == 1


@pytest.mark.parametrize("farthest_km", [0, 0.01, 20_038])
@pytest.mark.parametrize("latitude", [-90, 89.9])
def test_circles_can_be_drawn_anywhere(client: FlaskClient, latitude: float, farthest_km: float) -> None:
    asked = {"latitude": latitude, "longitude": 180, "uncertainty_km": 20_038, "farthest_km": farthest_km}

    drawn = client.post("/map/circles", json=asked)

    assert drawn.status_code == 200
    assert bool(drawn.json["circles"]) == bool(farthest_km)


def test_towns_come_largest_first_and_may_be_kept_for_a_day(client: FlaskClient) -> None:
    response = client.get("/map/towns")

    names = [town[0] for town in response.json["towns"]]
    assert names[:2] == ["Köln", "Springfield"]
    assert response.headers["Cache-Control"] == "public, max-age=86400"


NOBODY = [
    ({"pool_spots": 0}, {}, "The study is full", "A spot may become free again."),
    ({"status": RecruitmentStatus.COMPLETED}, {}, "The study is not taking patients now", "It may take patients again"),
    ({}, {"only_country": "FR"}, "No clinic fits your filters", "Clear your filters"),
]


@pytest.mark.parametrize(("study", "asked", "heading", "advice"), NOBODY)
def test_page_without_a_clinic_says_why_and_what_to_do(
    tmp_path: Path, gazetteer: Path, study: dict[str, Any], asked: dict[str, str], heading: str, advice: str
) -> None:
    sites = [replace(site, spots=None) for site in SITES]
    client = make_app(tmp_path, make_finder(gazetteer, sites, **study)).test_client()

    text = client.post("/", data={**MIAMI, **asked}).text

    assert f'<h2 id="results-title" tabindex="-1">{heading}</h2>' in text
    assert advice in text


def test_full_neighbour_does_not_make_the_study_full(tmp_path: Path, gazetteer: Path) -> None:
    sites = [replace(site, spots=0) for site in SITES]
    client = make_app(tmp_path, make_finder(gazetteer, sites)).test_client()

    text = client.post("/", data=MIAMI).text

    assert "The study is full" not in text
    assert "No clinic can take a patient now" in text
    assert "This clinic is full: all its spots are taken." in text
