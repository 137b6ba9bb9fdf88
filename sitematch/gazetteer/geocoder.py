"""The gazetteer as a geopy geocoder: `SitematchGeocoder` can replace Nominatim and sends nothing.

>>> from geopy.geocoders.base import Geocoder
>>> issubclass(SitematchGeocoder, Geocoder)
True
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from geopy.adapters import BaseSyncAdapter
from geopy.exc import GeocoderQueryError
from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location
from geopy.point import Point

from sitematch.config import data_file
from sitematch.domain.place import Coordinates, Place
from sitematch.errors import AmbiguousPlace, InvalidInput, NotFound
from sitematch.gazetteer.grammar import COUNTRIES
from sitematch.gazetteer.locate import Gazetteer
from sitematch.gazetteer.nearest import NearestPlaces

_STRUCTURED = frozenset({"postalcode", "postcode", "city", "town", "state", "country"})
_MAX_RESULTS = 10


class AmbiguousQuery(AmbiguousPlace, GeocoderQueryError):  # type: ignore[misc]
    """Several places match and one was requested; ``exactly_one=False`` lists them."""


class _NoNetwork(BaseSyncAdapter):  # type: ignore[misc]
    """An adapter that cannot send anything."""

    def get_json(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> Any:
        raise NotImplementedError("SitematchGeocoder reads a local file and sends nothing")

    get_text = get_json


class SitematchGeocoder(Geocoder):  # type: ignore[misc]
    """Postcodes and towns of the compiled gazetteer with geopy's interface.

    Parameters
    ----------
    gazetteer
        An open gazetteer, or the path of one; by default sitematch's own.
    country
        Country (name or code) of queries without one.
    hints
        Countries that decide between several; see `Gazetteer.locate`.
    timeout, proxies, user_agent, ssl_context, scheme
        Accepted for compatibility and ignored, because nothing is sent.

    Raises
    ------
    NotReady
        If the gazetteer is missing.

    Notes
    -----
    `Location.raw` has the values that geopy has no attribute for: country, postcode, precision, uncertainty_km, source,
    notes.
    """

    def __init__(
        self,
        gazetteer: Gazetteer | str | os.PathLike[str] | None = None,
        *,
        country: str | None = None,
        hints: Sequence[str] = (),
        timeout: float | None = DEFAULT_SENTINEL,
        proxies: object = DEFAULT_SENTINEL,
        user_agent: str | None = None,
        ssl_context: object = DEFAULT_SENTINEL,
        scheme: str | None = None,
    ) -> None:
        super().__init__(
            timeout=timeout,
            user_agent=user_agent,
            scheme=scheme,
            adapter_factory=lambda *, proxies, ssl_context: _NoNetwork(proxies=proxies, ssl_context=ssl_context),
        )
        if gazetteer is None:
            gazetteer = data_file("gazetteer.sqlite")
        self.gazetteer = gazetteer if isinstance(gazetteer, Gazetteer) else Gazetteer.open(gazetteer)
        self.country = country
        self.hints = tuple(hints)
        self._nearest = NearestPlaces(self.gazetteer.reader)

    def geocode(
        self,
        query: str | Mapping[str, str],
        *,
        exactly_one: bool = True,
        timeout: float | None = DEFAULT_SENTINEL,
        country_codes: str | Sequence[str] | None = None,
        limit: int | None = None,
        language: object = None,
    ) -> Location | list[Location] | None:
        """Find a place by postcode, by town, or by both.

        Parameters
        ----------
        query
            ``"75013 Paris"``, or a mapping with ``postalcode``, ``city``, ``state`` and ``country`` as for Nominatim.
        exactly_one
            One location; else a list.
        timeout, language
            Ignored, because nothing is sent and names are the gazetteer's.
        country_codes
            One country restricts the search to it; several are hints.
        limit
            Maximum number, if not exactly one; 10 by default.

        Returns
        -------
        Location, list of Location or None
            None if nothing is known.

        Raises
        ------
        GeocoderQueryError
            If the query cannot be understood; `AmbiguousQuery` if exactly one was asked for and several fit.
        """
        text, town, country = self._parts(query)
        hints = self.hints
        if country_codes:
            codes = [country_codes] if isinstance(country_codes, str) else list(country_codes)
            if len(codes) == 1:
                country = country or codes[0]
            else:
                hints = tuple(codes)
        try:
            places = [self.gazetteer.locate(text, country or self.country, town=town, hints=hints)]
        except NotFound:
            return None
        except AmbiguousPlace as several:
            if exactly_one:
                raise AmbiguousQuery(several.message, candidates=several.candidates, field=several.field) from several
            places = [self._candidate(s.text, s.country) for s in several.candidates]
        except InvalidInput as fault:
            raise GeocoderQueryError(fault.message) from fault
        locations = [_location(place) for place in places[: limit or _MAX_RESULTS]]
        return locations[0] if exactly_one else locations

    def reverse(
        self,
        query: Point | str | Sequence[float] | None,
        *,
        exactly_one: bool = True,
        timeout: float | None = DEFAULT_SENTINEL,
        language: object = None,
        limit: int | None = None,
    ) -> Location | list[Location] | None:
        """Find the postcode nearest to a point, or the town if the country has no postcodes.

        Parameters
        ----------
        query
            A point, as geopy reads it: latitude first.
        exactly_one
            One location; else a list.
        timeout, language
            Taken and not used.
        limit
            Maximum number, if not exactly one; 10 by default.

        Returns
        -------
        Location, list of Location or None
            Nearest first; `raw["distance_km"]` is the distance. Never None with a full gazetteer: at sea it is on the
            nearest coast.

        Raises
        ------
        GeocoderQueryError
            If the query is not a point on the globe.
        """
        if query is None:  # geopy would read it as 0, 0
            raise GeocoderQueryError("No point was given.")
        try:
            point = query if isinstance(query, Point) else Point(query)
            at = Coordinates(latitude=point.latitude, longitude=point.longitude)
        except (ValueError, TypeError) as fault:
            raise GeocoderQueryError(f"Not a point on the globe: {fault}") from fault
        found = self._nearest.find(at, 1 if exactly_one else limit or _MAX_RESULTS)
        locations = [_location(one.place, distance_km=round(one.distance_km, 3)) for one in found]
        if exactly_one:
            return locations[0] if locations else None
        return locations

    def _parts(self, query: str | Mapping[str, str]) -> tuple[str, str | None, str | None]:
        if isinstance(query, str):
            return query, None, None
        if not isinstance(query, Mapping) or not set(query) <= _STRUCTURED:
            raise GeocoderQueryError(f"A structured query has only {', '.join(sorted(_STRUCTURED))}.")
        code = query.get("postalcode") or query.get("postcode") or ""
        city = query.get("city") or query.get("town") or ""
        town = ", ".join(part for part in (city, query.get("state") or "") if part) if city else ""
        return code, town or None, query.get("country") or None

    def _candidate(self, text: str, country: str) -> Place:
        for town in self.gazetteer.search_towns(text, country, limit=1) if not any(map(str.isdigit, text)) else ():
            return town.place()
        return self.gazetteer.locate(text, country)


def _location(place: Place, **more: float) -> Location:
    country = COUNTRIES[place.country].name if place.country in COUNTRIES else place.country
    address = ", ".join(part for part in (place.name, place.postcode or "", country) if part)
    raw = {
        "country": place.country,
        "postcode": place.postcode,
        "name": place.name,
        "precision": str(place.precision),
        "uncertainty_km": place.uncertainty_km,
        "source": place.source,
        "notes": list(place.notes),
        **more,
    }
    return Location(address, (place.coordinates.latitude, place.coordinates.longitude), raw)
