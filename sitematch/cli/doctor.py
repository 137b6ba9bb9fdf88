"""``doctor``: checks an installation, and says what to do."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from urllib.error import URLError
from urllib.request import urlopen

import click

from sitematch import __version__
from sitematch.cli.common import EXIT_NOT_READY, exit_codes, plain_errors, print_json, say
from sitematch.cli.server import refuse_taken
from sitematch.config import VARIABLES, Settings
from sitematch.domain.check import Check, CheckState, fault, ok, warning, worst
from sitematch.domain.plurals import counted
from sitematch.errors import InvalidInput
from sitematch.extras import MODULES

LEAST_SQLITE = (3, 35)
"""The first that knows RETURNING."""

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@click.command("doctor", epilog=exit_codes(EXIT_NOT_READY))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--production", is_flag=True, help="Also check what a service that others reach must have.")
@plain_errors
def doctor(as_json: bool, production: bool) -> None:
    """Check this installation and say what to do.

    Checks settings, versions, database, gazetteer, clock, disk, permissions, backups and port. Nothing is changed. The
    exit code is 6 if there is a fault, and 0 if there are only warnings.

    --production also wants TLS, limits on requests, a second factor for every administrator, private files, a correct
    clock and a backup of the last day.

    \b
    Examples:
      sitematch doctor --json
      sitematch doctor --production
    """
    checks = tuple(_checks(datetime.now(UTC)))
    if production:
        checks = _in_production(checks)
    state = worst(checks)
    if as_json:
        print_json({"state": state, "version": __version__, "checks": checks})
    else:
        for check in checks:
            click.echo(f"{check.state.value:8} {check.name:12} {check.said}")
            if check.what_to_do:
                click.echo(f"{'':21} {check.what_to_do}")
    if state is CheckState.FAULT:
        if not as_json:
            say(f"{counted(sum(check.state is CheckState.FAULT for check in checks), 'fault')}.")
        sys.exit(EXIT_NOT_READY)


def _in_production(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    from sitematch.services.production import check_production, in_production

    try:
        settings = Settings.from_mapping(os.environ)
    except InvalidInput:
        return checks  # which say so
    return (*in_production(checks), *check_production(settings))


def _checks(now: datetime) -> Iterator[Check]:
    from sitematch.services.inspecting import check_installation

    unknown = sorted(name for name in os.environ if name.startswith("SITEMATCH_") and name not in VARIABLES)
    try:
        settings = Settings.from_mapping(os.environ)
    except InvalidInput as error:
        yield fault("settings", error.message.replace("\n", " "), "Correct these variables. Nothing else was checked.")
        yield from _versions()
        return
    if unknown:
        said = f"Nothing reads {', '.join(unknown)}."
        yield warning("settings", said, "Correct the name or remove it; docs/operations.md lists all settings.")
    else:
        yield ok("settings", "Every SITEMATCH_ variable is known and valid.")
    yield from _versions()
    yield _libraries(settings)
    yield from check_installation(settings, now)
    yield _port(settings)
    yield _proxy(settings)


def _versions() -> Iterator[Check]:
    names = ("granian", "flask", "sqlalchemy")
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            yield fault("versions", f"{name} is not installed.", "Install sitematch again: pip install sitematch")
    said = f"sitematch {__version__}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info < LEAST_SQLITE:
        yield fault("versions", f"{said}.", "Install Python with SQLite 3.35 or later.")
    else:
        yield ok("versions", ", ".join([said, *found]) + ".")


def _libraries(settings: Settings) -> Check:
    """Check what draws reports and, if it is used, what reaches PostgreSQL."""
    missing = []
    wanted = ["reports"] + ["postgres"] * settings.database_url.startswith("postgres")
    for extra in wanted:
        for module in MODULES[extra]:
            try:
                import_module(module)
            except ImportError:
                missing.append((extra, module))
    if not missing:
        return ok("libraries", "Reports can be written as PDF and Excel.")
    extras = ",".join(dict.fromkeys(extra for extra, _ in missing))
    said = f"Missing: {', '.join(module for _, module in missing)}."
    what_to_do = f'Install with: pip install "sitematch[{extras}]"'
    is_needed = any(extra == "postgres" for extra, _ in missing)
    return (fault if is_needed else warning)("libraries", said, what_to_do)


def _port(settings: Settings) -> Check:
    where = f"{settings.host}:{settings.port}"
    try:
        refuse_taken(settings.host, settings.port)
    except InvalidInput as error:
        if error.field == "port" and _answers(settings):
            return ok("port", f"sitematch answers at {where}.")
        return fault("port", error.message, "Set SITEMATCH_HOST and SITEMATCH_PORT, or stop the other program.")
    return ok("port", f"{where} is free; no server runs there now.")


def _answers(settings: Settings) -> bool:
    host = settings.host if settings.host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104 - compared
    address = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/healthz"
    try:
        with urlopen(address, timeout=5) as answer:
            return bool(answer.read(100) == b'{"status":"ok"}')
    except (URLError, OSError, ValueError):
        return False


def _proxy(settings: Settings) -> Check:
    if settings.public_url.startswith("http://"):
        what_to_do = "Put a proxy with TLS in front, and set SITEMATCH_PUBLIC_URL to its https address."
        return warning("proxy", f"The public address {settings.public_url} has no TLS.", what_to_do)
    if not settings.public_url and settings.host not in _LOOPBACK:
        said = f"The service listens on {settings.host}, reachable from other machines, and has no public address."
        what_to_do = "Put a proxy with TLS in front, listen on 127.0.0.1, and set SITEMATCH_PUBLIC_URL."
        return warning("proxy", said, what_to_do)
    if not settings.public_url:
        return ok("proxy", "The service is for this machine only.")
    return ok("proxy", f"Others reach the service at {settings.public_url}.")
