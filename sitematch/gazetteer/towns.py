"""Search of towns by name: ranked candidates, never a guess."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sitematch.domain.message import Message
from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.errors import InvalidInput
from sitematch.gazetteer.everyday import nickname, spelled_out
from sitematch.gazetteer.grammar import fold_name, name_keys
from sitematch.gazetteer.grammar.regions import TERRITORIES, Region, find_regions, is_region
from sitematch.gazetteer.nearness import rough_km
from sitematch.gazetteer.reader import Reader, TownRow
from sitematch.gazetteer.schema import DEGREE

MAX_NAME_LENGTH = 200
"""Maximum length in characters; the longest official name of a town has 168."""

_LEAST_KM_A_DEGREE = 110.5
"""Kilometres per degree of a meridian, at the equator (WGS84 110.574)."""

# Optional words of a name, folded: "New York City", "臺北市", "Ichikawa-shi".
_SUFFIXES = (
    " city", " municipality", " town", " shi", " si", " ku", " gu", " gun",
    "市", "區", "区", "縣", "县", "시", "군", "구",
)  # fmt: skip

# "TOULOUSE Cedex 9": the post office of large receivers, after the town.
_CEDEX = re.compile(r"\bcedex\b\s*\d*", re.IGNORECASE)
# Optional words before a name: "City of London", "Ciudad Autonoma Buenos Aires". Longest first.
_PREFIXES = (
    "ciudad autonoma de ", "ciudad autonoma ", "ciudad de ", "ciudad ", "city of ", "cidade de ", "ville de ",
    "municipio de ", "municipality of ", "town of ", "greater ",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A town that matches a name.

    Parameters
    ----------
    name
        Its main name.
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
        """Return the name with its state or province."""
        return f"{self.name}, {self.admin}" if self.admin and self.admin != self.name else self.name

    def place(self, notes: tuple[str, ...] = ()) -> Place:
        """Return the town as a place."""
        return Place(
            coordinates=self.coordinates,
            precision=Precision.LOCALITY,
            uncertainty_km=self.uncertainty_km,
            source=self.source,
            country=self.country,
            name=self.label,
            notes=notes,
        )


TOWN_IS_EMPTY = Message("The town is empty. Give its name, e.g. Springfield, IL.")


def search_towns(reader: Reader, text: str, country: str | None = None, limit: int = 10) -> tuple[Town, ...]:
    """Find the towns that a text may mean.

    Parameters
    ----------
    reader
        The gazetteer.
    text
        A name, optionally with its state, province or country after commas: ``"Springfield, IL"``.
    country
        ISO 3166-1 alpha-2 code; None searches everywhere.
    limit
        Maximum number.

    Returns
    -------
    tuple of Town
        Whole names before beginnings of names, then the largest population first, unknown ones last; empty if nothing
        matches. If a state was given and some towns are in it, only those.

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
        Maximum distance, in kilometres.

    Returns
    -------
    Town or None
        Among equally near ones, the one with the smallest id; None if there is none.

    Notes
    -----
    Takes about 30 ms, for single look-ups. `NearestPlaces` is for many points, and takes a second to start.
    """
    return next(iter(towns_near(reader, point, within_km)), None)


def towns_near(reader: Reader, point: Coordinates, within_km: float) -> list[Town]:
    """List the towns within a distance of a point, nearest first; see `nearest_town`."""
    high_deg = within_km / _LEAST_KM_A_DEGREE
    narrowest = math.cos(math.radians(min(90.0, abs(point.latitude) + high_deg)))
    wide_deg = min(180.0, high_deg / narrowest) if narrowest > 0.0 else 180.0
    rows = reader.towns_around(
        round(point.latitude * DEGREE),
        round(point.longitude * DEGREE),
        high=math.ceil(high_deg * DEGREE),
        wide=math.ceil(wide_deg * DEGREE),
    )
    near = [(rough_km(point, town.coordinates), row[0], town) for row in rows for town in [town_of(reader, row)]]
    return [town for apart_km, _, town in sorted(near, key=lambda found: found[:2]) if apart_km <= within_km]


@dataclass(frozen=True, slots=True)
class TownMatches:
    """Towns that match a text.

    Parameters
    ----------
    towns
        Best first.
    whole
        Whether their whole names match, and not only the beginnings.
    confirmed
        Whether the name matches exactly, and the state or country after it too, if given.
    """

    towns: tuple[Town, ...]
    whole: bool
    confirmed: bool


def find_towns(reader: Reader, text: str, country: str | None, held: Sequence[Sequence[Region]] = ()) -> TownMatches:
    """Find towns by their whole names or, failing that, by the beginnings of their names; see `search_towns`.

    Parameters
    ----------
    reader, text
        See `search_towns`.
    country
        ISO 3166-1 alpha-2 code: only there and in its territories. None searches everywhere.
    held
        Regions that must contain the town: one of each group.

    Raises
    ------
    InvalidInput
        If the text is empty or longer than `MAX_NAME_LENGTH`.
    """
    if len(text) > MAX_NAME_LENGTH:
        raise InvalidInput(
            Message(
                "The town's name has %(count)s characters. Use %(most)s at most.", count=len(text), most=MAX_NAME_LENGTH
            ),
            field="town",
        )
    text = _CEDEX.sub("", text)
    name, *tail = (part.strip() for part in text.replace("、", ",").replace("，", ",").split(","))
    if not fold_name(name):
        raise InvalidInput(TOWN_IS_EMPTY, field="town")
    stated = [(part, find_regions(part, country) or find_regions(part)) for part in tail if fold_name(part)]
    groups = (*held, *(regions for _, regions in stated if regions))
    where = _Where((country, *TERRITORIES.get(country, ())) if country else _countries(groups), tuple(groups))
    rows = where.named(reader, name_keys(name))
    exact = bool(rows)
    rows = rows or where.named(reader, _other_forms(fold_name(name)))
    if not rows and (known_as := nickname(name, country)) is not None:
        rows = where.named(reader, name_keys(known_as[0]))[:1]
    whole = bool(rows)
    if not rows and len(fold_name(name)) >= 2:
        begun = fold_name(name)
        # A town's main name before its other names: "San Fr" is San Francisco before San Francisco de Quito, a name of
        # Quito.
        rows = where.kept(reader.towns_beginning(begun, country or ""))
        rows.sort(key=lambda row: not fold_name(row[2]).startswith(begun))
    kept, all_fit = _in_places(reader, rows, [part for part, regions in stated if not regions])
    return TownMatches(tuple(town_of(reader, row) for row in kept), whole, exact and all_fit)


def _countries(groups: Sequence[Sequence[Region]]) -> tuple[str, ...]:
    """Return the countries that every group allows; empty if there are no groups."""
    found: set[str] | None = None
    for group in groups:
        countries = {
            country
            for region in group
            for country in (region.country, *(() if region.name else TERRITORIES.get(region.country, ())))
        }
        found = countries if found is None else found & countries
    return tuple(sorted(found or ()))


@dataclass(frozen=True, slots=True)
class _Where:
    """Constraints for a town: in one of the countries, if there are any, and in a region of each group."""

    countries: tuple[str, ...]
    groups: tuple[Sequence[Region], ...]

    def kept(self, rows: Iterable[TownRow]) -> list[TownRow]:
        return [row for row in rows if all(any(r.holds(row[1], row[3]) for r in group) for group in self.groups)]

    def named(self, reader: Reader, keys: tuple[str, ...]) -> list[TownRow]:
        if self.groups and not self.countries:
            return []
        # One query per country, because a name may have more towns elsewhere than a query returns.
        found = [row for key in keys for country in self.countries or ("",) for row in reader.towns(key, country)]
        if len(keys) == 1 and len(self.countries) < 2:
            return self.kept(found)
        rows = {row[0]: row for row in found}.values()
        return self.kept(sorted(rows, key=lambda row: (-1 if row[7] is None else row[7], -row[0]), reverse=True))


def _other_forms(key: str) -> tuple[str, ...]:
    shorter = [key.removesuffix(suffix) for suffix in _SUFFIXES if key.endswith(suffix) and key != suffix]
    shorter += [key.removeprefix(prefix) for prefix in _PREFIXES if key.startswith(prefix)][:1]
    longer = [key + suffix for suffix in _SUFFIXES[:1] if key.isascii()]
    squeezed = key.replace(" ", "")
    others = (*shorter, *spelled_out(key), squeezed, *longer)
    return tuple(dict.fromkeys(other for other in others if other and other != key))


def _in_places(reader: Reader, rows: list[TownRow], tail: list[str]) -> tuple[list[TownRow], bool]:
    """Keep the towns in places with the other names; if none is known to be there, return all of them and False."""
    all_fit = True
    for part in tail:
        folded = fold_name(part)
        kept = [row for row in rows if row[3] and is_region(row[1], row[3], folded)]
        if not kept:
            # A capital's region has the capital's name, perhaps in another language: "Sofiya, Sofia".
            namesakes = {row[0] for row in reader.towns(folded)}
            kept = [row for row in rows if row[0] in namesakes]
        all_fit = all_fit and bool(kept)
        rows = kept or rows
    return rows, all_fit


def town_of(reader: Reader, row: TownRow) -> Town:
    """Return the town of a row."""
    return Town(
        name=row[2],
        admin=row[3],
        country=row[1],
        coordinates=Coordinates(latitude=row[4] / DEGREE, longitude=row[5] / DEGREE),
        uncertainty_km=row[6] / 1000,
        population=row[7],
        source=reader.sources[row[8]].name,
    )
