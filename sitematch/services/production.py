"""Checks that only matter where others can reach the service: TLS, limits, second factors, private files, backups."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from sitematch.config import Settings
from sitematch.domain.accounts.access import Role
from sitematch.domain.check import Check, CheckState, fault, ok, warning
from sitematch.domain.plurals import counted
from sitematch.errors import SitematchError
from sitematch.services.inspecting import BACKUP_NAMES, sqlite_file
from sitematch.store.accounts import accounts
from sitematch.store.engine import open_store

_NOT_ENOUGH = frozenset({"backup", "clock", "permissions", "proxy"})
"""Checks whose warnings are faults in production."""


def in_production(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return checks of an installation, with the warnings that production does not allow as faults."""
    return tuple(
        replace(check, state=CheckState.FAULT)
        if check.state is CheckState.WARNING and check.name in _NOT_ENOUGH
        else check
        for check in checks
    )


def check_production(settings: Settings) -> tuple[Check, ...]:
    """Check what a service that others reach must have; nothing is made or changed.

    Parameters
    ----------
    settings
        The settings of the service.

    Returns
    -------
    tuple of Check
        In a fixed order. No e-mail address is in them.
    """
    return (_tls(settings), *_limits(settings), *_second_factors(settings), _private_files(settings))


def _tls(settings: Settings) -> Check:
    if settings.public_url.startswith("https://"):
        return ok("tls", "The public address has TLS, and requests to other names are refused.")
    what_to_do = "Put a proxy with TLS in front, and set SITEMATCH_PUBLIC_URL to its https address."
    return fault("tls", "There is no public address with https.", what_to_do)


def _limits(settings: Settings) -> Iterator[Check]:
    off = [kind.variable for kind, rate in settings.rates.items() if not rate]
    if not settings.rate_limits or off:
        said = f"Requests are not limited: {', '.join(off) if settings.rate_limits else 'SITEMATCH_RATE_LIMITS is 0'}."
        yield fault("limits", said, "Remove these settings to use the defaults.")
    elif settings.workers > 1 and settings.limits_storage.startswith("memory:"):
        said = f"{settings.workers} processes count requests apart, so that a client may ask as many times more often."
        yield warning("limits", said, "Set SITEMATCH_LIMITS_STORAGE to a Redis server, or accept this.")
    else:
        yield ok("limits", "Every kind of request is limited.")


def _second_factors(settings: Settings) -> Iterator[Check]:
    if not settings.require_second_factor:
        said = "Administrators may sign in with a password alone."
        yield fault("sign-in", said, "Set SITEMATCH_REQUIRE_SECOND_FACTOR to 1.")
    file = sqlite_file(settings)
    if file is not None and not file.exists():
        return  # the check of the database says so, and opening it would make it
    try:
        with open_store(settings.database_url) as store:
            found = accounts.list_accounts(store)
    except SitematchError:
        return  # as above
    without = [
        account.account_id
        for account in found
        if account.has_password
        and not account.is_disabled
        and not account.has_totp
        and any(grant.role is Role.ADMINISTRATOR for grant in account.grants)
    ]
    if without:
        said = f"{counted(len(without), 'administrator')} without a second factor: {', '.join(without)}."
        yield fault("sign-in", said, "They set it up in the console, under “Your account”.")
    elif settings.require_second_factor:
        yield ok("sign-in", "Every administrator with a password has a second factor.")


def _private_files(settings: Settings) -> Check:
    if os.name != "posix":
        return ok("files", "Permissions of files are not checked on this system.")
    files: list[Path] = []
    if (database := sqlite_file(settings)) is not None:
        files += [database, database.with_name(f"{database.name}-wal")]
    if settings.backup_folder is not None:
        files += sorted(settings.backup_folder.glob(BACKUP_NAMES))
    open_to_all = [file for file in files if file.exists() and file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH)]
    if open_to_all:
        said = f"Every user of this machine may read {open_to_all[0]}"
        more = f" and {counted(len(open_to_all) - 1, 'other file')}" if len(open_to_all) > 1 else ""
        return fault("files", f"{said}{more}.", f"Run: chmod o-rwx {' '.join(map(str, open_to_all[:3]))}")
    return ok("files", "The database and the backups are for their owner and group alone.")
