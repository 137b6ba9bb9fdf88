"""Reading the ledger: spots taken and left, states of referrals, and events. Nothing here writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.capacity.caps import CapKey, CapLevel, CapUsage, SiteCapacity
from sitematch.domain.capacity.occupancy import CapRule, Group, SiteInView, StudyView
from sitematch.domain.capacity.spot import (
    LedgerEvent,
    Referral,
    SpotPolicy,
    VisibleReferrals,
    WaitingEntry,
    allowed_in,
    state_at,
)
from sitematch.domain.capacity.states import (
    LAPSING_KINDS,
    SETTING_KINDS,
    STANDS_AS,
    STATES,
    EventKind,
    SpotState,
)
from sitematch.domain.capacity.waiting_detail import WaitingDetail
from sitematch.domain.studies.study import TAKING_STATUSES, RecruitmentStatus
from sitematch.errors import ReferralNotFound, StudyNotFound
from sitematch.store import schema
from sitematch.store.capacity.chain import read_event
from sitematch.store.capacity.counters import groups_now
from sitematch.store.capacity.writing import read_policy
from sitematch.store.engine import Store
from sitematch.store.instants import from_us, to_us
from sitematch.store.schema import cap, event, latest_event

_ROWS_A_READ = 1_000


def capacity(
    store: Store, study_id: str, now: datetime, *, as_of: datetime | None = None, arm: str | None = None
) -> tuple[SiteCapacity, ...]:
    """Return the spots of every site of a study.

    Parameters
    ----------
    store
        The database.
    study_id
        The study.
    now
        The instant (aware).
    as_of
        An earlier time: only events up to then are counted. None is `now`. The list of sites and their registry
        statuses are always current, because the catalogue keeps no history.
    arm
        An arm whose cap also applies.

    Returns
    -------
    tuple of SiteCapacity
        In the catalogue's order; then sites with referrals that are no longer in the catalogue, by id.

    Raises
    ------
    StudyNotFound
        If neither the catalogue nor the ledger knows the study.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        view = read_view(connection, study_id, now if as_of is None else as_of, is_past=as_of is not None)
    return view.capacity(now if as_of is None else as_of, arm)


def caps(store: Store, study_id: str, now: datetime, *, as_of: datetime | None = None) -> tuple[CapUsage, ...]:
    """Return every cap of a study that was set or closed, with the spots taken under it, widest first.

    Parameters and errors are those of `capacity`.
    """
    with store.reading() as connection:
        view = read_view(connection, study_id, now if as_of is None else as_of, is_past=as_of is not None)
    return view.usage(now if as_of is None else as_of)


def policy(store: Store, study_id: str) -> SpotPolicy:
    """Return a study's rules for its spots; the default ones if none were set.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        return _policy_now(connection, study_id)


def read_referral(store: Store, referral_id: str, now: datetime) -> Referral:
    """Return the state of a referral.

    Raises
    ------
    ReferralNotFound
        If it is not in the ledger.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    query = _REFERRALS.where(latest_event.c.referral_id == referral_id)
    with store.reading() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise ReferralNotFound(f"There is no referral {referral_id!r}.", field="referral_id")
    return referral_from(read_event(row), now)


def list_referrals(
    store: Store,
    study_id: str,
    now: datetime,
    *,
    site_id: str | None = None,
    states: Collection[SpotState] | None = None,
    visible: VisibleReferrals | None = None,
    before_seq: int | None = None,
    limit: int | None = None,
) -> tuple[Referral, ...]:
    """Return a study's referrals, latest change first; empty if there are none.

    Parameters
    ----------
    store
        The database.
    study_id
        The study.
    now
        The time (aware) that decides what has lapsed.
    site_id
        Only referrals of this site.
    states
        Only referrals in one of these states; None for all.
    visible
        Only referrals that may be seen; None for all.
    before_seq
        Only referrals whose latest change came before this event of the study's chain, where the previous page ended.
    limit
        Maximum number; None for all. With a limit, the amount of data read does not grow with the ledger.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    query = _REFERRALS.where(latest_event.c.study_id == study_id).order_by(latest_event.c.seq.desc())
    if site_id is not None:
        query = query.where(latest_event.c.site_id == site_id)
    if states is not None:
        query = query.where(sa.or_(*(in_state(state, now) for state in sorted(states)), sa.false()))
    if visible is not None:
        query = query.where(
            sa.or_(
                latest_event.c.site_id.in_(sorted(visible.site_ids)),
                latest_event.c.referral_id.in_(sorted(visible.waiting_ids)),
            )
        )
    if before_seq is not None:
        query = query.where(latest_event.c.seq < before_seq)
    if limit is not None:
        query = query.limit(limit)
    with store.reading() as connection:
        return tuple(referral_from(read_event(row), now) for row in connection.execute(query))


def in_state(state: SpotState, now: datetime, columns: Any = latest_event.c) -> sa.ColumnElement[bool]:
    """Return the condition for a referral to be in a state at a given time, on columns like those of `latest_event`."""
    facts = STATES[state]
    is_kind: sa.ColumnElement[bool] = columns.kind == facts.event.value
    if facts.event not in LAPSING_KINDS:
        return is_kind
    lapsed = columns.expires_at_us <= to_us(now)
    return sa.and_(is_kind, lapsed if facts.has_lapsed else columns.expires_at_us > to_us(now))


def count_by_state(store: Store, study_id: str, site_id: str, now: datetime) -> Counter[SpotState]:
    """Return the number of a site's referrals by state; states without any are left out.

    Raises
    ------
    StudyNotFound
        If neither the catalogue nor the ledger knows the study.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        groups = groups_now(connection, study_id, now, site_id=site_id)
    counts: Counter[SpotState] = Counter()
    for group in groups:
        counts[state_at(group.kind, group.expires_at, now)] += group.count
    return counts


def history(store: Store, referral_id: str) -> tuple[LedgerEvent, ...]:
    """Return all events of a referral, oldest first; empty if it is not in the ledger."""
    query = sa.select(event).where(event.c.referral_id == referral_id).order_by(event.c.seq)
    with store.reading() as connection:
        return tuple(read_event(row) for row in connection.execute(query))


def iter_events(store: Store, study_id: str, *, after_seq: int = 0) -> Iterator[LedgerEvent]:
    """Yield a study's audit trail in order, with constant memory.

    Parameters
    ----------
    store
        The database.
    study_id
        The study.
    after_seq
        Where to continue: only events with a greater `seq` are returned.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    query = sa.select(event).where(event.c.study_id == study_id, event.c.seq > after_seq).order_by(event.c.seq)
    with store.reading() as connection:
        for row in connection.execution_options(yield_per=_ROWS_A_READ).execute(query):
            yield read_event(row)


def waiting_list(store: Store, study_id: str) -> tuple[WaitingEntry, ...]:
    """Return the waiting list of a study, in the order in which spots are offered."""
    with store.reading() as connection:
        return waiting_in(connection, study_id)


_REFERRALS = sa.select(event).select_from(
    latest_event.join(event, sa.and_(event.c.study_id == latest_event.c.study_id, event.c.seq == latest_event.c.seq))
)
_WAITING = _REFERRALS.where(
    latest_event.c.study_id == sa.bindparam("study_id"), latest_event.c.kind == EventKind.WAITING.value
)


def waiting_in(connection: sa.Connection, study_id: str) -> tuple[WaitingEntry, ...]:
    """Return the waiting list, by priority and then age, as the connection's transaction sees it."""
    entries = []
    for row in connection.execute(_WAITING, {"study_id": study_id}):
        detail = WaitingDetail.of(row.detail)
        entry = WaitingEntry(
            referral_id=row.referral_id,
            study_id=study_id,
            arm=row.arm,
            priority=detail.priority,
            joined_at=from_us(detail.joined_us or row.at_us),
            site_ids=detail.site_ids,
        )
        entries.append((-entry.priority, detail.joined_seq or row.seq, entry))
    return tuple(entry for _, _, entry in sorted(entries, key=lambda item: item[:2]))


def referral_from(latest: LedgerEvent, now: datetime) -> Referral:
    """Return the state of a referral from its latest event."""
    state = state_at(latest.kind, latest.expires_at, now)
    if latest.referral_id is None:
        raise ValueError("This event does not belong to a referral.")
    return Referral(
        referral_id=latest.referral_id,
        study_id=latest.study_id,
        site_id=latest.site_id,
        country=latest.country,
        arm=latest.arm,
        state=state,
        expires_at=latest.expires_at,
        reason=latest.reason,
        changed_at=latest.at,
        seq=latest.seq,
        allowed=tuple(sorted(allowed_in(state))),
    )


def read_view(connection: sa.Connection, study_id: str, now: datetime, *, is_past: bool = False) -> StudyView:
    """Return a study's caps, sites and referrals as the connection's transaction sees them.

    Parameters
    ----------
    connection
        Inside a transaction.
    study_id
        The study.
    now
        The time of the view; unless `is_past`, it is also valid for later times.
    is_past
        Whether to replay the events up to `now` instead of using the counters.

    Raises
    ------
    StudyNotFound
        If neither the catalogue nor the ledger knows the study.
    """
    groups = _groups_at(connection, study_id, now) if is_past else groups_now(connection, study_id, now)
    return view_of(connection, study_id, now, groups, is_past=is_past)


def view_of(
    connection: sa.Connection, study_id: str, now: datetime, groups: tuple[Group, ...], *, is_past: bool
) -> StudyView:
    """Return a study's view of referrals that were already read; see `read_view`."""
    status = connection.execute(
        sa.select(schema.study.c.status).where(schema.study.c.study_id == study_id)
    ).scalar_one_or_none()
    if is_past:
        rules, spot_policy = _settings_at(connection, study_id, now)
    else:
        rules, spot_policy = _caps_now(connection, study_id), _policy_now(connection, study_id)
    if status is None and not groups and not _is_open(connection, study_id):
        raise StudyNotFound(f"There is no study {study_id!r} in the catalogue.", field="study_id")
    return StudyView(
        study_id=study_id,
        takes_patients=status is not None and RecruitmentStatus(status) in TAKING_STATUSES,
        policy=spot_policy,
        caps=rules,
        sites=_sites(connection, study_id, groups),
        groups=groups,
    )


def _sites(connection: sa.Connection, study_id: str, groups: tuple[Group, ...]) -> tuple[SiteInView, ...]:
    columns = (schema.site.c.site_id, schema.site.c.country, schema.site.c.status)
    query = sa.select(*columns).where(schema.site.c.study_id == study_id).order_by(schema.site.c.position)
    found = tuple(
        SiteInView(row.site_id, row.country, RecruitmentStatus(row.status) in TAKING_STATUSES)
        for row in connection.execute(query)
    )
    known = {site.site_id for site in found}
    gone = {group.site_id: group.country for group in groups if group.site_id not in known}
    return found + tuple(SiteInView(site_id, gone[site_id], False) for site_id in sorted(gone))


_CAPS = sa.select(cap).where(cap.c.study_id == sa.bindparam("study_id"))


def _caps_now(connection: sa.Connection, study_id: str) -> dict[CapKey, CapRule]:
    rules = {CapKey(level=CapLevel.STUDY): CapRule(None)}
    for row in connection.execute(_CAPS, {"study_id": study_id}):
        rules[CapKey(level=CapLevel(row.level), scope=row.scope)] = CapRule(row.spots, row.is_closed)
    return rules


def _is_open(connection: sa.Connection, study_id: str) -> bool:
    return connection.execute(_CAPS, {"study_id": study_id}).first() is not None


def _policy_now(connection: sa.Connection, study_id: str) -> SpotPolicy:
    text = connection.execute(
        sa.select(cap.c.policy).where(cap.c.study_id == study_id, cap.c.level == "STUDY", cap.c.scope == "")
    ).scalar_one_or_none()
    return read_policy(text or "")


def _settings_at(connection: sa.Connection, study_id: str, at: datetime) -> tuple[dict[CapKey, CapRule], SpotPolicy]:
    query = (
        sa.select(event.c.kind, event.c.detail)
        .where(event.c.study_id == study_id, event.c.kind.in_(SETTING_KINDS), event.c.at_us <= to_us(at))
        .order_by(event.c.seq)
    )
    rules: dict[CapKey, CapRule] = {CapKey(level=CapLevel.STUDY): CapRule(None)}
    spot_policy = SpotPolicy()
    for row in connection.execute(query):
        if row.kind == EventKind.POLICY_SET:
            spot_policy = read_policy(row.detail)
        else:
            apply_setting(rules, EventKind(row.kind), row.detail)
    return rules, spot_policy


def apply_setting(rules: dict[CapKey, CapRule], kind: EventKind, detail: str) -> None:
    """Change the caps according to a CAP_SET, CLOSED or OPENED event."""
    said = msgspec.json.decode(detail)
    key = CapKey(level=CapLevel(said["level"]), scope=said["scope"])
    before = rules.get(key, CapRule(None))
    if kind is EventKind.CAP_SET:
        rules[key] = CapRule(said["spots"], before.is_closed)
    else:
        rules[key] = CapRule(before.spots, kind is EventKind.CLOSED)


STANDING_EVENT = tuple(
    sa.case({kind.value: other.value for kind, other in STANDS_AS.items()}, value=column, else_=column).label("kind")
    if column.name == "kind"
    else column
    for column in event.c
)
"""The columns of an event, with the kind that it stands for, as in `latest_event`."""


def latest_at(study_id: str, at: datetime) -> sa.Subquery:
    """Return the complete latest event of each referral up to a given time, from a replay."""
    last = (
        sa.select(sa.func.max(event.c.seq).label("seq"))
        .where(event.c.study_id == study_id, event.c.at_us <= to_us(at), event.c.referral_id.is_not(None))
        .group_by(event.c.referral_id)
        .subquery()
    )
    query = sa.select(*STANDING_EVENT)
    return query.join(last, sa.and_(event.c.study_id == study_id, event.c.seq == last.c.seq)).subquery()


def expiry_of(columns: Any, now: datetime) -> sa.Label[Any]:
    """Return when a hold or offer lapses, 0 if it has lapsed, NULL for other events.

    Lapsed holds stay the latest event permanently. As one group they take no time, and for this view they are the same.
    """
    return sa.case(
        (
            columns.kind.in_(LAPSING_KINDS),
            sa.case((columns.expires_at_us > to_us(now), columns.expires_at_us), else_=0),
        )
    ).label("lapses")


def _groups_at(connection: sa.Connection, study_id: str, at: datetime) -> tuple[Group, ...]:
    columns = latest_at(study_id, at).c
    lapses = expiry_of(columns, at)
    query = (
        sa.select(columns.site_id, columns.country, columns.arm, columns.kind, lapses, sa.func.count().label("n"))
        .where(columns.site_id.is_not(None))
        .group_by(columns.site_id, columns.country, columns.arm, columns.kind, lapses)
    )
    return tuple(group_from(row) for row in connection.execute(query))


def group_from(row: sa.Row[Any]) -> Group:
    """Return a group of referrals from a row that counts them; ``lapses`` is the value of `expiry_of`."""
    lapses = None if row.lapses is None else from_us(row.lapses)
    return Group(row.site_id, row.country, row.arm, EventKind(row.kind), lapses, row.n)
