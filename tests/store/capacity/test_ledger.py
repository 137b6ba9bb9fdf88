from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from sitematch.domain.capacity.caps import CapacityState, LimitedBy
from sitematch.domain.capacity.reasons import ScreenFailureReason
from sitematch.domain.capacity.states import EventKind, SpotState
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.errors import (
    IllegalTransition,
    InvalidInput,
    InvalidPolicy,
    NoSpotsLeft,
    ReferralIdTaken,
    ReferralNotFound,
    SiteClosed,
    SiteNotFound,
    StorageFault,
    StudyNotFound,
)
from sitematch.store.capacity import counting
from sitematch.store.engine import Store
from sitematch.store.guards import MAX_SKEW
from sitematch.store.studies.catalogue import replace_study
from tests.store.builders import (
    NOW,
    STUDY,
    STUDY_ID,
    Coordinator,
    arm_key,
    country_key,
    make_caller,
    make_site,
    make_study,
    site_key,
)


def test_hold_takes_a_spot_for_48_hours(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(2)

    referral = coordinator.hold("r-1")

    assert referral.state is SpotState.HELD
    assert referral.expires_at == NOW + timedelta(hours=48)
    assert [action.value for action in referral.allowed] == ["extend_hold", "release", "start_screening", "transfer"]
    assert (coordinator.site().held, coordinator.site().remaining) == (1, 1)


def test_hold_fails_when_no_spots_remain(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1)
    coordinator.hold("r-1")

    with pytest.raises(NoSpotsLeft) as caught:
        coordinator.hold("r-2")

    error = caught.value
    assert (error.level, error.scope, error.spots, error.taken) == ("STUDY", "", 1, 1)
    with pytest.raises(ReferralNotFound):
        coordinator.state("r-2")


def test_lapsed_hold_gives_its_spot_back_at_the_very_instant(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1)
    coordinator.hold("r-1", hold_for=timedelta(minutes=10))

    coordinator.later(minutes=10, microseconds=-1)
    with pytest.raises(NoSpotsLeft):
        coordinator.hold("r-2")
    coordinator.later(microseconds=1)

    assert coordinator.site().remaining == 1
    assert coordinator.hold("r-2").state is SpotState.HELD
    assert coordinator.state("r-1") is SpotState.EXPIRED


def test_lapse_writes_no_event(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r-1")

    coordinator.later(hours=48)
    coordinator.site()

    assert [event.kind for event in counting.history(store, "r-1")] == [EventKind.HELD]


def test_lapsed_hold_cannot_be_screened_but_held_anew(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r-1")
    coordinator.later(hours=48)

    with pytest.raises(IllegalTransition, match="join_waiting_list, place_hold") as caught:
        coordinator.screen("r-1")

    assert caught.value.state == "EXPIRED"
    assert coordinator.hold("r-1").state is SpotState.HELD


def test_spot_goes_from_hold_to_screening_to_enrolled(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(3)
    coordinator.hold("r-1")

    coordinator.screen("r-1")
    coordinator.later(days=30)
    screening = coordinator.site()
    coordinator.enroll("r-1")
    enrolled = coordinator.site()

    assert (screening.screening, screening.remaining) == (1, 2)
    assert (enrolled.screening, enrolled.enrolled, enrolled.remaining) == (0, 1, 2)


@pytest.mark.parametrize("screened", [False, True])
def test_released_spot_comes_back(store: Store, screened: bool) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1)
    coordinator.hold("r-1")
    if screened:
        coordinator.screen("r-1")

    coordinator.release("r-1")

    assert coordinator.site().remaining == 1


@pytest.mark.parametrize(("gives_back", "remaining"), [((), 0), ((SpotState.SCREEN_FAILED,), 1)])
def test_failed_screening_gives_back_as_the_policy_says(
    store: Store, gives_back: tuple[SpotState, ...], remaining: int
) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1)
    coordinator.policy(gives_back=frozenset(gives_back))
    coordinator.hold("r-1")
    coordinator.screen("r-1")

    referral = coordinator.fail("r-1", ScreenFailureReason.EXCLUSION_MET)

    assert referral.reason == "EXCLUSION_MET"
    assert coordinator.site().remaining == remaining


@pytest.mark.parametrize(("gives_back", "remaining"), [((), 0), ((SpotState.WITHDRAWN,), 1)])
def test_withdrawn_participant_counts_unless_the_protocol_replaces_them(
    store: Store, gives_back: tuple[SpotState, ...], remaining: int
) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1)
    coordinator.policy(gives_back=frozenset(gives_back))
    coordinator.hold("r-1")
    coordinator.screen("r-1")
    coordinator.enroll("r-1")

    coordinator.withdraw("r-1")

    assert (coordinator.site().withdrawn, coordinator.site().remaining) == (1, remaining)


def test_rescreening_at_a_full_site_uses_the_spot_that_still_counts(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1)
    coordinator.policy(gives_back=frozenset())
    coordinator.hold("r-1")
    coordinator.screen("r-1")
    coordinator.fail("r-1")

    again = coordinator.hold("r-1")

    assert again.state is SpotState.HELD
    assert (coordinator.site().held, coordinator.site().screen_failed, coordinator.site().remaining) == (1, 0, 0)


@pytest.mark.parametrize(
    ("steps", "action", "allowed"),
    [
        ((), "screen", None),
        (("hold",), "hold", ("extend_hold", "release", "start_screening", "transfer")),
        (("hold",), "enroll", ("extend_hold", "release", "start_screening", "transfer")),
        (("hold",), "withdraw", ("extend_hold", "release", "start_screening", "transfer")),
        (("hold", "screen"), "screen", ("correct", "enroll", "release", "screen_failure")),
        (("hold", "screen", "enroll"), "release", ("correct", "withdraw")),
        (("hold", "screen", "enroll", "withdraw"), "hold", ("correct",)),
        (("hold", "release"), "screen", ("join_waiting_list", "place_hold")),
        (("hold", "screen", "fail"), "enroll", ("correct", "join_waiting_list", "place_hold")),
    ],
)
def test_illegal_transition_names_what_is_allowed_and_changes_nothing(
    store: Store, steps: tuple[str, ...], action: str, allowed: tuple[str, ...] | None
) -> None:
    coordinator = Coordinator(store)
    for step in steps:
        getattr(coordinator, step)("r-1")
    before = counting.history(store, "r-1")

    if allowed is None:
        with pytest.raises(ReferralNotFound):
            getattr(coordinator, action)("r-1")
    else:
        with pytest.raises(IllegalTransition) as caught:
            getattr(coordinator, action)("r-1")
        assert caught.value.allowed == allowed
        assert all(name in caught.value.message for name in allowed)

    assert counting.history(store, "r-1") == before


def test_remaining_is_the_least_over_the_caps_that_apply(store: Store) -> None:
    coordinator = Coordinator(
        store,
        sites=[
            make_site("us-1"),
            make_site("us-2"),
            make_site("fr-1", country="FR"),
            make_site("fr-2", country="FR"),
        ],
    )
    coordinator.cap(10)
    coordinator.cap(4, country_key("FR"))
    coordinator.cap(2, site_key("fr-1"))
    coordinator.cap(1, arm_key("high-dose"))

    coordinator.hold("r-1", "fr-1")
    coordinator.hold("r-2", "fr-2", arm="high-dose")

    found = {item.site_id: (item.remaining, item.drawn_from) for item in counting.capacity(store, STUDY_ID, NOW)}
    assert found == {
        "us-1": (8, LimitedBy.SHARED_POOL),
        "us-2": (8, LimitedBy.SHARED_POOL),
        "fr-1": (1, LimitedBy.SITE_CAP),
        "fr-2": (2, LimitedBy.SHARED_POOL),
    }
    assert coordinator.site("us-1", arm="high-dose").remaining == 0
    with pytest.raises(NoSpotsLeft) as caught:
        coordinator.hold("r-3", "us-1", arm="high-dose")
    assert (caught.value.level, caught.value.scope) == ("ARM", "high-dose")


@pytest.mark.parametrize("key", [STUDY, country_key("US"), arm_key("a"), site_key()], ids=str)
def test_each_level_of_cap_refuses_alone(store: Store, key: object) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1, key)  # type: ignore[arg-type]
    coordinator.hold("r-1", arm="a")

    with pytest.raises(NoSpotsLeft) as caught:
        coordinator.hold("r-2", arm="a")

    assert f"{caught.value.level} {caught.value.scope}".strip() == str(key)


def test_unknown_is_not_zero(store: Store) -> None:
    coordinator = Coordinator(store)

    coordinator.hold("r-1")

    found = coordinator.site()
    assert (found.remaining, found.state, found.drawn_from) == (
        None,
        CapacityState.UNKNOWN,
        LimitedBy.UNKNOWN,
    )
    assert found.as_remaining().count is None


def test_zero_is_not_unknown(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(0, site_key())

    assert (coordinator.site().remaining, coordinator.site().state) == (0, CapacityState.WAITLIST)
    with pytest.raises(NoSpotsLeft):
        coordinator.hold("r-1")


def test_removed_cap_limits_nothing(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(0)

    coordinator.cap(None)

    assert coordinator.hold("r-1").state is SpotState.HELD


def test_cap_lowered_below_what_is_taken_is_over_enrolled_and_sells_nothing(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(5, site_key())
    for number in range(3):
        coordinator.hold(f"r-{number}")

    usage = coordinator.cap(1, site_key())

    assert (usage.taken, usage.remaining, usage.over_enrolled) == (3, 0, 2)
    assert (coordinator.site().remaining, coordinator.site().over_enrolled) == (0, 2)
    coordinator.release("r-0")
    coordinator.release("r-1")
    with pytest.raises(NoSpotsLeft):
        coordinator.hold("r-9")


@pytest.mark.parametrize("key", [STUDY, country_key("US"), site_key()], ids=str)
def test_closed_part_takes_nobody_while_its_participants_still_count(store: Store, key: object) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(2)
    coordinator.hold("r-1")

    coordinator.close(key)  # type: ignore[arg-type]

    with pytest.raises(SiteClosed):
        coordinator.hold("r-2")
    assert (coordinator.site().state, coordinator.site().remaining) == (CapacityState.NO_CAPACITY, 0)
    assert coordinator.screen("r-1").state is SpotState.SCREENING
    assert counting.caps(store, STUDY_ID, coordinator.now)[0].taken == 1
    coordinator.reopen(key)  # type: ignore[arg-type]
    assert coordinator.hold("r-2").state is SpotState.HELD


@pytest.mark.parametrize("whose", ["study", "site"])
def test_registry_status_that_takes_nobody_closes_the_site(store: Store, whose: str) -> None:
    coordinator = Coordinator(store)
    closed = RecruitmentStatus.ACTIVE_NOT_RECRUITING
    study = make_study(status=closed) if whose == "study" else make_study()
    site = make_site(status=closed) if whose == "site" else make_site()

    replace_study(store, study, [site])

    with pytest.raises(SiteClosed, match="ACTIVE_NOT_RECRUITING"):
        coordinator.hold("r-1")
    assert coordinator.site().is_open is False


def test_site_with_referrals_cannot_vanish_from_the_catalogue(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r-1", "site-2")

    with pytest.raises(InvalidInput, match="site-2"):
        replace_study(store, make_study(), [make_site("site-1")])
    replace_study(store, make_study(), [make_site("site-2")])

    assert [item.site_id for item in counting.capacity(store, STUDY_ID, NOW)] == ["site-2"]


def test_what_does_not_exist_is_named(store: Store) -> None:
    coordinator = Coordinator(store)

    with pytest.raises(SiteNotFound, match="nowhere"):
        coordinator.hold("r-1", "nowhere")
    with pytest.raises(SiteNotFound, match="nowhere"):
        coordinator.cap(1, site_key("nowhere"))
    with pytest.raises(ReferralNotFound, match="r-9"):
        coordinator.enroll("r-9")
    with pytest.raises(StudyNotFound, match="NCT9"):
        counting.capacity(store, "NCT9", NOW)
    coordinator.study_id = "NCT9"
    with pytest.raises(StudyNotFound, match="NCT9"):
        coordinator.hold("r-1")


@pytest.mark.parametrize("referral_id", ["", "Jane Doe", "jane@example.org", "-x", "x" * 65, "é", "r\n"])
def test_referral_id_that_could_say_who_it_is_is_refused(store: Store, referral_id: str) -> None:
    coordinator = Coordinator(store)

    with pytest.raises(InvalidInput, match="referral_id"):
        coordinator.hold(referral_id)


def test_senseless_numbers_are_refused(store: Store) -> None:
    coordinator = Coordinator(store)

    with pytest.raises(InvalidInput):
        coordinator.cap(-1)
    with pytest.raises(InvalidInput):
        coordinator.cap(1, country_key("usa"))
    with pytest.raises(InvalidInput):
        coordinator.hold("r-1", hold_for=timedelta(0))
    with pytest.raises(InvalidPolicy):
        coordinator.policy(hold=timedelta(days=366))
    with pytest.raises(InvalidPolicy):
        coordinator.policy(gives_back=frozenset({SpotState.ENROLLED}))
    coordinator.now = NOW.replace(tzinfo=None)
    with pytest.raises(InvalidInput, match="time zone"):
        coordinator.hold("r-1")


def test_referral_belongs_to_one_study(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r-1")
    other = Coordinator(
        store,
        study=make_study(study_id="NCT00000002"),
        sites=[make_site("other-1", study_id="NCT00000002")],
    )

    with pytest.raises(ReferralIdTaken, match="already in use"):
        other.hold("r-1", "other-1")


def test_clock_that_lags_behind_cannot_bring_a_sold_spot_back(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1)
    coordinator.hold("r-1")
    coordinator.later(hours=48)
    coordinator.hold("r-2")

    coordinator.now = NOW + timedelta(hours=48) - MAX_SKEW

    with pytest.raises(IllegalTransition, match="EXPIRED"):
        coordinator.screen("r-1")


def test_clock_that_lags_far_behind_writes_nothing(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1)
    coordinator.hold("r-1")
    coordinator.later(hours=48)
    coordinator.hold("r-2")

    coordinator.now = NOW + timedelta(hours=47)

    with pytest.raises(StorageFault, match="one of the clocks is wrong"):
        coordinator.screen("r-1")


def test_capacity_of_the_past_is_what_it_was(store: Store) -> None:
    coordinator = Coordinator(store)
    instants = []
    wanted = []

    def note() -> None:
        instants.append(coordinator.now)
        wanted.append(
            (counting.capacity(store, STUDY_ID, coordinator.now), counting.caps(store, STUDY_ID, coordinator.now))
        )
        coordinator.later(hours=1)

    note()
    coordinator.cap(3)
    note()
    coordinator.cap(2, site_key())
    coordinator.hold("r-1", hold_for=timedelta(hours=2))
    note()
    coordinator.hold("r-2")
    coordinator.screen("r-2")
    note()
    coordinator.policy(gives_back=frozenset({SpotState.WITHDRAWN}))
    coordinator.enroll("r-2")
    coordinator.close(site_key("site-2"))
    note()
    coordinator.withdraw("r-2")
    note()

    found = [
        (
            counting.capacity(store, STUDY_ID, coordinator.now, as_of=instant),
            counting.caps(store, STUDY_ID, coordinator.now, as_of=instant),
        )
        for instant in instants
    ]
    assert found == wanted


def test_audit_trail_says_who_when_what_and_by_which_request(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.caller = make_caller(actor_id="user:bob")
    coordinator.hold("r-1")

    (event,) = counting.iter_events(store, STUDY_ID)

    assert (event.actor_id, event.request_id, event.at) == ("user:bob", "request-1", NOW)
    assert (event.kind, event.referral_id, event.site_id) == (EventKind.HELD, "r-1", "site-1")


def test_referrals_are_listed_by_latest_change_and_by_site(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r-1")
    coordinator.hold("r-2", "site-2")
    coordinator.screen("r-1")

    everyone = counting.list_referrals(store, STUDY_ID, coordinator.now)
    here = counting.list_referrals(store, STUDY_ID, coordinator.now, site_id="site-2")

    assert [item.referral_id for item in everyone] == ["r-1", "r-2"]
    assert [item.referral_id for item in here] == ["r-2"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET actor_id = 'user:eve'",
        "DELETE FROM event",
        "TRUNCATE event",
        "INSERT OR REPLACE INTO event SELECT * FROM event",
    ],
)
def test_events_can_be_neither_changed_nor_deleted(store: Store, statement: str) -> None:
    if statement.startswith(("TRUNCATE", "INSERT OR")) and (store.dialect == "sqlite") == (statement[0] == "T"):
        statement = "DELETE FROM event"  # the statement does not exist there
    coordinator = Coordinator(store)
    coordinator.hold("r-1")

    with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.engine.begin() as connection:
        connection.execute(sa.text(statement))

    assert len(counting.history(store, "r-1")) == 1


def test_every_write_touches_the_cap_row_before_anything_else(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(9)
    coordinator.hold("r-1")
    transactions: list[list[str]] = []

    def note(*args: Any) -> None:
        if not args[2].startswith("BEGIN"):
            transactions[-1].append(args[2])

    sa.event.listen(store.engine, "begin", lambda _: transactions.append([]))
    sa.event.listen(store.engine, "before_cursor_execute", note)

    coordinator.hold("r-2")
    coordinator.screen("r-2")
    coordinator.release("r-2")
    coordinator.cap(3)
    coordinator.wait("r-3")
    coordinator.accept("r-3")
    coordinator.close(STUDY)
    coordinator.policy()

    first = [statements[0] for statements in transactions]
    assert len(first) == 8
    assert all(text.startswith("UPDATE cap SET version=(cap.version + ") for text in first)


def test_set_policy_comes_back(store: Store) -> None:
    coordinator = Coordinator(store)

    wanted = coordinator.policy(hold=timedelta(hours=1), offer=timedelta(days=2), waiting_list=False)

    assert counting.policy(store, STUDY_ID) == wanted
    assert coordinator.hold("r-1").expires_at == NOW + timedelta(hours=1)
