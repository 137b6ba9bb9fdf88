"""What every command shares: settings, errors in plain words, exit codes and output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from sitematch.config import Settings
from sitematch.errors import (
    AmbiguousPlace,
    CapacityError,
    DataFault,
    InvalidInput,
    LedgerBusy,
    NotFound,
    NotReady,
    SitematchError,
    StorageFault,
)

EXIT_NO_MATCH = 1
EXIT_USAGE = 2
EXIT_NOT_FOUND = 3
EXIT_AMBIGUOUS = 4
EXIT_DATA_FAULT = 5
EXIT_NOT_READY = 6
EXIT_REFUSED = 7
EXIT_BUSY = 8

EXIT_CODES = """\b
Exit codes:
  0  done
  1  no site can take a patient
  2  the command or a value in it is not valid
  3  no such postcode, town, site, study, referral, account or token
  4  several places match: choose one
  5  a data file or the ledger has errors
  6  the gazetteer or the database is missing, or from another version
  7  the change is not possible: no spots left, closed, or not allowed in this state
  8  the database is busy or not available: nothing was saved, try again"""

if TYPE_CHECKING:
    from rich.console import Console

# A DataFault is a ValueError of another kind than InvalidInput, so the order does not matter.
_CODES: tuple[tuple[type[SitematchError], int], ...] = (
    (AmbiguousPlace, EXIT_AMBIGUOUS),
    (NotFound, EXIT_NOT_FOUND),
    (DataFault, EXIT_DATA_FAULT),
    (NotReady, EXIT_NOT_READY),
    (CapacityError, EXIT_REFUSED),
    (LedgerBusy, EXIT_BUSY),
    (StorageFault, EXIT_BUSY),
    (InvalidInput, EXIT_USAGE),
)

_P = ParamSpec("_P")
_R = TypeVar("_R")


def settings() -> Settings:
    """Read the settings from the environment."""
    return Settings.from_mapping(os.environ)


def say(line: str) -> None:
    """Tell the person what was done, on stderr, so that output can be piped."""
    click.echo(line, err=True)


def format_option(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option that chooses how to print; the first name is the default."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        help="Output format.",
    )


def print_json(value: object) -> None:
    """Print an answer as JSON on stdout."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def console(*, piped_columns: int = 110) -> Console:
    """Return where tables go. Piped output is not cut at 80 columns: a file or a pager has no width."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else piped_columns, highlight=False, soft_wrap=False)


def plain_errors(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """Turn our errors into words on stderr and an exit code; any other error is a bug and keeps its traceback."""

    @wraps(command)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return command(*args, **kwargs)
        except SitematchError as error:
            say(f"Error: {error.message}")
            for suggestion in (*getattr(error, "suggestions", ()), *getattr(error, "candidates", ())):
                say(f"  Suggestion: {suggestion.text} ({suggestion.country}): {suggestion.why}")
            sys.exit(exit_code(error))

    return wrapped


def exit_code(error: SitematchError) -> int:
    """Return the documented exit code of an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), EXIT_NOT_READY)
