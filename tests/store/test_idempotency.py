from __future__ import annotations

from datetime import timedelta

import pytest

from sitematch.domain.capacity.states import Action, SpotState
from sitematch.errors import IdempotencyConflict, IllegalTransition, InvalidInput, NoSpotsLeft, SiteNotFound
from sitematch.store.capacity import counting, ledger
from sitematch.store.engine import Store
from sitematch.store.idempotency import forget_old
from tests.store.builders import STUDY_ID, Coordinator, make_caller


def test_same_key_and_body_give_the_same_answer_and_happen_once(store: Store) -> None:
    coordinator = Coordinator(store)

    first = coordinator.hold("r-1", caller=make_caller("k"))
    coordinator.later(hours=23)
    again = coordinator.hold("r-1", caller=make_caller("k"))

    assert again == first
    assert len(counting.history(store, "r-1")) == 1


def test_same_answer_even_after_things_moved_on(store: Store) -> None:
    coordinator = Coordinator(store)
    first = coordinator.hold("r-1", caller=make_caller("k"))
    coordinator.screen("r-1")

    again = coordinator.hold("r-1", caller=make_caller("k"))

    assert again == first
    assert coordinator.state("r-1") is SpotState.SCREENING


def test_same_key_with_another_body_is_a_conflict(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r-1", caller=make_caller("k"))

    with pytest.raises(IdempotencyConflict):
        coordinator.hold("r-2", caller=make_caller("k"))
    with pytest.raises(IdempotencyConflict):
        coordinator.hold("r-1", caller=make_caller("k"), hold_for=timedelta(hours=1))
    coordinator.caller = make_caller("k")
    with pytest.raises(IdempotencyConflict):
        coordinator.screen("r-1")


def test_another_actor_may_use_the_same_key(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r-1", caller=make_caller("k", "user:ann"))

    other = coordinator.hold("r-2", caller=make_caller("k", "user:bob"))

    assert other.referral_id == "r-2"


def test_key_is_forgotten_after_24_hours(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r-1", caller=make_caller("k"))

    coordinator.later(hours=24)
    other = coordinator.hold("r-2", caller=make_caller("k"))

    assert other.referral_id == "r-2"


def test_old_keys_are_swept_away(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r-1", caller=make_caller("old"))
    coordinator.later(hours=24)
    coordinator.hold("r-2", caller=make_caller("new"))

    forgotten = (forget_old(store, coordinator.now), forget_old(store, coordinator.now))

    assert forgotten == (1, 0)


def test_refusal_that_lies_in_the_request_is_repeated(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r-1")
    coordinator.caller = make_caller("k")
    with pytest.raises(IllegalTransition) as first:
        coordinator.enroll("r-1")
    coordinator.caller = make_caller()
    coordinator.screen("r-1")

    coordinator.caller = make_caller("k")
    with pytest.raises(IllegalTransition) as again:
        coordinator.enroll("r-1")

    assert again.value.message == first.value.message
    assert (again.value.state, again.value.allowed) == (first.value.state, first.value.allowed)


def test_unknown_site_is_repeated_too(store: Store) -> None:
    coordinator = Coordinator(store)

    for _ in range(2):
        with pytest.raises(SiteNotFound, match="nowhere"):
            coordinator.hold("r-1", "nowhere", caller=make_caller("k"))


def test_answer_that_failed_for_want_of_a_spot_is_not_kept(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1)
    coordinator.hold("r-1")
    with pytest.raises(NoSpotsLeft):
        coordinator.hold("r-2", caller=make_caller("k"))
    coordinator.release("r-1")

    found = coordinator.hold("r-2", caller=make_caller("k"))

    assert found.state is SpotState.HELD


def test_every_write_honours_the_key(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(5)
    counts = []

    for number, step in enumerate(
        (
            lambda: coordinator.cap(3),
            lambda: coordinator.policy(),
            lambda: coordinator.hold("r-1"),
            lambda: coordinator.screen("r-1"),
            lambda: coordinator.enroll("r-1"),
            lambda: coordinator.withdraw("r-1"),
            lambda: coordinator.wait("r-2"),
            lambda: coordinator.accept("r-2"),
            lambda: coordinator.release("r-2"),
        )
    ):
        coordinator.caller = make_caller(f"key-{number}")
        assert step() == step()
        counts.append(len(list(counting.iter_events(store, STUDY_ID))))

    assert counts == [2, 3, 4, 5, 6, 7, 9, 10, 11]


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_senseless_key_is_refused(store: Store, key: str) -> None:
    coordinator = Coordinator(store)

    with pytest.raises(InvalidInput, match="idempotency"):
        ledger.move(store, make_caller(key), action=Action.RELEASE, referral_id="r", now=coordinator.now)
