"""An online geocoder for addresses, off by default.

It sends what a patient typed to the service's operator, who can read it and log it together with the time and the
server's address. So nothing in sitematch turns it on by itself. If this matters, run your own Nominatim, Photon or
Pelias, or leave it off.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sitematch.domain.message import Message
from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.errors import InvalidCoordinates, OnlineUnavailable
from sitematch.gazetteer.grammar import COUNTRIES
from sitematch.gazetteer.nearness import rough_km

if TYPE_CHECKING:
    from geopy.geocoders.base import Geocoder
    from geopy.location import Location

DEFAULT_UNCERTAINTY_KM = 1.0
"""Uncertainty if the service's answer has no extent: the length of a street."""

_LOG_URLS = ("geopy", "urllib3")

# Errors of geopy's parsers for an answer with another structure than documented.
_ANSWER_FAULTS = (AttributeError, IndexError, KeyError, TypeError, ValueError)

_PRECISIONS = ((0.1, Precision.ADDRESS), (1.0, Precision.UNIT), (10.0, Precision.DISTRICT), (40.0, Precision.LOCALITY))


class OnlineGeocoder:
    """Any geopy geocoder, for texts that the gazetteer cannot locate.

    Parameters
    ----------
    geocoder
        E.g. ``Photon(domain="photon.example.org")``; synchronous.
    name
        Its name in `Place.source` and the notes.
    timeout_s
        Seconds to wait for an answer.
    min_delay_s
        Seconds between two requests, over all threads; Nominatim's public server requires 1.
    max_waiting
        Maximum number of waiting requests; more are refused at once, so that a slow service cannot block every thread
        of the server.
    cache_size
        Number of answers kept, only in memory; 0 keeps none.

    Notes
    -----
    Creating one sets the loggers `geopy` and `urllib3` to ``CRITICAL``, because both log URLs, which contain the
    patient's text. A geocoder with geopy's `RequestsAdapter` tries up to three times, each time for `timeout_s`; those
    from `from_service` try once.

    Examples
    --------
    >>> from geopy.geocoders import Photon
    >>> rung = OnlineGeocoder(Photon(domain="photon.example.org"), name="our Photon", timeout_s=2)
    >>> rung.name
    'our Photon'
    """

    def __init__(
        self,
        geocoder: Geocoder,
        *,
        name: str,
        timeout_s: float = 5.0,
        min_delay_s: float = 1.0,
        max_waiting: int = 4,
        cache_size: int = 1024,
    ) -> None:
        from geopy.extra.rate_limiter import RateLimiter

        for logger in _LOG_URLS:
            logging.getLogger(logger).setLevel(logging.CRITICAL)
        self.name = name
        self._timeout_s = timeout_s
        # No retries, because they take longer than a person waits, and geopy logs the query before them.
        self._geocode = RateLimiter(
            geocoder.geocode,
            min_delay_seconds=min_delay_s,
            max_retries=0,
            error_wait_seconds=min_delay_s,
            swallow_exceptions=False,
        )
        self._waiting = threading.BoundedSemaphore(max_waiting)
        # Failures raise an error, so they are not cached.
        self._remembered = lru_cache(maxsize=cache_size)(self._ask)

    @classmethod
    def from_service(cls, service: str, options: Mapping[str, Any], **limits: Any) -> OnlineGeocoder:
        """Create a geocoder from geopy's name of a service.

        Parameters
        ----------
        service
            The name for `geopy.geocoders.get_geocoder_for_service`: ``"nominatim"``, ``"photon"``, ``"pelias"`` …
        options
            The geocoder's own arguments: ``domain``, ``scheme``, ``user_agent``, ``api_key``.
        limits
            As for the class; `name` is the service's domain if not given.

        Raises
        ------
        ValueError
            If geopy has no such service or refuses the options (its own `GeocoderNotFound`, `ConfigurationError`).
        """
        from geopy.adapters import URLLibAdapter
        from geopy.geocoders import get_geocoder_for_service

        geocoder = get_geocoder_for_service(service)(**{"adapter_factory": URLLibAdapter, **options})
        limits.setdefault("name", f"{service} at {options['domain']}" if "domain" in options else service)
        return cls(geocoder, **limits)

    def locate(self, text: str, country: str | None = None) -> Place | None:
        """Query the service for an address.

        Parameters
        ----------
        text
            An address, town or postcode; it is sent to the service.
        country
            ISO 3166-1 alpha-2 code, sent with the query, as a name.

        Returns
        -------
        Place or None
            None if the service knows no such place. The notes say that the text was sent.

        Raises
        ------
        OnlineUnavailable
            If the service did not answer in time or answered with an error, or too many requests are waiting.
        """
        return self._remembered(" ".join(text.split()), country)

    def _ask(self, text: str, country: str | None) -> Place | None:
        from geopy.exc import GeocoderQueryError, GeopyError

        query = f"{text}, {COUNTRIES[country].name}" if country else text
        if not self._waiting.acquire(blocking=False):
            raise OnlineUnavailable(f"Too many questions are waiting for {self.name}; try again in a moment.")
        try:
            location: Location | None = self._geocode(query, exactly_one=True, timeout=self._timeout_s)
        except GeocoderQueryError:
            return None
        except GeopyError as fault:
            # Not "from fault", because its text and its URL contain the patient's text.
            raise OnlineUnavailable(f"{self.name} did not answer ({type(fault).__name__}).") from None
        except _ANSWER_FAULTS:
            raise OnlineUnavailable(f"{self.name} answered with something that is no answer of its kind.") from None
        finally:
            self._waiting.release()
        return None if location is None else self._place(location, country)

    def _place(self, location: Location, country: str | None) -> Place:
        try:
            coordinates = Coordinates(latitude=float(location.latitude), longitude=float(location.longitude))
        except InvalidCoordinates:
            raise OnlineUnavailable(f"{self.name} answered with a point that is not on the globe.") from None
        raw = location.raw if isinstance(location.raw, Mapping) else {}
        uncertainty_km = _extent_km(coordinates, raw)
        precision = next((p for bound, p in _PRECISIONS if uncertainty_km <= bound), Precision.REGION)
        return Place(
            coordinates=coordinates,
            precision=precision,
            uncertainty_km=uncertainty_km,
            source=self.name,
            country=country or "",
            name=str(location.address or ""),
            notes=(
                Message("This place is not in our data. We sent it to %(service)s, which answered.", service=self.name),
            ),
        )


def _extent_km(at: Coordinates, raw: Mapping[str, Any]) -> float:
    """Measure the distance to the farthest corner of the extent from Nominatim or Photon, if there is one."""
    properties = raw.get("properties")
    photon = properties.get("extent") if isinstance(properties, Mapping) else None
    try:
        if raw.get("boundingbox") is not None:
            south, north, west, east = (float(value) for value in raw["boundingbox"])
        elif photon is not None:
            west, north, east, south = (float(value) for value in photon)
        else:
            return DEFAULT_UNCERTAINTY_KM
        corners = [
            Coordinates(latitude=latitude, longitude=longitude)
            for latitude in (south, north)
            for longitude in (west, east)
        ]
    except (TypeError, ValueError):
        # If the extent has another form than documented, the default is used.
        return DEFAULT_UNCERTAINTY_KM
    return max(0.05, *(rough_km(at, corner) for corner in corners))
