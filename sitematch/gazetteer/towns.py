"""Find towns by name: ranked candidates, never a guess."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from string import ascii_lowercase

from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.errors import AmbiguousPlace, InvalidInput, Suggestion, TownNotFound
from sitematch.gazetteer.grammar import COUNTRIES, find_country, fold_name, name_keys
from sitematch.gazetteer.grammar.regions import is_region
from sitematch.gazetteer.nearness import rough_km
from sitematch.gazetteer.reader import Reader, TownRow
from sitematch.gazetteer.schema import DEGREE

MAX_NAME_LENGTH = 200
"""Characters; the longest official name of a town has 168."""

DOMINANCE = 20
"""Inside one country the largest town of a name is taken, and said to be, if it has this many times the people of
the next; below that the person is asked."""

SAME_TOWN_KM = 5.0
"""Two entries of one name closer than this are one town and its centre, not two towns."""

_LEAST_KM_A_DEGREE = 110.5
"""Of a meridian, at the equator (WGS84 110.574)."""

# Words that a name may carry or lack, folded: "New York City", "臺北市", "Ichikawa-shi".
_SUFFIXES = (
    " city", " municipality", " town", " shi", " si", " ku", " gu", " gun",
    "市", "區", "区", "縣", "县", "시", "군", "구",
)  # fmt: skip

# "TOULOUSE Cedex 9": the post office of large receivers, behind the town.
_CEDEX = re.compile(r"\bcedex\b\s*\d*", re.IGNORECASE)
# And words before a name: "City of London", "Ciudad Autonoma Buenos Aires". Longest first.
_PREFIXES = (
    "ciudad autonoma de ", "ciudad autonoma ", "ciudad de ", "ciudad ", "city of ", "cidade de ", "ville de ",
    "municipio de ", "municipality of ", "town of ", "greater ",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A town that fits a name.

    Parameters
    ----------
    name
        Its own name.
    admin
        State or province; empty if unknown.
    country
        ISO 3166-1 alpha-2 code.
    coordinates
        The town's centre.
    uncertainty_km
        See `Place.uncertainty_km`.
    population
        None is unknown.
    source
        See `Place.source`.
    """

    name: str
    admin: str
    country: str
    coordinates: Coordinates
    uncertainty_km: float
    population: int | None
    source: str

    @property
    def label(self) -> str:
        """The name with its state or province."""
        return f"{self.name}, {self.admin}" if self.admin and self.admin != self.name else self.name

    def place(self, notes: tuple[str, ...] = ()) -> Place:
        """Give the town as a place."""
        return Place(
            coordinates=self.coordinates,
            precision=Precision.LOCALITY,
            uncertainty_km=self.uncertainty_km,
            source=self.source,
            country=self.country,
            name=self.label,
            notes=notes,
        )


def search_towns(reader: Reader, text: str, country: str | None = None, limit: int = 10) -> tuple[Town, ...]:
    """Find the towns that a text may mean.

    Parameters
    ----------
    reader
        The gazetteer.
    text
        A name, perhaps with its state, province or country after commas: ``"Springfield, IL"``.
    country
        ISO 3166-1 alpha-2 code; None searches everywhere.
    limit
        At most so many.

    Returns
    -------
    tuple of Town
        Whole names before beginnings of names, then the largest population first, unknown ones last; empty if
        nothing fits. Where a state was given and some town lies in it, only those.

    Raises
    ------
    InvalidInput
        If the text is empty or longer than `MAX_NAME_LENGTH`, or the limit is not positive.
    """
    if limit < 1:
        raise InvalidInput(f"The limit is {limit}; give at least 1.", field="limit")
    return find_towns(reader, text, country).towns[:limit]


def nearest_town(reader: Reader, point: Coordinates, within_km: float) -> Town | None:
    """Find the town nearest to a point.

    Parameters
    ----------
    reader
        The gazetteer.
    point
        Anywhere on the globe.
    within_km
        How far it may be, in kilometres.

    Returns
    -------
    Town or None
        Of equally near ones the one with the least id; None if there is none.

    Notes
    -----
    Some 30 ms: for one person's look-up. `NearestPlaces` is for many points, and takes a second to begin with.
    """
    high_deg = within_km / _LEAST_KM_A_DEGREE
    narrowest = math.cos(math.radians(min(90.0, abs(point.latitude) + high_deg)))
    wide_deg = min(180.0, high_deg / narrowest) if narrowest > 0.0 else 180.0
    rows = reader.towns_around(
        round(point.latitude * DEGREE),
        round(point.longitude * DEGREE),
        high=math.ceil(high_deg * DEGREE),
        wide=math.ceil(wide_deg * DEGREE),
    )
    towns = [(rough_km(point, town.coordinates), row[0], town) for row in rows for town in [town_of(reader, row)]]
    near = min(towns, key=lambda found: found[:2], default=None)
    return near[2] if near is not None and near[0] <= within_km else None


@dataclass(frozen=True, slots=True)
class Found:
    """Towns that fit a text.

    Parameters
    ----------
    towns
        Best first.
    whole
        Whether their whole names fit, and not only the beginnings.
    confirmed
        Whether the name fits as it was given, and the state or country behind it too where there was one.
    """

    towns: tuple[Town, ...]
    whole: bool
    confirmed: bool


def find_towns(reader: Reader, text: str, country: str | None) -> Found:
    """Find towns by their whole names or, failing that, by the beginnings of their names; see `search_towns`.

    Raises
    ------
    InvalidInput
        If the text is empty or longer than `MAX_NAME_LENGTH`.
    """
    if len(text) > MAX_NAME_LENGTH:
        raise InvalidInput(
            f"The town has {len(text)} characters; no name has more than {MAX_NAME_LENGTH}.", field="town"
        )
    text = _CEDEX.sub("", text)
    name, *tail = (part.strip() for part in text.replace("、", ",").replace("，", ",").split(","))
    if not fold_name(name):
        raise InvalidInput("The town is empty; give its name, e.g. Springfield, IL.", field="town")
    within = country or ""
    rows = _named(reader, name_keys(name), within)
    exact = bool(rows)
    rows = rows or _named(reader, _other_forms(fold_name(name)), within)
    whole = bool(rows)
    if not rows and len(fold_name(name)) >= 2:
        begun = fold_name(name)
        # A town's own name before its other ones: "San Fr" is San Francisco before San Francisco de Quito, Quito's.
        rows = sorted(reader.towns_beginning(begun, within), key=lambda row: not fold_name(row[2]).startswith(begun))
    kept, all_fit = _in_regions(reader, rows, [part for part in tail if fold_name(part)])
    return Found(tuple(town_of(reader, row) for row in kept), whole, exact and all_fit)


def _named(reader: Reader, keys: tuple[str, ...], country: str) -> list[TownRow]:
    if len(keys) == 1:
        return reader.towns(keys[0], country)
    rows = {row[0]: row for key in keys for row in reader.towns(key, country)}
    return sorted(rows.values(), key=lambda row: (-1 if row[7] is None else row[7], -row[0]), reverse=True)


def _other_forms(key: str) -> tuple[str, ...]:
    shorter = [key.removesuffix(suffix) for suffix in _SUFFIXES if key.endswith(suffix) and key != suffix]
    shorter += [key.removeprefix(prefix) for prefix in _PREFIXES if key.startswith(prefix)][:1]
    longer = [key + suffix for suffix in _SUFFIXES[:1] if key.isascii()]
    squeezed = key.replace(" ", "")
    return tuple(dict.fromkeys(other for other in (*shorter, squeezed, *longer) if other and other != key))


def _in_regions(reader: Reader, rows: list[TownRow], tail: list[str]) -> tuple[list[TownRow], bool]:
    """Keep the towns of the named states or countries; all of them, and False, where none is known to lie there."""
    all_fit = True
    for part in tail:
        country = find_country(part)
        folded = fold_name(part)
        kept = [
            row for row in rows if (row[3] and is_region(row[1], row[3], folded)) or (country and row[1] == country)
        ]
        if not kept:
            # A capital's region carries the capital's name, perhaps in another language: "Sofiya, Sofia".
            namesakes = {row[0] for row in reader.towns(folded)}
            kept = [row for row in rows if row[0] in namesakes]
        all_fit = all_fit and bool(kept)
        rows = kept or rows
    return rows, all_fit


def town_of(reader: Reader, row: TownRow) -> Town:
    """Give the town of a row."""
    return Town(
        name=row[2],
        admin=row[3],
        country=row[1],
        coordinates=Coordinates(latitude=row[4] / DEGREE, longitude=row[5] / DEGREE),
        uncertainty_km=row[6] / 1000,
        population=row[7],
        source=reader.sources[row[8]].name,
    )


def the_town(
    reader: Reader, text: str, country: str | None = None, *, hints: tuple[str, ...] = ()
) -> tuple[Town, tuple[str, ...]]:
    """Find the one town that a text means.

    Parameters
    ----------
    reader, text, country
        See `search_towns`.
    hints
        Countries that decide between several, where exactly one of them has such a town.

    Returns
    -------
    tuple
        The town, and notes on how it was chosen.

    Raises
    ------
    AmbiguousPlace
        If several towns fit; the candidates are the ten largest.
    TownNotFound
        If none fits; suggestions are names that begin alike or are one slip away.
    InvalidInput
        See `search_towns`.
    """
    found = find_towns(reader, text, country)
    towns = list(found.towns)
    if not found.whole:
        near = tuple(Suggestion(t.label, t.country, "a name that begins alike") for t in towns[:5])
        near = near or _misspelt(reader, text, country)
        where = f" in {COUNTRIES[country].name}" if country else ""
        asked = f" Did you mean {near[0].text}?" if near else " Check the spelling, or give a larger town nearby."
        raise TownNotFound(f"No town called {text!r} is known{where}.{asked}", field="town", suggestions=near)
    towns = _without_doubles(towns)
    if len(towns) == 1:
        return towns[0], ()
    hinted = {town.country for town in towns} & set(hints)
    if country is None and len(hinted) == 1:
        chosen = hinted.pop()
        town, notes = _largest([t for t in towns if t.country == chosen], text)
        return town, (
            f"{COUNTRIES[chosen].name} was taken among the countries that have a {town.name}.",
            *notes,
        )
    if country is None:
        raise _ambiguous(towns, text)
    return _largest(towns, text)


def _misspelt(reader: Reader, text: str, country: str | None) -> tuple[Suggestion, ...]:
    """Suggest towns whose names are one slip away: a letter left out, doubled, changed or swapped."""
    key = fold_name(text.split(",")[0])
    if not 4 <= len(key) <= 30 or not key.isascii():
        return ()
    rows = {row[0]: row for slip in _slips(key) for row in reader.towns(slip, country or "", 5)}
    largest = sorted(rows.values(), key=lambda row: (-(row[7] or 0), row[0]))[:5]
    return tuple(Suggestion(town_of(reader, row).label, row[1], "a name spelt nearly so") for row in largest)


def _slips(key: str) -> set[str]:
    cuts = [(key[:i], key[i:]) for i in range(len(key) + 1)]
    left_out = {head + tail[1:] for head, tail in cuts if tail}
    swapped = {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    changed = {head + letter + tail[1:] for head, tail in cuts if tail for letter in ascii_lowercase}
    put_in = {head + letter + tail for head, tail in cuts for letter in ascii_lowercase}
    return (left_out | swapped | changed | put_in) - {key}


def _largest(towns: list[Town], text: str) -> tuple[Town, tuple[str, ...]]:
    first = towns[0]
    if len(towns) == 1:
        return first, ()
    second = towns[1]
    if first.population and first.population >= DOMINANCE * max(second.population or 0, 500):
        return first, (f"{first.label} is by far the largest of {len(towns)} towns called {text}.",)
    raise _ambiguous(towns, text)


def _ambiguous(towns: list[Town], text: str) -> AmbiguousPlace:
    candidates = tuple(
        Suggestion(
            town.label,
            town.country,
            f"{COUNTRIES[town.country].name}, "
            + (f"{town.population:,} inhabitants" if town.population else "population unknown"),
        )
        for town in towns[:10]
    )
    named = "; ".join(f"{c.text} ({c.country})" for c in candidates[:4])
    return AmbiguousPlace(
        f"{len(towns)} places are called {text!r}: {named}{' …' if len(towns) > 4 else ''}. "
        "Add the country or the state, or give the postcode.",
        candidates=candidates,
        field="town",
    )


def _without_doubles(towns: list[Town]) -> list[Town]:
    kept: list[Town] = []
    for town in towns:
        if not any(
            other.country == town.country and rough_km(other.coordinates, town.coordinates) < SAME_TOWN_KM
            for other in kept
        ):
            kept.append(town)
    return kept
