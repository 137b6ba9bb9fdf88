"""Limits on how often one client address, token or account may ask; counting is done by the library ``limits``."""

from __future__ import annotations

import ipaddress
import logging
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

from api.http import problems
from api.http.errors import RequestRejected
from api.http.operations import Operation
from api.http.problems import problem
from sitematch.config import Settings
from sitematch.extras import needs_extra
from sitematch.rates import RateKind

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import SlidingWindowCounterRateLimiter

LOG = logging.getLogger("sitematch.api")

_UNLIMITED = frozenset({"health", "docs", "metrics", "static", "preferences"})
"""Blueprints without a limit: they are cheap, and probes and browsers ask them often."""

_REPORTS = frozenset({"reports", "coverage", "demand", "allocations", "fhir_bulk"})
_CONSOLE_REPORT = "/console/reports/"
_SIGN_INS = frozenset(
    {"console.begin_session", "console.confirm_code", "console.change_password", "console.set_up_second_factor"}
)
_PDF = "application/pdf"
_IPV6_PREFIX = 64
"""Bits. One customer has at least so large a network, so its addresses are one client."""


def rate_kind(endpoint: str, rule: str, method: str, operation: Operation | None, *, is_pdf: bool) -> RateKind | None:
    """Return the kind of limit that applies to a request; None if none does.

    Parameters
    ----------
    endpoint, rule, method
        The route and the method of the request.
    operation
        Its entry in the API document; None for pages.
    is_pdf
        Whether the answer shall be a PDF file.
    """
    blueprint = endpoint.partition(".")[0]
    if blueprint in _UNLIMITED or endpoint == "static":
        return None
    if endpoint in _SIGN_INS:
        return RateKind.SIGN_INS
    if blueprint in _REPORTS or rule.startswith(_CONSOLE_REPORT):
        return RateKind.PDFS if is_pdf else RateKind.REPORTS
    if method in ("GET", "HEAD", "OPTIONS"):
        return RateKind.LOOKUPS
    # What needs no permission changes nothing; it is sent in a body because it is private.
    is_question = operation is not None and (operation.permission is None or operation.is_question)
    return RateKind.LOOKUPS if is_question else RateKind.WRITES


def noted(operations: Mapping[str, Operation]) -> dict[str, Operation]:
    """Return the operations, each with whether a limit applies to it, for the API document."""
    return {
        endpoint: replace(operation, is_limited=rate_kind(endpoint, "", "GET", operation, is_pdf=False) is not None)
        for endpoint, operation in operations.items()
    }


def register(app: Flask, settings: Settings, operations: Mapping[str, Operation]) -> None:
    """Count requests for each client address, before anything else is done for them.

    Parameters
    ----------
    app
        The app.
    settings
        The limits, the trusted proxies, and where the counts are stored.
    operations
        The API document's entries by endpoint.
    """
    if not settings.rate_limits:
        return
    limiter = _Limiter(settings)

    @app.before_request
    def count_address() -> None:
        kind = _kind_of_request(operations)
        if kind is not None and (client := limiter.client()) is not None:
            limiter.spend(kind, f"address {client}")

    @app.after_request
    def tell(response: Response) -> Response:
        for name, value in g.get("rate_limit", {}).items():
            response.headers[name] = value
        return response

    app.extensions["sitematch.limiter"] = limiter


def register_tokens(app: Flask, operations: Mapping[str, Operation]) -> None:
    """Count requests for each token and each signed-in account. Call it after access is checked."""
    limiter: _Limiter | None = app.extensions.get("sitematch.limiter")
    if limiter is None:
        return

    @app.before_request
    def count_token() -> None:
        caller = g.get("caller")
        kind = None if caller is None else _kind_of_request(operations)
        if kind is not None and limiter.client() is not None:
            limiter.spend(kind, f"actor {caller.actor.actor_id}")


def _kind_of_request(operations: Mapping[str, Operation]) -> RateKind | None:
    endpoint, rule = request.endpoint, request.url_rule
    if endpoint is None or rule is None:
        return RateKind.LOOKUPS  # an address that does not exist
    return rate_kind(endpoint, rule.rule, request.method, operations.get(endpoint), is_pdf=_wants_pdf())


def _wants_pdf() -> bool:
    return request.args.get("format", "").lower() == "pdf" or request.accept_mimetypes.best == _PDF


class _Limiter:
    """Counts in the storage of the settings, and refuses what is too often."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._counting: SlidingWindowCounterRateLimiter | None = None
        self._items: dict[RateKind, RateLimitItem] = {}
        if not settings.limits_storage.startswith("memory:"):
            with needs_extra("redis", "Counting requests in Redis"):
                import_module("redis")
        self._proxies = [ipaddress.ip_network(text) for text in settings.trusted_proxies]
        self._has_warned = False

    def client(self) -> str | None:
        """Return the client's network; None if it is this machine or a proxy that does not say who asks."""
        try:
            address = ipaddress.ip_address(request.remote_addr or "")
        except ValueError:
            return "unknown"
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        is_proxy = any(address in network for network in self._proxies)
        if is_proxy and "X-Forwarded-For" not in request.headers:
            # One common count for everybody behind the proxy would lock all of them out.
            self._warn(address)
            return None
        if address.version == 6:
            return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
        return str(address)

    def spend(self, kind: RateKind, who: str) -> None:
        """Count one request, or refuse it with 429."""
        counting, item = self._ready(), self._items.get(kind)
        if item is None:
            return
        try:
            is_within = counting.hit(item, kind.value, who)
            window = counting.get_window_stats(item, kind.value, who)
        except Exception as error:  # the storage's own errors, which depend on its driver
            LOG.warning("Requests are not limited, because the counts cannot be stored: %s", type(error).__name__)
            return
        wait_s = max(1, math.ceil(window.reset_time - time.time()))
        found = {
            "RateLimit-Policy": f'"{kind.value}";q={item.amount};w={item.get_expiry()}',
            "RateLimit": f'"{kind.value}";r={window.remaining};t={wait_s}',
        }
        earlier = g.get("rate_limit")
        if earlier is None or not is_within or window.remaining < g.rate_limit_left:
            g.rate_limit, g.rate_limit_left = found, window.remaining
        if not is_within:
            detail = f"At most {item.amount} of these requests are allowed in {item.get_expiry()} seconds."
            raise RequestRejected(problem(problems.TOO_MANY_REQUESTS, detail), retry_after_s=wait_s)

    def _ready(self) -> SlidingWindowCounterRateLimiter:
        """Open the storage at the first use: the library takes a while to load."""
        with self._lock:
            if self._counting is None:
                from limits import parse
                from limits.storage import storage_from_string
                from limits.strategies import SlidingWindowCounterRateLimiter

                rates = self._settings.rates
                self._items = {kind: parse(rate) for kind, rate in rates.items() if rate}
                storage = storage_from_string(self._settings.limits_storage)
                self._counting = SlidingWindowCounterRateLimiter(storage)
            return self._counting

    def _warn(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
        if not self._has_warned and "X-Forwarded-Proto" in request.headers:
            self._has_warned = True
            LOG.warning("The proxy at %s sends no X-Forwarded-For, so clients are not limited by address.", address)
