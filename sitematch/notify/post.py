"""Sending one signed message.

A receiver checks ``Sitematch-Signature: t=<seconds>,v1=<hex>``: HMAC-SHA256 over ``<seconds>.<body>`` with the secret
it was given, and that the time is recent. Redirects are not followed, the answer's body is not read beyond what says
that it came, and addresses inside a network are refused unless allowed: whoever may add a webhook shall not reach, by
way of this program, what only this program can reach.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

TIMEOUT_S = 10.0
"""How long to wait for the connection, and for each part of the answer, in seconds."""

SIGNATURE_HEADER = "Sitematch-Signature"
MESSAGE_HEADER = "Sitematch-Message"


def sign(secret: str, body: bytes, at: datetime) -> str:
    """Return the signature header's value.

    Examples
    --------
    >>> from datetime import UTC
    >>> sign("secret", b"{}", datetime(2026, 1, 2, tzinfo=UTC))[:31]
    't=1767312000,v1=bf684d4b4175435'
    """
    seconds = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def post(
    url: str, *, secret: str, body: bytes, message_id: str, at: datetime, allow_private: bool = False
) -> str | None:
    """Send a message, and return what went wrong in plain words; None if the receiver took it (any 2xx).

    Parameters
    ----------
    url
        Where to.
    secret
        What to sign with.
    body
        JSON.
    message_id
        By which a receiver knows a message that comes twice.
    at
        The instant (aware), for the signature.
    allow_private
        Whether addresses inside a network (loopback, 10.0.0.0/8, …) may be reached.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "the address must start with http or https"
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "sitematch",
        SIGNATURE_HEADER: sign(secret, body, at),
        MESSAGE_HEADER: message_id,
    }
    try:
        return _send(parts, body, headers, allow_private)
    except (OSError, http.client.HTTPException) as error:
        # The text of such an error may hold addresses inside the network; its kind is enough to act on.
        return f"no answer: {type(error).__name__}"


def _send(parts: SplitResult, body: bytes, headers: dict[str, str], allow_private: bool) -> str | None:
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _resolve(host, port, allow_private)
    if address is None:
        return "the address is in a private network"
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    # Connect to the very address that was checked: a name may point elsewhere a moment later.
    plain = socket.create_connection((address, port), timeout=TIMEOUT_S)
    try:
        secure = (
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) if parts.scheme == "https" else None
        )
        connection.sock = secure or plain
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body=body, headers=headers)
        status = connection.getresponse().status
    finally:
        connection.close()
        plain.close()
    return None if 200 <= status < 300 else f"the receiver answered {status}"


def _resolve(host: str, port: int, allow_private: bool) -> str | None:
    """Return the first address of a host that may be reached; None if there is none."""
    for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        address = str(place[0])
        if allow_private or ipaddress.ip_address(address.partition("%")[0]).is_global:
            return address
    return None
