"""The error of a database says in words what failed, and names the database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from sitematch.errors import StorageFault
from sitematch.store.engine import open_store
from sitematch.store.faults import reason


def write_table(path: Path) -> None:
    with open_store(f"sqlite:///{path}", require_ready=False) as store, store.writing() as connection:
        connection.execute(sa.text("CREATE TABLE t (x)"))


def fault_of(path: Path) -> StorageFault:
    with pytest.raises(StorageFault) as caught:
        write_table(path)
    return caught.value


def test_a_full_disk_is_told_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "full.db"
    with (
        pytest.raises(StorageFault) as caught,
        open_store(f"sqlite:///{path}", require_ready=False) as store,
        store.writing() as connection,
    ):
        # SQLite's own limit: it answers as it does for a disk without room.
        connection.execute(sa.text("PRAGMA max_page_count = 1"))
        connection.execute(sa.text("CREATE TABLE t (x)"))
        connection.execute(sa.text("INSERT INTO t VALUES (zeroblob(100000))"))

    assert caught.value.kind == "SQLITE_FULL"
    assert caught.value.message.startswith("The disk is full: make room and try again (SQLITE_FULL). ")
    assert f"The database is {path}." in caught.value.message


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear Sir or Madam, " * 100)

    assert fault_of(path).message.startswith("The file is not an SQLite database (SQLITE_NOTADB). ")


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    message = fault_of(tmp_path / "missing" / "some.db").message

    assert message.startswith("It cannot be opened: its folder is missing, or this user may not read it")


def test_a_server_that_does_not_answer_is_told_with_its_host_and_without_the_password() -> None:
    with pytest.raises(StorageFault) as caught:
        open_store("postgresql://someone:hunter2secret@127.0.0.1:1/trials")

    assert caught.value.message.startswith("The server does not answer: check the address, and that it is running")
    assert "The database is trials on 127.0.0.1:1." in caught.value.message
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("SQLITE_IOERR_WRITE", "", "The disk failed"),
        ("SQLITE_READONLY_DIRECTORY", "", "This user is not allowed to write its folder, which SQLite needs"),
        ("SQLITE_READONLY", "", "This user is not allowed to write it"),
        ("SQLITE_CORRUPT_INDEX", "", "The file is damaged"),
        ("28P01", "", "The server refuses this user or password"),
        ("57P01", "", "The server is starting or stopping"),
        ("53100", "", "The server's disk is full"),
        ("OperationalError", 'password authentication failed for user "x"', "The server refuses this user or password"),
        ("OperationalError", 'FATAL: database "trials" does not exist', "The server has no database of this name"),
        ("OperationalError", "connection refused", "The server does not answer"),
        ("SomethingNew", "", "It could not be read or written"),
    ],
)
def test_each_kind_of_failure_has_its_words(kind: str, text: str, told: str) -> None:
    assert reason(kind, text).startswith(told)


def test_a_postgres_address_without_its_driver_says_what_to_install() -> None:
    code = "import sys; sys.modules['psycopg'] = None; from sitematch.cli import main; main(['capacity', 'show'])"
    environment = os.environ | {"SITEMATCH_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}

    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)

    assert done.stderr == (
        'Error: A PostgreSQL database needs psycopg. Install it with: pip install "sitematch[postgres]"\n'
    )
    assert done.returncode == 6


def test_confirmed_spots_are_called_safe_after_a_full_disk_and_not_in_a_damaged_file(tmp_path: Path) -> None:
    full, damaged = tmp_path / "full.db", tmp_path / "damaged.db"
    with (
        pytest.raises(StorageFault) as caught,
        open_store(f"sqlite:///{full}", require_ready=False) as store,
        store.writing() as connection,
    ):
        connection.execute(sa.text("PRAGMA max_page_count = 1"))
        connection.execute(sa.text("CREATE TABLE t (x)"))
    damaged.write_bytes(b"no database at all, " * 500)

    assert "Everything that was confirmed is safe." in caught.value.message
    assert "is safe" not in fault_of(damaged).message
