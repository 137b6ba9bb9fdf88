"""Conversion of the database drivers' errors to our own, with messages that say what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sitematch.errors import LedgerBusy, NotReady, StorageFault

RETRY_AFTER_S = 1.0
"""How long a caller should wait before the next attempt if the database is busy, in seconds."""

_PG_BUSY = {
    "40001": "another write came first",
    "40P01": "two writes waited for each other",
    "55P03": "the wait for another write took too long",
    "53300": "the server has no free connection",
    "57014": "a statement took too long and was stopped",
}

# While it connects, the driver has no SQLSTATE; these are PostgreSQL's words for 53300.
_NO_CONNECTION = re.compile(r"too many clients|remaining connection slots|too many connections")

# The longest matching prefix decides.
_SQLITE_REASONS = {
    "SQLITE_FULL": "The disk is full: make room and try again",
    "SQLITE_READONLY_DIRECTORY": "This user is not allowed to write its folder, which SQLite needs",
    "SQLITE_READONLY": "This user is not allowed to write it",
    "SQLITE_CANTOPEN": "It cannot be opened: its folder is missing, or this user may not read it",
    "SQLITE_PERM": "This user is not allowed to read it",
    "SQLITE_NOTADB": "The file is not an SQLite database",
    "SQLITE_CORRUPT": "The file is damaged: restore a backup with `sitematch db restore`",
    "SQLITE_IOERR": "The disk failed while it was read or written",
    "SQLITE_NOMEM": "The machine has no memory left",
    "SQLITE_PROTOCOL": "It cannot be locked. Check whether it is on a network drive",
}
_PG_REASONS = {
    "08": "The connection was lost: try again",
    "25006": "The server allows only reading",
    "28": "The server refuses this user or password",
    "3D000": "The server has no database of this name: create it first",
    "42501": "This user is not allowed to do that in the database",
    "53100": "The server's disk is full: make room and try again",
    "53200": "The server has no memory left",
    "57P": "The server is starting or stopping: try again shortly",
    "58": "The server's disk failed while it was read or written",
    "XX": "The server says that its files are damaged",
}
_NO_ANSWER = "The server does not answer: check the address, and that it is running"

_NOTHING_LOST = ("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH", "53100", "25006")
"""Kinds of failure after which all confirmed data is certainly still stored: a full disk, or no permission to write.
After others, a damaged file or a lost server, this is unknown."""


@contextmanager
def translated_errors(where: str) -> Iterator[None]:
    """Convert the driver's errors to ours, except `IntegrityError`, whose meaning only the caller knows.

    Parameters
    ----------
    where
        The file or the server, for the message.

    Raises
    ------
    LedgerBusy
        If another write took too long.
    NotReady
        If a table is missing.
    StorageFault
        If the database could not be reached, read or written.
    """
    try:
        yield
    except IntegrityError:
        raise
    except PoolTimeout as error:
        raise LedgerBusy(
            "Every database connection is in use. Try again shortly.", retry_after_s=RETRY_AFTER_S
        ) from error
    except DBAPIError as error:
        raise _ours(error, where) from error


def _ours(error: DBAPIError, where: str) -> LedgerBusy | NotReady | StorageFault:
    cause = error.orig
    sqlstate = getattr(cause, "sqlstate", None)
    sqlite_name = getattr(cause, "sqlite_errorname", "") or ""
    text = str(cause)
    if sqlstate is None and _NO_CONNECTION.search(text):
        sqlstate = "53300"
    if sqlstate in _PG_BUSY:
        return LedgerBusy(
            f"The database is busy: {_PG_BUSY[sqlstate]}. Try again shortly.", retry_after_s=RETRY_AFTER_S
        )
    if sqlite_name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LedgerBusy(
            "The database is busy: the wait for another write took too long. Try again shortly.",
            retry_after_s=RETRY_AFTER_S,
        )
    if sqlstate == "42P01" or re.search(r"no such table", text):
        return NotReady("A table is missing from the database. Run `sitematch db upgrade`.")
    kind = sqlite_name or sqlstate or type(cause).__name__
    kept = " Everything that was confirmed is safe." if kind.startswith(_NOTHING_LOST) else ""
    return StorageFault(f"{reason(kind, text)} ({kind}). The database is {where}.{kept}", kind=kind)


def reason(kind: str, text: str) -> str:
    """Return why a database failed, in words and without a full stop.

    Parameters
    ----------
    kind
        SQLite's name of the error, PostgreSQL's SQLSTATE, or the name of the driver's exception.
    text
        The driver's own text. It may contain the statement's values or a password, so it is not repeated.

    Examples
    --------
    >>> reason("SQLITE_READONLY_DBMOVED", "")
    'This user is not allowed to write it'
    >>> reason("OperationalError", 'FATAL:  database "x" does not exist')
    'The server has no database of this name: create it first'
    """
    for reasons in (_SQLITE_REASONS, _PG_REASONS):
        fitting = [start for start in reasons if kind.startswith(start)]
        if fitting:
            return reasons[max(fitting, key=len)]
    # The driver has no SQLSTATE for connection errors.
    if "does not exist" in text and "database" in text:
        return _PG_REASONS["3D000"]
    if "authentication failed" in text or "no password supplied" in text or "pg_hba.conf" in text:
        return _PG_REASONS["28"]
    if "starting up" in text or "shutting down" in text:
        return _PG_REASONS["57P"]
    if kind in ("OperationalError", "ConnectionTimeout"):
        return _NO_ANSWER
    return "It could not be read or written"
