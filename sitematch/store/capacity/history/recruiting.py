"""A study's recruitment from the ledger, read in one transaction, for the forecast."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.occupancy import StudyView, keys_for
from sitematch.domain.capacity.opening import TOLD, HoldRecord, Opening, OpeningSource, opened_after
from sitematch.domain.capacity.recruitment import ClockStep, Recruitment, SiteRecruitment, blocked_spans, open_spans
from sitematch.domain.capacity.spot import SpotPolicy, state_at
from sitematch.domain.capacity.states import (
    CAP_KINDS,
    CORRECTIONS,
    PARTICIPANTS,
    REFERRAL_KINDS,
    STATES,
    EventKind,
    Figure,
    SpotState,
)
from sitematch.store.capacity.counting import read_view
from sitematch.store.capacity.history.attempts import Attempts, read_attempts
from sitematch.store.capacity.openings import opening_days, require_before_first_spot
from sitematch.store.engine import Store
from sitematch.store.instants import from_us, to_us
from sitematch.store.schema import event

_UP_TO = sa.and_(event.c.study_id == sa.bindparam("study_id"), event.c.at_us <= sa.bindparam("until_us"))
_COUNTS = (
    sa.select(
        event.c.site_id,
        event.c.kind,
        sa.func.count().label("n"),
        sa.func.max(event.c.at_us).label("last_us"),
    )
    .where(_UP_TO, event.c.kind.in_(REFERRAL_KINDS))
    .group_by(event.c.site_id, event.c.kind)
)
_DAY = timedelta(days=1)
_START = sa.select(sa.func.min(event.c.at_us)).where(_UP_TO)
_PARTICIPANT_KINDS = tuple(
    sorted(
        kind for state in PARTICIPANTS for kind in (STATES[state].event, STATES[state].corrected) if kind is not None
    )
)
_STEPS = (
    sa.select(event.c.kind, event.c.at_us, event.c.site_id, event.c.country, event.c.detail)
    .where(_UP_TO, event.c.kind.in_((*CAP_KINDS, *_PARTICIPANT_KINDS)))
    .order_by(event.c.seq)
)


def recruitment(
    store: Store,
    study_id: str,
    now: datetime,
    *,
    as_of: datetime | None = None,
    opened: Mapping[str, date] | None = None,
    zone: tzinfo,
) -> Recruitment:
    """Return the recruitment of a study so far.

    Parameters
    ----------
    store
        The database.
    study_id
        The study.
    now
        The instant (aware).
    as_of
        An earlier time; None is `now`. The list of sites and their registry statuses are always current.
    opened
        Opening days of sites that the request names. The others are those of `store.capacity.openings`; without one,
        the site's holds show whether it opened after the ledger's start.
    zone
        The time zone of these days.

    Raises
    ------
    InvalidInput
        If `opened` has a site open after its first spot was taken. A day after today is refused only for a site that
        takes patients now.
    StudyNotFound
        If the study is in neither the catalogue nor the ledger.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.

    Notes
    -----
    The catalogue keeps no history. A site whose status is closed to new patients counts as open until its last event in
    the ledger; without events it counts as never opened.
    """
    until = now if as_of is None else as_of
    where = {"study_id": study_id, "until_us": to_us(until)}
    with store.reading() as connection:
        view = read_view(connection, study_id, until, is_past=as_of is not None)
        start_us = connection.execute(_START, where).scalar()
        rows = connection.execute(_COUNTS, where).all()
        steps = tuple(_steps(connection, where, view.policy))
        attempts = read_attempts(connection, study_id, until)
        listed_on = opening_days(connection, study_id, until)
    blocked = blocked_spans(steps, until)
    counts: Counter[tuple[str | None, str]] = Counter()
    for row in rows:
        counts[row.site_id, row.kind] += row.n
        if row.kind in CORRECTIONS:  # the step that it took back does not count
            counts[row.site_id, CORRECTIONS[row.kind]] -= row.n
    last_us: dict[str, int] = {}
    for row in rows:
        if row.site_id is not None:
            last_us[row.site_id] = max(row.last_us, last_us.get(row.site_id, 0))
    now_in = _states(view, until)
    figures = {site_id: _figures(states) for site_id, states in now_in.items()}
    since = until if start_us is None else from_us(start_us)
    asked = {site_id: Opening(on=day, source=OpeningSource.ASKED) for site_id, day in (opened or {}).items()}
    openings = _openings(view, {**listed_on, **asked}, attempts, since, until, zone)
    sites = []
    for site in view.sites:
        site_id, used = site.site_id, site.site_id in last_us
        # Closures in the ledger are in `blocked`; closures in the registry are known only for today.
        listed = view.takes_patients and site.takes_patients
        end = until if listed else from_us(last_us[site_id]) if used else since
        start, opening = openings[site_id]
        spans = open_spans(site.country, site_id, start, end, blocked)
        sites.append(
            SiteRecruitment(
                site_id=site_id,
                country=site.country,
                enrolled=counts[site_id, EventKind.ENROLLED],
                participants=_participants(now_in[site_id], view.policy),
                held=figures[site_id][Figure.HELD] + figures[site_id][Figure.OFFERED],
                screening=figures[site_id][Figure.SCREENING],
                open_spans=spans,
                opening=opening if listed or used or opening.source in TOLD else None,
                enrolled_at=tuple(attempts.enrolled_at.get(site_id, ())),
                takes_patients=view.is_open(site),
                was_used=used,
            )
        )
    kinds: Counter[str] = Counter()
    for (_, kind), n in counts.items():
        kinds[kind] += n
    return Recruitment(
        study_id=study_id,
        as_of=until,
        since=None if start_us is None else from_us(start_us),
        sites=tuple(sites),
        caps={key: rule.spots for key, rule in view.caps.items() if rule.spots is not None},
        participants=_participants_by_key(view, until),
        holds=kinds[EventKind.HELD],
        screened=kinds[EventKind.SCREENING],
        screen_failed=kinds[EventKind.SCREEN_FAILED],
        keeps_failed=view.policy.takes_spot(SpotState.SCREEN_FAILED),
        enrolled_on=tuple(sorted(_by_day(attempts, zone).items())),
        attempts=attempts.all,
    )


def _openings(
    view: StudyView,
    stated: Mapping[str, Opening],
    attempts: Attempts,
    since: datetime,
    until: datetime,
    zone: tzinfo,
) -> dict[str, tuple[datetime, Opening]]:
    """Return from when each site's open time is counted, and its opening."""
    today, first_day = until.astimezone(zone).date(), since.astimezone(zone).date()
    starts: dict[str, tuple[datetime, Opening]] = {}
    holds: dict[str, HoldRecord] = {}
    for site in view.sites:
        site_id, opening = site.site_id, stated.get(site.site_id)
        first = attempts.first_hold.get(site_id)
        first_on = None if first is None else first.astimezone(zone).date()
        if opening is not None and opening.source is OpeningSource.ASKED:
            # A later day of a site that was used before is when it opens again.
            if first_on is not None and (view.is_open(site) or opening.on <= today):
                require_before_first_spot(site_id, opening.on, first_on)
            elif first_on is not None:
                opening = None
        elif opening is not None and first_on is not None and opening.on > first_on:
            # A record that came after the first hold does not say when the site opened; a stated day was a little late.
            told = opening.source in TOLD
            opening = Opening(on=first_on, source=OpeningSource.FIRST_HOLD) if told else None
        start = since if opening is None else max(since, datetime.combine(opening.on, time(), zone))
        is_told = opening is not None and opening.source in TOLD
        is_late = start > since
        if opening is None or not (is_told or is_late):
            opening = Opening(on=first_day, source=OpeningSource.LEDGER)
        starts[site_id] = start, opening
        if (until - start) / _DAY > 0:
            count = attempts.holds.get(site_id, 0)
            gap = None if first is None else max(0.0, (first - start) / _DAY)
            holds[site_id] = HoldRecord((until - start) / _DAY, count, gap, is_told or is_late)
    for site_id, days in opened_after(holds).items():
        if days >= 1:
            start = since + days * _DAY
            opening = Opening(on=start.astimezone(zone).date(), source=OpeningSource.HOLDS)
            starts[site_id] = start, opening
    return starts


def _steps(connection: sa.Connection, where: Mapping[str, Any], policy: SpotPolicy) -> Iterator[ClockStep]:
    for row in connection.execute(_STEPS, where):
        kind, at = EventKind(row.kind), from_us(row.at_us)
        if kind in CAP_KINDS:
            said = msgspec.json.decode(row.detail)
            key = CapKey(level=CapLevel(said["level"]), scope=said["scope"])
            yield ClockStep(at, kind, (key,), said.get("spots"))
        elif CORRECTIONS.get(kind, kind) is EventKind.ENROLLED or not policy.takes_spot(SpotState.WITHDRAWN):
            yield ClockStep(at, kind, keys_for(row.site_id, row.country, None))


def _by_day(attempts: Attempts, zone: tzinfo) -> Counter[date]:
    """Count the enrolments that stand by day."""
    return Counter(at.astimezone(zone).date() for times in attempts.enrolled_at.values() for at in times)


def _states(view: StudyView, now: datetime) -> dict[str, Counter[SpotState]]:
    states: dict[str, Counter[SpotState]] = {site.site_id: Counter() for site in view.sites}
    for group in view.groups:
        states[group.site_id][state_at(group.kind, group.expires_at, now)] += group.count
    return states


def _figures(states: Counter[SpotState]) -> Counter[Figure | None]:
    figures: Counter[Figure | None] = Counter()
    for state, count in states.items():
        figures[STATES[state].figure] += count
    return figures


def _participants(states: Counter[SpotState], policy: SpotPolicy) -> int:
    return sum(states[state] for state in PARTICIPANTS if policy.takes_spot(state))


def _participants_by_key(view: StudyView, now: datetime) -> Counter[CapKey]:
    filled: Counter[CapKey] = Counter()
    for group in view.groups:
        state = state_at(group.kind, group.expires_at, now)
        if state in PARTICIPANTS and view.policy.takes_spot(state):
            for key in keys_for(group.site_id, group.country, group.arm):
                filled[key] += group.count
    return filled
