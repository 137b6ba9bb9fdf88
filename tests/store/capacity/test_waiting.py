from __future__ import annotations

from datetime import timedelta

import pytest

from sitematch.domain.capacity.caps import CapacityState
from sitematch.domain.capacity.states import SpotState
from sitematch.errors import IllegalTransition, InvalidInput, NoSpotsLeft, SiteClosed, SiteNotFound
from sitematch.store.capacity import counting, waiting
from sitematch.store.engine import Store
from tests.store.builders import STUDY, STUDY_ID, Coordinator, make_site, site_key


def full_desk(store: Store, spots: int = 1) -> Coordinator:
    coordinator = Coordinator(store)
    coordinator.cap(spots)
    for number in range(spots):
        coordinator.hold(f"taken-{number}", hold_for=timedelta(days=30))
    return coordinator


def test_freed_spot_is_offered_to_the_oldest_of_the_highest_priority(store: Store) -> None:
    coordinator = full_desk(store)
    for referral_id, priority in (("low", -1), ("first", 5), ("second", 5), ("plain", 0)):
        coordinator.wait(referral_id, priority=priority)
        coordinator.later(minutes=1)

    order = [entry.referral_id for entry in counting.waiting_list(store, STUDY_ID)]
    coordinator.release("taken-0")

    assert order == ["first", "second", "plain", "low"]
    assert coordinator.state("first") is SpotState.OFFERED
    assert {coordinator.state(name) for name in ("second", "plain", "low")} == {SpotState.WAITING}


def test_offer_keeps_the_spot_from_others_until_it_lapses(store: Store) -> None:
    coordinator = full_desk(store)
    coordinator.wait("patient")
    coordinator.release("taken-0")

    with pytest.raises(NoSpotsLeft):
        coordinator.hold("walk-in")
    assert (coordinator.site().offered, coordinator.site().state) == (1, CapacityState.WAITLIST)
    assert coordinator.accept("patient").state is SpotState.HELD


def test_spot_is_offered_only_at_a_site_that_the_patient_would_travel_to(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1, site_key("site-1"))
    coordinator.cap(1, site_key("site-2"))
    coordinator.hold("a", "site-1")
    coordinator.hold("b", "site-2")
    coordinator.wait("near-2", "site-2")
    coordinator.wait("anywhere", "site-2", "site-1")

    coordinator.release("a")

    assert coordinator.state("near-2") is SpotState.WAITING
    assert counting.read_referral(store, "anywhere", coordinator.now).site_id == "site-1"


def test_offer_lasts_48_hours_unless_the_study_says_otherwise(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1)
    coordinator.hold("r-1")
    coordinator.wait("r-2")

    coordinator.release("r-1")

    offered = counting.read_referral(store, "r-2", coordinator.now)
    assert offered.state is SpotState.OFFERED
    assert offered.expires_at == coordinator.now + timedelta(hours=48)


def test_lapsed_offer_goes_to_the_next_and_never_back(store: Store) -> None:
    coordinator = full_desk(store)
    coordinator.wait("first")
    coordinator.wait("second")
    coordinator.release("taken-0")

    coordinator.later(hours=48)
    offered = waiting.sweep(store, STUDY_ID, coordinator.now)
    coordinator.later(hours=48)
    offered_then = waiting.sweep(store, STUDY_ID, coordinator.now)

    assert (offered, offered_then) == (1, 0)
    assert (coordinator.state("first"), coordinator.state("second")) == (SpotState.OFFER_LAPSED, SpotState.OFFER_LAPSED)
    with pytest.raises(IllegalTransition, match="OFFER_LAPSED"):
        coordinator.accept("first")


def test_declined_offer_goes_to_the_next_at_once(store: Store) -> None:
    coordinator = full_desk(store)
    coordinator.wait("first")
    coordinator.wait("second")
    coordinator.release("taken-0")

    coordinator.release("first")

    assert (coordinator.state("first"), coordinator.state("second")) == (SpotState.RELEASED, SpotState.OFFERED)


def test_walk_in_does_not_jump_the_queue_for_a_lapsed_spot(store: Store) -> None:
    coordinator = full_desk(store)
    coordinator.wait("patient")
    coordinator.later(days=30)

    with pytest.raises(NoSpotsLeft):
        coordinator.hold("walk-in")

    assert coordinator.state("patient") is SpotState.OFFERED


def test_nothing_is_offered_after_closing_and_all_of_it_on_reopening(store: Store) -> None:
    coordinator = full_desk(store)
    coordinator.wait("patient")
    coordinator.close(site_key())

    coordinator.release("taken-0")
    swept = waiting.sweep(store, STUDY_ID, coordinator.now)
    closed = coordinator.state("patient")
    coordinator.reopen(site_key())

    assert (swept, closed, coordinator.state("patient")) == (0, SpotState.WAITING, SpotState.OFFERED)


def test_offer_at_a_site_that_closed_cannot_be_accepted(store: Store) -> None:
    coordinator = full_desk(store)
    coordinator.wait("patient")
    coordinator.release("taken-0")
    coordinator.close(STUDY)

    with pytest.raises(SiteClosed):
        coordinator.accept("patient")

    assert coordinator.state("patient") is SpotState.OFFERED


def test_raised_cap_is_offered_as_far_as_it_goes(store: Store) -> None:
    coordinator = full_desk(store)
    for number in range(5):
        coordinator.wait(f"p-{number}")

    coordinator.cap(4)

    states = [coordinator.state(f"p-{number}") for number in range(5)]
    assert states == [SpotState.OFFERED] * 3 + [SpotState.WAITING] * 2


def test_waiting_where_a_spot_is_free_gets_it_at_once(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1)

    referral = coordinator.wait("patient")

    assert (referral.state, referral.site_id) == (SpotState.OFFERED, "site-1")


def test_leaving_the_list_is_a_release(store: Store) -> None:
    coordinator = full_desk(store)
    coordinator.wait("patient")

    coordinator.release("patient")
    coordinator.release("taken-0")

    assert coordinator.state("patient") is SpotState.RELEASED
    assert counting.waiting_list(store, STUDY_ID) == ()
    assert coordinator.site().remaining == 1


def test_study_without_a_waiting_list_says_so(store: Store) -> None:
    coordinator = full_desk(store)
    coordinator.policy(waiting_list=False)

    assert coordinator.site().state is CapacityState.NO_CAPACITY
    with pytest.raises(SiteClosed, match="no waiting list"):
        coordinator.wait("patient")


def test_cap_of_the_arm_that_is_waited_for_counts(store: Store) -> None:
    coordinator = Coordinator(store)
    from tests.store.builders import arm_key

    coordinator.cap(1, arm_key("high"))
    coordinator.hold("a", arm="high")
    coordinator.wait("waits-high", arm="high")

    waiting_high = coordinator.state("waits-high")
    coordinator.release("a")

    assert (waiting_high, coordinator.state("waits-high")) == (SpotState.WAITING, SpotState.OFFERED)
    assert counting.read_referral(store, "waits-high", coordinator.now).arm == "high"


def test_malformed_entries_are_refused(store: Store) -> None:
    coordinator = full_desk(store)

    with pytest.raises(SiteNotFound, match="nowhere"):
        coordinator.wait("p", "site-1", "nowhere")
    with pytest.raises(InvalidInput, match="site"):
        coordinator.wait("p", *[f"s-{n}" for n in range(501)])
    with pytest.raises(InvalidInput, match="priority"):
        coordinator.wait("p", priority=1001)
    with pytest.raises(IllegalTransition):
        coordinator.wait("taken-0")


def test_studies_with_somebody_waiting_are_listed(store: Store) -> None:
    Coordinator(store, study=None, sites=[make_site()])
    assert waiting.studies_with_waiting(store) == ()
    coordinator = full_desk(store)

    coordinator.wait("p")

    assert waiting.studies_with_waiting(store) == (STUDY_ID,)
