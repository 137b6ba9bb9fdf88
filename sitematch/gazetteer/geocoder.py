"""The gazetteer as a geopy geocoder: `SitematchGeocoder` can replace Nominatim and sends nothing.

>>> from geopy.geocoders.base import Geocoder
>>> issubclass(SitematchGeocoder, Geocoder)
True
"""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from geopy.adapters import BaseAsyncAdapter, BaseSyncAdapter
from geopy.exc import GeocoderQueryError
from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location
from geopy.point import Point

from sitematch.config import data_file
from sitematch.domain.place import Coordinates, Place
from sitematch.errors import AmbiguousPlace, InvalidInput, NotFound
from sitematch.gazetteer.geocoder_options import AmbiguousQuery, Box, IgnoredOption, warn_of_ignored
from sitematch.gazetteer.grammar import COUNTRIES
from sitematch.gazetteer.locate import Gazetteer
from sitematch.gazetteer.nearest import NearestPlaces

__all__ = ["AmbiguousQuery", "AsyncAdapter", "IgnoredOption", "SitematchGeocoder"]

_STRUCTURED = frozenset({"street", "postalcode", "postcode", "city", "town", "county", "state", "country"})
_NOT_USED = ("street", "county")
_MAX_RESULTS = 10
_NOTHING_SENT = "SitematchGeocoder reads a local file and sends nothing"


class _NoNetwork(BaseSyncAdapter):  # type: ignore[misc]
    """An adapter that cannot send anything."""

    def get_json(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> Any:
        raise NotImplementedError(_NOTHING_SENT)

    get_text = get_json


class AsyncAdapter(BaseAsyncAdapter):  # type: ignore[misc]
    """An adapter that cannot send anything, for geopy's asynchronous mode; it needs no library."""

    async def __aenter__(self) -> AsyncAdapter:
        """Return itself, because there is nothing to open."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Do nothing, because there is nothing to close."""

    async def get_json(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> Any:
        """Refuse to send anything."""
        raise NotImplementedError(_NOTHING_SENT)

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
    adapter_factory
        As in geopy. With an asynchronous adapter, e.g. `AsyncAdapter`, `geocode` and `reverse` are awaited, and a
        thread does the work. The adapter itself is never used.
    timeout, proxies, user_agent, ssl_context, scheme, domain
        Accepted for compatibility and ignored, because nothing is sent.

    Raises
    ------
    NotReady
        If the gazetteer is missing.

    Notes
    -----
    `Location.raw` has the values that geopy has no attribute for: country, postcode, precision, uncertainty_km, source,
    notes; and `candidates` if several places match.
    """

    def __init__(
        self,
        gazetteer: Gazetteer | str | os.PathLike[str] | None = None,
        *,
        country: str | None = None,
        hints: Sequence[str] = (),
        timeout: float | None = DEFAULT_SENTINEL,
        proxies: object = DEFAULT_SENTINEL,
        domain: str | None = None,
        user_agent: str | None = None,
        ssl_context: object = DEFAULT_SENTINEL,
        scheme: str | None = None,
        adapter_factory: Callable[..., Any] | None = None,
    ) -> None:
        super().__init__(
            timeout=timeout,
            user_agent=user_agent,
            scheme=scheme,
            adapter_factory=adapter_factory
            or (lambda *, proxies, ssl_context: _NoNetwork(proxies=proxies, ssl_context=ssl_context)),
        )
        self._is_async = isinstance(self.adapter, BaseAsyncAdapter)
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
        limit: int | None = None,
        addressdetails: bool = False,
        language: object = False,
        geometry: object = None,
        extratags: bool = False,
        country_codes: str | Sequence[str] | None = None,
        viewbox: object = None,
        bounded: bool = False,
        featuretype: str | None = None,
        namedetails: bool = False,
    ) -> Any:
        """Find a place by postcode, by town, or by both.

        Parameters
        ----------
        query
            ``"75013 Paris"``, or a mapping with ``postalcode``, ``city``, ``state`` and ``country`` as for Nominatim.
            ``street`` and ``county`` are taken; `Location.raw` says that they were not used.
        exactly_one
            One location; else a list.
        limit
            Maximum number, if not exactly one; 10 by default.
        addressdetails
            Whether `Location.raw` has ``address`` with its parts.
        country_codes
            One country restricts the search to it; several are hints.
        viewbox, bounded
            Two corners. Of several places, those inside come first; with `bounded`, others are left out.
        timeout
            Ignored, because nothing is sent.
        language, geometry, extratags, featuretype, namedetails
            Taken and not used; a warning (`IgnoredOption`) says so, except for the values that change nothing.

        Returns
        -------
        Location, list of Location or None
            None if nothing is known. If several places match and exactly one was asked for, it is the first, with a
            warning (`AmbiguousQuery`) that does not repeat the query. In asynchronous mode, an awaitable of this.

        Raises
        ------
        GeocoderQueryError
            If the query cannot be understood.
        """
        warn_of_ignored(
            language=language, geometry=geometry, extratags=extratags, featuretype=featuretype, namedetails=namedetails
        )
        box = None if viewbox is None else Box.of(viewbox)

        def find() -> Location | list[Location] | None:
            found = self._find(query, country_codes, box if bounded else None)
            if not found:
                return None
            if box is not None:
                found.sort(key=lambda place: place not in box)
            locations = [_location(place, addressdetails=addressdetails) for place in found]
            if isinstance(query, Mapping) and (unused := [name for name in _NOT_USED if query.get(name)]):
                for location in locations:
                    location.raw["not_used"] = unused
            if not exactly_one:
                return locations[: limit or _MAX_RESULTS]
            if len(locations) > 1:
                locations[0].raw["candidates"] = [location.address for location in locations]
                warnings.warn(
                    f"{len(locations)} places match, and the first was taken. exactly_one=False returns all of them.",
                    AmbiguousQuery,
                    stacklevel=3,
                )
            return locations[0]

        return asyncio.to_thread(find) if self._is_async else find()

    def _find(
        self, query: str | Mapping[str, str], country_codes: str | Sequence[str] | None, within: Box | None
    ) -> list[Place]:
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
            return []
        except AmbiguousPlace as several:
            places = [self._candidate(one.text, one.country) for one in several.candidates]
        except InvalidInput as fault:
            raise GeocoderQueryError(fault.message) from fault
        return [place for place in places if within is None or place in within]

    def reverse(
        self,
        query: Point | str | Sequence[float] | None,
        *,
        exactly_one: bool = True,
        timeout: float | None = DEFAULT_SENTINEL,
        language: object = False,
        addressdetails: bool = True,
        zoom: int | None = None,
        namedetails: bool = False,
        limit: int | None = None,
    ) -> Any:
        """Find the postcode nearest to a point, or the town if the country has no postcodes.

        Parameters
        ----------
        query
            A point, as geopy reads it: latitude first.
        exactly_one
            One location; else a list.
        addressdetails
            Whether `Location.raw` has ``address`` with its parts.
        timeout
            Ignored, because nothing is sent.
        language, zoom, namedetails
            Taken and not used; see `geocode`.
        limit
            Maximum number, if not exactly one; 10 by default.

        Returns
        -------
        Location, list of Location or None
            Nearest first; `raw["distance_km"]` is the distance. Never None with a full gazetteer: at sea it is on the
            nearest coast. In asynchronous mode, an awaitable of this.

        Raises
        ------
        GeocoderQueryError
            If the query is not a point on the globe.
        """
        warn_of_ignored(language=language, zoom=zoom, namedetails=namedetails)
        if query is None:  # geopy would read it as 0, 0
            raise GeocoderQueryError("No point was given.")
        try:
            point = query if isinstance(query, Point) else Point(query)
            at = Coordinates(latitude=point.latitude, longitude=point.longitude)
        except (ValueError, TypeError) as fault:
            raise GeocoderQueryError(f"Not a point on the globe: {fault}") from fault

        def find() -> Location | list[Location] | None:
            found = self._nearest.find(at, 1 if exactly_one else limit or _MAX_RESULTS)
            locations = [
                _location(one.place, addressdetails=addressdetails, distance_km=round(one.distance_km, 3))
                for one in found
            ]
            if exactly_one:
                return locations[0] if locations else None
            return locations

        return asyncio.to_thread(find) if self._is_async else find()

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


def _location(place: Place, *, addressdetails: bool = False, **more: float) -> Location:
    country = COUNTRIES[place.country].name if place.country in COUNTRIES else place.country
    address = ", ".join(part for part in (place.name, place.postcode or "", country) if part)
    raw: dict[str, Any] = {
        "country": place.country,
        "postcode": place.postcode,
        "name": place.name,
        "precision": str(place.precision),
        "uncertainty_km": place.uncertainty_km,
        "source": place.source,
        "notes": list(place.notes),
        **more,
    }
    if addressdetails:
        town, _, state = place.name.partition(", ")
        parts = {
            "city": town,
            "state": state,
            "postcode": place.postcode or "",
            "country": country,
            "country_code": place.country.lower(),
        }
        raw["address"] = {name: part for name, part in parts.items() if part}
    return Location(address, (place.coordinates.latitude, place.coordinates.longitude), raw)
