"""Counting look-ups: the data that is stored, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from sitematch.domain.accounts.access import Actor, Grant, Role
from sitematch.domain.reports.demand import BATCH, DemandCell
from sitematch.errors import InvalidInput, NotAllowed, NotReady, StorageFault
from sitematch.services.finding.finder import Finder
from sitematch.services.reports.demand import DemandCounter, report_demand
from sitematch.store.engine import Store
from sitematch.store.instants import to_us
from sitematch.store.reports.demand import add_batches, read_demand
from sitematch.store.schema import metadata
from tests.builders import make_place

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
STUDY = "NCT06064929"
VIEWER = Actor(actor_id="user:v", grants=(Grant(role=Role.VIEWER, study_id=STUDY),))


def count(counter: DemandCounter, times: int, country: str = "US", postcode: str | None = "33180") -> None:
    for _ in range(times):
        counter.count(STUDY, make_place(country=country, postcode=postcode))


def contents(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def test_ten_look_ups_of_a_region_leave_no_trace_in_the_database(store: Store) -> None:
    before = contents(store)
    counter = DemandCounter()
    count(counter, BATCH - 1)

    for day in range(40):
        counter.flush(store, NOW + timedelta(days=day))

    assert contents(store) == before


def test_whole_batches_are_written_and_the_rest_is_carried_on(store: Store) -> None:
    counter = DemandCounter()
    count(counter, 2 * BATCH + 5)
    counter.flush(store, NOW)
    count(counter, BATCH - 5)
    counter.flush(store, NOW + timedelta(days=1))

    assert read_demand(store, STUDY, ["2026-01", "2026-02"]) == (
        DemandCell(month="2026-01", region="US-331", lookups=2 * BATCH),
        DemandCell(month="2026-02", region="US-331", lookups=BATCH),
    )


def test_a_row_holds_study_month_region_and_number_and_nothing_else(store: Store) -> None:
    counter = DemandCounter()
    count(counter, BATCH)
    before = contents(store)

    counter.flush(store, NOW)

    after = contents(store)
    assert after.pop("demand") == [(STUDY, "2026-01", "US-331", BATCH)]
    assert before.pop("demand") == []
    # The write's random name, for a day, tells a repetition from a second batch.
    ((name, *said),) = after.pop("idempotency")
    assert str(name).startswith("demand:") and said == ["", to_us(NOW), "{}"]
    assert before.pop("idempotency") == []
    assert after == before


def test_several_servers_add_to_one_count(store: Store) -> None:
    for _ in range(3):
        counter = DemandCounter()
        count(counter, BATCH + 3)
        counter.flush(store, NOW)

    assert [cell.lookups for cell in read_demand(store, STUDY, ["2026-01"])] == [3 * BATCH]


def test_what_could_not_be_written_is_written_the_next_time(store: Store) -> None:
    counter = DemandCounter()
    count(counter, BATCH)
    with store.writing() as connection:
        connection.execute(sa.text("ALTER TABLE demand RENAME TO away"))
    with pytest.raises(NotReady):
        counter.flush(store, NOW)
    with store.writing() as connection:
        connection.execute(sa.text("ALTER TABLE away RENAME TO demand"))

    counter.flush(store, NOW)

    assert [cell.lookups for cell in read_demand(store, STUDY, ["2026-01"])] == [BATCH]


class _BreaksAfterCommit:
    """A database whose connection breaks once, after a commit was kept."""

    def __init__(self, store: Store) -> None:
        self._store, self.dialect = store, store.dialect
        self.breaks = True

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        with self._store.writing() as connection:
            yield connection
        if self.breaks:
            self.breaks = False
            raise StorageFault("The connection to the database broke.", kind="connection")


def test_write_that_was_kept_although_the_connection_broke_is_not_doubled(store: Store) -> None:
    counter, breaking = DemandCounter(), _BreaksAfterCommit(store)
    count(counter, BATCH)

    with pytest.raises(StorageFault):
        counter.flush(breaking, NOW)  # type: ignore[arg-type]
    count(counter, BATCH)
    counter.flush(breaking, NOW + timedelta(hours=1))  # type: ignore[arg-type]
    counter.flush(store, NOW + timedelta(hours=2))

    assert [cell.lookups for cell in read_demand(store, STUDY, ["2026-01"])] == [2 * BATCH]


@pytest.mark.parametrize("lookups", [1, BATCH - 1, BATCH + 1, 0, -BATCH])
def test_the_store_takes_no_number_that_is_not_whole_batches(store: Store, lookups: int) -> None:
    with pytest.raises(ValueError, match="multiples of 11"):
        add_batches(store, "2026-01", {(STUDY, "US-331"): lookups}, write_id="w", now=NOW)

    assert read_demand(store, STUDY, ["2026-01"]) == ()


def test_a_bare_point_and_a_place_without_a_country_are_not_counted(store: Store) -> None:
    counter = DemandCounter()
    count(counter, 3 * BATCH, country="", postcode=None)

    counter.flush(store, NOW)

    assert read_demand(store, STUDY, ["2026-01"]) == ()


def test_a_counter_shows_nothing_of_what_it_holds() -> None:
    counter = DemandCounter()
    count(counter, 3)

    assert "331" not in repr(counter)


def test_the_month_that_is_not_over_is_not_reported_and_the_one_before_never_changes(
    store: Store, finder: Finder
) -> None:
    add_batches(store, "2026-01", {(STUDY, "US-331"): 33, (STUDY, "US-821"): 22}, write_id="w", now=NOW)
    add_batches(store, "2026-02", {(STUDY, "US-331"): 44}, write_id="x", now=NOW)

    report = report_demand(finder, store, VIEWER, datetime(2026, 2, 20, tzinfo=UTC), threshold=11, months=2)

    tables = {table.name: table for table in report.tables}
    assert [(row[0], row[3], row[4]) for row in tables["regions"].rows] == [
        ("US-331", 33, "NCT06064929-039"),
        ("US-821", 22, "NCT06064929-046"),
    ]
    assert [row[:2] for row in tables["months"].rows] == [("2025-12", 0), ("2026-01", 55)]


def test_a_higher_threshold_hides_more(store: Store, finder: Finder) -> None:
    add_batches(store, "2026-01", {(STUDY, "US-331"): 33, (STUDY, "US-100"): 22}, write_id="w", now=NOW)

    report = report_demand(finder, store, VIEWER, datetime(2026, 2, 20, tzinfo=UTC), threshold=23)

    (regions,) = (table for table in report.tables if table.name == "regions")
    assert [row[0] for row in regions.rows] == ["US-331"]
    assert regions.totals is not None
    assert regions.totals[3] == 33


def test_who_may_read_one_sites_reports_only_may_not_read_the_studys_demand(store: Store, finder: Finder) -> None:
    coordinator = Actor(
        actor_id="user:c", grants=(Grant(role=Role.SITE_COORDINATOR, study_id=STUDY, site_id="NCT06064929-039"),)
    )

    with pytest.raises(NotAllowed):
        report_demand(finder, store, coordinator, NOW, threshold=11)


@pytest.mark.parametrize("asked", [{"months": 0}, {"months": 61}, {"within_km": 0.0}, {"time_zone": "Mars"}])
def test_what_makes_no_sense_is_refused(store: Store, finder: Finder, asked: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        report_demand(finder, store, VIEWER, NOW, threshold=11, **asked)  # type: ignore[arg-type]
