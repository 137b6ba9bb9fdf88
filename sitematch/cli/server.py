"""``serve``: running the service."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from sitematch.cli.common import EXIT_CODES, plain_errors, say, settings


@click.command(epilog=EXIT_CODES)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@plain_errors
def serve(host: str, port: int, workers: int) -> None:
    """Serve the pages and the HTTP API.

    \b
    Example:
      sitematch serve --port 8080 --workers 2
    """
    from granian import Granian
    from granian.constants import Interfaces

    from sitematch.services.finding.opening import open_finder
    from sitematch.services.setup import prepare

    chosen, now = settings(), datetime.now(UTC)
    prepare(chosen, say, now)
    open_finder(chosen, now)  # what is missing is said here, in words, before any worker starts
    say(f"Serving on http://{host}:{port}/ (API at /docs). Stop with Ctrl-C.")
    Granian(
        target="sitematch.wsgi:create_app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=workers,
        # Look-ups are short and hold the interpreter; a few threads only cover those that wait for the database.
        blocking_threads=min(8, 2 * (os.cpu_count() or 1) + 1),
        backpressure=128,
        websockets=False,
    ).serve()
