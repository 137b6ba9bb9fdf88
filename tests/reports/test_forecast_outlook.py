"""The forecast as a whole: its results, its limits, and what-if plans."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.errors import InvalidInput, SiteNotFound
from sitematch.reports.forecast import outlook as module
from sitematch.reports.forecast.full_soon import full_soon
from sitematch.reports.forecast.outlook import Outlook, Scenario, month_ends, outlook
from sitematch.reports.forecast.plan import MAX_ADDED, WhatIf
from tests.reports.forecast_builders import NOW, STUDY, make_recruited, make_recruitment, site_key

BY = date(2026, 6, 30)


def forecast(*sites: object, by: date = BY, what_if: WhatIf | None = None, **changes: object) -> Outlook:
    recruitment = make_recruitment(*sites, **changes)  # type: ignore[arg-type]
    return outlook(recruitment, by, UTC, what_if=what_if, courses=1_000)


def base(found: Outlook) -> Scenario:
    assert found.base is not None
    return found.base


def test_months_end_on_their_last_days_and_the_date_asked_for_is_last() -> None:
    found = base(forecast(by=date(2026, 4, 10)))

    assert [at.on for at in found.dates] == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 10)]


def test_horizon_reaches_as_far_as_the_date_asked_for() -> None:
    assert forecast().horizon == date(2028, 12, 31)
    assert forecast(by=date(2030, 6, 15)).horizon >= date(2030, 6, 15)


@pytest.mark.parametrize("by", [date(2026, 1, 15), date(2025, 12, 1), date(2036, 1, 16)])
def test_day_that_is_past_or_too_far_is_refused(by: date) -> None:
    with pytest.raises(InvalidInput) as caught:
        forecast(by=by)

    assert caught.value.field == "by"


def test_intervals_nest_and_widen_with_time() -> None:
    found = base(forecast())

    for at in found.dates:
        (low50, high50), (low80, high80), (low95, high95) = at.enrolled.intervals
        assert low95 <= low80 <= low50 <= at.enrolled.median <= high50 <= high80 <= high95
    widths = [at.enrolled.intervals[1][1] - at.enrolled.intervals[1][0] for at in found.dates]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


def test_enrolled_and_spots_left_add_up_to_the_cap() -> None:
    found = base(forecast(caps={STUDY: 20}))

    for at in found.dates:
        assert at.spots_left is not None
        assert at.enrolled.mean + at.spots_left.mean == pytest.approx(20)
        assert at.spots_left.intervals[1] == tuple(20 - end for end in reversed(at.enrolled.intervals[1]))


def test_withdrawn_participant_whose_spot_came_back_leaves_room_for_one_more() -> None:
    sites = [make_recruited("a", enrolled=6, participants=5), make_recruited("b", enrolled=6, participants=6)]

    found = base(forecast(*sites, caps={STUDY: 12}, by=date(2028, 1, 1)))

    assert found.plan.spots == 1
    assert found.dates[-1].enrolled.median == 13


def test_study_without_a_cap_is_never_said_to_be_full() -> None:
    found = base(forecast())

    assert found.full_on == (None, None, None)
    assert all(at.full is None and at.spots_left is None for at in found.dates)
    assert all(site.full is None and site.full_on == (None, None, None) for site in found.sites)


def test_full_study_is_full_today() -> None:
    found = base(forecast(caps={STUDY: 12}))

    assert found.full_on == (NOW.date(),) * 3
    assert found.dates[-1].full == pytest.approx(1)
    assert [site.full_on for site in found.sites] == [(NOW.date(),) * 3] * 3
    assert [site.enrolled.median for site in found.sites] == [2, 4, 6]


def test_days_on_which_it_is_full_rise_with_the_probability() -> None:
    found = base(forecast(caps={STUDY: 20, site_key("a"): 4}))

    early, middle, late = found.full_on
    assert early is not None and middle is not None and late is not None
    assert NOW.date() < early < middle < late
    for site in found.sites:
        on = [day for day in site.full_on if day is not None]
        assert on == sorted(on)
        assert all((day + timedelta(days=1)).day == 1 for day in on)


def test_site_with_a_small_cap_is_full_before_the_study() -> None:
    found = base(forecast(caps={STUDY: 40, site_key("c"): 7}))

    shares = {item.site.site_id: item.full for item in found.sites}
    assert shares["c"] > shares["a"]  # type: ignore[operator]
    assert shares["a"] == pytest.approx(found.dates[-1].full, abs=0.06)


def test_closed_site_enrols_those_under_way_alone() -> None:
    closed = make_recruited("c", enrolled=6, participants=6, takes_patients=False, held=1, screening=1)

    found = base(forecast(make_recruited("a"), make_recruited("b"), closed, by=date(2027, 12, 31)))

    low, high = found.sites[2].enrolled.intervals[2]
    assert 6 <= low <= high <= 8
    assert found.sites[2].full is None


def test_site_that_opens_later_enrols_from_then_on() -> None:
    later = make_recruited("c", enrolled=0, participants=0, open_for=timedelta(0), takes_patients=False, was_used=False)
    recruitment = make_recruitment(make_recruited("a"), make_recruited("b"), later)

    without = outlook(recruitment, BY, UTC, courses=500)
    opening = outlook(recruitment, BY, UTC, opened={"c": date(2026, 4, 1)}, courses=500)

    assert base(without).sites[2].enrolled.mean == 0
    assert base(opening).sites[2].enrolled.mean > 0.5
    assert [at.enrolled.mean for at in base(opening).dates[:3]] == [at.enrolled.mean for at in base(without).dates[:3]]
    assert base(opening).dates[-1].enrolled.mean > base(without).dates[-1].enrolled.mean


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"since": None}, "needs 28"),
        ({"since": NOW - timedelta(days=20)}, "The ledger is 20 days old"),
    ],
)
def test_young_ledger_forecasts_nothing(changes: dict[str, object], said: str) -> None:
    found = forecast(**changes)

    assert found.shortfall is not None
    assert said in found.shortfall
    assert (found.base, found.fit, found.changed) == (None, None, None)


def test_too_few_enrolments_forecast_nothing() -> None:
    found = forecast(make_recruited("a", enrolled=4, participants=4), caps={STUDY: 20})

    assert found.shortfall == "Only 4 people have enrolled; a forecast needs 5."
    assert found.base is None


def test_same_inputs_give_the_same_forecast() -> None:
    assert forecast(caps={STUDY: 20}) == forecast(caps={STUDY: 20})


def test_days_are_those_of_the_zone() -> None:
    recruitment = make_recruitment(caps={STUDY: 20})
    last = ZoneInfo("Pacific/Kiritimati")  # 14 hours ahead of UTC, so each of its days ends earlier

    utc, ahead = (outlook(recruitment, BY, zone, courses=200) for zone in (UTC, last))

    assert base(ahead).dates[-1].enrolled.mean < base(utc).dates[-1].enrolled.mean


def mean_change(what_if: WhatIf, **changes: object) -> float:
    found = forecast(what_if=what_if, **changes)
    assert found.changed is not None
    return found.changed.dates[-1].enrolled.mean - base(found).dates[-1].enrolled.mean


def test_what_if_of_more_sites_and_of_later_ones() -> None:
    at_once, later = mean_change(WhatIf(add_sites=2)), mean_change(WhatIf(add_sites=2, opening=date(2026, 5, 1)))

    assert 0 < later < at_once
    # Not quite in proportion: some of the paces let a new site grow, and let the study's pace drift.
    assert later == pytest.approx(at_once * 61 / 166.5, rel=0.05)


def test_what_if_a_site_closes() -> None:
    assert mean_change(WhatIf(close=("c",))) < mean_change(WhatIf(close=("a",))) < 0


def test_what_if_caps_change() -> None:
    raised = {STUDY: 14}

    assert mean_change(WhatIf(caps={STUDY: 30}), caps=raised) > 0
    assert mean_change(WhatIf(caps={STUDY: None}), caps=raised) > mean_change(WhatIf(caps={STUDY: 30}), caps=raised)
    assert mean_change(WhatIf(caps={site_key("c"): 6})) < 0
    assert mean_change(WhatIf(caps={CapKey(level=CapLevel.COUNTRY, scope="US"): 12})) == pytest.approx(
        12 - base(forecast()).dates[-1].enrolled.mean
    )


def test_what_if_of_nothing_is_no_scenario() -> None:
    found = forecast(what_if=WhatIf(opening=date(2026, 3, 1)))

    assert (found.what_if, found.changed) == (None, None)


@pytest.mark.parametrize(
    ("what_if", "error"),
    [
        (WhatIf(add_sites=-1), InvalidInput),
        (WhatIf(add_sites=MAX_ADDED + 1), InvalidInput),
        (WhatIf(caps={STUDY: -1}), InvalidInput),
        (WhatIf(caps={CapKey(level=CapLevel.ARM, scope="x"): 4}), InvalidInput),
        (WhatIf(close=("nowhere",)), SiteNotFound),
        (WhatIf(caps={site_key("nowhere"): 3}), SiteNotFound),
    ],
)
def test_what_if_that_makes_no_sense_is_refused(what_if: WhatIf, error: type[Exception]) -> None:
    with pytest.raises(error):
        forecast(what_if=what_if)


def test_month_ends_start_with_this_month() -> None:
    assert month_ends(date(2026, 1, 31), 2) == [date(2026, 1, 31), date(2026, 2, 28)]
    assert len(month_ends(date(2026, 1, 1), module.HORIZON_MONTHS)) == module.HORIZON_MONTHS


SOON = {"probable": 0.8, "months": 12, "courses": 1_000}


def test_site_is_said_to_be_full_soon_by_the_first_month_that_is_probable_enough() -> None:
    recruitment = make_recruitment(caps={site_key("c"): 7, STUDY: 500})

    soon = full_soon(recruitment, UTC, **SOON)  # type: ignore[arg-type]

    shares = {item.site.site_id: item for item in base(outlook(recruitment, BY, UTC)).sites}
    assert set(soon) == {"c"}
    assert 0.8 <= soon["c"].probability <= 1
    assert date(2026, 1, 31) <= soon["c"].on <= date(2026, 6, 30)
    assert shares["c"].full_on[1] is not None
    assert shares["c"].full_on[1] <= soon["c"].on


def test_nothing_is_said_of_sites_that_are_full_or_closed_or_of_a_study_with_too_few_data() -> None:
    full = make_recruited("a", enrolled=6, participants=6)
    closed = make_recruited("b", enrolled=6, participants=6, takes_patients=False)
    caps = {site_key("a"): 6, site_key("b"): 7}

    assert full_soon(make_recruitment(full, closed, caps=caps), UTC, **SOON) == {}  # type: ignore[arg-type]
    assert full_soon(make_recruitment(make_recruited(enrolled=2), caps={STUDY: 3}), UTC, **SOON) == {}  # type: ignore[arg-type]
