"""Reports from real databases: options, permissions and times."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sitematch.domain.accounts.access import Actor, Grant, Permission, Role
from sitematch.domain.capacity.reasons import ScreenFailureReason
from sitematch.domain.capacity.states import SpotState
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.errors import InvalidInput, NotAllowed, SiteNotFound, StudyNotFound
from sitematch.reports.document import Report
from sitematch.reports.plot import BarPlot
from sitematch.services.reports import reporting
from sitematch.store.engine import Store
from tests.store.builders import NOW, STUDY_ID, Coordinator, arm_key, country_key, make_site, make_study, site_key

BOSS = Actor(actor_id="user:boss", grants=(Grant(role=Role.ADMINISTRATOR),))
VIEWER = Actor(actor_id="user:eve", grants=(Grant(role=Role.VIEWER, study_id=STUDY_ID),))
ANN = Actor(actor_id="user:ann", grants=(Grant(role=Role.SITE_COORDINATOR, study_id=STUDY_ID, site_id="site-1"),))
REPORTS = [reporting.capacity_report, reporting.funnel_report]


def line(report: Report, table: str, part_id: str) -> dict[str, Any]:
    found = next(item for item in report.tables if item.name == table)
    names = [column.name for column in found.columns]
    return next(dict(zip(names, row, strict=True)) for row in found.rows if row[0] == part_id)


def parts(report: Report, table: str) -> list[Any]:
    return [row[0] for row in next(item for item in report.tables if item.name == table).rows]


def notes(report: Report, table: str) -> str:
    return " ".join(next(item for item in report.tables if item.name == table).notes)


def a_busy_study(store: Store) -> Coordinator:
    """Three sites in two countries; caps of study, country, arm and site; somebody in every state."""
    sites = [make_site("site-1"), make_site("site-2"), make_site("site-3", country="FR", city="Lyon")]
    coordinator = Coordinator(store, sites=sites, study=make_study(notice="The sites are made up."))
    coordinator.cap(10)
    coordinator.cap(3, site_key("site-1"))
    coordinator.cap(4, country_key("US"))
    coordinator.cap(2, arm_key("high"))
    for number in range(1, 7):
        coordinator.hold(f"r{number}", "site-1" if number <= 3 else "site-3", arm="high" if number == 4 else None)
        coordinator.later(hours=1)
    coordinator.wait("r7", "site-1", "site-2")  # site-2 has a spot, so it is offered at once
    coordinator.screen("r1")
    coordinator.screen("r2")
    coordinator.screen("r4")
    coordinator.screen("r5")
    coordinator.later(days=3)  # the holds of r3 and r6, and r7's offer, lapse
    coordinator.enroll("r1")
    coordinator.fail("r2", ScreenFailureReason.LABORATORY)
    coordinator.enroll("r4")
    coordinator.hold("r8", "site-3")
    coordinator.later(hours=6)
    return coordinator


def test_capacity_counts_each_part_and_says_where_caps_overlap(store: Store) -> None:
    coordinator = a_busy_study(store)

    report = reporting.capacity_report(store, BOSS, STUDY_ID, coordinator.now)

    study, us, lyon = line(report, "study", STUDY_ID), line(report, "countries", "US"), line(report, "sites", "site-3")
    assert (study["cap"], study["taken"], study["remaining"], study["utilisation"]) == (10, 4, 6, 0.4)
    assert (study["held"], study["screening"], study["enrolled"], study["lapsed"], study["screen_failed"]) == (
        1,
        1,
        2,
        3,
        1,
    )
    assert (us["cap"], us["taken"], us["remaining"], us["lapsed"]) == (4, 1, 3, 2)
    assert (lyon["cap"], lyon["taken"], lyon["remaining"], lyon["utilisation"]) == (None, 3, 6, None)
    assert lyon["oldest_hold_age_s"] == timedelta(hours=6)
    assert lyon["oldest_hold_at"] == coordinator.now - timedelta(hours=6)
    high = line(report, "arms", "high")
    assert (high["cap"], high["taken"], high["remaining"], high["enrolled"]) == (2, 1, 1, 1)
    assert (
        notes(report, "countries")
        == "What is left does not add up, as caps are shared: 9 by the lines, 6 in the study."
    )


def test_capacity_as_of_an_instant_is_what_it_was_then(store: Store) -> None:
    coordinator = a_busy_study(store)
    then = NOW + timedelta(hours=2, minutes=30)

    report = reporting.capacity_report(store, BOSS, STUDY_ID, coordinator.now, as_of=then)

    study = line(report, "study", STUDY_ID)
    assert (study["taken"], study["held"], study["enrolled"]) == (3, 3, 0)
    assert report.as_of == then
    assert dict(report.sources)["Ledger"].startswith("7 events, the last with hash ")
    assert any("the catalogue keeps no history" in note for note in report.notes)


@pytest.mark.parametrize("make", REPORTS)
def test_the_present_is_the_same_whether_replayed_or_read(store: Store, make: Any) -> None:
    coordinator = a_busy_study(store)

    assert make(store, BOSS, STUDY_ID, coordinator.now) == make(
        store, BOSS, STUDY_ID, coordinator.now, as_of=coordinator.now
    )


def test_an_old_report_stays_the_same_whatever_happens_later(store: Store) -> None:
    coordinator = a_busy_study(store)
    then = coordinator.now
    before = [make(store, BOSS, STUDY_ID, then) for make in REPORTS]
    coordinator.later(hours=1)
    coordinator.cap(1)
    coordinator.release("r5")
    coordinator.close(site_key("site-2"))

    after = [make(store, BOSS, STUDY_ID, coordinator.now, as_of=then) for make in REPORTS]

    assert after == before


def test_closed_sites_and_those_not_recruiting_have_nothing_left(store: Store) -> None:
    closed = make_site("site-4", status=RecruitmentStatus.COMPLETED)
    coordinator = Coordinator(store, sites=[make_site("site-1"), closed])
    coordinator.close(site_key("site-1"))

    report = reporting.capacity_report(store, BOSS, STUDY_ID, coordinator.now)

    rows = [line(report, "sites", "site-1"), line(report, "sites", "site-4"), line(report, "study", STUDY_ID)]
    assert {(row["is_open"], row["remaining"], row["state"]) for row in rows} == {(False, 0, "no-capacity")}
    assert "0 can take patients, 0 full, 2 closed" in report.summary


def test_a_study_cap_leaves_no_more_than_its_open_sites_can_take(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(10)
    coordinator.cap(2, site_key("site-1"))
    coordinator.cap(1, site_key("site-2"))

    report = reporting.capacity_report(store, BOSS, STUDY_ID, coordinator.now)

    assert line(report, "study", STUDY_ID)["remaining"] == 3
    assert notes(report, "sites") == ""


def test_a_country_leaves_no_more_than_its_cap_however_many_its_sites_could_take(store: Store) -> None:
    coordinator = Coordinator(
        store, sites=[make_site("site-1"), make_site("site-2"), make_site("site-3", country="FR")]
    )
    coordinator.cap(10)
    coordinator.cap(1, country_key("US"))
    for site_id in ("site-1", "site-2", "site-3"):
        coordinator.cap(2, site_key(site_id))

    report = reporting.capacity_report(store, BOSS, STUDY_ID, coordinator.now)

    assert line(report, "countries", "US")["remaining"] == 1
    assert line(report, "countries", "FR")["remaining"] == 2
    assert line(report, "study", STUDY_ID)["remaining"] == 3


def test_without_any_cap_what_is_left_is_unknown_and_never_zero(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.hold("r1")

    report = reporting.capacity_report(store, BOSS, STUDY_ID, coordinator.now)

    row = line(report, "study", STUDY_ID)
    assert (row["cap"], row["remaining"], row["state"], row["utilisation"]) == (None, None, "unknown", None)
    assert "the number left is not known" in report.summary


def test_who_waits_counts_at_every_site_that_would_do_but_once_in_the_study(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(0)
    coordinator.wait("r1", "site-1", "site-2")
    coordinator.wait("r2", "site-2")
    coordinator.release("r2")

    report = reporting.capacity_report(store, BOSS, STUDY_ID, coordinator.now)

    assert [line(report, "sites", site)["waiting"] for site in ("site-1", "site-2", "")] == [1, 1, 1]
    assert line(report, "sites", "")["released"] == 1
    study = line(report, "study", STUDY_ID)
    assert (study["waiting"], study["released"], study["state"]) == (1, 1, "waitlist")


def test_country_and_site_narrow_the_lines_but_not_the_study(store: Store) -> None:
    coordinator = a_busy_study(store)

    french = reporting.capacity_report(store, BOSS, STUDY_ID, coordinator.now, country="FR")
    one = reporting.capacity_report(store, BOSS, STUDY_ID, coordinator.now, site_id="site-2")

    assert (parts(french, "sites"), parts(french, "countries")) == (["site-3"], ["FR"])
    assert (parts(one, "sites"), parts(one, "countries")) == (["site-2"], ["US"])
    assert line(french, "study", STUDY_ID)["taken"] == line(one, "study", STUDY_ID)["taken"] == 4
    assert (french.filters, one.filters) == ((("Country", "FR"),), (("Site", "site-2"),))


def test_a_site_coordinator_learns_of_other_sites_what_the_caps_tell_and_no_more(store: Store) -> None:
    coordinator = a_busy_study(store)

    report = reporting.capacity_report(store, ANN, STUDY_ID, coordinator.now)

    assert parts(report, "sites") == ["site-1"]
    assert parts(report, "countries") == ["US"]
    assert line(report, "sites", "site-1")["screen_failed"] == 1
    for table, part in (("study", STUDY_ID), ("countries", "US"), ("arms", "high")):
        row = line(report, table, part)
        assert row["cap"] is not None and row["taken"] is not None
        assert {row[name] for name in ("waiting", "held", "enrolled", "screen_failed", "oldest_hold_at")} == {None}
    assert any("You can see some sites only" in note for note in report.notes)


def test_what_a_coordinator_reads_does_not_change_with_what_happens_elsewhere(store: Store) -> None:
    coordinator = a_busy_study(store)
    coordinator.cap(4)  # full, so that new referrals must wait
    before = reporting.capacity_report(store, ANN, STUDY_ID, coordinator.now)
    funnel_before = reporting.funnel_report(store, ANN, STUDY_ID, coordinator.now)

    coordinator.release("r8")
    coordinator.hold("r9", "site-2", arm="never-heard-of")
    coordinator.cap(0, site_key("site-2"))
    coordinator.release("r9")
    coordinator.hold("r8", "site-3")
    coordinator.wait("r10", "site-3")

    after = reporting.capacity_report(store, ANN, STUDY_ID, coordinator.now)
    assert after.sections == before.sections
    assert reporting.funnel_report(store, ANN, STUDY_ID, coordinator.now).sections == funnel_before.sections


def test_funnel_tells_attempts_from_referrals_and_ends_from_steps(store: Store) -> None:
    coordinator = a_busy_study(store)
    coordinator.hold("r2", "site-3")  # rescreened, at another site
    coordinator.later(hours=12)
    coordinator.screen("r2")

    report = reporting.funnel_report(store, BOSS, STUDY_ID, coordinator.now)

    study = line(report, "study", STUDY_ID)
    assert (study["referrals"], study["attempts"], study["again"]) == (8, 9, 1)
    assert (study["held"], study["screened"], study["enrolled"]) == (8, 5, 2)
    assert (study["lapsed"], study["screen_failed"], study["open"], study["offered"]) == (3, 1, 3, 1)
    assert (study["screened_share"], study["enrolled_share"], study["screen_failure_share"]) == (5 / 8, 2 / 5, 1 / 3)
    # From hold to screening: 6, 5, 3, 2 and 12 hours.
    assert (study["hold_median_s"], study["hold_n"]) == (timedelta(hours=5), 5)
    assert (study["screening_median_s"], study["screening_n"]) == (timedelta(days=3), 2)
    assert line(report, "screen-failures", "LABORATORY") == {"reason": "LABORATORY", "attempts": 1, "share": 1.0}
    assert parts(report, "withdrawals") == []
    assert "3 screenings that ended in failure or enrolment, 1 failed: 33 %" in report.sections[0].text[1]


def test_funnel_counts_an_attempt_in_the_month_in_which_it_began_where_the_reader_lives(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.now = NOW.replace(month=1, day=31, hour=23, minute=30)
    coordinator.hold("r1")
    coordinator.later(days=60)

    in_utc = reporting.funnel_report(store, BOSS, STUDY_ID, coordinator.now)
    in_berlin = reporting.funnel_report(store, BOSS, STUDY_ID, coordinator.now, time_zone="Europe/Berlin")

    assert parts(in_utc, "months") == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert parts(in_berlin, "months") == ["2026-02", "2026-03", "2026-04"]
    assert line(in_berlin, "months", "2026-02")["lapsed"] == 1


def test_a_reader_without_the_right_is_refused_before_anything_is_read(store: Store) -> None:
    coordinator = a_busy_study(store)
    elsewhere = Actor(actor_id="user:x", grants=(Grant(role=Role.VIEWER, study_id="NCT00000002"),))
    cut_down = Actor(actor_id="token:x", grants=BOSS.grants, scopes=frozenset({Permission.CAPACITY_READ}))

    for make in REPORTS:
        for actor in (Actor(actor_id="user:nobody"), elsewhere, cut_down):
            with pytest.raises(NotAllowed):
                make(store, actor, STUDY_ID, coordinator.now)
        assert make(store, VIEWER, STUDY_ID, coordinator.now).sections


@pytest.mark.parametrize("make", REPORTS)
def test_what_cannot_be_answered_is_said(store: Store, make: Any) -> None:
    coordinator = a_busy_study(store)

    with pytest.raises(InvalidInput, match="not a time zone"):
        make(store, BOSS, STUDY_ID, coordinator.now, time_zone="Berlin")
    with pytest.raises(InvalidInput, match="is in the future"):
        make(store, BOSS, STUDY_ID, coordinator.now, as_of=coordinator.now + timedelta(seconds=1))
    with pytest.raises(InvalidInput, match="needs a time zone"):
        make(store, BOSS, STUDY_ID, coordinator.now, as_of=coordinator.now.replace(tzinfo=None))
    with pytest.raises(SiteNotFound):
        make(store, BOSS, STUDY_ID, coordinator.now, site_id="site-9")
    with pytest.raises(SiteNotFound):
        make(store, ANN, STUDY_ID, coordinator.now, site_id="site-2")
    with pytest.raises(StudyNotFound):
        make(store, BOSS, "NCT00000009", coordinator.now)


@pytest.mark.parametrize("gives_back", [frozenset(), frozenset({SpotState.SCREEN_FAILED, SpotState.WITHDRAWN})])
def test_bars_of_spots_in_use_add_up_to_what_the_table_says_is_taken(
    store: Store, gives_back: frozenset[SpotState]
) -> None:
    coordinator = Coordinator(store)
    coordinator.policy(gives_back=gives_back)
    for number in range(5):
        coordinator.hold(f"r-{number}")
    for number in range(4):
        coordinator.screen(f"r-{number}")
    coordinator.enroll("r-0")
    coordinator.enroll("r-1")
    coordinator.withdraw("r-1")
    coordinator.fail("r-2")

    report = reporting.capacity_report(store, BOSS, STUDY_ID, coordinator.now)

    taken = line(report, "sites", "site-1")["taken"]
    plot = next(section.plot for section in report.sections if section.title == "Sites")
    assert isinstance(plot, BarPlot)
    assert taken == (5 if not gives_back else 3)
    assert sum(value or 0 for series in plot.series for value in series.values) == taken
    assert ("Kept after withdrawal or failure" in [series.label for series in plot.series]) is (not gives_back)
