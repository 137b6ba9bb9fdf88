"""Holds that are extended, referrals that move to another site, and steps that are taken back."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from pathlib import Path

import pytest

from benchmarks import databases
from sitematch.domain.capacity.attempt import attempts_in
from sitematch.domain.capacity.reasons import CorrectionReason
from sitematch.domain.capacity.states import EventKind, SpotState
from sitematch.errors import (
    ExtensionTooLong,
    IllegalTransition,
    InvalidInput,
    NoSpotsLeft,
    SiteClosed,
    SiteNotFound,
    TooManyHolds,
)
from sitematch.store.capacity import counting
from sitematch.store.capacity.history import audit, audit_trail, portable
from sitematch.store.capacity.history.recruiting import recruitment
from sitematch.store.capacity.history.referral_histories import iter_journeys
from sitematch.store.engine import Store, open_store
from tests.store.builders import NOW, STUDY_ID, Coordinator, site_key


@pytest.fixture
def coordinator(store: Store) -> Coordinator:
    found = Coordinator(store)
    found.cap(2)
    return found


def kinds(coordinator: Coordinator, referral_id: str = "r-1") -> list[str]:
    return [event.kind.value for event in counting.history(coordinator.store, referral_id)]


def test_extended_hold_lapses_later_and_keeps_its_spot(coordinator: Coordinator) -> None:
    coordinator.cap(1)
    coordinator.hold("r-1")

    extended = coordinator.extend("r-1", 24)
    coordinator.later(hours=71)

    assert extended.expires_at == NOW + timedelta(hours=72)
    assert coordinator.state("r-1") is SpotState.HELD
    with pytest.raises(NoSpotsLeft):
        coordinator.hold("r-2")
    coordinator.later(hours=1)
    assert coordinator.state("r-1") is SpotState.EXPIRED
    assert kinds(coordinator) == ["HELD", "HOLD_EXTENDED"]


@pytest.mark.parametrize("hours", [[169], [100, 100], [84, 84, 1], [None, None, None, 25]])
def test_all_extensions_together_are_bounded_by_the_policy(coordinator: Coordinator, hours: list[float | None]) -> None:
    coordinator.hold("r-1")
    for each in hours[:-1]:
        coordinator.extend("r-1", each)
    before = coordinator.state("r-1"), kinds(coordinator)

    with pytest.raises(ExtensionTooLong) as caught:
        coordinator.extend("r-1", hours[-1])

    assert caught.value.latest == NOW + timedelta(hours=48 + 168)
    assert (coordinator.state("r-1"), kinds(coordinator)) == before


def test_extension_without_hours_is_what_the_policy_leaves_and_then_nothing(coordinator: Coordinator) -> None:
    coordinator.policy(extension=timedelta(hours=60))
    coordinator.hold("r-1")

    assert coordinator.extend("r-1").expires_at == NOW + timedelta(hours=96)
    assert coordinator.extend("r-1").expires_at == NOW + timedelta(hours=108)
    with pytest.raises(ExtensionTooLong):
        coordinator.extend("r-1")


def test_lapsed_hold_is_not_extended(coordinator: Coordinator) -> None:
    coordinator.hold("r-1")
    coordinator.later(hours=48)

    with pytest.raises(IllegalTransition):
        coordinator.extend("r-1", 1)


@pytest.mark.parametrize("hours", [0, -1, 8761])
def test_extension_out_of_bounds_is_refused(coordinator: Coordinator, hours: float) -> None:
    coordinator.hold("r-1")

    with pytest.raises(InvalidInput):
        coordinator.extend("r-1", hours)


def test_oldest_hold_is_as_old_as_its_beginning(coordinator: Coordinator) -> None:
    coordinator.hold("r-1")
    coordinator.later(hours=1)
    coordinator.extend("r-1", 24)
    coordinator.transfer("r-1", "site-2")

    assert audit_trail.oldest_holds(coordinator.store, STUDY_ID, coordinator.now) == {"site-2": NOW}


def test_transferred_hold_frees_the_old_site_and_lapses_as_before(coordinator: Coordinator) -> None:
    coordinator.cap(1, site_key("site-1"))
    coordinator.cap(1, site_key("site-2"))
    held = coordinator.hold("r-1")
    coordinator.later(hours=1)

    moved = coordinator.transfer("r-1", "site-2")

    assert (moved.state, moved.site_id, moved.expires_at) == (SpotState.HELD, "site-2", held.expires_at)
    assert (coordinator.site("site-1").remaining, coordinator.site("site-2").remaining) == (1, 0)


def test_transfer_under_a_full_shared_cap_needs_no_second_spot(coordinator: Coordinator) -> None:
    coordinator.cap(1)
    coordinator.hold("r-1")

    assert coordinator.transfer("r-1", "site-2").site_id == "site-2"


def test_transfer_needs_room_at_an_open_site_of_the_study(coordinator: Coordinator) -> None:
    coordinator.cap(1, site_key("site-2"))
    coordinator.hold("r-1")
    coordinator.hold("r-2", "site-2")

    with pytest.raises(NoSpotsLeft):
        coordinator.transfer("r-1", "site-2")
    with pytest.raises(InvalidInput):
        coordinator.transfer("r-1", "site-1")
    with pytest.raises(SiteNotFound):
        coordinator.transfer("r-1", "site-9")
    coordinator.cap(2, site_key("site-2"))
    coordinator.close(site_key("site-2"))
    with pytest.raises(SiteClosed):
        coordinator.transfer("r-1", "site-2")
    assert kinds(coordinator) == ["HELD"]


def test_transfer_does_not_jump_the_queue_of_the_new_site(coordinator: Coordinator) -> None:
    coordinator.cap(5)
    coordinator.cap(1, site_key("site-2"))
    coordinator.hold("r-2", "site-2")
    coordinator.wait("w-1", "site-2")
    coordinator.hold("r-1")
    coordinator.later(hours=47)
    coordinator.extend("r-1", 24)
    coordinator.later(hours=1)  # r-2 has lapsed, and nobody has offered its spot yet

    with pytest.raises(NoSpotsLeft):
        coordinator.transfer("r-1", "site-2")

    assert coordinator.state("w-1") is SpotState.OFFERED


def test_spot_freed_by_a_transfer_is_offered_to_the_waiting_list(coordinator: Coordinator) -> None:
    coordinator.cap(1, site_key("site-1"))
    coordinator.hold("r-1")
    coordinator.wait("w-1", "site-1")

    coordinator.transfer("r-1", "site-2")

    assert coordinator.state("w-1") is SpotState.OFFERED


def test_transfer_counts_for_the_limit_of_holds_of_the_new_site_but_not_twice_for_the_account(
    coordinator: Coordinator,
) -> None:
    coordinator.policy(open_holds_per_site=1, open_holds_per_account=2)
    coordinator.hold("r-1")
    coordinator.hold("r-2", "site-2")

    with pytest.raises(TooManyHolds):
        coordinator.transfer("r-1", "site-2")
    coordinator.release("r-2")

    assert coordinator.transfer("r-1", "site-2").site_id == "site-2"


def test_waiting_referral_moves_to_another_site_and_keeps_its_place(coordinator: Coordinator) -> None:
    coordinator.cap(0)
    for name in ("w-1", "w-2", "w-3"):
        coordinator.later(minutes=1)
        coordinator.wait(name, "site-1")
    joined = counting.waiting_list(coordinator.store, STUDY_ID)
    coordinator.later(hours=1)

    coordinator.transfer("w-2", "site-2")
    coordinator.transfer("w-2", "site-1")
    coordinator.transfer("w-2", "site-2")
    found = counting.waiting_list(coordinator.store, STUDY_ID)

    assert [entry.referral_id for entry in found] == ["w-1", "w-2", "w-3"]
    assert [entry.site_ids for entry in found] == [("site-1",), ("site-2",), ("site-1",)]
    assert [entry.joined_at for entry in found] == [entry.joined_at for entry in joined]


STEPS = {
    "screen": (("screen",), SpotState.HELD),
    "enroll": (("screen", "enroll"), SpotState.SCREENING),
    "fail": (("screen", "fail"), SpotState.SCREENING),
    "withdraw": (("screen", "enroll", "withdraw"), SpotState.ENROLLED),
}


@pytest.mark.parametrize("step", STEPS)
def test_step_that_was_a_mistake_is_taken_back_with_a_reason_and_stays_in_the_history(
    coordinator: Coordinator, step: str
) -> None:
    steps, before = STEPS[step]
    coordinator.hold("r-1")
    for each in steps:
        coordinator.later(hours=1)
        getattr(coordinator, each)("r-1")
    last = counting.history(coordinator.store, "r-1")[-1]

    corrected = coordinator.correct("r-1", CorrectionReason.WRONG_REFERRAL)
    event = counting.history(coordinator.store, "r-1")[-1]

    assert (corrected.state, corrected.reason) == (before, "WRONG_REFERRAL")
    assert event.detail == f'{{"corrects":{last.seq}}}'
    assert (event.kind.value, len(kinds(coordinator))) == (f"{KIND[step]}_UNDONE", len(steps) + 2)
    assert corrected.expires_at == (coordinator.now + timedelta(hours=48) if before is SpotState.HELD else None)
    assert audit.verify(coordinator.store).is_intact


KIND = {"screen": "SCREENING", "enroll": "ENROLLMENT", "fail": "SCREEN_FAILURE", "withdraw": "WITHDRAWAL"}


def test_spot_that_was_given_to_somebody_else_is_not_sold_twice_by_a_correction(coordinator: Coordinator) -> None:
    coordinator.cap(1)
    coordinator.hold("r-1")
    coordinator.screen("r-1")
    coordinator.fail("r-1")
    coordinator.hold("r-2")

    with pytest.raises(NoSpotsLeft):
        coordinator.correct("r-1")
    coordinator.release("r-2")

    assert coordinator.correct("r-1").state is SpotState.SCREENING


def test_correction_is_possible_at_a_site_that_has_closed_since(coordinator: Coordinator) -> None:
    coordinator.hold("r-1")
    coordinator.screen("r-1")
    coordinator.fail("r-1")
    coordinator.close(site_key("site-1"))

    assert coordinator.correct("r-1").state is SpotState.SCREENING


def test_correction_needs_one_of_the_codes(coordinator: Coordinator) -> None:
    coordinator.hold("r-1")
    coordinator.screen("r-1")

    for reason in (None, "he changed his mind", "LABORATORY"):
        with pytest.raises(InvalidInput):
            coordinator.correct("r-1", reason)  # type: ignore[arg-type]


def test_steps_taken_back_count_neither_in_attempts_nor_in_the_forecast(coordinator: Coordinator) -> None:
    coordinator.cap(9)
    for name, steps in {"r-1": ("screen",), "r-2": ("screen", "enroll"), "r-3": ("screen", "fail")}.items():
        coordinator.hold(name)
        for step in steps:
            getattr(coordinator, step)(name)
        coordinator.later(days=1)
        coordinator.correct(name)
    coordinator.enroll("r-3")

    journeys = iter_journeys(coordinator.store, STUDY_ID, 10**6)
    found = {attempts[0].state: attempts for attempts in (attempts_in(j, coordinator.now) for j in journeys)}
    read = recruitment(coordinator.store, STUDY_ID, coordinator.now, zone=UTC)

    assert all(len(attempts) == 1 for attempts in found.values())
    assert found[SpotState.HELD][0].screened_at is None if SpotState.HELD in found else True
    assert found[SpotState.SCREENING][0].enrolled_at is None
    assert found[SpotState.ENROLLED][0].reason is None
    assert (read.holds, read.screened, read.screen_failed, read.enrolled) == (3, 2, 0, 1)
    assert read.enrolled_on == ((date(2026, 1, 5), 1),)


def test_replay_of_the_past_counts_as_the_counters_do(coordinator: Coordinator) -> None:
    coordinator.cap(9)
    coordinator.hold("r-1")
    coordinator.extend("r-1", 24)
    coordinator.hold("r-2")
    coordinator.transfer("r-2", "site-2")
    coordinator.hold("r-3")
    coordinator.screen("r-3")
    coordinator.correct("r-3")

    now = counting.capacity(coordinator.store, STUDY_ID, coordinator.now)
    replayed = counting.capacity(coordinator.store, STUDY_ID, coordinator.now, as_of=coordinator.now)

    assert now == replayed
    assert [site.held for site in now] == [2, 1]
    assert {item.state for item in counting.list_referrals(coordinator.store, STUDY_ID, coordinator.now)} == {
        SpotState.HELD
    }
    assert EventKind.HOLD_EXTENDED in {event.kind for event in counting.history(coordinator.store, "r-1")}


def test_new_events_survive_export_and_import(coordinator: Coordinator, tmp_path: Path) -> None:
    coordinator.cap(9)
    coordinator.hold("r-1")
    coordinator.extend("r-1", 24)
    coordinator.transfer("r-1", "site-2")
    coordinator.screen("r-1")
    coordinator.correct("r-1")
    coordinator.cap(0)
    coordinator.wait("w-1", "site-1")
    coordinator.transfer("w-1", "site-2")

    with open_store(databases.ready_url("sqlite", tmp_path)) as copy:
        Coordinator(copy)
        portable.import_ledger(copy, portable.export_ledger(coordinator.store))

        assert audit.verify(copy).is_intact
        lists = [counting.list_referrals(store, STUDY_ID, coordinator.now) for store in (copy, coordinator.store)]
        assert lists[0] == lists[1]
        waiting = [counting.waiting_list(store, STUDY_ID) for store in (copy, coordinator.store)]
        assert waiting[0] == waiting[1]
