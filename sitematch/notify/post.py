"""Sending one signed message.

A receiver checks ``Sitematch-Signature: t=<seconds>,v1=<hex>``: HMAC-SHA256 over ``<seconds>.<body>`` with its secret,
and that the time is recent. Redirects are not followed, only the beginning of the response is read, and addresses
inside a network are refused unless allowed. Otherwise a person who can add a webhook could use this program to reach
systems that only it can reach.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from urllib.parse import SplitResult, urlsplit

from sitematch.domain.webhooks.address import check_url, is_public
from sitematch.errors import InvalidInput

TIMEOUT_S = 10.0
"""How long to wait for the connection, and for each part of the response, in seconds."""

DEADLINE_S = 12.0
"""How long one attempt may take from the connection on, in seconds, even if data arrives slowly."""

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


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of one attempt to deliver a message.

    Parameters
    ----------
    status
        The receiver's HTTP status; None if it did not answer.
    error
        The error, in plain words; empty if the receiver accepted it (any 2xx).
    """

    status: int | None
    error: str = ""

    @property
    def has_arrived(self) -> bool:
        """Return whether the receiver accepted it."""
        return not self.error

    @property
    def wants_no_more(self) -> bool:
        """Return whether the receiver is permanently gone (410 Gone)."""
        return self.status == HTTPStatus.GONE


def post(url: str, *, secret: str, body: bytes, message_id: str, at: datetime, allow_private: bool = False) -> Reply:
    """Send a message, and return the result; no error is raised.

    Parameters
    ----------
    url
        The receiver's URL.
    secret
        The key for signing.
    body
        JSON.
    message_id
        The id by which a receiver recognises a repeated message.
    at
        The time of this attempt (aware), for the signature.
    allow_private
        Whether addresses inside a network (loopback, 10.0.0.0/8, …) are allowed.

    Notes
    -----
    An attempt takes at most `DEADLINE_S` from the connection to the last byte that is read, however slowly the receiver
    answers; the DNS look-up comes before that and has the system's own limits.
    """
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "sitematch",
        SIGNATURE_HEADER: sign(secret, body, at),
        MESSAGE_HEADER: message_id,
    }
    try:
        check_url(url)
        return _send(urlsplit(url), body, headers, allow_private)
    except InvalidInput as error:
        return Reply(None, error.message)
    except (OSError, ValueError, http.client.HTTPException) as error:
        # The text of such an error may contain addresses inside the network; its kind is enough.
        return Reply(None, f"no answer: {type(error).__name__}")


def _send(parts: SplitResult, body: bytes, headers: dict[str, str], allow_private: bool) -> Reply:
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _resolve(host, port, allow_private)
    if address is None:
        return Reply(None, "the address is in a private network")
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    # Connect to exactly the address that was checked, because the name may have another address a moment later.
    plain = socket.create_connection((address, port), timeout=TIMEOUT_S)
    too_late = threading.Event()
    limit = threading.Timer(DEADLINE_S, _cut, (plain, too_late))
    limit.daemon = True
    limit.start()
    try:
        secure = (
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) if parts.scheme == "https" else None
        )
        connection.sock = secure or plain
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body=body, headers=headers)
        status = connection.getresponse().status
    except (OSError, ValueError, http.client.HTTPException):
        if too_late.is_set():
            return Reply(None, f"no answer within {DEADLINE_S:.0f} seconds")
        raise
    finally:
        limit.cancel()
        connection.close()
        plain.close()
    return Reply(status, "" if 200 <= status < 300 else f"the receiver answered {status}")


def _cut(plain: socket.socket, too_late: threading.Event) -> None:
    """End a connection that takes too long; the thread that waits for the next byte gets an error at once."""
    too_late.set()
    with contextlib.suppress(OSError):  # the connection has just ended by itself
        plain.shutdown(socket.SHUT_RDWR)


def _resolve(host: str, port: int, allow_private: bool) -> str | None:
    """Return the first allowed address of a host; None if there is none."""
    for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        address = str(place[0])
        if allow_private or is_public(address):
            return address
    return None
