"""Giving sites their coordinates from our own gazetteer, and building the stand-in sites' file."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

from sitematch.domain.place import Place
from sitematch.domain.site import Site
from sitematch.domain.study import Study
from sitematch.errors import (
    AmbiguousPlace,
    DataFault,
    Fault,
    InvalidPostcode,
    NotFound,
    PostcodeNotFound,
)
from sitematch.gazetteer.grammar import parse_country, parse_postcode
from sitematch.gazetteer.locate import Gazetteer
from sitematch.importers.facility import clean_facility

STAND_IN_COLUMNS = ("source_study", "facility", "city", "state", "postcode", "country")
"""The columns of the file of facts that the stand-in sites are built from."""


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


def place_site(gazetteer: Gazetteer, *, city: str, state: str, postcode: str, country: str) -> Placed:
    """Place a site by its postcode and town, each checking the other.

    Parameters
    ----------
    gazetteer
        The only source of coordinates.
    city, state, postcode
        As a record gives them; each may be empty.
    country
        ISO 3166-1 alpha-2.

    Returns
    -------
    Placed
        By postcode where it is known and agrees with the town, else by the town, else nowhere; `flags` say so.
    """
    town = ", ".join(part for part in (city, state) if part) or None
    flags: list[str] = []
    normal = postcode
    if postcode:
        try:
            normal = parse_postcode(postcode, country).code
            place = gazetteer.locate(postcode, country, town=town)
        except (InvalidPostcode, PostcodeNotFound) as error:
            flags.append(error.message)
        else:
            return Placed(place=place, postcode=normal, flags=place.notes)
    for name in dict.fromkeys(part for part in (town, city) if part):
        try:
            place = gazetteer.locate("", country, town=name)
        except (AmbiguousPlace, NotFound) as error:
            flags.append(error.message)
        else:
            flags.append(f"Placed by its town, {place.name or name}.")
            return Placed(place=place, postcode=normal, flags=(*flags, *place.notes))
    return Placed(place=None, postcode=normal, flags=tuple(flags))


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
        place=None if placed.place is None else replace(placed.place, notes=()),
        status=study.status,
        travel=study.travel,
        time_reimbursement=study.time_reimbursement,
        as_of_on=study.as_of_on,
        flags=placed.flags,
    )
