"""Routers that an operator runs: Valhalla and OSRM over HTTP, asked for many sites at once.

A router learns where patients live. So none is asked unless it is set, and one outside the operator's own network only
if a second setting allows it. What it answers is checked: a time that is no number, is negative, or is quicker than any
car, is no answer.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import math
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from sitematch.domain.journey.estimate import least_minutes
from sitematch.domain.place import Coordinates
from sitematch.errors import InvalidInput

TIMEOUT_S = 3.0
"""How long a router may take to connect, and for each part of its answer, in seconds."""

TRIES = 2
OPEN_AFTER = 3
"""After so many failures in a row the router is left alone for `REST_S`."""

REST_S = 30.0
MOST_BYTES = 4_000_000


class RouterKind(StrEnum):
    """Which protocol a router speaks."""

    VALHALLA = "valhalla"
    OSRM = "osrm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a router says of one way.

    Parameters
    ----------
    minutes
        Time by car.
    km
        Kilometres by road.
    """

    minutes: float
    km: float


class RouterSilent(Exception):
    """The router did not answer, or not in its own form."""


class Router:
    """Asks one router.

    Parameters
    ----------
    kind
        Its protocol.
    url
        Its address: ``http`` or ``https``, a host, perhaps a port and a path before the service's own.
    allow_public
        Whether it may be outside private networks.
    timeout_s
        See `TIMEOUT_S`.
    seconds
        A clock that never goes back, in seconds.

    Raises
    ------
    InvalidInput
        If the address cannot be used, or is public and that is not allowed.

    Notes
    -----
    Safe to share among threads.
    """

    def __init__(
        self,
        kind: RouterKind,
        url: str,
        *,
        allow_public: bool = False,
        timeout_s: float = TIMEOUT_S,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or port == -1:
            raise InvalidInput(
                "The router's address must be http or https with a host, without a user name.",
                field="SITEMATCH_ROUTER_URL",
            )
        self.kind = kind
        self._scheme, self._host, self._port = parts.scheme, parts.hostname, port
        self._path = parts.path.rstrip("/")
        self._timeout_s = timeout_s
        self._allow_public = allow_public
        self._seconds = seconds
        self._lock = threading.Lock()
        self._failures = 0
        self._rests_until = -math.inf

    def routes(self, start: Coordinates, ends: Sequence[tuple[Coordinates, float]]) -> list[Route | None]:
        """Ask for the ways from a point to others.

        Parameters
        ----------
        start
            Where from.
        ends
            Where to, each with its straight distance in kilometres.

        Returns
        -------
        One for each end; None where the router knows no way, or what it says cannot be.

        Raises
        ------
        RouterSilent
            If it does not answer twice, answers in another form or for another number of ends, is outside private
            networks without leave, or has failed so often that it is left alone for a while.
        """
        with self._lock:
            if self._seconds() < self._rests_until:
                raise RouterSilent("The router failed several times and is left alone for a while.")
        fault: Exception | None = None
        for _ in range(TRIES):
            try:
                found = self._parsed(self._asked(start, [end for end, _ in ends]), len(ends))
            except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError) as error:
                fault = error
                continue
            with self._lock:
                self._failures = 0
            return [_checked(route, km) for route, (_, km) in zip(found, ends, strict=True)]
        with self._lock:
            self._failures += 1
            if self._failures >= OPEN_AFTER:
                self._failures = 0
                self._rests_until = self._seconds() + REST_S
        # The fault's text may name coordinates, so that only its kind is passed on.
        raise RouterSilent(f"The router did not answer ({type(fault).__name__}).")

    def _asked(self, start: Coordinates, ends: Sequence[Coordinates]) -> Any:
        """Send the question and decode the answer."""
        address = self._address()
        if self.kind is RouterKind.VALHALLA:
            body: bytes | None = json.dumps(
                {"sources": [_point(start)], "targets": [_point(end) for end in ends], "costing": "auto"}
            ).encode()
            method, path = "POST", f"{self._path}/sources_to_targets"
        else:
            points = ";".join(f"{one.longitude:.5f},{one.latitude:.5f}" for one in (start, *ends))
            path = f"{self._path}/table/v1/driving/{points}?sources=0&annotations=duration,distance"
            method, body = "GET", None
        made = http.client.HTTPSConnection if self._scheme == "https" else http.client.HTTPConnection
        # The name was looked up once and checked; https needs it again for the certificate.
        connection = made(self._host if self._scheme == "https" else address, self._port, timeout=self._timeout_s)
        try:
            connection.request(
                method,
                path,
                body,
                {"Content-Type": "application/json", "Host": self._host, "Connection": "close"},
            )
            with connection.getresponse() as answer:
                if answer.status != http.HTTPStatus.OK:
                    raise ValueError(f"status {answer.status}")
                content = answer.read(MOST_BYTES + 1)
            if len(content) > MOST_BYTES:
                raise ValueError("too long an answer")
            return json.loads(content)
        finally:
            connection.close()

    def _address(self) -> str:
        """Look the host up, and refuse a public address unless that is allowed."""
        found = socket.getaddrinfo(self._host, self._port or 80, type=socket.SOCK_STREAM)
        addresses = [str(one[4][0]) for one in found]
        if not self._allow_public and any(not is_private(address) for address in addresses):
            raise OSError("the router's address is public")
        return addresses[0]

    def _parsed(self, answer: Any, count: int) -> list[Route | None]:
        if self.kind is RouterKind.VALHALLA:
            cells = answer["sources_to_targets"][0]
            times = [(cell.get("time"), cell.get("distance")) for cell in cells]
            scale = 1.0
        else:
            times = list(zip(answer["durations"][0][1:], answer["distances"][0][1:], strict=True))
            scale = 1000.0
        if len(times) != count:
            raise ValueError("an answer for another number of ends")
        return [
            None
            if seconds is None or length is None
            else Route(minutes=float(seconds) / 60.0, km=float(length) / scale)
            for seconds, length in times
        ]


def is_private(address: str) -> bool:
    """Whether an IP address is of one's own machine or network.

    Examples
    --------
    >>> [is_private(address) for address in ("127.0.0.1", "10.1.2.3", "fd00::1", "8.8.8.8", "::ffff:8.8.8.8")]
    [True, True, True, False, False]
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_private


def _point(point: Coordinates) -> dict[str, float]:
    return {"lat": round(point.latitude, 5), "lon": round(point.longitude, 5)}


def _checked(route: Route | None, km: float) -> Route | None:
    """Believe a route only if a car could drive it: no slower than walking, no quicker than any car, no shortcut."""
    if route is None or not (math.isfinite(route.minutes) and math.isfinite(route.km)):
        return None
    # The router snaps both ends to a road, which may save a kilometre.
    if route.minutes < 0 or route.km < 0 or route.km < 0.9 * km - 2 or route.minutes < least_minutes(max(km - 2, 0)):
        return None
    return route if route.minutes <= 20 * (route.km + 5) else None
