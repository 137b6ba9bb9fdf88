"""Locating sites with our own gazetteer, and building the file of stand-in sites."""

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
"""The columns of the source file of the stand-in sites."""

POINT_KM = 40.0
"""Uncertainty of a registry's own point: 97 of 100 of 2,206 real points were within 37 km of the gazetteer's place
(ClinicalTrials.gov; `docs/importing.md`). Some of the others were 400 km off, so a point is only used if nothing else
is known."""

POINT_SLACK_KM = 50.0
"""Distance between a record's point and the place, beyond both uncertainties, from which they contradict each other."""

_CONTRADICTIONS = ("was used", "was not used", "Check both", "was believed")
"""Words in flags about contradictions in a record; the last two come from the gazetteer, today's and older ones."""

InCountry = Callable[[str, Coordinates], bool]


def tells_contradiction(flag: str) -> bool:
    """Return whether a flag says that parts of a record contradict one another, and which was used."""
    return any(words in flag for words in _CONTRADICTIONS)


_MEANT = "was read as"
_NOTICES = ("was left out", "and left out", "is unknown, so", _MEANT)


def is_notice(flag: str) -> bool:
    """Return whether a flag says that a field could not be read; only that field is affected."""
    return any(text in flag for text in _NOTICES)


def read_country(text: str, flags: list[str]) -> str:
    """Parse a country, also with one wrong letter if only one country is possible.

    Parameters
    ----------
    text
        The text in the record.
    flags
        Gets a notice if the country is misspelt.

    Returns
    -------
    str
        ISO 3166-1 alpha-2.

    Raises
    ------
    UnknownCountry
        If no country has this name or a similar one, or if several do.
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
"""Territories of the United States with their own country code, as the state of an address."""

_ZIP_DIGITS = 5


def read_us_parts(country: str, state: str, postcode: str, flags: list[str]) -> tuple[str, str]:
    """Correct a territory that is given as a US state, and a ZIP code that lost its zeros in a spreadsheet.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2.
    state, postcode
        As in the record.
    flags
        Gets the notices.

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
        flags.append(f"The record's country is US, its state {state}: {COUNTRIES[territory].in_text} was used.")
        country = territory
    is_american = country == "US" or country in _TERRITORIES.values()
    if is_american and postcode.isascii() and postcode.isdecimal() and _ZIP_DIGITS - 2 <= len(postcode) < _ZIP_DIGITS:
        whole = postcode.zfill(_ZIP_DIGITS)
        flags.append(f"The ZIP code {postcode} {_MEANT} {whole}: a spreadsheet takes zeros off.")
        postcode = whole
    return country, postcode


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The location of a site.

    Parameters
    ----------
    place
        None if neither postcode nor town is known.
    postcode
        In normal form if it has one, otherwise as given.
    flags
        Notices in plain words.
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
    """Locate a site by its postcode and town, which are checked against each other and against the record's own point.

    Parameters
    ----------
    gazetteer
        The first source of coordinates.
    city, state, postcode
        As in the record; each may be empty.
    country
        ISO 3166-1 alpha-2.
    point
        The record's own coordinates: they distinguish towns with the same name, and are used if neither postcode nor
        town is known.
    in_country
        Returns whether a point can be in a country; a point that cannot is not used.

    Returns
    -------
    Placed
        By the postcode if it is known and agrees with the town, otherwise by the town, otherwise by the record's point,
        otherwise without a place. `flags` say which, and what was used if they contradict one another.
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
            return Placed(place=place, postcode=normal, flags=tuple(map(str, place.notes)))
    # A known state is required: another state may have a town of the same name.
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
            return Placed(place=place, postcode=normal, flags=(*flags, *map(str, place.notes)))
    return Placed(place=None, postcode=normal, flags=tuple(flags))


def _nearest_town(gazetteer: Gazetteer, name: str, country: str, point: Coordinates | None) -> Place | None:
    """Choose among towns of one name by the record's point, if exactly one of them is near it."""
    if point is None:
        return None
    near = [
        town
        for town in gazetteer.search_towns(name, country, limit=50)
        if rough_km(town.coordinates, point) <= POINT_KM
    ]
    return near[0].place() if len(near) == 1 else None


def _against_point(placed: Placed, point: Coordinates, country: str, city: str) -> Placed:
    """Compare the record's own point with the place; use it if there is no place."""
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
    """Create a study's stand-in sites from their source file, located by the gazetteer.

    Parameters
    ----------
    facts
        CSV with `STAND_IN_COLUMNS`.
    study
        The study with the status, travel support and dates, which stand-ins do not have themselves.
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
    """Round a place, so that the file stays readable."""
    point = place.coordinates
    return replace(
        place,
        coordinates=Coordinates(latitude=round(point.latitude, 5), longitude=round(point.longitude, 5)),
        uncertainty_km=round(place.uncertainty_km, 3),
    )
