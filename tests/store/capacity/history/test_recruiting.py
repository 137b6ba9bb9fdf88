"""How a study has recruited, read from the ledger of both databases."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import pytest

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.recruitment import Recruitment, SiteRecruitment
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.errors import InvalidInput, StudyNotFound
from sitematch.store.capacity.history.recruiting import recruitment
from sitematch.store.engine import Store
from sitematch.store.studies.catalogue import replace_study
from tests.store.builders import NOW, STUDY, STUDY_ID, Coordinator, country_key, make_site, make_study, site_key


@pytest.fixture
def coordinator(store: Store) -> Coordinator:
    return Coordinator(store)


def read(coordinator: Coordinator, **changes: object) -> Recruitment:
    return recruitment(coordinator.store, STUDY_ID, coordinator.now, zone=UTC, **changes)  # type: ignore[arg-type]


def site(found: Recruitment, site_id: str = "site-1") -> SiteRecruitment:
    return next(item for item in found.sites if item.site_id == site_id)


def enrol(coordinator: Coordinator, referral_id: str, site_id: str = "site-1") -> None:
    coordinator.hold(referral_id, site_id)
    coordinator.screen(referral_id)
    coordinator.enroll(referral_id)


def days_open(found: Recruitment, site_id: str = "site-1") -> float:
    return site(found, site_id).open_for / timedelta(days=1)


def test_study_without_a_ledger_has_shown_nothing(coordinator: Coordinator) -> None:
    found = read(coordinator)

    assert (found.since, found.enrolled) == (None, 0)
    assert [item.open_for for item in found.sites] == [timedelta(0), timedelta(0)]


def test_study_that_nobody_knows_is_not_found(store: Store) -> None:
    with pytest.raises(StudyNotFound):
        recruitment(store, "NCT99999999", NOW, zone=UTC)


def test_everybody_is_counted_where_they_stand(coordinator: Coordinator) -> None:
    coordinator.cap(20)
    for number in range(3):
        enrol(coordinator, f"in-{number}")
    coordinator.withdraw("in-0")
    coordinator.hold("failed")
    coordinator.screen("failed")
    coordinator.fail("failed")
    coordinator.hold("held")
    coordinator.hold("screening", "site-2")
    coordinator.screen("screening")
    coordinator.hold("lapsed", hold_for=timedelta(hours=1))
    coordinator.later(hours=2)

    found = read(coordinator)

    assert (found.holds, found.screened, found.screen_failed, found.enrolled) == (7, 5, 1, 3)
    assert (site(found).enrolled, site(found).participants, site(found).held) == (3, 3, 1)
    assert (site(found, "site-2").screening, found.under_way) == (1, 2)
    assert found.spots_left(STUDY) == 17
    assert found.spots_left(site_key()) is None


def test_withdrawn_participant_that_gives_the_spot_back_is_still_an_enrolment(coordinator: Coordinator) -> None:
    from sitematch.domain.capacity.states import SpotState

    coordinator.policy(gives_back=frozenset({SpotState.SCREEN_FAILED, SpotState.WITHDRAWN}))
    enrol(coordinator, "in-0")
    coordinator.withdraw("in-0")

    found = read(coordinator)

    assert (site(found).enrolled, site(found).participants) == (1, 0)


def test_open_time_starts_with_the_ledger_and_stops_while_closed(coordinator: Coordinator) -> None:
    coordinator.cap(9)
    coordinator.later(days=10)
    coordinator.close(site_key())
    coordinator.later(days=4)
    coordinator.reopen(site_key())
    coordinator.close(country_key("US"))
    coordinator.later(days=3)
    coordinator.reopen(country_key("US"))
    coordinator.later(days=5)

    found = read(coordinator)

    assert (days_open(found), days_open(found, "site-2")) == (15, 19)
    assert site(found).takes_patients


def test_open_time_stops_while_participants_fill_every_spot(coordinator: Coordinator) -> None:
    coordinator.cap(1, site_key())
    coordinator.later(days=6)
    enrol(coordinator, "in-0")
    coordinator.later(days=30)

    found = read(coordinator)

    assert (days_open(found), days_open(found, "site-2")) == (6, 36)
    assert found.spots_left(site_key()) == 0


def test_day_of_opening_that_is_known_replaces_the_start_of_the_ledger(coordinator: Coordinator) -> None:
    coordinator.cap(9)
    coordinator.later(days=20)

    found = read(coordinator, opened={"site-1": date(2026, 1, 12), "site-2": date(2025, 1, 1)})

    # The ledger starts at noon of 2 January.
    assert (days_open(found), days_open(found, "site-2")) == (10.5, 20)


def test_site_cannot_have_opened_after_its_first_spot_was_taken(coordinator: Coordinator) -> None:
    coordinator.cap(9)
    coordinator.later(days=10)
    enrol(coordinator, "in-0")  # on 12 January
    coordinator.later(days=10)

    with pytest.raises(InvalidInput, match="its first spot was taken on 2026-01-12") as refused:
        read(coordinator, opened={"site-1": date(2026, 1, 13)})
    with pytest.raises(InvalidInput, match="cannot have opened on 2027-01-12"):
        read(coordinator, opened={"site-1": date(2027, 1, 12)})

    assert refused.value.field == "opened"
    assert days_open(read(coordinator, opened={"site-1": date(2026, 1, 12)})) == 10.5


def test_day_ahead_of_a_site_that_was_closed_is_when_it_opens_again(coordinator: Coordinator) -> None:
    coordinator.cap(9)
    enrol(coordinator, "in-0")
    coordinator.later(days=10)
    coordinator.close(site_key())
    coordinator.later(days=10)

    found = read(coordinator, opened={"site-1": date(2026, 3, 1)})

    assert days_open(found) == 10


def test_site_that_its_status_closes_was_open_until_its_last_event(coordinator: Coordinator) -> None:
    coordinator.cap(9)
    coordinator.later(days=8)
    enrol(coordinator, "in-0")
    coordinator.later(days=12)
    closed = RecruitmentStatus.COMPLETED
    replace_study(
        coordinator.store, make_study(), [make_site("site-1", status=closed), make_site("site-2", status=closed)]
    )

    found = read(coordinator)

    assert (days_open(found), days_open(found, "site-2")) == (8, 0)
    assert [(item.takes_patients, item.was_used) for item in found.sites] == [(False, True), (False, False)]


def test_looking_back_counts_the_events_up_to_then(coordinator: Coordinator) -> None:
    coordinator.cap(9)
    enrol(coordinator, "in-0")
    coordinator.later(days=10)
    then = coordinator.now
    coordinator.later(days=1)
    enrol(coordinator, "in-1")
    coordinator.cap(5)

    found = read(coordinator, as_of=then)

    assert (found.enrolled, found.as_of, found.spots_left(STUDY), days_open(found)) == (1, then, 8, 10)
    assert read(coordinator).enrolled == 2


def test_enrolments_are_dated_in_the_zone_that_is_asked_for(coordinator: Coordinator) -> None:
    from zoneinfo import ZoneInfo

    enrol(coordinator, "in-0")
    coordinator.later(hours=10)
    enrol(coordinator, "in-1")

    assert read(coordinator).enrolled_on == ((date(2026, 1, 2), 2),)
    tokyo = recruitment(coordinator.store, STUDY_ID, coordinator.now, zone=ZoneInfo("Asia/Tokyo"))
    assert tokyo.enrolled_on == ((date(2026, 1, 2), 1), (date(2026, 1, 3), 1))


def test_caps_of_every_level_are_read_with_what_fills_them(coordinator: Coordinator) -> None:
    coordinator.cap(9)
    coordinator.cap(4, country_key("US"))
    coordinator.cap(3, CapKey(level=CapLevel.ARM, scope="arm-1"))
    coordinator.hold("in-0", arm="arm-1")
    coordinator.screen("in-0")
    coordinator.enroll("in-0")

    found = read(coordinator)

    assert {str(key): found.spots_left(key) for key in found.caps} == {"STUDY": 8, "COUNTRY US": 3, "ARM arm-1": 2}
