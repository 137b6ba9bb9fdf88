"""The forecast from the ledger of both databases, limited to what the reader may see; and its reason in a match."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from sitematch.domain.accounts.access import Actor, Grant, Permission, Role
from sitematch.domain.finding.match import ReasonCode
from sitematch.domain.finding.policy import MatchPolicy
from sitematch.errors import InvalidInput, NotAllowed, SiteNotFound, StudyNotFound, UnknownCountry
from sitematch.gazetteer.locate import Gazetteer
from sitematch.reports.document import Report
from sitematch.reports.forecast.plan import WhatIf
from sitematch.services.finding.likely_full import STALE_AFTER, LiveOutlooks, likely_full, read_outlook
from sitematch.services.finding.live_finders import LiveFinders
from sitematch.services.reports.forecasting import forecast_report, read_caps, read_openings
from sitematch.store.capacity.openings import set_opening
from sitematch.store.engine import Store
from tests.api.builders import make_gazetteer
from tests.services.finding.test_live_finders import HERE, placed
from tests.store.builders import STUDY_ID, Coordinator, make_study, site_key
from tests.store.fixtures import database_url, store

__all__ = ["database_url", "store"]

ADMIN = Actor(actor_id="user:admin", grants=(Grant(role=Role.ADMINISTRATOR),))
SITES = (placed("near", 43.7), placed("far", 47.0))


def recruit(coordinator: Coordinator, site_id: str, count: int, every: timedelta) -> None:
    for _ in range(count):
        coordinator.later(days=every / timedelta(days=1))
        referral_id = f"r-{coordinator.now:%Y%m%d%H%M}"
        coordinator.hold(referral_id, site_id)
        coordinator.screen(referral_id)
        coordinator.enroll(referral_id)


@pytest.fixture
def coordinator(store: Store) -> Coordinator:
    """Ninety days in which the near site enrolled nine of its ten spots and the far one three."""
    coordinator = Coordinator(store, sites=SITES, study=make_study(pool_spots=40))
    coordinator.cap(40)
    coordinator.cap(10, site_key("near"))
    recruit(coordinator, "near", 9, timedelta(days=7))
    recruit(coordinator, "far", 3, timedelta(days=9))
    return coordinator


@pytest.fixture(scope="module")
def gazetteer(tmp_path_factory: pytest.TempPathFactory) -> Gazetteer:
    path: Path = make_gazetteer(tmp_path_factory.mktemp("gazetteer") / "gazetteer.sqlite")
    return Gazetteer.open(path)


def forecast(coordinator: Coordinator, actor: Actor = ADMIN, **asked: object) -> Report:
    return forecast_report(coordinator.store, actor, STUDY_ID, coordinator.now, **asked)  # type: ignore[arg-type]


def rows(report: Report, name: str) -> list[dict[str, object]]:
    table = next(table for table in report.tables if table.name == name)
    return [dict(zip([column.name for column in table.columns], row, strict=True)) for row in table.rows]


def test_forecast_counts_from_the_ledger(coordinator: Coordinator) -> None:
    report = forecast(coordinator, by=date(2026, 9, 30))

    near, far = rows(report, "site-rates")
    assert (near["enrolled"], near["open_days"], far["enrolled"], far["open_days"]) == (9, 90, 3, 30)
    # The far site had no hold for 70 days and then three: it probably opened shortly before the first of them.
    assert (near["open_since_by"], far["open_since_by"]) == ("start of the ledger", "estimated from its holds")
    assert dict(report.sources)["Ledger"].startswith("38 events")
    assert rows(report, "by-date")[-1]["on"] == date(2026, 9, 30)


def test_day_left_out_is_the_end_of_a_month_in_half_a_year(coordinator: Coordinator) -> None:
    assert dict(forecast(coordinator).filters)["By"] == "2026-10-31"  # now it is 2 April


def test_looking_back_forecasts_what_was_known_then(coordinator: Coordinator) -> None:
    then = coordinator.now
    before = forecast(coordinator, by=date(2026, 9, 30))
    recruit(coordinator, "far", 2, timedelta(days=1))

    assert forecast(coordinator, by=date(2026, 9, 30), as_of=then).tables == before.tables
    assert forecast(coordinator, by=date(2026, 9, 30)).tables != before.tables


def test_day_of_opening_makes_the_rate_of_a_site_higher(coordinator: Coordinator) -> None:
    plain = forecast(coordinator, by=date(2026, 9, 30))
    opened = forecast(coordinator, by=date(2026, 9, 30), opened={"far": date(2026, 3, 13)})

    assert rows(opened, "site-rates")[1]["open_days"] == 20
    assert rows(opened, "site-rates")[1]["rate_per_month"] > rows(plain, "site-rates")[1]["rate_per_month"]  # type: ignore[operator]
    assert dict(opened.filters)["Opened"] == "far on 2026-03-13"
    assert rows(opened, "site-rates")[1]["open_since_by"] == "day given for this report"


def test_recorded_opening_counts_in_the_report_and_in_the_reason_of_a_match(coordinator: Coordinator) -> None:
    coordinator.cap(6, site_key("far"))
    before = likely_full(coordinator.store, STUDY_ID, coordinator.now)
    set_opening(
        coordinator.store,
        coordinator.caller,
        study_id=STUDY_ID,
        site_id="far",
        opened_on=date(2026, 1, 2),
        now=coordinator.now,
    )
    after = likely_full(coordinator.store, STUDY_ID, coordinator.now)

    assert rows(forecast(coordinator), "site-rates")[1]["open_days"] == 90
    early, late = before["far"].on, after["far"].on
    assert early is not None and late is not None and early < late


def test_coordinator_of_one_site_gets_that_site_and_the_study(coordinator: Coordinator) -> None:
    ann = Actor(actor_id="user:ann", grants=(Grant(role=Role.SITE_COORDINATOR, study_id=STUDY_ID, site_id="far"),))

    report = forecast(coordinator, ann)

    assert [row["site_id"] for row in rows(report, "sites")] == ["far"]
    assert rows(report, "by-date") == rows(forecast(coordinator), "by-date")
    for asked in (
        {"opened": {"near": date(2026, 1, 1)}},
        {"what_if": WhatIf(close=("near",))},
        {"what_if": WhatIf(caps={site_key("near"): 3})},
        {"site_id": "near"},
    ):
        with pytest.raises(SiteNotFound):
            forecast(coordinator, ann, **asked)


def test_token_without_the_scope_reads_no_forecast(coordinator: Coordinator) -> None:
    narrow = Actor(actor_id="token:1", grants=ADMIN.grants, scopes=frozenset({Permission.CAPACITY_READ}))

    with pytest.raises(NotAllowed):
        forecast(coordinator, narrow)


def test_site_that_does_not_exist_is_not_found(coordinator: Coordinator) -> None:
    with pytest.raises(SiteNotFound):
        forecast(coordinator, opened={"nowhere": date(2026, 1, 1)})


@pytest.mark.parametrize("text", ["far", "far=", "far=tomorrow", "=", "far=2026-02-30"])
def test_opening_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_openings([text])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "STUDY",
        "STUDY=",
        "STUDY=x",
        "STUDY=-1",
        "STUDY=٣",
        "STUDY:x=3",
        "SITE=3",
        "ARM:x=3",
        "SITE:=3",
        "STUDY=12345678",
    ],
)
def test_cap_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_caps([text])


def test_cap_of_an_unknown_country_is_refused() -> None:
    with pytest.raises(UnknownCountry):
        read_caps(["COUNTRY:Atlantis=3"])


def test_what_is_named_twice_is_refused() -> None:
    with pytest.raises(InvalidInput):
        read_caps(["STUDY=3", "STUDY=4"])
    with pytest.raises(InvalidInput):
        read_openings(["a=2026-01-01", "a=2026-01-02"])


def test_match_says_that_the_near_site_is_likely_full_and_by_when(
    coordinator: Coordinator, gazetteer: Gazetteer
) -> None:
    live = LiveFinders(gazetteer, coordinator.store, STUDY_ID, lambda: coordinator.now)
    try:
        live.outlooks.refresh()
        result = live.finder().match_sites(HERE, MatchPolicy(), coordinator.now)
    finally:
        live.close()

    near, far = result.matches
    assert near.site.site_id == "near"
    assert near.reasons[-1].code is ReasonCode.LIKELY_FULL
    assert near.reasons[-1].on is not None
    assert date(2026, 4, 30) <= near.reasons[-1].on <= date(2026, 6, 30)
    assert near.reasons[-1].probability is not None
    assert 0.8 <= near.reasons[-1].probability <= 1
    assert ReasonCode.LIKELY_FULL not in [reason.code for reason in far.reasons]


@pytest.fixture
def outlooks(coordinator: Coordinator) -> Iterator[LiveOutlooks]:
    opened = LiveOutlooks(coordinator.store, lambda: coordinator.now)
    yield opened
    opened.close()


def test_what_a_single_look_up_says_is_what_the_server_says(coordinator: Coordinator, outlooks: LiveOutlooks) -> None:
    live = outlooks.follow(STUDY_ID)

    outlooks.refresh()

    assert (
        live.at(coordinator.now) == read_outlook(coordinator.store, STUDY_ID, coordinator.now).at(coordinator.now) != {}
    )


def test_no_reason_is_given_with_too_little_data(store: Store) -> None:
    coordinator = Coordinator(store, sites=SITES, study=make_study(pool_spots=5))
    coordinator.cap(5)
    recruit(coordinator, "near", 4, timedelta(days=20))

    assert likely_full(store, STUDY_ID, coordinator.now) == {}


def test_match_asks_the_database_nothing_about_the_outlook(coordinator: Coordinator, gazetteer: Gazetteer) -> None:
    live = LiveFinders(gazetteer, coordinator.store, STUDY_ID, lambda: coordinator.now)
    live.outlooks.refresh()
    live.close()
    statements: list[str] = []
    sa.event.listen(coordinator.store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    result = live.finder().match_sites(HERE, MatchPolicy(), coordinator.now)

    assert result.matches[0].reasons[-1].code is ReasonCode.LIKELY_FULL
    assert statements == []


def test_outlook_that_could_not_be_refreshed_for_a_day_is_no_longer_shown(
    coordinator: Coordinator, outlooks: LiveOutlooks
) -> None:
    live = outlooks.follow(STUDY_ID)
    outlooks.refresh()

    assert live.at(coordinator.now + STALE_AFTER) != {}
    assert live.at(coordinator.now + STALE_AFTER + timedelta(seconds=1)) == {}


def test_outlook_follows_the_ledger_at_its_next_refresh(coordinator: Coordinator, outlooks: LiveOutlooks) -> None:
    live = outlooks.follow(STUDY_ID)
    outlooks.refresh()
    before = live.at(coordinator.now)
    coordinator.cap(200, site_key("near"))
    coordinator.cap(400)

    outlooks.refresh()

    assert set(before) == {"near"}
    assert live.at(coordinator.now) == {}


def test_outlook_is_worked_out_by_itself_soon_after_a_study_is_followed(
    coordinator: Coordinator, outlooks: LiveOutlooks
) -> None:
    live = outlooks.follow(STUDY_ID)

    give_up_at_s = time.monotonic() + 60
    while not live.at(coordinator.now) and time.monotonic() < give_up_at_s:
        time.sleep(0.02)

    assert set(live.at(coordinator.now)) == {"near"}


def test_removed_study_is_reported_to_nobody_and_affects_no_other_study(
    coordinator: Coordinator, outlooks: LiveOutlooks
) -> None:
    gone, live = outlooks.follow("NCT99999999"), outlooks.follow(STUDY_ID)

    with pytest.raises(StudyNotFound):
        likely_full(coordinator.store, "NCT99999999", coordinator.now)

    give_up_at_s = time.monotonic() + 60
    while not live.at(coordinator.now) and time.monotonic() < give_up_at_s:
        time.sleep(0.02)
    assert (gone.at(coordinator.now), set(live.at(coordinator.now))) == ({}, {"near"})
