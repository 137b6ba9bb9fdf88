"""Opening days on both databases: recorded, stated by the registry, first called recruiting, or seen in the holds."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import pytest
import sqlalchemy as sa

from sitematch.domain.capacity.opening import OpeningSource
from sitematch.domain.capacity.recruitment import SiteRecruitment
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.errors import IdempotencyConflict, InvalidInput, SiteNotFound
from sitematch.store import migrate
from sitematch.store.capacity.history import audit
from sitematch.store.capacity.history.recruiting import recruitment
from sitematch.store.capacity.openings import set_opening
from sitematch.store.engine import Store
from sitematch.store.schema import site_recruiting
from sitematch.store.studies.catalogue import replace_study
from tests.store.builders import STUDY_ID, Coordinator, make_caller, make_site, make_study

LATER = RecruitmentStatus.NOT_YET_RECRUITING


@pytest.fixture
def coordinator(store: Store) -> Coordinator:
    """A ledger that starts at noon of 2 January 2026."""
    coordinator = Coordinator(store, sites=[make_site("site-1"), make_site("site-2", status=LATER)])
    coordinator.cap(40)
    return coordinator


def record(coordinator: Coordinator, day: date | None, site_id: str = "site-1", key: str | None = None) -> None:
    caller = make_caller(key)
    set_opening(coordinator.store, caller, study_id=STUDY_ID, site_id=site_id, opened_on=day, now=coordinator.now)


def relist(coordinator: Coordinator, **changes: object) -> None:
    sites = [make_site("site-1"), make_site("site-2", as_of_on=coordinator.now.date(), **changes)]
    replace_study(coordinator.store, make_study(), sites)


def found(coordinator: Coordinator, site_id: str, **asked: object) -> SiteRecruitment:
    read = recruitment(coordinator.store, STUDY_ID, coordinator.now, zone=UTC, **asked)  # type: ignore[arg-type]
    return next(site for site in read.sites if site.site_id == site_id)


def since(coordinator: Coordinator, site_id: str, **asked: object) -> tuple[date, OpeningSource, float]:
    site = found(coordinator, site_id, **asked)
    assert site.opening is not None
    return site.opening.on, site.opening.source, site.open_for / timedelta(days=1)


def test_site_counts_from_the_start_of_the_ledger_if_nothing_else_is_known(coordinator: Coordinator) -> None:
    coordinator.later(days=10)

    assert since(coordinator, "site-1") == (date(2026, 1, 2), OpeningSource.LEDGER, 10)
    assert found(coordinator, "site-2").opening is None


def test_site_counts_from_the_first_record_that_calls_it_recruiting(coordinator: Coordinator) -> None:
    coordinator.later(days=10)
    relist(coordinator)  # on 12 January
    coordinator.later(days=5)
    relist(coordinator, status=RecruitmentStatus.SUSPENDED)
    coordinator.later(days=5)
    relist(coordinator)
    coordinator.later(days=10)

    assert since(coordinator, "site-2") == (date(2026, 1, 12), OpeningSource.CATALOGUE, 20.5)


def test_record_that_came_after_the_first_hold_says_nothing_about_the_opening(coordinator: Coordinator) -> None:
    relist(coordinator)
    with coordinator.store.writing() as connection:  # as if the record had been read on 22 January
        values = {"recruiting_on": date(2026, 1, 22)}
        connection.execute(sa.update(site_recruiting).where(site_recruiting.c.site_id == "site-2").values(values))
    coordinator.later(days=10)
    coordinator.hold("r-1", "site-2")
    coordinator.later(days=20)

    assert since(coordinator, "site-2") == (date(2026, 1, 2), OpeningSource.LEDGER, 30)


def test_first_hold_counts_if_it_is_earlier_than_the_stated_day(coordinator: Coordinator) -> None:
    record(coordinator, date(2026, 1, 22))
    coordinator.later(days=10)
    coordinator.hold("r-1")
    coordinator.later(days=20)

    assert since(coordinator, "site-1") == (date(2026, 1, 12), OpeningSource.FIRST_HOLD, 20.5)


def test_registrys_day_comes_before_the_catalogues_and_a_coordinators_before_both(coordinator: Coordinator) -> None:
    coordinator.later(days=10)
    relist(coordinator, opened_on=date(2026, 1, 8))
    coordinator.later(days=10)
    stated = since(coordinator, "site-2")
    record(coordinator, date(2026, 1, 10), "site-2")
    recorded = since(coordinator, "site-2")
    asked = since(coordinator, "site-2", opened={"site-2": date(2026, 1, 4)})
    record(coordinator, None, "site-2")

    assert stated == (date(2026, 1, 8), OpeningSource.REGISTRY, 14.5)
    assert recorded == (date(2026, 1, 10), OpeningSource.COORDINATOR, 12.5)
    assert asked == (date(2026, 1, 4), OpeningSource.ASKED, 18.5)
    assert since(coordinator, "site-2") == stated


def test_days_before_the_ledger_do_not_count(coordinator: Coordinator) -> None:
    record(coordinator, date(2025, 6, 1))
    coordinator.later(days=10)

    assert since(coordinator, "site-1") == (date(2025, 6, 1), OpeningSource.COORDINATOR, 10)


def test_looking_back_does_not_see_what_was_recorded_later(coordinator: Coordinator) -> None:
    coordinator.later(days=10)
    then = coordinator.now
    coordinator.later(days=1)
    record(coordinator, date(2026, 1, 6))

    assert since(coordinator, "site-1", as_of=then) == (date(2026, 1, 2), OpeningSource.LEDGER, 10)


def test_site_without_holds_at_first_and_many_later_is_taken_to_have_opened_late(coordinator: Coordinator) -> None:
    relist(coordinator)
    for number in range(30):
        coordinator.later(days=3)
        coordinator.hold(f"a-{number}", "site-1")
        if number >= 20:
            coordinator.hold(f"b-{number}", "site-2")

    assert since(coordinator, "site-1")[1] is OpeningSource.LEDGER
    on, source, open_days = since(coordinator, "site-2")
    assert source is OpeningSource.HOLDS
    # Its first hold was on day 63 of 90.
    assert date(2026, 2, 25) <= on <= date(2026, 3, 6)
    assert 27 <= open_days <= 36
    record(coordinator, date(2026, 1, 2), "site-2")
    assert since(coordinator, "site-2") == (date(2026, 1, 2), OpeningSource.COORDINATOR, 90)


def test_opening_is_in_the_chain_and_says_who_recorded_it(coordinator: Coordinator) -> None:
    record(coordinator, date(2026, 1, 1), key="k")
    record(coordinator, date(2026, 1, 1), key="k")

    verified = audit.verify(coordinator.store)

    assert (verified.faults, verified.events) == ((), 2)
    with pytest.raises(IdempotencyConflict):
        record(coordinator, date(2026, 1, 3), key="k")


def test_opening_after_the_first_spot_is_refused_with_the_day(coordinator: Coordinator) -> None:
    coordinator.later(days=10)
    coordinator.hold("r-1")

    with pytest.raises(InvalidInput, match="its first spot was taken on 2026-01-12") as refused:
        record(coordinator, date(2027, 1, 12))

    assert refused.value.field == "opened"
    record(coordinator, date(2026, 1, 12))
    with pytest.raises(SiteNotFound):
        record(coordinator, date(2026, 1, 1), "nowhere")


@pytest.mark.parametrize("has_ledger", [False, True])
def test_migration_dates_the_sites_that_recruit_by_their_record_or_the_ledger(store: Store, has_ledger: bool) -> None:
    sites = [make_site(name, as_of_on=day) for name, day in (("old", date(2025, 5, 5)), ("new", date(2026, 5, 5)))]
    coordinator = Coordinator(store, sites=[*sites, make_site("later", status=LATER)])
    if has_ledger:
        coordinator.cap(3)  # on 2 January 2026
    migrate.downgrade(store, "0012")
    migrate.upgrade(store)

    with store.reading() as connection:
        rows = connection.execute(sa.select(site_recruiting)).all()

    new = date(2026, 1, 2) if has_ledger else date(2026, 5, 5)
    assert {row.site_id: row.recruiting_on for row in rows} == {"old": date(2025, 5, 5), "new": new}
