"""Hold a postcode and a town against each other, and say which was believed."""

from __future__ import annotations

from dataclasses import replace

from sitematch.domain.place import Place, Precision
from sitematch.errors import AmbiguousPlace, InvalidInput, TownNotFound
from sitematch.gazetteer.nearness import rough_km
from sitematch.gazetteer.reader import Reader
from sitematch.gazetteer.towns import Found, Town, find_towns, the_town

SLACK_KM = 25.0
"""A town and a postcode of it may lie so far apart beyond both uncertainties: suburbs carry their city's name."""


def agree(place: Place, reader: Reader, town: str) -> Place:
    """Check a postcode's place against the town that was given with it.

    Parameters
    ----------
    place
        What the postcode says.
    reader
        The gazetteer.
    town
        What the person says, perhaps with a state after a comma.

    Returns
    -------
    Place
        The postcode's place where both agree, or the town's where the postcode is known only by its region. Where
        they contradict each other, the town is believed if it can be told which town is meant, since one wrong
        digit makes another postcode but one wrong letter makes no other town; else the postcode. The notes say so.
    """
    try:
        found = find_towns(reader, town, place.country)
    except InvalidInput as fault:
        return _noted(place, fault.message)
    if not found.whole:
        return _noted(place, f"The postcode could not be checked against {town}: no such town is known there.")
    nearest, apart_km = _nearest(place, found)
    if not _is_near(place, nearest, apart_km):
        return _contradicted(place, reader, town, nearest, apart_km)
    if place.precision is Precision.REGION and nearest.uncertainty_km < place.uncertainty_km:
        return nearest.place((*place.notes, f"The town {nearest.label} is finer than what the postcode says."))
    return place


def agrees(place: Place, reader: Reader, town: str) -> bool:
    """Tell whether a town of that name lies where the postcode's place is."""
    try:
        found = find_towns(reader, town, place.country)
    except InvalidInput:
        return False
    return found.whole and _is_near(place, *_nearest(place, found))


def _nearest(place: Place, found: Found) -> tuple[Town, float]:
    distances = [(rough_km(town.coordinates, place.coordinates), i) for i, town in enumerate(found.towns)]
    apart_km, i = min(distances)
    return found.towns[i], apart_km


def _is_near(place: Place, town: Town, apart_km: float) -> bool:
    return apart_km <= place.uncertainty_km + town.uncertainty_km + SLACK_KM


def _contradicted(place: Place, reader: Reader, town: str, nearest: Town, apart_km: float) -> Place:
    where = place.name or place.country
    said = f"The postcode {place.postcode} is in {where}, {apart_km:.0f} km from {nearest.label}"
    try:
        believed, notes = the_town(reader, town, place.country)
    except (AmbiguousPlace, TownNotFound):
        return _noted(place, f"{said}, the nearest town of the name given. The postcode was believed; check both.")
    return believed.place((f"{said}. The town was believed; check both.", *notes))


def _noted(place: Place, note: str) -> Place:
    return replace(place, notes=(*place.notes, note))
