"""Writes to the capacity ledger: holding a spot, and actions on a referral.

Each function is one transaction under its study's lock (see `sitematch.store.capacity.writing`), appends its events to
the study's chain, and returns the new state of the referral. In addition to the listed errors, all of them can raise:

* `IdempotencyConflict`: the caller's key was used with another request in the last 24 hours;
* `LedgerBusy`, `StorageFault`, `NotReady`: see `Store.writing`. After `LedgerBusy` nothing was written. After
  `StorageFault` the write may have been stored if the connection broke during the commit; a repeated request with the
  same idempotency key gives the answer.

The caller's permission is checked before, by `sitematch.domain.accounts.access.require`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sitematch.domain.accounts.access import Caller
from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.occupancy import keys_for
from sitematch.domain.capacity.spot import LedgerEvent, Referral, require_allowed, state_at
from sitematch.domain.capacity.states import ACTIONS, SPOT_KINDS, Action, EventKind, SpotState
from sitematch.domain.studies.study import TAKING_STATUSES, RecruitmentStatus
from sitematch.errors import InvalidInput, NoSpotsLeft, SiteClosed, SiteNotFound, TooManyHolds
from sitematch.store import schema
from sitematch.store.capacity.counters import IN_USE
from sitematch.store.capacity.counting import referral_from
from sitematch.store.capacity.waiting import offer_freed_spots
from sitematch.store.capacity.writing import (
    LedgerWrite,
    anywhere,
    perform,
    require_identifier,
    require_own_referral,
    require_referral_id,
)
from sitematch.store.engine import Store
from sitematch.store.idempotency import KeyedRequest
from sitematch.store.instants import from_us, to_us
from sitematch.store.schema import cap, latest_event

_LATEST = sa.select(latest_event).where(latest_event.c.referral_id == sa.bindparam("referral_id"))
_SITE = (
    sa.select(schema.site.c.country, schema.site.c.status, schema.study.c.status.label("study_status"))
    .join(schema.study, schema.study.c.study_id == schema.site.c.study_id)
    .where(schema.site.c.site_id == sa.bindparam("site_id"), schema.site.c.study_id == sa.bindparam("study_id"))
)
_somebody_waits = sa.exists().where(
    latest_event.c.study_id == sa.bindparam("study_id"), latest_event.c.kind == EventKind.WAITING.value
)
# Materialized, because otherwise PostgreSQL counts once for every cap.
_counts = IN_USE.cte("counts").prefix_with("MATERIALIZED")
_CAPS = sa.select(cap.c.level, cap.c.scope, cap.c.spots, cap.c.is_closed).where(
    cap.c.study_id == sa.bindparam("study_id"),
    sa.or_(
        sa.and_(cap.c.level == "STUDY", cap.c.scope == ""),
        sa.and_(cap.c.level == "COUNTRY", cap.c.scope == sa.bindparam("country")),
        sa.and_(cap.c.level == "ARM", cap.c.scope == sa.bindparam("arm")),
        sa.and_(cap.c.level == "SITE", cap.c.scope == sa.bindparam("site_id")),
    ),
)
# One statement for both, because the lock is held during each round trip. The study's own row is always among the caps.
_ROOM = _CAPS.add_columns(*_counts.c, _somebody_waits.label("somebody_waits")).select_from(cap.join(_counts, sa.true()))


_open_holds = (
    sa.select(sa.func.count())
    .select_from(latest_event)
    .where(
        latest_event.c.study_id == sa.bindparam("study_id"),
        latest_event.c.kind == EventKind.HELD.value,
        latest_event.c.expires_at_us > sa.bindparam("now_us"),
    )
)
_HOLDS_OF_SITE = _open_holds.where(latest_event.c.site_id == sa.bindparam("site_id"))
_HOLDS_OF_ACTOR = _open_holds.where(
    sa.exists().where(
        schema.event.c.study_id == latest_event.c.study_id,
        schema.event.c.seq == latest_event.c.seq,
        schema.event.c.actor_id == sa.bindparam("actor_id"),
    )
)


def place_hold(
    store: Store,
    caller: Caller,
    *,
    study_id: str,
    site_id: str,
    referral_id: str,
    now: datetime,
    arm: str | None = None,
    hold_for: timedelta | None = None,
    may_use: Callable[[str | None], bool] = anywhere,
) -> Referral:
    """Hold a spot for a limited time. If two callers request the last spot, one of them gets an error.

    Free spots are first offered to the waiting list: a hold never jumps the queue.

    Parameters
    ----------
    store
        The database.
    caller
        Who asks.
    study_id, site_id
        Where.
    referral_id
        Opaque: 1 to 64 letters, digits, ``. _ : -``, starting with a letter or digit. Never a name.
    now
        The instant (aware).
    arm
        The arm or cohort, if known; its cap then also applies.
    hold_for
        How long; None is the study's policy.
    may_use
        Whether the caller may use a referral that stands at a site; None asks for the whole study.

    Returns
    -------
    Referral
        HELD.

    Raises
    ------
    NoSpotsLeft
        If a cap that applies is full; the error names the widest one.
    TooManyHolds
        If the site or the caller has as many open holds as the policy allows.
    SiteClosed
        If the site, its country, the arm or the study is closed.
    IllegalTransition
        If the referral's state does not allow a hold; the error lists the allowed actions.
    InvalidInput
        If an id or the duration is malformed, or the id looks like a person's number.
    ReferralIdTaken
        If the id is in use in another study, or where the caller may not look.
    SiteNotFound, StudyNotFound
        If there is none of that id, or the site is not the study's.
    """
    require_referral_id(referral_id)
    if arm is not None:
        require_identifier(arm, "arm")
    if hold_for is not None and not timedelta(0) < hold_for <= timedelta(days=365):
        raise InvalidInput("A hold must last more than 0 and at most 365 days.", field="hold_for")
    seconds = None if hold_for is None else hold_for.total_seconds()

    def act(write: LedgerWrite) -> Referral:
        site = _open_site(write, site_id)
        latest = _latest(write, referral_id)
        require_own_referral(write, latest, may_use)
        _require(write, referral_id, latest, Action.PLACE_HOLD)
        somebody_waits = _check_room(write, site_id, site.country, arm, _own_spot(write, latest))
        if somebody_waits and offer_freed_spots(write):
            latest = _require(write, referral_id, _latest(write, referral_id), Action.PLACE_HOLD)
            _check_room(write, site_id, site.country, arm, _own_spot(write, latest))
        _check_open_holds(write, site_id)
        held = write.append(
            EventKind.HELD,
            referral_id=referral_id,
            is_new_referral=latest is None,
            site_id=site_id,
            country=site.country,
            arm=arm,
            expires_at=write.now + (hold_for or write.policy.hold),
        )
        return referral_from(held, write.now)

    operation = KeyedRequest("place_hold", (study_id, site_id, referral_id, arm, seconds))
    return perform(store, caller, operation, now, Referral, act, study_id=study_id)


def _check_open_holds(write: LedgerWrite, site_id: str) -> None:
    """Refuse a hold beyond the limits of the study's policy on open holds."""
    policy, now_us = write.policy, to_us(write.now)
    asked = {"study_id": write.study_id, "now_us": now_us}
    if (most := policy.open_holds_per_site) is not None:
        found = write.connection.execute(_HOLDS_OF_SITE, {**asked, "site_id": site_id}).scalar_one()
        if found >= most:
            raise TooManyHolds(f"This site has {found} open holds; the study allows {most}.", per="site", most=most)
    if (most := policy.open_holds_per_account) is not None:
        actor_id = write.caller.actor.actor_id
        found = write.connection.execute(_HOLDS_OF_ACTOR, {**asked, "actor_id": actor_id}).scalar_one()
        if found >= most:
            said = f"You have {found} open holds; the study allows one account {most}."
            raise TooManyHolds(said, per="account", most=most)


def move(
    store: Store, caller: Caller, *, action: Action, referral_id: str, now: datetime, reason: str | None = None
) -> Referral:
    """Run an action on a referral, according to `sitematch.domain.capacity.states.ACTIONS`.

    Parameters
    ----------
    store
        The database.
    caller
        Who asks.
    action
        One of `sitematch.domain.capacity.states.MOVES`.
    referral_id
        The referral.
    now
        The instant (aware).
    reason
        One of the action's codes; None if the action has none.

    Returns
    -------
    Referral
        In its new state. A released spot is offered to the waiting list.

    Raises
    ------
    ReferralNotFound, IllegalTransition
        If there is no such referral, or its state does not allow the action (the spot of a lapsed hold may have been
        sold).
    InvalidInput
        If the reason is missing or not one of the action's codes.
    SiteClosed
        If an offer is accepted and the site has closed since.
    """
    facts = ACTIONS[action]
    code = _reason(action, reason)

    def act(write: LedgerWrite) -> Referral:
        latest = _require(write, referral_id, _latest(write, referral_id), action)
        if facts.checks_open:
            _open_site(write, latest.site_id)
            _check_open(write, latest.site_id, latest.country, latest.arm)
        expires_at = write.now + write.policy.hold if facts.event is EventKind.HELD else None
        moved = _follow(write, latest, facts.event, expires_at=expires_at, reason=code)
        if not write.policy.takes_spot(state_at(facts.event, expires_at, write.now)):
            offer_freed_spots(write)
        return referral_from(moved, write.now)

    operation = KeyedRequest(action.value, (referral_id,) if code is None else (referral_id, code))
    return perform(store, caller, operation, now, Referral, act, referral_id=referral_id)


def _reason(action: Action, reason: str | None) -> str | None:
    """Return a reason as a code, if it is one of the action's codes."""
    codes = ACTIONS[action].reasons
    if codes is None:
        if reason is not None:
            raise InvalidInput(f"{action.value} takes no reason.", field="reason")
        return None
    try:
        return codes(reason or "").value
    except ValueError:
        known = ", ".join(code.value for code in codes)
        raise InvalidInput(f"Give a reason: one of {known}.", field="reason") from None


def _latest(write: LedgerWrite, referral_id: str) -> sa.Row[Any] | None:
    return write.connection.execute(_LATEST, {"referral_id": referral_id}).one_or_none()


def _state(write: LedgerWrite, latest: sa.Row[Any]) -> SpotState:
    expires_at = None if latest.expires_at_us is None else from_us(latest.expires_at_us)
    return state_at(EventKind(latest.kind), expires_at, write.now)


def _require(
    write: LedgerWrite, referral_id: str, latest: sa.Row[Any] | None, action: Action
) -> Any:  # the row, or None if the action can be a referral's first
    require_allowed(referral_id, None if latest is None else _state(write, latest), action)
    return latest


def _own_spot(write: LedgerWrite, latest: sa.Row[Any] | None) -> sa.Row[Any] | None:
    """Return the referral's row if it already uses a spot, because a rescreening needs no second one."""
    if latest is not None and write.policy.takes_spot(_state(write, latest)):
        return latest
    return None


def _open_site(write: LedgerWrite, site_id: str) -> Any:
    site = write.connection.execute(_SITE, {"site_id": site_id, "study_id": write.study_id}).one_or_none()
    if site is None:
        raise SiteNotFound(f"Study {write.study_id} has no site {site_id!r}.", field="site_id")
    for what, status in (("The study", site.study_status), (f"Site {site_id}", site.status)):
        if RecruitmentStatus(status) not in TAKING_STATUSES:
            raise SiteClosed(f"{what} is not taking patients: its status is {status}.")
    return site


def _check_open(write: LedgerWrite, site_id: str, country: str, arm: str | None) -> None:
    where = {"study_id": write.study_id, "site_id": site_id, "country": country, "arm": arm}
    _limits(write, write.connection.execute(_CAPS, where).all())


def _limits(write: LedgerWrite, rows: Sequence[Any]) -> dict[CapKey, int | None]:
    """Return the limits of the caps that apply, if none of them is closed."""
    limits: dict[CapKey, int | None] = {}
    for row in rows:
        key = CapKey(level=CapLevel(row.level), scope=row.scope)
        if row.is_closed:
            raise SiteClosed(f"{key} of study {write.study_id} is closed.")
        limits[key] = row.spots
    return limits


def _check_room(write: LedgerWrite, site_id: str, country: str, arm: str | None, own: sa.Row[Any] | None) -> bool:
    """Check every cap that applies, widest first, and return whether anybody is on the waiting list."""
    where = {
        "study_id": write.study_id,
        "site_id": site_id,
        "country": country,
        "arm": arm,
        "now_us": to_us(write.now),
        "taking": [kind for kind in SPOT_KINDS if write.policy.takes_spot(SpotState(kind))],
    }
    rows = write.connection.execute(_ROOM, where).all()
    limits, counts = _limits(write, rows), rows[0]._mapping
    own_keys = () if own is None else keys_for(own.site_id, own.country, own.arm)
    for key in keys_for(site_id, country, arm):
        spots, taken = limits.get(key), counts[key.level.value]
        if spots is not None and taken - (key in own_keys) >= spots:
            raise NoSpotsLeft(
                f"No spots left: {taken} of {spots} are taken ({key}).",
                level=key.level.value,
                scope=key.scope,
                spots=spots,
                taken=taken,
            )
    return bool(counts["somebody_waits"])


def _follow(
    write: LedgerWrite,
    latest: sa.Row[Any],
    kind: EventKind,
    *,
    expires_at: datetime | None = None,
    reason: str | None = None,
) -> LedgerEvent:
    return write.append(
        kind,
        referral_id=latest.referral_id,
        site_id=latest.site_id,
        country=latest.country,
        arm=latest.arm,
        expires_at=expires_at,
        reason=reason,
    )
