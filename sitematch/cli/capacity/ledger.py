"""``ledger``: check, export and import the audit trail."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from sitematch.cli.common import (
    EXIT_DATA_FAULT,
    EXIT_NOT_FOUND,
    STORE,
    Commands,
    console,
    exit_codes,
    format_option,
    plain_errors,
    print_json,
    say,
)
from sitematch.cli.context import cli_caller, open_context
from sitematch.cli.output import open_output
from sitematch.domain.plurals import counted
from sitematch.errors import InvalidInput

_CODES = exit_codes(EXIT_NOT_FOUND, EXIT_DATA_FAULT, *STORE)


@click.group("ledger", cls=Commands)
def ledger_group() -> None:
    """Check, export and import the ledger of spots."""


@ledger_group.command("verify", epilog=_CODES)
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    metavar="STUDY:SEQ:HASH",
    help="The end of a chain that an earlier `ledger verify` printed; may be repeated.",
)
@format_option("table", "json")
@plain_errors
def verify(anchors: tuple[str, ...], form: str) -> None:
    """Check the ledger: recompute every hash and all derived values, and report any edit, deletion or reordering.

    It prints the end of each study's chain. Keep this outside the database and give it as --anchor next time. The check
    then also detects somebody who rewrites the whole chain in the database.

    \b
    Examples:
      sitematch ledger verify
      sitematch ledger verify --anchor NCT06064929:17:5c0e…
    """
    from sitematch.services.capacity.ledger_copies import verify_ledger

    noted = dict(_anchor(text) for text in anchors)
    with open_context() as context:
        found = verify_ledger(context.store, context.actor, anchors=noted)
    if form == "json":
        print_json({"events": found.events, "intact": found.is_intact, "heads": found.heads, "faults": found.faults})
    else:
        for head in found.heads:
            click.echo(f"{head.study_id}:{head.seq}:{head.hash}  {_utc(head.at)}")
        for fault in found.faults:
            where = f"event {fault.seq}" if fault.seq else "beside the events"
            console().print(f"FAULT  {fault.study_id}, {where}: {fault.reason}", markup=False)
    say(f"{counted(found.events, 'event')}, {counted(len(found.faults), 'fault')}.")
    if not found.is_intact:
        sys.exit(EXIT_DATA_FAULT)


@ledger_group.command("export", epilog=_CODES)
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), default="-")
@plain_errors
def export(file: Path) -> None:
    """Write the whole ledger as NDJSON, one event per line, to FILE or stdout.

    \b
    Example:
      sitematch ledger export ledger.ndjson
    """
    from sitematch.services.capacity.ledger_copies import export_ledger

    # Not click's own atomic file, which gets its name even after an error.
    with open_context() as context, open_output(None if file == Path("-") else file) as out:
        count = -1  # the first line names the format
        for line in export_ledger(context.store, context.actor):
            out.write(line)
            count += 1
    say(f"{counted(count, 'event')} exported.")


@ledger_group.command("import", epilog=_CODES)
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@plain_errors
def import_(file: Path) -> None:
    """Import an exported ledger into a database with an empty ledger. If the chain is broken, nothing is imported.

    \b
    Example:
      SITEMATCH_DATABASE_URL=postgresql://… sitematch ledger import ledger.ndjson
    """
    from sitematch.cli.common import settings
    from sitematch.services.capacity.ledger_copies import import_ledger
    from sitematch.services.setup import open_store, prepare_catalogue

    chosen = settings()
    prepare_catalogue(chosen, say)  # without the stated caps: the ledger must be empty
    with open_store(chosen.database_url) as store, file.open("rb") as lines:
        count = import_ledger(store, cli_caller().actor, lines)
    say(f"{counted(count, 'event')} imported.")


def _anchor(text: str) -> tuple[str, tuple[int, str]]:
    study_id, _, rest = text.partition(":")
    seq, _, head = rest.partition(":")
    if not (study_id and seq.isdecimal() and len(head) == 64):
        raise InvalidInput("An anchor is STUDY:SEQ:HASH, as `ledger verify` prints it.", field="anchor")
    return study_id, (int(seq), head)


def _utc(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
