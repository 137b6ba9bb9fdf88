"""The recent pace against the rest: the test by hand, and what the report says and draws."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from scipy import stats

from sitematch.domain.capacity.recruitment import Recruitment, SiteRecruitment
from sitematch.reports.document import Report
from sitematch.reports.forecast.changes import changed_sites, recent_days, site_words, study_test, study_words
from sitematch.reports.plot import FanPlot
from tests.reports.forecast_builders import NOW, STUDY, make_recruited, make_recruitment
from tests.reports.test_forecast_sheet import report

DAY = timedelta(days=1)
SINCE = NOW - 200 * DAY
"""The recent part is then the last 50 days."""


def site(name: str, early: int, late: int) -> SiteRecruitment:
    """Return a site open for 200 days with so many enrolments before the last 50 days, and in them."""
    times: list[datetime] = [SINCE + DAY * 150 * (n + 0.5) / early for n in range(early)]
    times += [NOW - 50 * DAY + DAY * 50 * (n + 0.5) / late for n in range(late)]
    count = early + late
    return make_recruited(name, enrolled=count, participants=count, enrolled_at=tuple(times), open_for=200 * DAY)


def study(*sites: SiteRecruitment, **changes: object) -> Recruitment:
    return make_recruitment(*sites, since=SINCE, **changes)  # type: ignore[arg-type]


def told(*sites: SiteRecruitment, **changes: object) -> Report:
    return report(*sites, since=SINCE, **changes)


def test_probability_is_the_binomial_test_of_the_open_time() -> None:
    found = study_test(study(site("a", 30, 2), site("b", 20, 3)), UTC)

    assert found is not None
    assert (found.recent, found.before) == (5, 50)
    assert found.expected == pytest.approx(55 / 4)
    assert found.probability == pytest.approx(stats.binomtest(5, 55, 0.25).pvalue)
    assert found.is_slower
    assert "The pace has fallen: 5 enrolled since 2025-11-26, and at an even pace it would be 14." in study_words(found)


def test_sites_that_opened_late_are_no_change_of_pace() -> None:
    times = tuple(NOW - DAY * 40 * (n + 0.5) / 30 for n in range(30))
    late = make_recruited("late", enrolled=30, enrolled_at=times, open_for=40 * DAY)

    found = study_test(study(late, site("a", 15, 5)), UTC)

    assert found is not None
    assert (found.recent, found.expected) == (35, pytest.approx(35))
    assert found.probability > 0.9


def test_closed_time_does_not_count_as_a_slower_pace() -> None:
    closed = site("a", 30, 0)
    spans = ((SINCE, NOW - 50 * DAY + DAY * 0.5),)
    still = make_recruited("a", enrolled=30, enrolled_at=closed.enrolled_at, open_spans=spans)

    assert study_test(study(closed), UTC).is_slower  # type: ignore[union-attr]
    assert study_test(study(still), UTC) is None


def test_steady_study_is_said_to_be_steady() -> None:
    found = study_test(study(site("a", 30, 10), site("b", 15, 5)), UTC)

    assert found is not None
    assert found.probability > 0.9
    assert study_words(found).startswith("The pace has not clearly changed: 15 enrolled")


def test_only_sites_whose_change_is_more_than_chance_are_named() -> None:
    sites = [site("still", 30, 0), site("slow", 60, 3), site("fast", 6, 20), *(site(f"s-{n}", 15, 5) for n in range(9))]

    found = changed_sites(study(*sites), UTC)

    assert [test.name for test in found] == ["slow", "still", "fast"]
    assert [site_words(test) for test in found] == [
        "site slow enrols more slowly since November 2025",
        "site still has not enrolled since November 2025",
        "site fast enrols faster since November 2025",
    ]
    # 1 in 5 by chance, and one of twelve sites.
    assert changed_sites(study(site("a", 8, 0), *sites[3:]), UTC) == ()


def test_closed_site_is_not_said_to_stand_still() -> None:
    closed = site("a", 30, 0)
    gone = make_recruited("a", enrolled=30, enrolled_at=closed.enrolled_at, open_for=200 * DAY, takes_patients=False)

    assert changed_sites(study(gone, site("b", 30, 10)), UTC) == ()


def test_recent_part_is_a_quarter_and_at_most_three_months() -> None:
    assert recent_days(study(site("a", 9, 3))) == 50
    assert recent_days(make_recruitment(since=NOW - 900 * DAY)) == 91


def test_report_begins_with_when_it_is_full_and_what_stands_still() -> None:
    found = told(site("a", 60, 0), site("b", 60, 20), caps={STUDY: 160})

    assert found.summary.startswith("At this pace the study fills between ")
    assert found.summary.endswith("; site a has not enrolled since November 2025.")
    plot = found.sections[0].plot
    assert isinstance(plot, FanPlot)
    (line,) = plot.references
    # 120 before, and a quarter of all 140 in the last quarter of the time.
    assert (line.points[0][1], line.points[1][1]) == (120, pytest.approx(155))


def test_steady_report_draws_no_other_pace_and_a_study_without_cap_says_how_many() -> None:
    found = told(site("a", 60, 20), site("b", 60, 20))

    assert found.sections[0].plot.references == ()  # type: ignore[union-attr]
    assert found.summary.startswith("At this pace ")
    assert "people have enrolled by 30 June 2026." in found.summary
    assert report(make_recruited("a", enrolled=2, participants=2)).summary == (
        "There is no forecast yet. Only 2 people have enrolled; a forecast needs 5."
    )


def test_reader_of_one_site_is_told_of_that_site_alone() -> None:
    found = told(site("a", 60, 0), site("b", 60, 20), scope={"visible": frozenset({"b"})})

    assert "site a" not in found.summary
    assert "site a" not in " ".join(text for section in found.sections for text in section.text)
