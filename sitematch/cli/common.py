"""What every command shares: settings, errors in plain words, exit codes and output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from sitematch.config import Settings
from sitematch.errors import AmbiguousPlace, DataFault, InvalidInput, NotFound, NotReady, SitematchError

EXIT_NO_MATCH = 1
EXIT_USAGE = 2
EXIT_NOT_FOUND = 3
EXIT_AMBIGUOUS = 4
EXIT_DATA_FAULT = 5
EXIT_NOT_READY = 6

EXIT_CODES = """\b
Exit codes:
  0  done
  1  no site can take a patient
  2  the command or a value in it cannot be understood
  3  no such postcode, town, site or study
  4  several places fit: choose one
  5  a data file has faults
  6  the gazetteer or the database is missing or busy"""

# A DataFault is a ValueError of another kind than InvalidInput, so the order does not matter.
_CODES: tuple[tuple[type[SitematchError], int], ...] = (
    (AmbiguousPlace, EXIT_AMBIGUOUS),
    (NotFound, EXIT_NOT_FOUND),
    (DataFault, EXIT_DATA_FAULT),
    (NotReady, EXIT_NOT_READY),
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


def plain_errors(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """Turn our errors into words on stderr and an exit code; any other error is a bug and keeps its traceback."""

    @wraps(command)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return command(*args, **kwargs)
        except SitematchError as error:
            say(f"Error: {error.message}")
            for suggestion in (*getattr(error, "suggestions", ()), *getattr(error, "candidates", ())):
                say(f"  Perhaps: {suggestion.text} ({suggestion.country}): {suggestion.why}")
            sys.exit(exit_code(error))

    return wrapped


def exit_code(error: SitematchError) -> int:
    """Return the documented exit code of an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), EXIT_NOT_READY)
