"""No write is confirmed that would be lost or uses a wrong clock, and writes do not block look-ups."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks import databases
from sitematch.domain.capacity.states import SpotState
from sitematch.errors import LedgerBusy, StorageFault
from sitematch.store.capacity import counting
from sitematch.store.capacity.history import audit
from sitematch.store.engine import Store, open_store
from sitematch.store.guards import MAX_SKEW, ClockGuard, FileGuard, WriteGuards
from tests.store.builders import STUDY_ID, Coordinator


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return Path(databases.ready_url("sqlite", tmp_path).removeprefix("sqlite:///"))


class TestFile:
    def test_hold_in_a_file_that_was_removed_is_refused_until_it_is_back(self, file: Path) -> None:
        with open_store(f"sqlite:///{file}") as store:
            coordinator = Coordinator(store)
            coordinator.hold("r-1")
            away = file.with_suffix(".away")
            file.rename(away)

            with pytest.raises(StorageFault, match="is gone"):
                coordinator.hold("r-2")
            away.rename(file)
            coordinator.hold("r-3")

            assert audit.verify(store).is_intact
            kept = {item.referral_id for item in counting.list_referrals(store, STUDY_ID, coordinator.now)}
        assert kept == {"r-1", "r-3"}

    def test_hold_is_not_confirmed_into_a_file_that_another_has_replaced(self, file: Path, tmp_path: Path) -> None:
        with open_store(f"sqlite:///{file}") as store:
            coordinator = Coordinator(store)
            coordinator.hold("r-1")
            other = tmp_path / "other.db"
            databases.copy_empty_database(other)
            other.replace(file)

            with pytest.raises(StorageFault, match="was replaced after the database was opened") as caught:
                coordinator.hold("r-2")

        assert caught.value.kind == "FILE_REPLACED"

    def test_write_is_undone_if_the_file_goes_while_it_is_under_way(self, file: Path) -> None:
        with open_store(f"sqlite:///{file}") as store:
            Coordinator(store)
            away = file.with_suffix(".away")

            with pytest.raises(StorageFault), store.writing() as connection:
                connection.exec_driver_sql("UPDATE catalogue SET version = version + 1000")
                file.rename(away)
            away.rename(file)

            with store.reading() as connection:
                assert connection.exec_driver_sql("SELECT max(version) FROM catalogue").scalar_one() < 1000

    def test_file_that_is_not_there_yet_is_no_fault(self, tmp_path: Path) -> None:
        guard = FileGuard(tmp_path / "new.db")

        guard.check()
        (tmp_path / "new.db").touch()
        guard.check()
        (tmp_path / "new.db").unlink()

        with pytest.raises(StorageFault):
            guard.check()


class Clocks:
    """A clock that can be set, and one that cannot."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 1, 2, 12, tzinfo=UTC)
        self.steady_s = 500.0

    def pass_(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.steady_s += seconds

    def guard(self) -> ClockGuard:
        return ClockGuard(lambda: self.wall, lambda: self.steady_s)


class TestClock:
    @pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=365), -timedelta(hours=1), MAX_SKEW * 1.01])
    def test_clock_that_was_set_stops_writes(self, jump: timedelta) -> None:
        clocks = Clocks()
        guard = clocks.guard()
        clocks.pass_(3600)
        guard.check()

        clocks.wall += jump

        with pytest.raises(StorageFault, match="ahead" if jump > timedelta(0) else "behind") as caught:
            guard.check()
        assert caught.value.kind == "CLOCK"

    @pytest.mark.parametrize("jump", [timedelta(0), timedelta(seconds=59), -timedelta(seconds=59)])
    def test_small_corrections_are_let_pass(self, jump: timedelta) -> None:
        clocks = Clocks()
        guard = clocks.guard()
        clocks.pass_(86_400)
        clocks.wall += jump

        guard.check()

    @pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=365)])
    def test_after_a_write_of_a_wrong_clock_no_spot_is_sold_by_either_clock(
        self, store: Store, ahead: timedelta
    ) -> None:
        coordinator = Coordinator(store)
        coordinator.cap(1)
        coordinator.hold("alive", hold_for=timedelta(minutes=30))
        right = coordinator.now
        coordinator.now = right + ahead
        coordinator.cap(1)  # written by the wrong clock, so that the ledger's end lies ahead

        coordinator.now = right + timedelta(minutes=1)
        with pytest.raises(StorageFault, match="one of the clocks is wrong") as caught:
            coordinator.hold("second")

        assert caught.value.kind == "CLOCK"
        assert coordinator.state("alive") is SpotState.HELD
        assert audit.verify(store).is_intact


def test_writes_beyond_the_bound_are_told_at_once_to_come_back() -> None:
    guards = WriteGuards(most_waiting=2)
    inside, leave = threading.Barrier(3), threading.Event()

    def write() -> None:
        with guards.place():
            inside.wait(30)
            leave.wait(30)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(30)

    with pytest.raises(LedgerBusy) as caught, guards.place():
        pass
    leave.set()
    for thread in threads:
        thread.join()

    assert caught.value.retry_after_s > 0
    with guards.place():
        pass
