"""The console's session cookie, and what keeps other sites' pages from using it.

The cookie holds the secret of a session that the database knows. Nothing under ``/v1`` reads it: programs send tokens.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import cast
from urllib.parse import urlsplit

from flask import Response, g, request

from sitematch.domain.accounts.tokens import SESSION_LASTS, Session

COOKIE = "__Host-sitematch"
"""Name of the cookie over https: browsers take one of this name only from the very host, for all of it, and Secure."""

LOCAL_COOKIE = "sitematch-console"
"""Name of the cookie over plain http, which is served to this machine's own browsers only."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def set_cookie(response: Response, secret: str) -> None:
    """Give the browser a session's secret."""
    is_secure = is_over_https()
    response.set_cookie(
        COOKIE if is_secure else LOCAL_COOKIE,
        secret,
        max_age=int(SESSION_LASTS.total_seconds()),
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="Lax",
    )


def clear_cookie(response: Response) -> None:
    """Take the secret back."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
    response.delete_cookie(LOCAL_COOKIE, path="/", httponly=True, samesite="Lax")


def read_cookie() -> str | None:
    """Return the secret that the browser sent; None if there is none that counts."""
    secret = request.cookies.get(COOKIE)
    # Another server of the same domain could set a cookie without the prefix, and so sign somebody in as itself.
    return secret if secret is not None or not is_on_this_machine() else request.cookies.get(LOCAL_COOKIE)


def is_over_https() -> bool:
    """Whether the browser speaks https; a proxy in front may take it off, but leaves the form's Origin."""
    return request.is_secure or request.headers.get("Origin", "").startswith("https://")


def is_on_this_machine() -> bool:
    """Whether the browser asks for the machine that it runs on."""
    return (urlsplit(f"//{request.host}").hostname or "") in _LOOPBACK


def comes_from_our_page() -> bool:
    """Whether a form was sent by a page of this very site.

    Notes
    -----
    Browsers say so themselves: ``Sec-Fetch-Site`` where the connection can be trusted (Fetch Metadata, W3C), else the
    ``Origin`` of a POST (RFC 6454). A request with neither is refused.
    """
    fetched_from = request.headers.get("Sec-Fetch-Site")
    if fetched_from is not None:
        return fetched_from == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host


def csrf_token(secret: str) -> str:
    """Return what a session's forms carry: made from the cookie's secret, which other sites' pages cannot read."""
    return hmac.new(secret.encode(), b"console form", hashlib.sha256).hexdigest()


def is_csrf_token(given: str, secret: str) -> bool:
    """Whether a form carries its session's token."""
    return hmac.compare_digest(given.encode(), csrf_token(secret).encode())


def new_key() -> str:
    """Return a new idempotency key for a form: sent twice, by a double click or a reload, it acts once."""
    return secrets.token_urlsafe(18)


def current() -> Session:
    """Return the session of this request, which is signed in."""
    return cast(Session, g.session)
