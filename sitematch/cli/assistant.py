"""``mcp``: look-ups for assistants and agents, over the Model Context Protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from sitematch.cli.common import STORE, exit_codes, plain_errors, say, settings
from sitematch.errors import InvalidInput
from sitematch.extras import needs_extra

if TYPE_CHECKING:
    from sitematch.services.finding.live_finders import LiveFinders
    from sitematch.services.setup import Store

_READERS = 8
"""Look-ups that read the gazetteer at once."""


@click.command("mcp", epilog=exit_codes(*STORE))
@click.option(
    "--transport",
    type=click.Choice(["stdio", "http"]),
    default="stdio",
    show_default=True,
    help="stdio for a program that starts this command; http for clients on the network.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="With http: address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8010, show_default=True, help="With http: port.")
@click.option("--capacity", is_flag=True, help="With stdio: also answer questions on spots, with your rights here.")
@plain_errors
def mcp(transport: str, host: str, port: int, capacity: bool) -> None:
    """Answer look-ups of AI assistants over the Model Context Protocol (MCP).

    Needs the extra `mcp`: pip install "sitematch[mcp]".

    \b
    Examples:
      sitematch mcp
      sitematch mcp --transport http --port 8010
    """
    if capacity and transport != "stdio":
        raise InvalidInput("--capacity works only with --transport stdio: http has no sign-in.", field="capacity")
    with needs_extra("mcp", "The command mcp"):
        from sitematch.cli.assistant_server import Lookups, build_server
    with _opened(_now) as (live, store):
        actor = None
        if capacity:
            from sitematch.cli.context import cli_caller

            actor = cli_caller().actor
        server = build_server(Lookups(live, store, _now), actor)
        if transport == "stdio":
            server.run("stdio")
        else:
            say(f"Serving MCP at http://{host}:{port}/mcp. Stop with Ctrl-C.")
            server.run("streamable-http", host=host, port=port, stateless_http=True, json_response=True)


@contextmanager
def _opened(clock: Callable[[], datetime]) -> Iterator[tuple[LiveFinders, Store]]:
    from sitematch.gazetteer.locate import Gazetteer
    from sitematch.services.finding.live_finders import LiveFinders
    from sitematch.services.setup import open_store, prepared_to_read

    with (
        prepared_to_read(settings(), say, clock()) as chosen,
        open_store(chosen.database_url) as store,
    ):
        gazetteer = Gazetteer.open(chosen.gazetteer_path, readers=_READERS)
        live = LiveFinders(gazetteer, store, chosen.study_id, clock)
        try:
            yield live, store
        finally:
            live.close()


def _now() -> datetime:
    return datetime.now(UTC)
