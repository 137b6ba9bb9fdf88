"""Comparison of a postcode and a town, with a note about which was used."""

from __future__ import annotations

from dataclasses import replace

from sitematch.domain.message import Fact, Message, pattern
from sitematch.domain.place import Place, Precision
from sitematch.errors import AmbiguousPlace, InvalidInput, TownNotFound
from sitematch.gazetteer.grammar import fold_name
from sitematch.gazetteer.grammar.regions import is_region
from sitematch.gazetteer.namesakes import Held, resolve_town
from sitematch.gazetteer.nearness import rough_km
from sitematch.gazetteer.reader import Reader
from sitematch.gazetteer.towns import Town, TownMatches, find_towns

NOTABLE = 50_000
"""Population from which a town's name alone, without its state, overrides a postcode: smaller towns of the name may be
missing from the list of towns."""

SLACK_KM = 50.0
"""Allowed distance between a town and its postcode beyond both uncertainties, because suburbs use their city's name."""


UNCHECKED = pattern("We could not check the postcode against %(town)s, because we know no such town there.")
"""Pattern of the note if no town of the name is known."""

WIDE_KM = 25.0
"""From this precision on, a town that is at least twice as precise replaces a postcode."""


def agree(place: Place, reader: Reader, town: str, held: Held = (), *, shown: str = "") -> Place:
    """Check a postcode's place against the town that was given with it.

    Parameters
    ----------
    place
        The postcode's place.
    reader
        The gazetteer.
    town
        The person's town, optionally with a state after a comma.
    held
        Regions that were stated with it.
    shown
        The town's name for a note, if different.

    Returns
    -------
    Place
        The postcode's place if both agree, or the town's if the postcode is known only coarsely or by its region. If
        they contradict each other, the town is used if it is unambiguous and its state confirms it or it is `NOTABLE`,
        because one wrong digit gives another postcode but one wrong letter rarely gives another town. Otherwise the
        postcode is used. The notes say so.
    """
    try:
        found = find_towns(reader, town, place.country, held)
    except InvalidInput as fault:
        return _noted(place, fault.said)
    if not found.whole:
        if _is_its_own_name(place, town):
            return place
        return _noted(place, Message(UNCHECKED, town=shown or town))
    nearest, apart_km = _nearest(place, found)
    if not _is_near(place, nearest, apart_km):
        if _is_its_own_name(place, town):
            return place
        return _contradicted(place, reader, town, found, nearest, apart_km, held)
    wide = place.uncertainty_km > WIDE_KM and nearest.uncertainty_km < place.uncertainty_km / 2
    # A region's spread is that of its known codes; an unknown code may be elsewhere in its town.
    if wide or (place.precision is Precision.REGION and found.confirmed):
        told = Message("The place is the town %(town)s, which is more exact than the postcode.", town=nearest.label)
        return nearest.place((*place.notes, told))
    return place


def _is_its_own_name(place: Place, town: str) -> bool:
    """Return whether the postcode's own place has the name, which the list of towns may lack."""
    name, _, admin = place.name.partition(",")
    asked, _, region = town.partition(",")
    return fold_name(name) == fold_name(asked) and (
        not region.strip() or is_region(place.country, admin, fold_name(region))
    )


def agrees(place: Place, reader: Reader, town: str) -> bool:
    """Return whether a town of that name is at the postcode's place."""
    try:
        found = find_towns(reader, town, place.country)
    except InvalidInput:
        return False
    return found.whole and _is_near(place, *_nearest(place, found))


def _nearest(place: Place, found: TownMatches) -> tuple[Town, float]:
    distances = [(rough_km(town.coordinates, place.coordinates), i) for i, town in enumerate(found.towns)]
    apart_km, i = min(distances)
    return found.towns[i], apart_km


def _is_near(place: Place, town: Town, apart_km: float) -> bool:
    return apart_km <= place.uncertainty_km + town.uncertainty_km + SLACK_KM


def _contradicted(
    place: Place, reader: Reader, town: str, found: TownMatches, nearest: Town, apart_km: float, held: Held
) -> Place:
    facts: dict[str, Fact] = {
        "code": place.postcode or "",
        "place": place.name or place.country,
        "km": round(apart_km),
        "town": nearest.label,
    }
    try:
        believed, notes = resolve_town(reader, town, place.country, held=held)
    except (AmbiguousPlace, TownNotFound):
        believed, notes = nearest, ()
        sure = False
    else:
        sure = found.confirmed and ("," in town or bool(held) or (believed.population or 0) >= NOTABLE)
    if sure:
        told = Message(
            "The postcode %(code)s is in %(place)s, %(km)s km from %(town)s. We used the town. Check both.", **facts
        )
        return believed.place((told, *notes))
    told = Message(
        "The postcode %(code)s is in %(place)s, %(km)s km from %(town)s, the nearest known town of that name. "
        "We used the postcode. Check both.",
        **facts,
    )
    return _noted(place, told)


def _noted(place: Place, note: str) -> Place:
    return replace(place, notes=(*place.notes, note))
