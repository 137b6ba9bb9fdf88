from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks import crash, databases
from sitematch.errors import LedgerBusy, StorageFault
from sitematch.store.capacity import counting
from sitematch.store.capacity.history import audit
from sitematch.store.engine import Store, open_store
from sitematch.store.migrate import upgrade
from tests.store.builders import STUDY_ID, Coordinator, make_caller


def test_killed_writers_lose_and_double_nothing(database_url: str) -> None:
    found = crash.run(database_url, rounds=4, seed=7)

    assert found.faults == []
    assert found.confirmed >= 8
    assert found.cut_off > 0


def test_full_disk_is_an_error_to_the_caller_and_loses_nothing(tmp_path: Path) -> None:
    with open_store(databases.ready_url("sqlite", tmp_path)) as store:
        coordinator = Coordinator(store)

        @sa.event.listens_for(store.engine, "begin")
        def _limit(connection: sa.Connection) -> None:
            # SQLite's own limit: it answers SQLITE_FULL, as it does for a disk without room.
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

        pages = 1_000_000
        coordinator.hold("r-0")
        with store.reading() as connection:
            pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one()) + 2
        confirmed = ["r-0"]

        with pytest.raises(StorageFault) as caught:
            for number in range(1, 1000):
                coordinator.hold(f"r-{number}", caller=make_caller(f"k-{number}"))
                confirmed.append(f"r-{number}")

        assert caught.value.kind == "SQLITE_FULL"
        assert audit.verify(store).is_intact
        assert len(counting.list_referrals(store, STUDY_ID, coordinator.now)) == len(confirmed)
        pages = 1_000_000
        failed = len(confirmed)
        coordinator.hold(f"r-{failed}", caller=make_caller(f"k-{failed}"))
        assert audit.verify(store).is_intact


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_restart_of_postgresql_in_mid_request_is_an_error_and_loses_nothing(mode: str) -> None:
    server = databases.separate_postgres_server()
    try:
        with open_store(databases.postgres_url(server=server), require_ready=False) as store:
            upgrade(store)
            coordinator = Coordinator(store)
            coordinator.hold("r-0")
            confirmed, failed, restarted = ["r-0"], [], threading.Event()

            def work() -> None:
                number = 0
                while not (restarted.is_set() and failed and confirmed[-1] == f"r-{number}"):
                    number += 1
                    _until_confirmed(coordinator, f"r-{number}", failed)
                    confirmed.append(f"r-{number}")

            worker = threading.Thread(target=work)
            worker.start()
            time.sleep(0.2)
            databases.stop_postgres(server, mode=mode)
            databases.start_postgres(server)
            restarted.set()
            worker.join(60)

            assert not worker.is_alive()
            assert failed
            assert audit.verify(store).is_intact
            kept = sorted(item.referral_id for item in counting.list_referrals(store, STUDY_ID, coordinator.now))
            assert kept == sorted(confirmed)
    finally:
        server.cleanup()


def _until_confirmed(coordinator: Coordinator, referral_id: str, failed: list[str]) -> None:
    while True:
        try:
            coordinator.hold(referral_id, caller=make_caller(f"key-{referral_id}"))
        except (StorageFault, LedgerBusy) as error:
            failed.append(type(error).__name__)
            time.sleep(0.02)
        else:
            return


def test_wait_for_another_write_ends_with_busy_and_when_to_come_back(store: Store, database_url: str) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r-1")

    with open_store(database_url, busy_timeout_s=0.05) as hasty, store.writing() as blocking:
        blocking.execute(sa.text("UPDATE cap SET version = version + 1"))
        coordinator.store = hasty
        with pytest.raises(LedgerBusy) as caught:
            coordinator.hold("r-2")

    coordinator.store = store
    assert caught.value.retry_after_s > 0
    assert coordinator.hold("r-2").referral_id == "r-2"
