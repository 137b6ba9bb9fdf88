"""Dates and times as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitematch.domain.time_zones import read_instant, zone_named
from sitematch.errors import InvalidInput

NOW = datetime(2026, 11, 28, 13, 30, 15, 250_000, tzinfo=UTC)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "Asia/Tokyo",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
)
LOCAL_TIMES = st.builds(datetime.combine, st.dates(date(1970, 1, 2), date(2026, 11, 26)), st.times())


@given(st.dates(date(1970, 1, 2), date(2026, 11, 26)), st.sampled_from(ZONES))
def test_date_stands_for_the_last_moment_of_its_day(day: date, name: str) -> None:
    zone = zone_named(name)

    found = read_instant(day.isoformat(), zone, NOW)

    assert found.astimezone(zone).date() <= day  # earlier only for a day that the zone left out
    assert (found + timedelta(microseconds=1)).astimezone(zone).date() > day


def test_today_stands_for_now() -> None:
    assert read_instant("2026-11-28", zone_named("UTC"), NOW) == NOW
    assert read_instant("2026-11-28", zone_named("Asia/Tokyo"), NOW) == NOW


@given(LOCAL_TIMES, st.sampled_from(ZONES))
def test_time_that_a_report_states_can_be_asked_for_again(local: datetime, name: str) -> None:
    instant = local.replace(tzinfo=zone_named(name)).astimezone(UTC)

    assert read_instant(instant.isoformat(), zone_named(name), NOW) == instant
    assert read_instant(instant.isoformat().replace("+00:00", "Z"), zone_named(name), NOW) == instant


@given(LOCAL_TIMES, st.sampled_from(ZONES))
def test_local_time_is_read_in_the_zone_or_refused_if_the_zone_skips_or_repeats_it(local: datetime, name: str) -> None:
    zone = zone_named(name)
    instants = {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}

    if len(instants) == 1:
        assert read_instant(local.isoformat(), zone, NOW) in instants
    else:
        with pytest.raises(InvalidInput):
            read_instant(local.isoformat(), zone, NOW)


def test_local_time_that_the_clock_change_skips_or_repeats_is_refused_with_what_to_write() -> None:
    berlin = ZoneInfo("Europe/Berlin")

    with pytest.raises(InvalidInput, match="does not exist in Europe/Berlin"):
        read_instant("2026-03-29T02:30", berlin, NOW)
    with pytest.raises(InvalidInput) as twice:
        read_instant("2026-10-25T02:30", berlin, NOW)

    assert "Write 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00." in twice.value.message
    assert read_instant("2026-10-25T02:30:00+01:00", berlin, NOW).time() == time(1, 30)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "31.01.2026", "2026-01-31T25:00", "2026-01-31 noon"])
def test_what_is_no_time_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(InvalidInput, match="Write it like 2026-01-31"):
        read_instant(text, zone_named("UTC"), NOW)


@pytest.mark.parametrize("text", ["2026-11-29", "2026-11-28T13:30:16", "9999-12-31", "9999-12-31T23:59:59-12:00"])
def test_time_that_has_not_come_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"in the future|out of range"):
        read_instant(text, zone_named("UTC"), NOW)
