"""Which sites of several studies are one clinic."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from sitematch.domain.finding.clinic import clinic_number, clinics_of
from sitematch.domain.studies.site import Site
from tests.builders import make_site

_numbers = itertools.count(1)


def at(facility: str = "Hôpital Foch", city: str = "Suresnes", postcode: str = "92150", **changes: object) -> Site:
    number = next(_numbers)
    study_id = f"NCT{number:08d}"
    return make_site(
        f"{study_id}-001",
        study_id=study_id,
        source_study=study_id,
        facility=facility,
        city=city,
        postcode=postcode,
        **{"country": "FR", "latitude": 48.87, "longitude": 2.22, **changes},
    )


def groups(*sites: Site) -> list[list[int]]:
    """Give the positions of the sites that are together."""
    return sorted(sorted(sites.index(site) for site in clinic.sites) for clinic in clinics_of(sites))


@pytest.mark.parametrize(
    "other",
    [
        at(),
        at(facility="HOPITAL  FOCH", city="suresnes"),
        at(postcode=""),
        at(postcode="92150-1234"),
        at(latitude=None, postcode=""),
        at(latitude=48.9, longitude=2.3, postcode="92150"),
    ],
)
def test_two_spellings_of_one_clinic_are_one(other: Site) -> None:
    assert groups(at(), other) == [[0, 1]]


@pytest.mark.parametrize(
    "other",
    [
        at(facility="Hôpital Foch 2"),
        at(city="Paris"),
        at(postcode="92100"),
        at(country="BE"),
        at(postcode="", latitude=43.3, longitude=5.4),
    ],
)
def test_what_differs_in_name_town_code_country_or_place_is_another(other: Site) -> None:
    assert groups(at(), other) == [[0], [1]]


@pytest.mark.parametrize("name", ["Research Site", "Local Institution - 0031", "Name not given"])
def test_untold_names_are_never_one_clinic(name: str) -> None:
    one, other = at(facility=name), at(facility=name)

    assert groups(one, other) == [[0], [1]]
    assert number(one) != number(other)


def test_site_that_fits_two_branches_stays_alone() -> None:
    assert groups(at(postcode="92150"), at(postcode="92100"), at(postcode="")) == [[0], [1], [2]]


def test_grouping_is_the_same_whatever_the_order() -> None:
    sites = [at(), at(postcode=""), at(postcode="92150-1"), at(postcode="92100"), at(facility="Another")]

    found = {clinics_of(order) for order in itertools.permutations(sites)}

    assert len(found) == 1


def test_sites_across_the_antimeridian_are_near() -> None:
    assert groups(at(longitude=179.9), at(longitude=-179.9, postcode="")) == [[0, 1]]


def test_clinic_stands_where_it_is_known_best() -> None:
    rough, exact = at(uncertainty_km=9.0), at(latitude=48.9, uncertainty_km=1.0)

    (clinic,) = clinics_of([rough, exact, replace(at(), place=None)])

    assert clinic.site == exact


def number(site: Site) -> int:
    return clinic_number(site.facility, site.city, site.country, site.site_id)


def test_sites_of_one_clinic_share_their_number() -> None:
    assert number(at()) == number(at(facility="Hopital-Foch", postcode=""))
    assert number(at()) != number(at(city="Paris"))
    assert -(2**63) <= number(at()) < 2**63
