from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from sitematch.errors import InvalidInput, NotReady, StorageFault
from sitematch.store import schema
from sitematch.store.engine import Store, open_store


@pytest.mark.parametrize("url", ["mysql://root@localhost/x", "sqlite://", "sqlite:///:memory:", "no address"])
def test_address_of_no_usable_kind_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        open_store(url)


def test_empty_database_is_not_ready_and_the_message_names_the_command(empty_url: str) -> None:
    with pytest.raises(NotReady, match="sitematch db upgrade"):
        open_store(empty_url)


@pytest.mark.parametrize(("revision", "what_to_do"), [("0001", "sitematch db upgrade"), ("9999", "newer version")])
def test_database_of_another_version_is_not_ready_and_the_message_says_what_to_do(
    store: Store, database_url: str, revision: str, what_to_do: str
) -> None:
    with store.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})

    with pytest.raises(NotReady, match=f"{revision}.*{what_to_do}"):
        open_store(database_url)


def test_unreachable_server_is_a_storage_fault() -> None:
    with pytest.raises(StorageFault):
        open_store("postgresql://nobody@127.0.0.1:1/none")


def test_unreadable_folder_is_a_storage_fault(tmp_path: Path) -> None:
    with pytest.raises(StorageFault, match="SQLITE_CANTOPEN"):
        open_store(f"sqlite:///{tmp_path}/missing/folder.db")


def test_password_never_shows_in_an_error() -> None:
    with pytest.raises(StorageFault) as caught:
        open_store("postgresql://someone:hunter2secret@127.0.0.1:1/none")

    assert "hunter2secret" not in str(caught.value)


def test_block_that_fails_writes_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError, match="stop"), store.writing() as connection:
        connection.execute(sa.update(schema.catalogue).values(version=41))
        raise RuntimeError("stop")

    with store.reading() as connection:
        assert connection.execute(sa.select(schema.catalogue.c.version)).scalar() == 0


def test_reader_sees_one_instant_throughout_its_block(store: Store) -> None:
    query = sa.select(schema.catalogue.c.version)

    with store.reading() as reader:
        before = reader.execute(query).scalar()
        with store.writing() as writer:
            writer.execute(sa.update(schema.catalogue).values(version=schema.catalogue.c.version + 1))
        during = reader.execute(query).scalar()
    with store.reading() as reader:
        after = reader.execute(query).scalar()

    assert (before, during, after) == (0, 0, 1)


def test_connections_have_the_settings_that_durability_rests_on(store: Store) -> None:
    with store.writing() as connection:
        if store.dialect == "sqlite":
            found = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
            ]

            assert found == ["wal", 2, 1, 1]
        else:
            found = [
                connection.exec_driver_sql(f"SHOW {name}").scalar()
                for name in ("synchronous_commit", "transaction_isolation", "lock_timeout")
            ]

            assert found == ["on", "read committed", "10s"]


def test_importing_the_package_loads_neither_sqlalchemy_nor_alembic() -> None:
    code = "import sys, sitematch.store; print('sqlalchemy' in sys.modules, 'alembic' in sys.modules)"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.split() == ["False", "False"]


def test_opening_a_store_does_not_load_alembic() -> None:
    code = (
        "import sys, sitematch.store.engine, sitematch.store.migrate, sitematch.store.studies.catalogue;"
        "print('alembic' in sys.modules)"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.split() == ["False"]
