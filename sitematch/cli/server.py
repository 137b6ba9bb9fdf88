"""``serve``: running the service."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any

import click

from sitematch.cli.common import EXIT_NOT_FOUND, STORE, exit_codes, plain_errors, prepared_settings, say
from sitematch.config import Settings
from sitematch.errors import InvalidInput, NotReady
from sitematch.logs import granian_config
from sitematch.metrics import serve_in_thread, shared_folder

_CODES = exit_codes(EXIT_NOT_FOUND, *STORE)

STOP_S = 3
"""How long a process may finish what it does when the server is ended, in seconds, before it is ended itself."""


CONNECTIONS = 1024
"""How many connections a process keeps open. Idle ones count too: with few, a few hundred that send nothing keep
everybody out. What stands in front bounds them for each address."""

HEADERS_S = 10
"""How long a client may take to send the headers of a request, in seconds."""


@click.command(epilog=_CODES)
@click.option("--host", help="Address to listen on.  [default: SITEMATCH_HOST, or 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: SITEMATCH_PORT, or 8000]")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes.  [default: SITEMATCH_WORKERS, or 1]")
@click.option(
    "--threads",
    type=click.IntRange(5, 64),
    help="Requests that a process answers at once.  [default: SITEMATCH_THREADS, or by the machine]",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    help="Port for /metrics, without a token; 0 for none.  [default: SITEMATCH_METRICS_PORT, or 0]",
)
@click.option("--create", is_flag=True, help="Create the database if there is none, and upgrade its schema.")
@plain_errors
def serve(create: bool, **options: Any) -> None:
    """Serve the pages and the HTTP API.

    A database that is missing is not created without --create: a wrong path must not look like an empty ledger.

    \b
    Example:
      sitematch serve --port 8080 --workers 2
    """
    given = {f"SITEMATCH_{name.upper()}": str(value) for name, value in options.items() if value is not None}
    asked = Settings.from_mapping({**os.environ, **given})
    refuse_taken(asked.host, asked.port)
    if asked.metrics_port:
        refuse_taken(asked.metrics_host, asked.metrics_port, option="--metrics-port")
    with _environment(given), shared_folder() if asked.has_metrics else nullcontext("") as folder:
        if not create:
            from sitematch.services.setup import require_database

            require_database(asked)
        _serve(folder)


@contextmanager
def _environment(given: Mapping[str, str]) -> Iterator[None]:
    """Set variables for the processes that are started in this block: they read their settings from there."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(metrics_folder: str) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    from sitematch.services.finding.opening import open_finder

    now = datetime.now(UTC)
    chosen = prepared_settings(now)
    # What is missing or damaged is said here, in words, before any worker starts.
    finder = open_finder(chosen, now)
    if damage := finder.gazetteer.reader.damage():
        what_to_do = "Build it again with `sitematch gazetteer build`, or copy it again."
        raise NotReady(f"The gazetteer {chosen.gazetteer_path} is damaged: {damage[:300]}. {what_to_do}")
    del finder
    server = Granian(
        target="sitematch.wsgi:create_served_app",
        address=chosen.host,
        port=chosen.port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=chosen.workers,
        # Look-ups are short and hold the interpreter; a few threads only cover those that wait for the database.
        blocking_threads=chosen.threads or min(8, 2 * (os.cpu_count() or 1) + 1),
        backpressure=CONNECTIONS,
        websockets=False,
        workers_kill_timeout=STOP_S,
        respawn_failed_workers=True,
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_S * 1000),
        log_level=LogLevels.warning,
        log_dictconfig=granian_config(chosen.log_format),
    )
    if chosen.metrics_port:
        serve_in_thread(chosen.metrics_host, chosen.metrics_port, metrics_folder)
    say(f"Open {_address(chosen.host, chosen.port)} in a browser; programs find the API at /docs. Stop with Ctrl-C.")
    server.serve()


def refuse_taken(host: str, port: int, *, option: str = "--port") -> None:
    """Refuse an address on which the server could not listen alone.

    The server itself would share the port with another that allows it, and both would answer in turn.

    Parameters
    ----------
    host
        Name or address of this machine.
    port
        1 to 65535.
    option
        The option that names another port.

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
                    why = f"Port {port} is in use. Choose another: sitematch serve {option} {port % 65535 + 1}"
                    raise InvalidInput(why, field="port") from error
                case errno.EACCES:
                    why = (
                        f"Port {port} is not allowed to this user. Choose one above 1023: sitematch serve {option} 8000"
                    )
                    raise InvalidInput(why, field="port") from error
                case _:
                    why = f"Cannot listen on {host}: {error.strerror}."
                    raise InvalidInput(why, field="host") from error


def _address(host: str, port: int) -> str:
    """Return what to type into a browser on this machine."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not listened on
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
