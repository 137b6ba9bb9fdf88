from __future__ import annotations

from datetime import timedelta

import pytest

from sitematch.domain.capacity.caps import CapacityState
from sitematch.domain.capacity.states import SpotState
from sitematch.errors import IllegalTransition, InvalidInput, NoSpotsLeft, SiteClosed, SiteNotFound
from sitematch.store.capacity import counting, waiting
from sitematch.store.engine import Store
from tests.store.builders import STUDY, STUDY_ID, Desk, make_site, site_key


def full_desk(store: Store, spots: int = 1) -> Desk:
    desk = Desk(store)
    desk.cap(spots)
    for number in range(spots):
        desk.hold(f"taken-{number}", hold_for=timedelta(days=30))
    return desk


def test_freed_spot_is_offered_to_the_oldest_of_the_highest_priority(store: Store) -> None:
    desk = full_desk(store)
    for referral_id, priority in (("low", -1), ("first", 5), ("second", 5), ("plain", 0)):
        desk.wait(referral_id, priority=priority)
        desk.later(minutes=1)

    order = [entry.referral_id for entry in counting.waiting_list(store, STUDY_ID)]
    desk.release("taken-0")

    assert order == ["first", "second", "plain", "low"]
    assert desk.state("first") is SpotState.OFFERED
    assert {desk.state(name) for name in ("second", "plain", "low")} == {SpotState.WAITING}


def test_offer_keeps_the_spot_from_others_until_it_lapses(store: Store) -> None:
    desk = full_desk(store)
    desk.wait("patient")
    desk.release("taken-0")

    with pytest.raises(NoSpotsLeft):
        desk.hold("walk-in")
    assert (desk.site().offered, desk.site().state) == (1, CapacityState.WAITLIST)
    assert desk.accept("patient").state is SpotState.HELD


def test_spot_is_offered_only_at_a_site_that_the_patient_would_travel_to(store: Store) -> None:
    desk = Desk(store)
    desk.cap(1, site_key("site-1"))
    desk.cap(1, site_key("site-2"))
    desk.hold("a", "site-1")
    desk.hold("b", "site-2")
    desk.wait("near-2", "site-2")
    desk.wait("anywhere", "site-2", "site-1")

    desk.release("a")

    assert desk.state("near-2") is SpotState.WAITING
    assert counting.read_referral(store, "anywhere", desk.now).site_id == "site-1"


def test_offer_lasts_48_hours_unless_the_study_says_otherwise(store: Store) -> None:
    desk = Desk(store)
    desk.cap(1)
    desk.hold("r-1")
    desk.wait("r-2")

    desk.release("r-1")

    offered = counting.read_referral(store, "r-2", desk.now)
    assert offered.state is SpotState.OFFERED
    assert offered.expires_at == desk.now + timedelta(hours=48)


def test_lapsed_offer_goes_to_the_next_and_never_back(store: Store) -> None:
    desk = full_desk(store)
    desk.wait("first")
    desk.wait("second")
    desk.release("taken-0")

    desk.later(hours=48)
    offered = waiting.sweep(store, STUDY_ID, desk.now)
    desk.later(hours=48)
    offered_then = waiting.sweep(store, STUDY_ID, desk.now)

    assert (offered, offered_then) == (1, 0)
    assert (desk.state("first"), desk.state("second")) == (SpotState.OFFER_LAPSED, SpotState.OFFER_LAPSED)
    with pytest.raises(IllegalTransition, match="OFFER_LAPSED"):
        desk.accept("first")


def test_declined_offer_goes_to_the_next_at_once(store: Store) -> None:
    desk = full_desk(store)
    desk.wait("first")
    desk.wait("second")
    desk.release("taken-0")

    desk.release("first")

    assert (desk.state("first"), desk.state("second")) == (SpotState.RELEASED, SpotState.OFFERED)


def test_walk_in_does_not_jump_the_queue_for_a_lapsed_spot(store: Store) -> None:
    desk = full_desk(store)
    desk.wait("patient")
    desk.later(days=30)

    with pytest.raises(NoSpotsLeft):
        desk.hold("walk-in")

    assert desk.state("patient") is SpotState.OFFERED


def test_nothing_is_offered_after_closing_and_all_of_it_on_reopening(store: Store) -> None:
    desk = full_desk(store)
    desk.wait("patient")
    desk.close(site_key())

    desk.release("taken-0")
    swept = waiting.sweep(store, STUDY_ID, desk.now)
    closed = desk.state("patient")
    desk.reopen(site_key())

    assert (swept, closed, desk.state("patient")) == (0, SpotState.WAITING, SpotState.OFFERED)


def test_offer_at_a_site_that_closed_cannot_be_accepted(store: Store) -> None:
    desk = full_desk(store)
    desk.wait("patient")
    desk.release("taken-0")
    desk.close(STUDY)

    with pytest.raises(SiteClosed):
        desk.accept("patient")

    assert desk.state("patient") is SpotState.OFFERED


def test_raised_cap_is_offered_as_far_as_it_goes(store: Store) -> None:
    desk = full_desk(store)
    for number in range(5):
        desk.wait(f"p-{number}")

    desk.cap(4)

    states = [desk.state(f"p-{number}") for number in range(5)]
    assert states == [SpotState.OFFERED] * 3 + [SpotState.WAITING] * 2


def test_waiting_where_a_spot_is_free_gets_it_at_once(store: Store) -> None:
    desk = Desk(store)
    desk.cap(1)

    referral = desk.wait("patient")

    assert (referral.state, referral.site_id) == (SpotState.OFFERED, "site-1")


def test_leaving_the_list_is_a_release(store: Store) -> None:
    desk = full_desk(store)
    desk.wait("patient")

    desk.release("patient")
    desk.release("taken-0")

    assert desk.state("patient") is SpotState.RELEASED
    assert counting.waiting_list(store, STUDY_ID) == ()
    assert desk.site().remaining == 1


def test_study_without_a_waiting_list_says_so(store: Store) -> None:
    desk = full_desk(store)
    desk.policy(waiting_list=False)

    assert desk.site().state is CapacityState.NO_CAPACITY
    with pytest.raises(SiteClosed, match="no waiting list"):
        desk.wait("patient")


def test_cap_of_the_arm_that_is_waited_for_counts(store: Store) -> None:
    desk = Desk(store)
    from tests.store.builders import arm_key

    desk.cap(1, arm_key("high"))
    desk.hold("a", arm="high")
    desk.wait("waits-high", arm="high")

    waiting_high = desk.state("waits-high")
    desk.release("a")

    assert (waiting_high, desk.state("waits-high")) == (SpotState.WAITING, SpotState.OFFERED)
    assert counting.read_referral(store, "waits-high", desk.now).arm == "high"


def test_malformed_entries_are_refused(store: Store) -> None:
    desk = full_desk(store)

    with pytest.raises(SiteNotFound, match="nowhere"):
        desk.wait("p", "site-1", "nowhere")
    with pytest.raises(InvalidInput, match="site"):
        desk.wait("p", *[f"s-{n}" for n in range(501)])
    with pytest.raises(InvalidInput, match="priority"):
        desk.wait("p", priority=1001)
    with pytest.raises(IllegalTransition):
        desk.wait("taken-0")


def test_studies_with_somebody_waiting_are_listed(store: Store) -> None:
    Desk(store, study=None, sites=[make_site()])
    assert waiting.studies_with_waiting(store) == ()
    desk = full_desk(store)

    desk.wait("p")

    assert waiting.studies_with_waiting(store) == (STUDY_ID,)
