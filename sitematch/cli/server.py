"""``serve``: running the service."""

from __future__ import annotations

import errno
import os
import socket
from datetime import UTC, datetime

import click

from sitematch.cli.common import EXIT_NOT_FOUND, STORE, exit_codes, plain_errors, prepared_settings, say
from sitematch.errors import InvalidInput

_CODES = exit_codes(EXIT_NOT_FOUND, *STORE)

STOP_S = 3
"""How long a process may finish what it does when the server is ended, in seconds, before it is ended itself."""


@click.command(epilog=_CODES)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@plain_errors
def serve(host: str, port: int, workers: int) -> None:
    """Serve the pages and the HTTP API.

    \b
    Example:
      sitematch serve --port 8080 --workers 2
    """
    refuse_taken(host, port)
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from sitematch.services.finding.opening import open_finder

    now = datetime.now(UTC)
    chosen = prepared_settings(now)
    open_finder(chosen, now)  # what is missing is said here, in words, before any worker starts
    say(f"Open {_address(host, port)} in a browser; programs find the API at /docs. Stop with Ctrl-C.")
    Granian(
        target="sitematch.wsgi:create_served_app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=workers,
        # Look-ups are short and hold the interpreter; a few threads only cover those that wait for the database.
        blocking_threads=min(8, 2 * (os.cpu_count() or 1) + 1),
        backpressure=128,
        websockets=False,
        workers_kill_timeout=STOP_S,
        log_level=LogLevels.warning,
    ).serve()


def refuse_taken(host: str, port: int) -> None:
    """Refuse an address on which the server could not listen alone.

    The server itself would share the port with another that allows it, and both would answer in turn.

    Parameters
    ----------
    host
        Name or address of this machine.
    port
        1 to 65535.

    Raises
    ------
    InvalidInput
        If the port is in use or not allowed, or the host is none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise InvalidInput(f"There is no host {host!r}.", field="host") from error
    with socket.socket(family, kind, protocol) as probe:
        # As servers do: connections that are about to end keep no port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            match error.errno:
                case errno.EADDRINUSE:
                    why = f"Port {port} is in use. Choose another: sitematch serve --port {port % 65535 + 1}"
                    raise InvalidInput(why, field="port") from error
                case errno.EACCES:
                    why = f"Port {port} is not allowed to this user. Choose one above 1023: sitematch serve --port 8000"
                    raise InvalidInput(why, field="port") from error
                case _:
                    why = f"Cannot listen on {host}: {error.strerror}."
                    raise InvalidInput(why, field="host") from error


def _address(host: str, port: int) -> str:
    """Return what to type into a browser on this machine."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not listened on
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
