from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from benchmarks import databases
from sitematch.errors import DataFault, NotReady
from sitematch.store import backup, schema
from sitematch.store.capacity import counting
from sitematch.store.capacity.history import audit
from sitematch.store.capacity.history.portable import export_ledger, import_ledger
from sitematch.store.engine import Store, open_store
from sitematch.store.studies.catalogue import catalogue_version, list_studies, read_sites
from tests.store.builders import STUDY_ID, Coordinator
from tests.store.capacity.history.test_audit import busy_desk


@pytest.fixture(params=["sqlite", "postgresql"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    url = databases.ready_url(request.param, tmp_path)
    with open_store(url) as opened:
        yield opened
    databases.forget(url)


def contents(store: Store, *ignored: str) -> dict[str, list[tuple[object, ...]]]:
    with store.reading() as connection:
        return {
            name: sorted(
                tuple(str(value) for key, value in row._mapping.items() if key not in ("epoch", "version"))
                for row in connection.execute(sa.select(table))
            )
            for name, table in schema.metadata.tables.items()
            if name not in ignored
        }


def test_exported_ledger_rebuilds_all_that_is_derived_on_either_database(store: Store, other: Store) -> None:
    coordinator = busy_desk(store)
    lines = list(export_ledger(store))

    written = import_ledger(other, lines)

    assert written == len(lines) - 1 == 11
    assert audit.verify(other) == audit.verify(store)
    ledger_only = ("catalogue", "study", "study_text", "site", "site_recruiting", "idempotency")
    assert contents(other, *ledger_only) == contents(store, *ledger_only)
    assert list(export_ledger(other)) == lines
    assert counting.read_referral(other, "r-1", coordinator.now) == counting.read_referral(
        store, "r-1", coordinator.now
    )


@pytest.mark.parametrize("damage", ["edit", "drop", "swap", "junk", "header", "empty"])
def test_damaged_export_is_refused_and_changes_nothing(store: Store, damage: str, tmp_path: Path) -> None:
    busy_desk(store)
    lines = list(export_ledger(store))
    if damage == "edit":
        lines[3] = lines[3].replace(b"user:ann", b"user:eve")
    elif damage == "drop":
        del lines[3]
    elif damage == "swap":
        lines[3], lines[4] = lines[4], lines[3]
    elif damage == "junk":
        lines[3] = b"{not json}\n"
    elif damage == "header":
        del lines[0]
    else:
        lines = []

    with open_store(databases.ready_url("sqlite", tmp_path)) as target:
        with pytest.raises(DataFault):
            import_ledger(target, lines)

        assert audit.verify(target).events == 0


def test_ledger_is_never_imported_over_another(store: Store) -> None:
    busy_desk(store)

    with pytest.raises(DataFault, match="already has"):
        import_ledger(store, list(export_ledger(store)))


def test_every_line_is_json_of_its_own(store: Store) -> None:
    busy_desk(store)

    decoded = [msgspec.json.decode(line) for line in export_ledger(store)]

    assert decoded[0] == {"format": "sitematch-ledger/1"}
    assert decoded[1]["study_id"] == STUDY_ID


def test_backup_restores_everything_into_either_database(store: Store, other: Store, tmp_path: Path) -> None:
    busy_desk(store)
    target = tmp_path / "backup.db"
    backup.back_up(store, target)

    backup.restore(other, target)

    assert contents(other) == contents(store)
    assert audit.verify(other).is_intact
    assert list_studies(other) == list_studies(store)
    assert read_sites(other, STUDY_ID) == read_sites(store, STUDY_ID)
    assert catalogue_version(other) != catalogue_version(store)


def test_backup_is_one_private_file_that_is_a_database(store: Store, tmp_path: Path) -> None:
    busy_desk(store)
    folder = tmp_path / "backups"
    folder.mkdir()

    backup.back_up(store, folder / "a.db")

    assert [path.name for path in folder.iterdir()] == ["a.db"]
    assert stat.S_IMODE((folder / "a.db").stat().st_mode) == 0o600
    connection = sqlite3.connect(folder / "a.db")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM event").fetchone() == (11,)
    finally:
        connection.close()


def test_backup_taken_during_writes_is_consistent(store: Store, tmp_path: Path) -> None:
    import threading

    coordinator = Coordinator(store)
    coordinator.hold("r-0")
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            coordinator.hold(f"r-{number}")

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for number in range(3):
            backup.back_up(store, tmp_path / f"b-{number}.db")
    finally:
        stop.set()
        worker.join()

    for number in range(3):
        with open_store(f"sqlite:///{tmp_path}/b-{number}.db") as copy:
            assert audit.verify(copy).is_intact


def test_backup_never_overwrites(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"precious")

    with pytest.raises(DataFault, match="exists"):
        backup.back_up(store, tmp_path / "a.db")

    assert (tmp_path / "a.db").read_bytes() == b"precious"


def test_restore_needs_an_empty_database(store: Store, tmp_path: Path) -> None:
    Coordinator(store)
    backup.back_up(store, tmp_path / "a.db")

    with pytest.raises(DataFault, match="not empty"):
        backup.restore(store, tmp_path / "a.db")


def test_restore_refuses_what_is_no_backup(store: Store, tmp_path: Path) -> None:
    (tmp_path / "junk.db").write_bytes(b"no database" * 100)
    sqlite3.connect(tmp_path / "empty.db").close()

    with pytest.raises(DataFault, match="not a backup"):
        backup.restore(store, tmp_path / "junk.db")
    with pytest.raises(DataFault, match="no file"):
        backup.restore(store, tmp_path / "missing.db")
    with pytest.raises(NotReady):
        backup.restore(store, tmp_path / "empty.db")
