"""The console's session cookie, and its protection against other websites.

The cookie contains the secret of a session in the database. Nothing under ``/v1`` reads it; programs send tokens.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import cast

from flask import Response, g, request

from api.http.hosts import split_url
from sitematch.domain.accounts.tokens import SESSION_LASTS, Session
from sitematch.services.accounts.sign_in import SignedIn

COOKIE = "__Host-sitematch"
"""Name of the cookie over https: browsers accept this name only from the host itself, for all paths, and with
Secure."""

LOCAL_COOKIE = "sitematch-console"
"""Name of the cookie over plain http, which works only for browsers on this machine."""

DEVICE_COOKIE, LOCAL_DEVICE_COOKIE = f"{COOKIE}-device", f"{LOCAL_COOKIE}-device"
"""Names of the cookie of a browser that somebody signed in with."""

_DEVICE_LASTS = timedelta(days=366)

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def set_cookie(response: Response, secret: str) -> None:
    """Set the cookie with a session's secret."""
    _set(response, COOKIE, LOCAL_COOKIE, secret, SESSION_LASTS)


def begin(response: Response, begun: SignedIn) -> None:
    """Set the cookies of a sign-in that has succeeded: the session, and the browser if it is new.

    The cookie of the browser says that somebody signed in with it before; it signs nobody in.
    """
    set_cookie(response, begun.session.secret)
    if begun.new_device is not None:
        _set(response, DEVICE_COOKIE, LOCAL_DEVICE_COOKIE, begun.new_device, _DEVICE_LASTS)


def read_device() -> str | None:
    """Return the secret of this browser; None if nobody signed in with it."""
    found = _read(DEVICE_COOKIE, LOCAL_DEVICE_COOKIE)
    return None if found is None else found[:200]


def clear_cookie(response: Response) -> None:
    """Delete the cookie."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
    response.delete_cookie(LOCAL_COOKIE, path="/", httponly=True, samesite="Lax")


def read_cookie() -> str | None:
    """Return the secret from the browser's cookie; None if there is no valid one."""
    return _read(COOKIE, LOCAL_COOKIE)


def _set(response: Response, name: str, local_name: str, secret: str, lasts: timedelta) -> None:
    is_secure = is_over_https()
    response.set_cookie(
        name if is_secure else local_name,
        secret,
        max_age=int(lasts.total_seconds()),
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="Lax",
    )


def _read(name: str, local_name: str) -> str | None:
    secret = request.cookies.get(name)
    # Another server of the same domain could set a cookie without the prefix, and so sign somebody in to another
    # account.
    return secret if secret is not None or not is_on_this_machine() else request.cookies.get(local_name)


def is_over_https() -> bool:
    """Return whether the browser uses https; a proxy may terminate it, but the form's Origin shows it."""
    return request.is_secure or request.headers.get("Origin", "").startswith("https://")


def is_on_this_machine() -> bool:
    """Return whether the request goes to the browser's own machine."""
    return (split_url(f"//{request.host}", "host").hostname or "") in _LOOPBACK


def comes_from_our_page() -> bool:
    """Return whether a page of this site sent a form.

    Notes
    -----
    Browsers state this: with ``Sec-Fetch-Site`` if the connection is trusted (Fetch Metadata, W3C), otherwise with the
    ``Origin`` of a POST (RFC 6454). A request with neither is refused.
    """
    fetched_from = request.headers.get("Sec-Fetch-Site")
    if fetched_from is not None:
        return fetched_from == "same-origin"
    return split_url(request.headers.get("Origin", ""), "origin").netloc == request.host


def csrf_token(secret: str) -> str:
    """Return the token of a session's forms, derived from the cookie's secret, which other websites cannot read."""
    return hmac.new(secret.encode(), b"console form", hashlib.sha256).hexdigest()


def is_csrf_token(given: str, secret: str) -> bool:
    """Return whether a form has its session's token."""
    return hmac.compare_digest(given.encode(), csrf_token(secret).encode())


def new_key() -> str:
    """Return a new idempotency key for a form, so that a double click or a reload has no further effect."""
    return secrets.token_urlsafe(18)


def current() -> Session:
    """Return the session of this signed-in request."""
    return cast(Session, g.session)
