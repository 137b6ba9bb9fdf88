"""Open time: when a site could have enrolled somebody, against looking at every hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.recruitment import ClockStep, blocked_spans, open_spans
from sitematch.domain.capacity.states import EventKind

START = datetime(2026, 1, 1, tzinfo=UTC)
STUDY = CapKey(level=CapLevel.STUDY)
US = CapKey(level=CapLevel.COUNTRY, scope="US")
SITE = CapKey(level=CapLevel.SITE, scope="a")
KEYS = (STUDY, US, SITE)


def after(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def hours_open(steps: list[ClockStep], until: datetime, start: datetime = START) -> float:
    spans = open_spans("US", "a", start, until, blocked_spans(steps, until))
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    return sum((end - start for start, end in spans), timedelta(0)) / timedelta(hours=1)


def test_site_that_nothing_happened_to_is_open_all_the_time() -> None:
    assert hours_open([], after(48)) == 48


def test_closed_time_is_taken_off_once_however_many_parts_were_closed() -> None:
    steps = [
        ClockStep(after(10), EventKind.CLOSED, (STUDY,)),
        ClockStep(after(12), EventKind.CLOSED, (SITE,)),
        ClockStep(after(20), EventKind.OPENED, (STUDY,)),
        ClockStep(after(25), EventKind.OPENED, (SITE,)),
    ]

    assert hours_open(steps, after(48)) == 48 - 15


def test_closure_of_another_country_takes_nothing_off() -> None:
    germany = CapKey(level=CapLevel.COUNTRY, scope="DE")

    assert hours_open([ClockStep(after(10), EventKind.CLOSED, (germany,))], after(48)) == 48


def test_clock_stops_when_participants_fill_the_last_spot_and_goes_on_when_one_leaves_or_the_cap_is_raised() -> None:
    steps = [
        ClockStep(START, EventKind.CAP_SET, (SITE,), 1),
        ClockStep(after(10), EventKind.ENROLLED, KEYS),
        ClockStep(after(15), EventKind.WITHDRAWN, KEYS),
        ClockStep(after(20), EventKind.ENROLLED, KEYS),
        ClockStep(after(30), EventKind.CAP_SET, (SITE,), 2),
    ]

    assert hours_open(steps, after(48)) == 48 - 5 - 10


def test_time_before_the_opening_is_not_counted() -> None:
    steps = [ClockStep(after(10), EventKind.CLOSED, (SITE,)), ClockStep(after(20), EventKind.OPENED, (SITE,))]

    assert hours_open(steps, after(48), start=after(15)) == 28
    assert hours_open(steps, after(48), start=after(50)) == 0


events = st.tuples(
    st.integers(0, 99),
    st.sampled_from([EventKind.ENROLLED, EventKind.WITHDRAWN, EventKind.CAP_SET, EventKind.CLOSED, EventKind.OPENED]),
    st.sampled_from(KEYS),
    st.none() | st.integers(0, 3),
)


@given(st.lists(events, max_size=25), st.integers(0, 60))
def test_open_time_is_that_of_looking_at_every_hour(
    drawn: list[tuple[int, EventKind, CapKey, int | None]], from_: int
) -> None:
    moves = (EventKind.ENROLLED, EventKind.WITHDRAWN)
    steps = [
        ClockStep(after(hour), kind, KEYS if kind in moves else (key,), spots)
        for hour, kind, key, spots in sorted(drawn, key=lambda item: item[0])
    ]
    open_hours = 0
    for hour in range(from_, 100):
        closed: set[CapKey] = set()
        spots: dict[CapKey, int | None] = {}
        touched: set[CapKey] = set()
        filled = 0
        for step in steps:
            if step.at <= after(hour):
                touched.update(step.keys)
                filled += {EventKind.ENROLLED: 1, EventKind.WITHDRAWN: -1}.get(step.kind, 0)
                for key in step.keys:
                    if step.kind is EventKind.CAP_SET:
                        spots[key] = step.spots
                    elif step.kind is EventKind.CLOSED:
                        closed.add(key)
                    elif step.kind is EventKind.OPENED:
                        closed.discard(key)
        limits = [limit for limit in spots.values() if limit is not None]
        open_hours += not closed and not any(filled >= limit for limit in limits)

    assert hours_open(steps, after(100), start=after(from_)) == open_hours
