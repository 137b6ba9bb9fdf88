"""What filled and what has spots again, without a replay, agrees with a replay of the whole ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitematch.errors import SitematchError
from sitematch.store.capacity import counting
from sitematch.store.capacity.history import recent_changes as module
from sitematch.store.capacity.history.recent_changes import recent_changes
from sitematch.store.engine import Store
from tests.store.builders import STUDY_ID, Coordinator, make_site, site_key

SITES = ("site-1", "site-2")
names = st.sampled_from([f"r-{number}" for number in range(5)])
STEPS = st.one_of(
    st.tuples(st.just("hold"), names, st.sampled_from(SITES)),
    st.tuples(st.just("transfer"), names, st.sampled_from(SITES)),
    st.tuples(st.sampled_from(["screen", "enroll", "fail", "withdraw", "release", "correct", "extend", "wait"]), names),
    st.tuples(st.just("later"), st.sampled_from([1, 10, 30, 49])),
)


def run(coordinator: Coordinator, steps: list[tuple[Any, ...]]) -> None:
    for name, *arguments in steps:
        if name == "later":
            coordinator.later(hours=arguments[0])
            continue
        try:
            getattr(coordinator, name)(*arguments)
        except SitematchError:
            continue  # not possible in this state: the next step may be


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(STEPS, max_size=14), after=st.lists(STEPS, max_size=14), hours=st.integers(0, 60))
def test_what_filled_and_what_was_freed_is_what_a_replay_shows(
    store: Store, before: list[tuple[Any, ...]], after: list[tuple[Any, ...]], hours: int
) -> None:
    coordinator = Coordinator(store, sites=[make_site(each) for each in SITES])
    coordinator.later(days=next(_examples) * 100)  # every example is later than all before it
    for each in SITES:
        coordinator.cap(1, site_key(each))
    for number in range(5):  # nothing of the example before is left
        run(coordinator, [("release", f"r-{number}")])
    run(coordinator, before)
    coordinator.later(hours=1)
    since = coordinator.now
    coordinator.later(minutes=1)
    run(coordinator, after)
    coordinator.later(hours=hours)

    found = recent_changes(store, STUDY_ID, since, coordinator.now)

    then = {item.site_id: item.remaining for item in counting.capacity(store, STUDY_ID, coordinator.now, as_of=since)}
    now = {item.site_id: item.remaining for item in counting.capacity(store, STUDY_ID, coordinator.now)}
    assert [item.site_id for item in found.filled] == [each for each in SITES if now[each] == 0 != then[each]]
    assert [item.site_id for item in found.freed] == [each for each in SITES if now[each] != 0 == then[each]]


def _count() -> Any:
    number = 0
    while True:
        number += 1
        yield number


_examples = _count()


def test_changes_of_rules_are_listed_latest_first(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(5)
    coordinator.later(hours=1)
    since = coordinator.now
    coordinator.cap(4)
    coordinator.close(site_key())

    found = recent_changes(store, STUDY_ID, since, coordinator.now)

    assert [event.kind.value for event in found.rules] == ["CLOSED", "CAP_SET"]


def test_period_with_too_many_events_is_shorter_and_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_EVENTS", 2)
    coordinator = Coordinator(store)
    coordinator.cap(1, site_key("site-1"))
    since = coordinator.now
    coordinator.later(hours=1)
    coordinator.hold("r-1")
    for number in range(2):
        coordinator.later(hours=1)
        coordinator.hold(f"q-{number}", "site-2")

    found = recent_changes(store, STUDY_ID, since, coordinator.now)

    assert found.since == coordinator.now - timedelta(hours=1)
    assert found.filled == ()  # it had filled before the shorter period
