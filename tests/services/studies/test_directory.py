"""Paged search: the nearest are those of brute force, and reading all pages returns everything once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sitematch.domain.fhir import resource_id
from sitematch.domain.studies.filters import SiteFilter
from sitematch.domain.studies.order import SortField, SortOrder
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.text_match import Field, TextFit, TextTest
from sitematch.geo.geodesic import distance_km
from sitematch.services.studies import directory as services_directory
from sitematch.services.studies.directory import (
    DirectoryPage,
    IdFinder,
    PagePosition,
    SearchCentre,
    SiteSearch,
    search_sites,
)
from sitematch.store.engine import Store
from sitematch.store.studies import directory as store_directory
from sitematch.store.studies.catalogue import replace_study
from tests.builders import make_point, make_site, make_study

POINTS = [(0.0, 0.0), (90.0, 0.0), (-90.0, 12.0), (-17.5, 179.99), (-17.5, -180.0), (51.5, -0.1), (25.9, -80.1)]


def make_sites() -> list[Site]:
    """Sites all over the globe, dense in some areas, some at one point, one without a location."""
    dice = random.Random(7)
    spots = [(dice.uniform(-90, 90), dice.uniform(-180, 180)) for _ in range(150)]
    spots += [(lat + dice.gauss(0, 0.3), lon) for lat, lon in POINTS if abs(lat) < 89 for _ in range(12)]
    spots += [(51.5, -0.1)] * 5 + [(90.0, 77.0), (-90.0, -5.0), (0.0, 180.0), (0.0, -180.0)]
    sites = [
        make_site(f"s{n:03d}", latitude=lat, longitude=lon, facility=f"Clinic {'ABC'[n % 3]} {n}")
        for n, (lat, lon) in enumerate(spots)
    ]
    return [*sites, make_site("unplaced", latitude=None)]


@pytest.fixture(scope="module")
def sites() -> list[Site]:
    return make_sites()


@pytest.fixture
def filled(store: Store, sites: list[Site]) -> Store:
    replace_study(store, make_study(), sites)
    return store


def by_brute_force(sites: list[Site], near: SearchCentre) -> list[tuple[float, str]]:
    measured = [(distance_km(near.point, s.place.coordinates), s.site_id) for s in sites if s.place is not None]
    return sorted((km, i) for km, i in measured if near.km is None or km <= near.km)


def walk(store: Store, query: SiteSearch, limit: int) -> Iterator[DirectoryPage]:
    turn = PagePosition(limit)
    while True:
        page = search_sites(store, query, turn)
        yield page
        if not page.has_next:
            return
        turn = PagePosition(limit, after=page.marks[-1])


def walk_back(store: Store, query: SiteSearch, limit: int, last: DirectoryPage) -> list[str]:
    found: list[str] = []
    page = last
    while page.has_previous:
        page = search_sites(store, query, PagePosition(limit, before=page.marks[0]))
        found = [mark.id for mark in page.marks] + found
    return found + [mark.id for mark in last.marks]


@pytest.mark.parametrize("limit", [20, 1000])
@pytest.mark.parametrize("km", [None, 300.0, 30_000.0])
def test_nearest_are_those_of_brute_force_on_every_page(
    filled: Store, sites: list[Site], km: float | None, limit: int
) -> None:
    for at in POINTS:
        near = SearchCentre(make_point(*at), km)
        pages = list(walk(filled, SiteSearch(near=near), limit))

        found = [(mark.km, mark.id) for page in pages for mark in page.marks]
        expected = by_brute_force(sites, near)
        assert [i for _, i in found] == [i for _, i in expected]
        assert [k for k, _ in found] == pytest.approx([k for k, _ in expected], abs=1e-6)
        assert {page.total for page in pages} == {len(expected)}
        assert walk_back(filled, SiteSearch(near=near), limit, pages[-1]) == [i for _, i in expected]


@pytest.mark.parametrize("limit", [1, 10, 500])
def test_walk_by_id_meets_every_site_once(filled: Store, sites: list[Site], limit: int) -> None:
    query = SiteSearch()
    pages = list(walk(filled, query, limit))

    expected = sorted(site.site_id for site in sites)
    assert [mark.id for page in pages for mark in page.marks] == expected
    assert walk_back(filled, query, limit, pages[-1]) == expected


@pytest.mark.parametrize("km", [None, 20_003.9999, 3_000.0])
@pytest.mark.parametrize("few", [500, 0])
def test_nearest_of_some_studies_are_those_of_brute_force(
    filled: Store, sites: list[Site], few: int, km: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (services_directory, store_directory):
        monkeypatch.setattr(place, "FEW_STUDIES", few)
    others = [
        replace(site, site_id=f"o{site.site_id}", study_id="O", source_study="O", country="FR" if n % 2 else "DE")
        for n, site in enumerate(sites)
    ]
    replace_study(filled, make_study(study_id="O"), others)
    wanted = [site for site in others if site.country == "FR"]
    where = SiteFilter(study_ids=frozenset({"O"}), countries=frozenset({"FR"}))

    for at in POINTS:
        near = SearchCentre(make_point(*at), km)
        pages = list(walk(filled, SiteSearch(where, near=near), 20))

        expected = [i for _, i in by_brute_force(wanted, near)]
        assert [mark.id for page in pages for mark in page.marks] == expected
        assert {page.total for page in pages} == {len(expected)}


def test_texts_narrow_nearness_too(filled: Store, sites: list[Site]) -> None:
    tests = (TextTest(Field.FACILITY, ("clinic a",)),)
    near = SearchCentre(make_point(51.5, -0.1))

    pages = list(walk(filled, SiteSearch(tests=tests, near=near), 5))

    wanted = [site for site in sites if site.facility.startswith("Clinic A")]
    assert [mark.id for page in pages for mark in page.marks] == [i for _, i in by_brute_force(wanted, near)]
    assert pages[0].total == len(wanted)


def test_sites_that_come_and_go_do_not_move_the_pages_beyond(filled: Store, sites: list[Site]) -> None:
    near = SiteSearch(near=SearchCentre(make_point(0.0, 0.0)))
    first = search_sites(filled, near, PagePosition(5))
    expected = search_sites(filled, near, PagePosition(5, after=first.marks[-1]))

    gone = {mark.id for mark in first.marks}
    kept = [site for site in sites if site.site_id not in gone]
    replace_study(filled, make_study(), [*kept, make_site("new", latitude=0.0)])

    assert search_sites(filled, near, PagePosition(5, after=first.marks[-1])).marks == expected.marks


@pytest.mark.parametrize(
    ("wanted", "fit", "passes"),
    [
        ("hopital saint", TextFit.STARTS, True),
        ("SAINT-LOUIS", TextFit.STARTS, False),
        ("Hopital, Saint - LO", TextFit.STARTS, True),
        ("hopi", TextFit.STARTS, True),
        ("hopi saint", TextFit.STARTS, False),
        ("hopitalsaint", TextFit.STARTS, False),
        ("SAINT-LOUIS", TextFit.CONTAINS, True),
        ("tal saint l", TextFit.CONTAINS, True),
        ("Hôpital Saint-Louis", TextFit.EXACT, True),
        ("hôpital saint-louis", TextFit.EXACT, False),
        ("---", TextFit.CONTAINS, False),
    ],
)
def test_texts_fit_as_asked(wanted: str, fit: TextFit, passes: bool) -> None:
    assert TextTest(Field.FACILITY, ("zzz", wanted), fit).check()(["Hôpital Saint-Louis"]) is passes


@pytest.mark.parametrize("ours", ["NCT06064929-001", "site_1", "ü.b c/д", "x" * 64, "x" * 65, "🩺" * 6, "ab" * 200])
def test_every_id_has_a_fhir_id_that_leads_back(store: Store, ours: str) -> None:
    replace_study(store, make_study(study_id="S"), [replace(make_site(ours), study_id="S", source_study="S")])

    written = resource_id(ours)

    assert 1 <= len(written) <= 64
    assert IdFinder(store).find(written) == ours


@pytest.mark.parametrize("text", ["", ".2", ".2e", ".41", "a_b", "a b", ".C3", "..", "..0123", "é"])
def test_what_no_id_is_written_as_leads_nowhere(store: Store, text: str) -> None:
    assert IdFinder(store).find(text) is None


def test_closed_filters_give_an_empty_page(filled: Store) -> None:
    page = search_sites(filled, SiteSearch(SiteFilter(site_ids=frozenset())), PagePosition(5))

    assert page == DirectoryPage((), 0, has_previous=False, has_next=False)


@pytest.mark.parametrize(
    "tests", [(), (TextTest(Field.FACILITY, ("a", "h", "k", "u", "z", "10", "9", "é"), TextFit.CONTAINS),)]
)
@pytest.mark.parametrize("is_descending", [False, True])
@pytest.mark.parametrize(
    "fields", [(SortField.FACILITY,), (SortField.COUNTRY, SortField.CITY), (SortField.STATUS,), (SortField.ID,)]
)
def test_an_order_is_that_of_code_points_on_every_page(
    store: Store, tests: tuple[TextTest, ...], is_descending: bool, fields: tuple[SortField, ...]
) -> None:
    names = ["Zentrum", "zentrum", "Ärzte", "arzt", "Arzt", "10 Klinik", "9 Klinik", "Éa", "Arzt", "a-z", "a z"]
    sites = [
        make_site(f"s{number:02}", facility=name, city=name[::-1], country="DE" if number % 2 else "US")
        for number, name in enumerate(names)
    ]
    replace_study(store, make_study(), sites)
    column = {SortField.FACILITY: "facility", SortField.CITY: "city", SortField.COUNTRY: "country",
              SortField.STATUS: "status", SortField.ID: "site_id"}  # fmt: skip
    expected = sorted(
        (site for site in sites if not tests or tests[0].check()([site.facility])),
        key=lambda site: (*(getattr(site, column[field]) for field in fields), site.site_id),
        reverse=is_descending,
    )
    query = SiteSearch(tests=tests, order=SortOrder(fields, is_descending=is_descending))

    walked = list(walk(store, query, 3))

    assert [mark.id for page in walked for mark in page.marks] == [site.site_id for site in expected]
    assert {page.total for page in walked} == {len(expected)}
    assert walk_back(store, query, 3, walked[-1]) == [site.site_id for site in expected]
