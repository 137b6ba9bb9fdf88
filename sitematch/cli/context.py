"""Common parts of the coordinators' commands: the open database, the actor, and printing lists."""

from __future__ import annotations

import getpass
import os
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from sitematch.cli.common import console, prepared_settings, print_json
from sitematch.cli.completion import complete_study
from sitematch.domain.accounts.access import Actor, Caller, Grant, Role

if TYPE_CHECKING:
    from rich.console import Console

    from sitematch.exporters.wire.matches import Wire
    from sitematch.services.setup import Store

_UNFIT = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandContext:
    """An open database with the caller.

    Parameters
    ----------
    store
        The database.
    caller
        The caller; in the audit trail, ``cli:`` and the login name.
    study_id
        The study of the command.
    now
        The time of the command.
    """

    store: Store
    caller: Caller
    study_id: str
    now: datetime

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return self.caller.actor


@contextmanager
def open_context(study_id: str | None = None, key: str | None = None) -> Iterator[CommandContext]:
    """Open the database for one command; in a new installation, it is created at its first use.

    Anyone who can open the database can change all of it, so the command line is an administrator.
    """
    from sitematch.services.setup import open_store

    now = datetime.now(UTC)
    chosen = prepared_settings(now)
    with open_store(chosen.database_url) as store:
        yield CommandContext(store=store, caller=cli_caller(key), study_id=study_id or chosen.study_id, now=now)


def cli_caller(key: str | None = None) -> Caller:
    """Return the actor: the login name, or the value of ``SITEMATCH_ACTOR``."""
    name = os.environ.get("SITEMATCH_ACTOR") or getpass.getuser()
    actor = Actor(actor_id=f"cli:{_UNFIT.sub('_', name)[:64]}", grants=(Grant(role=Role.ADMINISTRATOR),))
    return Caller(actor=actor, request_id=f"cli-{uuid.uuid4()}", idempotency_key=key)


def study_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--study``."""
    return click.option(
        "--study",
        metavar="STUDY",
        shell_complete=complete_study,
        help="The study's id.  [default: SITEMATCH_STUDY]",
    )(command)


def key_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--key``."""
    return click.option(
        "--key",
        metavar="KEY",
        help="Idempotency key: a repeat with the same key within 24 hours has no further effect.",
    )(command)


def print_rows(
    form: str, kind: type[Wire], answers: Sequence[Wire], table: Callable[[Sequence[Any], Console], None]
) -> None:
    """Print a list as JSON, CSV or a table."""
    if form == "json":
        print_json(answers)
    elif form == "csv":
        from sitematch.exporters.tables.ledger_rows import answers_csv

        click.echo(answers_csv(kind, answers), nl=False)
    else:
        table(answers, console())


def print_one(form: str, answer: Wire, table: Callable[[Sequence[Any], Console], None]) -> None:
    """Print one answer as a JSON object or a table of one row."""
    if form == "json":
        print_json(answer)
    else:
        table([answer], console())
