"""Referrals are counted as they change, and no write counts them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from sitematch.domain.capacity.occupancy import Group
from sitematch.domain.capacity.states import EventKind
from sitematch.store.capacity import counting
from sitematch.store.capacity.counters import LAPSED, groups_now
from sitematch.store.capacity.history import audit
from sitematch.store.engine import Store
from sitematch.store.schema import referral_count
from tests.store.builders import STUDY_ID, Coordinator


def counters(store: Store) -> dict[tuple[str, str, str], int]:
    query = sa.select(referral_count).where(referral_count.c.referrals > 0)
    with store.reading() as connection:
        return {(row.kind, row.site_id, row.arm): row.referrals for row in connection.execute(query)}


def groups(coordinator: Coordinator) -> Counter[tuple[Any, ...]]:
    with coordinator.store.reading() as connection:
        found: tuple[Group, ...] = groups_now(connection, STUDY_ID, coordinator.now)
    return Counter({(g.site_id, g.arm, g.kind, g.expires_at): g.count for g in found})


def test_a_referral_is_counted_once_where_it_stands(store: Store) -> None:
    coordinator = Coordinator(store)
    for name in ("r-1", "r-2", "r-3"):
        coordinator.hold(name)
    coordinator.screen("r-2")
    coordinator.screen("r-3")
    coordinator.enroll("r-3")

    assert counters(store) == {
        ("HELD", "site-1", ""): 1,
        ("SCREENING", "site-1", ""): 1,
        ("ENROLLED", "site-1", ""): 1,
    }


def test_a_referral_that_moves_to_another_site_or_arm_leaves_its_first_counter(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r-1", "site-1", arm="high")
    coordinator.release("r-1")

    coordinator.hold("r-1", "site-2")

    assert counters(store) == {("HELD", "site-2", ""): 1}


def test_who_waits_without_a_site_is_in_no_counter(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1)
    coordinator.hold("r-1")

    coordinator.wait("r-2", "site-1")

    assert counters(store) == {("HELD", "site-1", ""): 1}
    coordinator.release("r-1")
    assert counters(store) == {("RELEASED", "site-1", ""): 1, ("OFFERED", "site-1", ""): 1}


def test_a_lapse_changes_no_counter_but_what_is_in_use(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(2)
    coordinator.hold("r-1", hold_for=timedelta(hours=1))
    later = coordinator.hold("r-2", hold_for=timedelta(hours=3))
    before = counters(store)

    coordinator.now += timedelta(hours=1)

    assert counters(store) == before
    assert groups(coordinator) == {
        ("site-1", None, EventKind.HELD, LAPSED): 1,
        ("site-1", None, EventKind.HELD, later.expires_at): 1,
    }
    assert coordinator.site().remaining == 1
    coordinator.hold("r-3")
    assert audit.verify(store).faults == ()


def test_a_write_that_fails_changes_no_counter(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r-1")
    before = counters(store)

    with pytest.raises(RuntimeError), store.writing() as connection:
        connection.execute(sa.update(referral_count).values(referrals=7))
        raise RuntimeError("the power went")

    assert counters(store) == before


def test_a_difference_is_told_with_both_numbers(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r-1", arm="high")
    with store.engine.begin() as connection:
        connection.execute(sa.update(referral_count).values(referrals=5))

    (fault,) = audit.verify(store).faults

    assert fault.reason == "site site-1, arm high: 5 referrals are counted as HELD, but the events have 1"


def test_no_counter_can_fall_below_zero(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r-1")

    with pytest.raises(sa.exc.IntegrityError), store.engine.begin() as connection:
        connection.execute(sa.update(referral_count).values(referrals=-1))


@contextmanager
def steps_of(store: Store) -> Iterator[Callable[[], int]]:
    """Count the steps of SQLite's virtual machine: the work itself, which is the same on a busy machine."""
    done = [0]

    def step() -> int:
        done[0] += 1
        return 0

    def listen(connection: Any, *_: object) -> None:
        connection.set_progress_handler(step, 1)

    sa.event.listen(store.engine, "checkout", listen)
    try:
        yield lambda: done[0]
    finally:
        sa.event.remove(store.engine, "checkout", listen)


@pytest.mark.parametrize("work", ["hold", "capacity"])
def test_the_work_does_not_grow_with_the_referrals_that_ever_were(store: Store, work: str) -> None:
    if store.dialect != "sqlite":
        pytest.skip("only SQLite counts its steps")
    coordinator = Coordinator(store)
    coordinator.cap(10_000)
    taken = []

    for number in range(240):
        coordinator.hold(f"r-{number}", hold_for=timedelta(minutes=1))
        if number % 3 == 0:
            coordinator.screen(f"r-{number}")
        coordinator.now += timedelta(minutes=2)
        if number in (20, 239):
            with steps_of(store) as steps:
                if work == "hold":
                    coordinator.hold(f"measured-{number}")
                    coordinator.release(f"measured-{number}")
                else:
                    counting.capacity(store, STUDY_ID, coordinator.now)
                taken.append(steps())

    few, many = taken
    assert few > 50
    assert many < 1.2 * few
