"""What every command shares: settings, errors in plain words, exit codes and output."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
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
    OnlineUnavailable,
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

_MEANINGS = {
    0: "done",
    EXIT_NO_MATCH: "no site can take a patient",
    EXIT_USAGE: "the command or a value in it is not valid, or a file cannot be read",
    EXIT_NOT_FOUND: "no such postcode, town, site, study, referral, account or token",
    EXIT_AMBIGUOUS: "several places match: choose one",
    EXIT_DATA_FAULT: "a data file or the ledger has errors",
    EXIT_NOT_READY: "the gazetteer, the database or a library is missing, or from another version",
    EXIT_REFUSED: "the change is not possible: no spots left, closed, or not allowed in this state",
    EXIT_BUSY: "the database or a registry is busy or not available: nothing was saved, try again",
}


def exit_codes(*codes: int) -> str:
    """Return the end of a command's help: the meaning of its exit codes.

    Parameters
    ----------
    codes
        The command's exit codes, in addition to 0 and 2, which every command has.
    """
    lines = [f"  {code}  {_MEANINGS[code]}" for code in sorted({0, EXIT_USAGE, *codes})]
    return "\n".join(["\b", "Exit codes:", *lines])


STORE = (EXIT_NOT_READY, EXIT_BUSY)
"""Exit codes of every command that opens the database."""

EXIT_CODES = exit_codes(*_MEANINGS)
"""All exit codes of the program."""

if TYPE_CHECKING:
    from rich.console import Console

# DataFault and InvalidInput are different kinds of ValueError, so the order does not matter.
_CODES: tuple[tuple[type[SitematchError], int], ...] = (
    (AmbiguousPlace, EXIT_AMBIGUOUS),
    (NotFound, EXIT_NOT_FOUND),
    (DataFault, EXIT_DATA_FAULT),
    (NotReady, EXIT_NOT_READY),
    (CapacityError, EXIT_REFUSED),
    (LedgerBusy, EXIT_BUSY),
    (StorageFault, EXIT_BUSY),
    (OnlineUnavailable, EXIT_BUSY),
    (InvalidInput, EXIT_USAGE),
)

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Commands(click.Group):
    """A group of commands with full summaries and output that works with any terminal encoding."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **options: Any) -> Any:
        """Run the command in the arguments."""
        _make_printable()
        for given in sys.argv[1:] if args is None else args:
            # A file name may be any bytes; every other argument must be text.
            if any("\ud800" <= letter <= "\udfff" for letter in given) and not os.path.lexists(given):
                shown = os.fsencode(given).decode("utf-8", errors="replace")
                say(f"Error: {shown!r} is not UTF-8. Set the terminal to UTF-8 and type it again.")
                sys.exit(EXIT_USAGE)
        return super().main(args, *more, **options)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with the whole first sentence of each."""
        found = [(name, command) for name in self.list_commands(ctx) if (command := self.get_command(ctx, name))]
        rows = [(name, command.get_short_help_str(limit=500)) for name, command in found if not command.hidden]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def _make_printable() -> None:
    """Replace characters that the terminal's encoding lacks, so that no command fails; files and pipes get UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8")


_LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE")


def languages_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option that names the person's languages."""
    return click.option(
        "--languages",
        metavar="TAGS",
        help="The person's languages, best first, e.g. de-CH,en: they decide where no country is given.  "
        "[default: the locale's]",
    )(command)


def preferred_languages(languages: str | None) -> tuple[str, ...]:
    """Read the person's languages from the option or, without it, from the environment's locale."""
    if languages is not None:
        return tuple(tag for tag in languages.replace(",", " ").split() if tag)
    stated = next((value for name in _LOCALE_VARIABLES if (value := os.environ.get(name))), "")
    return tuple(stated.split(":"))


def settings() -> Settings:
    """Read the settings from the environment."""
    return Settings.from_mapping(os.environ)


def prepared_settings(now: datetime) -> Settings:
    """Read the settings, and prepare the database of a new installation."""
    from sitematch.services.setup import prepare

    chosen = settings()
    prepare(chosen, say, now)
    return chosen


def say(line: str) -> None:
    """Print a message on stderr, so that output can be piped."""
    tell(line, err=True)


def tell(line: str, *, err: bool = False) -> None:
    """Print a line in a command that also does other work.

    The reader may close the pipe (``| head``, a pager that is quit). The command then continues without output.

    Parameters
    ----------
    line
        The text.
    err
        Whether it goes to stderr instead of stdout.
    """
    try:
        click.echo(line, err=err)
    except BrokenPipeError:
        # Otherwise Python would fail again at the end, when it flushes its buffer.
        stream = sys.stderr if err else sys.stdout
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def format_option(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option for the output format; the first name is the default."""
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


PIPED_COLUMNS = 110
"""The width of a table in a file or a pipe, which have no width of their own."""


def console(*, piped_columns: int | None = None) -> Console:
    """Return the console for tables. Piped output is not limited to 80 columns."""
    from sitematch.exporters.tables.terminal import PlainConsole

    return PlainConsole(
        width=None if sys.stdout.isatty() else piped_columns or PIPED_COLUMNS, highlight=False, soft_wrap=False
    )


def plain_errors(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """Convert our errors to a message on stderr and an exit code; any other error is a bug and keeps its traceback."""

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
