"""Coverage of lists of people by the default study's sites, with the real gazetteer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sitematch.domain.accounts.access import Actor, Grant, Role
from sitematch.domain.reports.coverage import NotOpen
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.errors import DataFault, InvalidInput, NotAllowed
from sitematch.gazetteer.locate import Gazetteer
from sitematch.geo.geodesic import distance_km
from sitematch.reports.render import Format, render
from sitematch.services.finding.finder import Finder
from sitematch.services.reports.coverage import cover, coverage_report
from sitematch.services.reports.postcode_lists import PostcodeList, read_postcode_list

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
ACTOR = Actor(actor_id="user:v", grants=(Grant(role=Role.VIEWER, study_id="NCT06064929"),))
MIAMI, PORTLAND, BERLIN = "33180", "04102", "10115"
AVENTURA = "NCT06064929-039"


def make_people(*postcodes: str, country: str = "US", counts: tuple[float, ...] | None = None) -> PostcodeList:
    return PostcodeList(
        postcodes=postcodes, countries=(country,) * len(postcodes), counts=counts or (1.0,) * len(postcodes)
    )


def without(finder: Finder, *site_ids: str, **changes: object) -> Finder:
    sites = [replace(s, **changes) if s.site_id in site_ids else s for s in finder.sites]  # type: ignore[arg-type]
    return Finder(finder.gazetteer, finder.study, sites)


def test_rows_that_cannot_be_located_are_counted_and_widen_the_upper_bound(finder: Finder) -> None:
    found = cover(finder, make_people(MIAMI, "nowhere", "99999999", counts=(6, 3, 1)), NOW)

    assert (found.people, found.unlocated) == (10, 4)
    assert dict(found.statuses) == {"FOUND": 1, "INVALID": 2}
    assert [(one.share, one.share_low, one.share_high) for one in found.reached] == [(1.0, 0.6, 1.0)] * 3


def test_distances_are_those_of_a_look_up(finder: Finder, gazetteer: Gazetteer) -> None:
    found = cover(finder, make_people("59718"), NOW)

    place = gazetteer.locate("59718", "US")
    nearest = min(distance_km(place.coordinates, s.place.coordinates) for s in finder.sites if s.place)
    assert found.medians.km == pytest.approx(nearest, abs=1e-6)
    assert found.medians.low_km < found.medians.km < found.medians.high_km


def test_full_or_closed_site_covers_nobody_and_is_a_candidate(finder: Finder) -> None:
    full = without(finder, AVENTURA, spots=0)
    paused = without(finder, AVENTURA, status=RecruitmentStatus.SUSPENDED)

    for changed, why in ((full, NotOpen.FULL), (paused, NotOpen.NOT_RECRUITING)):
        found = cover(changed, make_people(MIAMI), NOW)

        assert found.reached[-1].share == 0.0
        assert [(c.site.site_id, c.why) for c in found.candidates] == [(AVENTURA, why)]
        assert found.ranked[0].median_km == 0.0
        assert found.ranked[0].shares == (1.0, 1.0, 1.0)
        assert found.ranked[0].nearer == 1


def test_sites_of_another_study_can_be_candidates_and_those_of_this_one_are_none_twice(finder: Finder) -> None:
    closed = without(finder, AVENTURA, status=RecruitmentStatus.COMPLETED)
    others = [replace(site, site_id=f"other-{i}") for i, site in enumerate(finder.sites[:3])]

    found = cover(closed, make_people(MIAMI), NOW, more_candidates=[*others, *finder.sites])

    assert [c.site.site_id for c in found.candidates] == [AVENTURA, "other-0", "other-1", "other-2"]
    assert found.candidates[found.ranked[0].candidate].site.site_id == AVENTURA


def test_with_no_open_site_nobody_is_covered_and_one_site_helps(finder: Finder) -> None:
    sites = [replace(site, status=RecruitmentStatus.SUSPENDED) for site in finder.sites]

    report = coverage_report(Finder(finder.gazetteer, finder.study, sites), ACTOR, make_people(MIAMI), NOW)

    assert "No site can take a patient now, so nobody is within reach." in report.sections[0].text
    assert "from nothing within reach to 0 km" in report.sections[2].text[0]


def test_no_postcode_is_in_any_form_of_the_report(finder: Finder) -> None:
    codes = ["59718", "83702", "nowhere", "04102"]

    report = coverage_report(finder, ACTOR, make_people(*codes), NOW)

    for form in (Format.JSON, Format.CSV, Format.HTML):
        written = render(report, form).decode()
        assert not [code for code in codes if code in written]


def test_a_list_is_not_shown_by_its_representation() -> None:
    assert MIAMI not in repr(make_people(MIAMI))


def test_sites_nearest_to_few_people_stand_together(finder: Finder) -> None:
    people = make_people(MIAMI, PORTLAND, "60601", counts=(50, 12, 3))

    report = coverage_report(finder, ACTOR, people, NOW)

    (table,) = (t for t in report.tables if t.name == "nearest-sites")
    # Three people alone could be identified, so the next site with few people is added to them.
    assert [row[4] for row in table.rows] == [50, 15]
    assert table.rows[0][0] == AVENTURA


def test_the_same_list_in_another_order_gives_the_same_bytes(finder: Finder) -> None:
    first = coverage_report(finder, ACTOR, make_people(MIAMI, PORTLAND, "59718"), NOW)
    second = coverage_report(finder, ACTOR, make_people("59718", MIAMI, PORTLAND), NOW)

    assert render(first, Format.JSON) == render(second, Format.JSON)


def test_who_may_read_no_report_of_the_study_gets_none(finder: Finder) -> None:
    with pytest.raises(NotAllowed):
        coverage_report(finder, Actor(actor_id="user:x"), make_people(MIAMI), NOW)


@pytest.mark.parametrize("limits", [[], [0.0], [-1.0], [float("nan")], [float("inf")], list(range(1, 12))])
def test_distances_that_make_no_sense_are_refused(finder: Finder, limits: list[float]) -> None:
    with pytest.raises(InvalidInput, match="distances"):
        cover(finder, make_people(MIAMI), NOW, limits_km=limits)


@pytest.mark.parametrize("counts", [(0.0,), (-1.0,), (float("nan"),)])
def test_numbers_of_people_that_make_no_sense_are_refused(counts: tuple[float, ...]) -> None:
    with pytest.raises(InvalidInput):
        make_people(MIAMI, counts=counts)


def test_a_file_is_read_with_its_own_columns(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("\ufeffzip,land,n\n33180,,2\n10115,DE,3.5\n", encoding="utf-8")

    people = read_postcode_list(path, column="zip", country="US", country_column="land", people_column="n")

    assert (people.postcodes, people.countries, people.counts) == (("33180", "10115"), ("US", "DE"), (2.0, 3.5))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plz\n10115\n", "no such column; the columns are: plz"),
        ("zip,n\n33180,many\n", "line 2, n: not a number"),
        ("zip,n\n33180,-1\n", "not a number of people"),
    ],
)
def test_a_file_at_fault_is_refused_without_repeating_a_postcode(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(DataFault, match=said) as caught:
        read_postcode_list(
            path, column="zip", country="US", country_column=None, people_column="n" if ",n" in text else None
        )

    assert "33180" not in str(caught.value)
    assert "10115" not in str(caught.value)


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("zip\nStraße\n".encode("latin-1"))

    with pytest.raises(DataFault, match="UTF-8"):
        read_postcode_list(path, column="zip", country="DE", country_column=None, people_column=None)
