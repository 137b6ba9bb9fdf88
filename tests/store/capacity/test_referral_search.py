"""Referrals are found by several conditions, and a page takes the same work for any length of the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitematch.domain.capacity.referral_filter import ReferralFilter, ReferralSort
from sitematch.domain.capacity.spot import Referral, VisibleReferrals
from sitematch.domain.capacity.states import SpotState
from sitematch.errors import InvalidInput
from sitematch.store.capacity import counting, referral_search
from sitematch.store.capacity.referral_search import find_referrals, recent_actors
from sitematch.store.engine import Store
from tests.store.builders import NOW, STUDY_ID, Coordinator, make_caller, make_site, make_study

BOB = make_caller(actor_id="user:bob")


@pytest.fixture
def coordinator(store: Store) -> Coordinator:
    """A study with referrals in every state, at two sites and none, by two people, over some hours; and another study."""
    other = Coordinator(store, study=make_study(study_id="NCT00000002"), sites=[make_site("x", study_id="NCT00000002")])
    other.hold("r-elsewhere", "x")
    found = Coordinator(store, sites=[make_site("site-1"), make_site("site-2")])
    for number in range(14):
        found.later(minutes=10)
        found.hold(
            f"{'R' if number % 5 else 'x'}-{number:02}",
            f"site-{number % 2 + 1}",
            arm="high" if number % 3 == 0 else None,
            hold_for=timedelta(hours=24 + number % 4 if number % 3 else 3),
            caller=BOB if number % 4 == 0 else found.caller,
        )
    for name in ("R-01", "R-02", "R-03", "R-04"):
        found.screen(name)
    found.enroll("R-01")
    found.fail("R-02")
    found.enroll("R-03")
    found.withdraw("R-03")
    found.release("x-05")
    found.extend("R-07", 3)
    found.transfer("R-08", "site-2")
    found.cap(0)
    found.wait("w-1", "site-1")
    found.wait("w-2", "site-2")
    found.later(hours=2)
    return found


def everything(coordinator: Coordinator) -> tuple[tuple[Referral, str], ...]:
    """All referrals with the actor of the latest change, latest first."""
    listed = counting.list_referrals(coordinator.store, STUDY_ID, coordinator.now)
    return tuple((item, counting.history(coordinator.store, item.referral_id)[-1].actor_id) for item in listed)


def expected(
    coordinator: Coordinator, wanted: ReferralFilter, visible: VisibleReferrals | None
) -> tuple[Referral, ...]:
    """Go through the whole list."""
    found = []
    for item, actor_id in everything(coordinator):
        can_lapse = item.state in (SpotState.HELD, SpotState.OFFERED)
        found.append(item) if all(
            (
                wanted.text.lower() in item.referral_id.lower(),
                wanted.states is None or item.state in wanted.states,
                wanted.site_id in (None, item.site_id),
                wanted.arm in (None, item.arm),
                wanted.actor_id in (None, actor_id),
                wanted.changed_from is None or item.changed_at >= wanted.changed_from,
                wanted.changed_before is None or item.changed_at < wanted.changed_before,
                wanted.lapses_before is None or (can_lapse and item.expires_at < wanted.lapses_before),  # type: ignore[operator]
                wanted.sort is not ReferralSort.LAPSES or can_lapse,
                visible is None or item.site_id in visible.site_ids or item.referral_id in visible.waiting_ids,
            )
        ) else None
    if wanted.sort is ReferralSort.OLDEST:
        found.reverse()
    if wanted.sort is ReferralSort.LAPSES:
        found.sort(key=lambda item: (item.expires_at, item.seq))
    return tuple(found)


def pages(coordinator: Coordinator, wanted: ReferralFilter, limit: int, visible: VisibleReferrals | None) -> list[Any]:
    found, cursor = [], None
    while True:
        page = find_referrals(
            coordinator.store, STUDY_ID, coordinator.now, wanted, limit=limit, cursor=cursor, visible=visible
        )
        found.append(page)
        if page.cursor is None:
            return found
        cursor = page.cursor


instants = st.none() | st.integers(-1, 30).map(lambda tens: NOW + timedelta(minutes=10 * tens))
FILTERS = st.builds(
    ReferralFilter,
    text=st.sampled_from(["", "", "", "r-", "0", "%", "_"]),
    states=st.none() | st.sets(st.sampled_from(SpotState), max_size=3).map(frozenset),
    site_id=st.sampled_from([None, None, "site-1", "site-2", "none"]),
    arm=st.sampled_from([None, None, "high", "low"]),
    actor_id=st.sampled_from([None, None, "user:bob", "user:ann"]),
    changed_from=instants,
    changed_before=instants,
    lapses_before=st.none() | st.integers(0, 40).map(lambda hours: NOW + timedelta(hours=hours)),
    sort=st.sampled_from(ReferralSort),
)
VISIBLE = st.sampled_from(
    [
        None,
        VisibleReferrals(site_ids=frozenset({"site-2"}), waiting_ids=frozenset({"w-2"})),
        VisibleReferrals(site_ids=frozenset({"site-1", "site-2"}), waiting_ids=frozenset()),
    ]
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(wanted=FILTERS, visible=VISIBLE, limit=st.integers(1, 6), scanned=st.sampled_from([3, 5, 20_000]))
def test_pages_put_together_are_what_going_through_the_list_finds(
    coordinator: Coordinator, wanted: ReferralFilter, visible: VisibleReferrals | None, limit: int, scanned: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(referral_search, "SCANNED", scanned)
        patch.setattr(referral_search, "_FIRST_READ", 2)
        found = pages(coordinator, wanted, limit, visible)

    assert tuple(item for page in found for item in page.referrals) == expected(coordinator, wanted, visible)
    for page in found[:-1]:
        assert len(page.referrals) == limit or page.searched_to is not None


@pytest.mark.parametrize("cursor", ["", "x", "1-2-3", "-1", "9" * 30, "²"])
@pytest.mark.parametrize("sort", ReferralSort)
def test_cursor_that_is_none_is_refused(coordinator: Coordinator, cursor: str, sort: ReferralSort) -> None:
    with pytest.raises(InvalidInput):
        find_referrals(coordinator.store, STUDY_ID, coordinator.now, ReferralFilter(sort=sort), limit=5, cursor=cursor)


def test_recent_actors_are_listed_once(coordinator: Coordinator) -> None:
    assert recent_actors(coordinator.store, STUDY_ID) == ("user:ann", "user:bob")


def steps_of(store: Store, act: Callable[[], object]) -> int:
    """Count the steps of SQLite's virtual machine, in hundreds."""
    count = 0

    def note(connection: Any, _record: object, _proxy: object) -> None:
        def step() -> int:
            nonlocal count
            count += 1
            return 0

        connection.set_progress_handler(step, 100)

    sa.event.listen(store.engine, "checkout", note)
    try:
        act()
    finally:
        sa.event.remove(store.engine, "checkout", note)
    return count


@pytest.mark.parametrize(
    "wanted",
    [
        ReferralFilter(),
        ReferralFilter(sort=ReferralSort.OLDEST),
        ReferralFilter(sort=ReferralSort.LAPSES),
        ReferralFilter(states=frozenset({SpotState.HELD})),
        ReferralFilter(states=frozenset({SpotState.WITHDRAWN})),
        ReferralFilter(site_id="site-2"),
        ReferralFilter(changed_from=NOW, changed_before=NOW + timedelta(hours=1)),
        ReferralFilter(lapses_before=NOW + timedelta(days=400)),
    ],
)
def test_page_takes_the_same_work_however_many_referrals_there_were(store: Store, wanted: ReferralFilter) -> None:
    if store.dialect != "sqlite":
        return  # only SQLite counts its steps
    coordinator = Coordinator(store)
    for number in range(10):
        coordinator.hold(f"r-{number}", f"site-{number % 2 + 1}")

    def read() -> None:
        find_referrals(store, STUDY_ID, coordinator.now, wanted, limit=5)

    def add_old(count: int, first: int) -> None:
        """Add referrals at another site, as if they had lapsed long ago."""
        with store.writing() as connection:
            for table in ("event", "latest_event"):
                columns = [row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")]
                changed = {"referral_id": "'old-' || n", "seq": "n", "site_id": "'site-3'", "kind": "'HELD'"}
                values = ", ".join(changed.get(name, name) for name in columns)
                connection.exec_driver_sql(
                    f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM event, "
                    f"(WITH RECURSIVE t(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM t WHERE n < {first + count - 1}) "
                    "SELECT n FROM t) WHERE event.seq = 1"
                )
            connection.exec_driver_sql(f"UPDATE cap SET head_seq = {first + count - 1} WHERE level = 'STUDY'")

    add_old(1_000, 11)
    coordinator.later(hours=48)
    for number in range(10):
        coordinator.hold(f"r-{number}", f"site-{number % 2 + 1}")
    read()
    few = steps_of(store, read)
    coordinator.later(hours=48)
    add_old(5_000, 1_021)
    for number in range(10):
        coordinator.hold(f"r-{number}", f"site-{number % 2 + 1}")

    assert steps_of(store, read) <= few * 1.2 + 5


def test_search_that_reads_too_much_says_how_far_it_got(
    coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(referral_search, "SCANNED", 4)
    monkeypatch.setattr(referral_search, "_FIRST_READ", 4)
    wanted = ReferralFilter(text="nothing like it")

    page = find_referrals(coordinator.store, STUDY_ID, coordinator.now, wanted, limit=5)
    following = find_referrals(coordinator.store, STUDY_ID, coordinator.now, wanted, limit=5, cursor=page.cursor)

    assert page.referrals == ()
    fourth = everything(coordinator)[3][0]
    assert (page.cursor, page.searched_to) == (str(fourth.seq), fourth.changed_at)
    assert following.cursor is not None
    assert int(following.cursor) < fourth.seq


def test_no_state_finds_nothing(coordinator: Coordinator) -> None:
    wanted = replace(ReferralFilter(), states=frozenset[SpotState]())

    assert find_referrals(coordinator.store, STUDY_ID, coordinator.now, wanted, limit=5).referrals == ()
