"""Giving sites their coordinates from our own gazetteer, and building the stand-in sites' file."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study
from sitematch.errors import (
    AmbiguousPlace,
    DataFault,
    Fault,
    InvalidInput,
    NotFound,
    PostcodeNotFound,
    UnknownCountry,
)
from sitematch.gazetteer.grammar import COUNTRIES, parse_country, parse_postcode, similar_countries
from sitematch.gazetteer.grammar.regions import find_regions
from sitematch.gazetteer.locate import Gazetteer
from sitematch.gazetteer.nearness import rough_km
from sitematch.importers.facility import clean_facility

STAND_IN_COLUMNS = ("source_study", "facility", "city", "state", "postcode", "country")
"""The columns of the file of facts that the stand-in sites are built from."""

POINT_KM = 40.0
"""How far off a registry's own point may be: 97 of 100 of 2,206 real ones lay within 37 km of the gazetteer's place
(ClinicalTrials.gov; `docs/importing.md`). Some of the rest were 400 km off, so a point is only ever the last word."""

POINT_SLACK_KM = 50.0
"""A record's point may lie so far from the place, beyond both uncertainties, before it contradicts it."""

_CONTRADICTIONS = ("was used", "was not used", "was believed")
"""Words of a flag that tells a contradiction in a record; the last are the gazetteer's and those of older flags."""

InCountry = Callable[[str, Coordinates], bool]


def tells_contradiction(flag: str) -> bool:
    """Tell whether a flag says that parts of a record contradict one another, and which was used."""
    return any(words in flag for words in _CONTRADICTIONS)


_MEANT = "was read as"
_NOTICES = ("was left out", "is unknown, so", _MEANT)


def is_notice(flag: str) -> bool:
    """Tell whether a flag says that a field could not be read as it stands; that costs the field alone."""
    return any(text in flag for text in _NOTICES)


def read_country(text: str, flags: list[str]) -> str:
    """Read a country, also one that is misspelt by one letter where only one can be meant.

    Parameters
    ----------
    text
        As a record writes it.
    flags
        Takes a notice where the country is misspelt.

    Returns
    -------
    str
        ISO 3166-1 alpha-2.

    Raises
    ------
    UnknownCountry
        If no country is called so, or nearly so; or if several are.
    """
    try:
        return parse_country(text)
    except UnknownCountry:
        meant = similar_countries(text)
        if len(meant) != 1:
            raise
        flags.append(f"The country {text[:40]!r} {_MEANT} {COUNTRIES[meant[0]].name}.")
        return meant[0]


_TERRITORIES = {"PR": "PR", "PUERTO RICO": "PR", "GU": "GU", "GUAM": "GU", "VI": "VI", "VIRGIN ISLANDS": "VI",
                "AS": "AS", "AMERICAN SAMOA": "AS", "MP": "MP", "NORTHERN MARIANA ISLANDS": "MP"}  # fmt: skip
"""Territories of the United States with a country code of their own, as the state of an address."""

_ZIP_DIGITS = 5


def read_us_parts(country: str, state: str, postcode: str, flags: list[str]) -> tuple[str, str]:
    """Read a territory that stands as a state of the US, and a ZIP code whose zeros a spreadsheet took off.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2.
    state, postcode
        As the record writes them.
    flags
        Takes what was noticed.

    Returns
    -------
    tuple of str
        Country and postcode.

    Examples
    --------
    >>> read_us_parts("US", "PR", "917", []), read_us_parts("US", "MA", "2118", [])
    (('PR', '00917'), ('US', '02118'))
    """
    territory = _TERRITORIES.get(state.strip().upper()) if country == "US" else None
    if territory is not None:
        flags.append(f"The record's country is US, its state {state}: {COUNTRIES[territory].name} was used.")
        country = territory
    is_american = country == "US" or country in _TERRITORIES.values()
    if is_american and postcode.isascii() and postcode.isdecimal() and _ZIP_DIGITS - 2 <= len(postcode) < _ZIP_DIGITS:
        whole = postcode.zfill(_ZIP_DIGITS)
        flags.append(f"The ZIP code {postcode} {_MEANT} {whole}: a spreadsheet takes zeros off.")
        postcode = whole
    return country, postcode


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a site was found.

    Parameters
    ----------
    place
        None if neither postcode nor town is known.
    postcode
        In normal form where it has one, else as given.
    flags
        What was noticed, in plain words.
    """

    place: Place | None
    postcode: str
    flags: tuple[str, ...]


def place_site(
    gazetteer: Gazetteer,
    *,
    city: str,
    state: str,
    postcode: str,
    country: str,
    point: Coordinates | None = None,
    in_country: InCountry | None = None,
) -> Placed:
    """Place a site by its postcode and town, each checking the other; a record's own point checks both.

    Parameters
    ----------
    gazetteer
        The first source of coordinates.
    city, state, postcode
        As a record gives them; each may be empty.
    country
        ISO 3166-1 alpha-2.
    point
        The record's own coordinates: they tell towns of one name apart, and stand in where neither postcode nor town
        is known.
    in_country
        Tells whether a point can lie in a country; one that cannot is not used.

    Returns
    -------
    Placed
        By postcode where it is known and agrees with the town, else by the town, else by the record's point, else
        nowhere; `flags` say so, and what was believed where they contradict one another.
    """
    flags: list[str] = []
    if point is not None and in_country is not None and not in_country(country, point):
        flags.append(f"The record's point ({_written(point)}) cannot be in {country}, so it was not used.")
        point = None
    placed = _by_words(gazetteer, city=city, state=state, postcode=postcode, country=country, point=point)
    if point is not None:
        placed = _against_point(placed, point, country, city)
    return placed if not flags else replace(placed, flags=(*flags, *placed.flags))


def _by_words(
    gazetteer: Gazetteer, *, city: str, state: str, postcode: str, country: str, point: Coordinates | None
) -> Placed:
    town = ", ".join(part for part in (city, state) if part) or None
    flags: list[str] = []
    normal = postcode
    if postcode:
        try:
            normal = parse_postcode(postcode, country).code
            place = gazetteer.locate(postcode, country, town=town)
        except (InvalidInput, PostcodeNotFound) as error:
            flags.append(error.message)
        else:
            return Placed(place=place, postcode=normal, flags=place.notes)
    # A state that is known holds: the town's name alone may be that of a town in another one.
    alone = "" if state and find_regions(state, country) else city
    for name in dict.fromkeys(part for part in (town, alone) if part):
        try:
            place = gazetteer.locate("", country, town=name)
        except AmbiguousPlace as error:
            near = _nearest_town(gazetteer, name, country, point)
            if near is not None:
                flags.append(f"Placed by its town, {near.name}: the town with this name nearest to the record's point.")
                return Placed(place=near, postcode=normal, flags=tuple(flags))
            flags.append(error.message)
        except (NotFound, InvalidInput) as error:
            flags.append(error.message)
        else:
            flags.append(f"Placed by its town, {place.name or name}.")
            return Placed(place=place, postcode=normal, flags=(*flags, *place.notes))
    return Placed(place=None, postcode=normal, flags=tuple(flags))


def _nearest_town(gazetteer: Gazetteer, name: str, country: str, point: Coordinates | None) -> Place | None:
    """Choose among towns of one name by the record's point, if just one of them lies near it."""
    if point is None:
        return None
    near = [
        town
        for town in gazetteer.search_towns(name, country, limit=50)
        if rough_km(town.coordinates, point) <= POINT_KM
    ]
    return near[0].place() if len(near) == 1 else None


def _against_point(placed: Placed, point: Coordinates, country: str, city: str) -> Placed:
    """Hold the record's own point against the place; take it where there is none."""
    place = placed.place
    if place is None:
        stand_in = Place(
            coordinates=point,
            precision=Precision.LOCALITY,
            uncertainty_km=POINT_KM,
            source="the registry's record",
            country=country,
            name=city,
        )
        flag = (
            f"Placed by the record's own point, accurate to about {POINT_KM:.0f} km: the gazetteer has nothing better."
        )
        return replace(placed, place=stand_in, flags=(*placed.flags, flag))
    apart_km = rough_km(place.coordinates, point)
    if apart_km <= place.uncertainty_km + POINT_SLACK_KM:
        if any(tells_contradiction(flag) for flag in placed.flags):
            flag = f"The record's own point is {apart_km:.0f} km from there, so it agrees."
            return replace(placed, flags=(*placed.flags, flag))
        return placed
    by = f"postcode {place.postcode}" if place.postcode else f"town {place.name}"
    flag = (
        f"The record's own point ({_written(point)}) is {apart_km:.0f} km from {place.name or by}. The {by} was used, "
        "because registries find their points only by the name of the city. Check both."
    )
    return replace(placed, flags=(*placed.flags, flag))


def _written(point: Coordinates) -> str:
    return f"{point.latitude:.4f}, {point.longitude:.4f}"


def build_stand_in_sites(facts: Path, study: Study, gazetteer: Gazetteer) -> tuple[Site, ...]:
    """Turn the facts of the stand-in sites into sites of a study, placed by the gazetteer.

    Parameters
    ----------
    facts
        CSV with `STAND_IN_COLUMNS`.
    study
        Gives status, travel support and dates, which stand-ins have none of their own of.
    gazetteer
        The only source of coordinates.

    Returns
    -------
    tuple of Site
        In the file's order, with ids numbered in that order. The same inputs give the same sites.

    Raises
    ------
    DataFault
        If a column is missing.
    UnknownCountry
        If a row's country is not known.
    """
    with facts.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = [column for column in STAND_IN_COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            faults = [Fault(1, column, "", "the column is missing") for column in missing]
            raise DataFault(f"{facts.name}: missing columns {', '.join(missing)}", faults=faults)
        return tuple(_stand_in(number, row, study, gazetteer) for number, row in enumerate(reader, start=1))


def _stand_in(number: int, row: dict[str, str], study: Study, gazetteer: Gazetteer) -> Site:
    country = parse_country(row["country"])
    placed = place_site(gazetteer, city=row["city"], state=row["state"], postcode=row["postcode"], country=country)
    return Site(
        site_id=f"{study.study_id}-{number:03d}",
        study_id=study.study_id,
        source_study=row["source_study"],
        facility=clean_facility(row["facility"]),
        city=row["city"],
        state=row["state"],
        postcode=placed.postcode,
        country=country,
        place=placed.place and _to_the_metre(replace(placed.place, notes=())),
        status=study.status,
        travel=study.travel,
        time_reimbursement=study.time_reimbursement,
        as_of_on=study.as_of_on,
        flags=placed.flags,
    )


def _to_the_metre(place: Place) -> Place:
    """Round a place, so that its file stays readable."""
    point = place.coordinates
    return replace(
        place,
        coordinates=Coordinates(latitude=round(point.latitude, 5), longitude=round(point.longitude, 5)),
        uncertainty_km=round(place.uncertainty_km, 3),
    )
