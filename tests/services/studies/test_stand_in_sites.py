"""``data/sites.csv``: 46 real sites, placed by our own gazetteer, rebuilt byte for byte."""

from __future__ import annotations

import csv

import pytest

from sitematch.config import data_file
from sitematch.exporters.tables.files import csv_text
from sitematch.exporters.tables.rows import STATED_SITE_HEADER, cells, site_row
from sitematch.gazetteer.locate import Gazetteer
from sitematch.geo.geodesic import distance_km
from sitematch.importers.study_file import read_study
from sitematch.importers.tables.sites_csv import read_sites
from sitematch.services.finding.finder import Finder
from sitematch.services.studies.placing import build_stand_in_sites
from tests.builders import make_point


def test_the_file_is_rebuilt_byte_for_byte(gazetteer: Gazetteer) -> None:
    study = read_study(data_file("study.json"))

    sites = build_stand_in_sites(data_file("stand-in-sites.csv"), study, gazetteer)

    built = csv_text(STATED_SITE_HEADER, cells(map(site_row, sites), STATED_SITE_HEADER), line_end="\n")
    assert built.encode() == data_file("sites.csv").read_bytes()


def test_all_46_facts_are_there_and_every_row_says_it_is_a_stand_in(finder: Finder) -> None:
    with data_file("stand-in-sites.csv").open(encoding="utf-8", newline="") as file:
        facts = list(csv.DictReader(file))

    assert len(finder.sites) == len(facts) == 46
    assert all(site.is_stand_in and site.source_study == "NCT05843643" for site in finder.sites)
    assert all("ID#" not in site.facility for site in finder.sites)
    assert len({site.country for site in finder.sites}) == 36


def test_every_site_has_a_location_from_our_gazetteer(finder: Finder) -> None:
    sources = {source.name for source in finder.gazetteer.sources()}

    for site in finder.sites:
        assert site.place is not None, site
        assert site.place.source in sources
        assert site.place.uncertainty_km > 0


def test_the_row_whose_zip_code_contradicts_its_state_is_placed_by_its_city_and_flagged(finder: Finder) -> None:
    (site,) = [site for site in finder.sites if site.city == "Marietta"]

    assert site.place is not None
    # The town square of Marietta, Georgia: 33.9526 N, 84.5499 W, from a map and not from our gazetteer.
    assert distance_km(site.place.coordinates, make_point(33.9526, -84.5499)) < 10
    assert any("20060 is in Washington" in flag and "We used" in flag for flag in site.flags)


@pytest.mark.parametrize(
    ("city", "latitude", "longitude"),
    # Well-known points in the towns, not from the gazetteer: Keelung station, Syntagma, Banja Luka's Kastel,
    # Ramat Gan's stadium.
    [
        ("Keelung", 25.1317, 121.7382),
        ("Athens", 37.9755, 23.7348),
        ("Banja Luka", 44.7664, 17.1868),
        ("Ramat Gan", 32.1017, 34.8242),
    ],
)
def test_countries_without_postcodes_in_the_source_are_placed_by_town(
    finder: Finder, city: str, latitude: float, longitude: float
) -> None:
    (site,) = [site for site in finder.sites if site.city == city]

    assert site.place is not None
    assert distance_km(site.place.coordinates, make_point(latitude, longitude)) < site.place.uncertainty_km


def test_the_file_passes_its_own_check() -> None:
    assert len(read_sites(data_file("sites.csv")).sites) == 46


def test_the_study_says_what_must_be_said() -> None:
    study = read_study(data_file("study.json"))

    assert study.pool_spots == 8
    assert study.travel.certainty == "MAY_BE_COVERED"
    assert study.time_reimbursement == "varies"
    assert (study.age_min_years, study.age_max_years, study.sex, study.has_placebo) == (18, None, "ALL", False)
    assert [(p.name, p.weeks_min, p.weeks_max) for p in study.timeline] == [
        ("screening", 2, 4),
        ("treatment", 8, 12),
        ("follow-up", 4, 4),
    ]
    assert "stand-ins" in study.notice
