"""Checking an installation: database, gazetteer, disk, permissions and backups."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sitematch.config import Settings
from sitematch.domain.check import Check, fault, ok, warning
from sitematch.errors import LedgerBusy, NotReady, SitematchError
from sitematch.gazetteer.reader import Reader
from sitematch.store.engine import CONNECTIONS_OF_A_PROCESS, open_store
from sitematch.store.guards import MAX_SKEW
from sitematch.store.inspection import DatabaseState, inspect
from sitematch.store.schema import SCHEMA_REVISION

LEAST_FREE_BYTES = 200_000_000
"""Below this, the next writes may fail."""

LITTLE_FREE_BYTES = 2_000_000_000

BACKUP_EVERY = timedelta(hours=26)
"""A backup a day, and two hours for it to run."""

BACKUP_NAMES = "*.backup"


def check_installation(settings: Settings, now: datetime) -> tuple[Check, ...]:
    """Look at all that the service needs on this machine; nothing is made or changed.

    Parameters
    ----------
    settings
        Where things are.
    now
        The present instant (aware).

    Returns
    -------
    tuple of Check
        In a fixed order. A fault never keeps the rest from being checked.
    """
    return (
        *_database(settings, now),
        *_gazetteer(settings),
        _disk(settings),
        *_permissions(settings),
        _backups(settings, now),
    )


def sqlite_file(settings: Settings) -> Path | None:
    """Return the file of an SQLite database; None for a server."""
    address = settings.database_url
    return Path(address.removeprefix("sqlite:///")) if address.startswith("sqlite:///") else None


def _database(settings: Settings, now: datetime) -> Iterator[Check]:
    file = sqlite_file(settings)
    if file is not None and not file.exists():
        # Opening it would make it.
        yield fault("database", f"There is no database: {file} is missing.", "Run `sitematch db upgrade`.")
        return
    try:
        with open_store(settings.database_url) as store:
            state = inspect(store)
            where = store.where
    except NotReady as error:
        yield fault("database", error.message, "Back it up, then run `sitematch db upgrade`.")
        return
    except LedgerBusy as error:
        yield warning("database", error.message, "Try again. If it goes on, look for a long write or too many servers.")
        return
    except SitematchError as error:
        yield fault("database", error.message, "See docs/operations.md, what each error means.")
        return
    if state.damage:
        yield fault(
            "database",
            f"{where} is damaged: {'; '.join(state.damage)[:500]}",
            "Stop the service, keep a copy of the file, and restore the last backup with `sitematch db restore`.",
        )
    elif state.is_read_only:
        yield fault("database", f"{where} is a standby that allows only reading.", "Name the primary server.")
    else:
        yield ok("database", f"{where} answers, at schema {SCHEMA_REVISION}, {state.version}; no damage was found.")
    yield _clock(state, now)
    yield from _connections(settings, state)


def _clock(state: DatabaseState, now: datetime) -> Check:
    what_to_do = "Set this machine's clock by NTP, and check that of the other servers."
    if state.clock is not None and abs(state.clock - now) > MAX_SKEW:
        seconds = (now - state.clock).total_seconds()
        said = f"This machine's clock differs from the database server's by {seconds:.0f} seconds."
        return fault("clock", said, what_to_do)
    if state.latest_event_at is not None and state.latest_event_at - now > MAX_SKEW:
        said = f"The newest event is of {state.latest_event_at.isoformat(timespec='seconds')}, which is in the future."
        return fault("clock", said, what_to_do)
    return ok("clock", f"It is {now.astimezone(UTC).isoformat(timespec='seconds')}, after the newest event.")


def _connections(settings: Settings, state: DatabaseState) -> Iterator[Check]:
    if state.most_connections is None:
        return
    wanted = CONNECTIONS_OF_A_PROCESS * settings.workers
    said = f"This server may open {wanted} connections; the database server allows {state.most_connections}."
    if wanted > state.most_connections:
        yield warning("connections", said, "Raise max_connections, or set SITEMATCH_WORKERS lower.")
    else:
        yield ok("connections", said)


def _gazetteer(settings: Settings) -> Iterator[Check]:
    try:
        reader = Reader(settings.gazetteer_path)
        damage = reader.damage()
    except NotReady as error:
        yield fault("gazetteer", error.message, "Build it, or name another file with SITEMATCH_GAZETTEER.")
        return
    if damage:
        yield fault(
            "gazetteer",
            f"{settings.gazetteer_path} is damaged: {damage[:300]}",
            "Build it again with `sitematch gazetteer build`, or copy it again, and restart the service.",
        )
        return
    yield ok("gazetteer", f"{settings.gazetteer_path} can be read, data {reader.digest[:12] or 'without a digest'}.")


def _disk(settings: Settings) -> Check:
    folder = _existing(sqlite_file(settings) or settings.home)
    free = shutil.disk_usage(folder).free
    said = f"{free / 1e9:.1f} GB are free for {folder}."
    if free < LEAST_FREE_BYTES:
        return fault("disk", said, "Make room now: writes are about to fail.")
    if free < LITTLE_FREE_BYTES:
        return warning("disk", said, "Make room: backups and the database's log need some.")
    return ok("disk", said)


def _permissions(settings: Settings) -> Iterator[Check]:
    file = sqlite_file(settings)
    folder = _existing(file.parent if file else settings.home)
    if not os.access(folder, os.W_OK | os.X_OK):
        yield fault("permissions", f"This user cannot write {folder}.", "Give it to the user that runs the service.")
        return
    if file is not None and file.exists():
        if not os.access(file, os.R_OK | os.W_OK):
            yield fault("permissions", f"This user cannot write {file}.", "Give it to the user that runs the service.")
            return
        is_open = folder.stat().st_mode & stat.S_IXOTH and file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH)
        if os.name == "posix" and is_open:
            yield warning(
                "permissions",
                f"Every user of this machine can read {file}; it holds the secrets that sign webhooks.",
                f"Run: chmod o-rwx {folder}",
            )
            return
    yield ok("permissions", f"Only the service's user and group can read what is in {folder}, and can write it.")


def _backups(settings: Settings, now: datetime) -> Check:
    folder = settings.backup_folder
    if folder is None:
        what_to_do = "Run `sitematch db backup` every day, and name its folder in SITEMATCH_BACKUP_FOLDER."
        return warning("backup", "It is not known where backups are kept.", what_to_do)
    try:
        times = [file.stat().st_mtime for file in folder.glob(BACKUP_NAMES)]
    except OSError as error:
        return fault("backup", f"{folder} cannot be read: {error.strerror}.", "Check the folder and its permissions.")
    if not times:
        what_to_do = "Run `sitematch db backup` every day; see docs/operations.md."
        return fault("backup", f"There is no backup ({BACKUP_NAMES}) in {folder}.", what_to_do)
    age = now - datetime.fromtimestamp(max(times), UTC)
    said = f"The newest backup in {folder} is {age.total_seconds() / 3600:.0f} hours old."
    if age > BACKUP_EVERY:
        return warning("backup", said, "Find out why the daily backup did not run.")
    return ok("backup", said)


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
