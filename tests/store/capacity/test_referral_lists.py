"""Lists of referrals are paged, and reading a page takes the same time for any length of the ledger."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from sitematch.domain.capacity.spot import Referral, VisibleReferrals
from sitematch.domain.capacity.states import UNDER_WAY, SpotState
from sitematch.store.capacity.counting import count_by_state, list_referrals
from sitematch.store.engine import Store
from tests.store.builders import STUDY_ID, Coordinator, make_site


@pytest.fixture
def coordinator(store: Store) -> Coordinator:
    """A study with referrals in every state, at two sites and at none."""
    found = Coordinator(store, sites=[make_site("site-1"), make_site("site-2")])
    for number in range(12):
        referral_id, site_id = f"r-{number:02}", f"site-{number % 2 + 1}"
        found.hold(referral_id, site_id, hold_for=timedelta(hours=24 if number % 3 else 1))
        if number % 4 == 1:
            found.screen(referral_id)
        if number % 8 == 5:
            found.enroll(referral_id)
    found.release("r-02")
    found.fail("r-01")
    found.cap(0)
    found.wait("w-1", "site-1")
    found.wait("w-2", "site-2")
    found.later(hours=2)
    return found


def ids(found: tuple[Referral, ...]) -> list[str]:
    return [item.referral_id for item in found]


def test_pages_put_together_are_the_whole_list(store: Store, coordinator: Coordinator) -> None:
    whole = list_referrals(store, STUDY_ID, coordinator.now)

    pages: list[Referral] = []
    while page := list_referrals(
        store, STUDY_ID, coordinator.now, limit=3, before_seq=pages[-1].seq if pages else None
    ):
        assert len(page) <= 3
        pages += page

    assert tuple(pages) == whole
    assert [item.seq for item in whole] == sorted((item.seq for item in whole), reverse=True)


@pytest.mark.parametrize("site_id", [None, "site-1", "site-2", "none"])
@pytest.mark.parametrize("states", [None, (), UNDER_WAY, *((state,) for state in SpotState)])
def test_filters_choose_what_going_through_the_list_would(
    store: Store, coordinator: Coordinator, site_id: str | None, states: tuple[SpotState, ...] | None
) -> None:
    whole = list_referrals(store, STUDY_ID, coordinator.now)

    found = list_referrals(store, STUDY_ID, coordinator.now, site_id=site_id, states=states)

    assert found == tuple(
        item for item in whole if site_id in (None, item.site_id) and (states is None or item.state in states)
    )


def test_only_what_may_be_seen_is_listed(store: Store, coordinator: Coordinator) -> None:
    visible = VisibleReferrals(site_ids=frozenset({"site-2"}), waiting_ids=frozenset({"w-2"}))

    found = list_referrals(store, STUDY_ID, coordinator.now, visible=visible)

    assert {item.site_id for item in found} == {"site-2", None}
    assert "w-2" in ids(found)
    assert "w-1" not in ids(found)


def test_counts_by_state_are_those_of_the_list(store: Store, coordinator: Coordinator) -> None:
    listed = list_referrals(store, STUDY_ID, coordinator.now, site_id="site-1")

    counts = count_by_state(store, STUDY_ID, "site-1", coordinator.now)

    assert counts == {state: n for state in SpotState if (n := sum(item.state is state for item in listed))}


@pytest.mark.parametrize(
    ("how", "index"),
    [
        ({}, "ix_latest_event_study_id_seq"),
        ({"site_id": "site-1"}, "ix_latest_event_study_id_site_id_seq"),
        ({"states": (SpotState.ENROLLED,)}, "ix_latest_event_study_id_kind_seq"),
    ],
)
def test_a_page_is_read_by_an_index_in_order(coordinator: Coordinator, how: dict[str, object], index: str) -> None:
    store = coordinator.store
    if store.dialect != "sqlite":
        return  # PostgreSQL chooses by statistics, which a small table does not have
    asked: list[tuple[str, object]] = []

    @sa.event.listens_for(store.engine, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "latest_event" in statement:
            asked.append((statement, parameters))

    list_referrals(store, STUDY_ID, coordinator.now, limit=20, **how)  # type: ignore[arg-type]
    sa.event.remove(store.engine, "before_cursor_execute", note)
    (statement, parameters) = asked[-1]
    with store.reading() as connection:
        plan = " | ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))

    assert index in plan, plan
    assert "TEMP B-TREE" not in plan, plan
