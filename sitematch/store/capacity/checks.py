"""What a write to the ledger checks under the study's lock: the referral's state, open sites, room under the caps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.occupancy import keys_for
from sitematch.domain.capacity.spot import require_allowed, state_at
from sitematch.domain.capacity.states import SPOT_KINDS, Action, EventKind, SpotState
from sitematch.domain.studies.study import TAKING_STATUSES, RecruitmentStatus
from sitematch.errors import NoSpotsLeft, SiteClosed, SiteNotFound, TooManyHolds
from sitematch.store import schema
from sitematch.store.capacity.counters import IN_USE
from sitematch.store.capacity.writing import LedgerWrite
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
        latest_event.c.referral_id != sa.bindparam("besides"),
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


def check_open_holds(write: LedgerWrite, site_id: str, *, besides: str = "") -> None:
    """Refuse a hold beyond the limits of the study's policy on open holds; `besides` is a referral not to count."""
    policy, now_us = write.policy, to_us(write.now)
    asked = {"study_id": write.study_id, "now_us": now_us, "besides": besides}
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


def latest_of(write: LedgerWrite, referral_id: str) -> sa.Row[Any] | None:
    """Return the referral's row of `latest_event`; None if it is not in the ledger."""
    return write.connection.execute(_LATEST, {"referral_id": referral_id}).one_or_none()


def state_in(write: LedgerWrite, latest: sa.Row[Any]) -> SpotState:
    """Return the state of a referral at the time of the write."""
    expires_at = None if latest.expires_at_us is None else from_us(latest.expires_at_us)
    return state_at(EventKind(latest.kind), expires_at, write.now)


def require_action(write: LedgerWrite, referral_id: str, latest: sa.Row[Any] | None, action: Action) -> Any:
    """Check that the referral's state allows an action; return its row, or None if the action can be its first."""
    require_allowed(referral_id, None if latest is None else state_in(write, latest), action)
    return latest


def own_spot(write: LedgerWrite, latest: sa.Row[Any] | None) -> sa.Row[Any] | None:
    """Return the referral's row if it already uses a spot, because a rescreening needs no second one."""
    if latest is not None and write.policy.takes_spot(state_in(write, latest)):
        return latest
    return None


def open_site(write: LedgerWrite, site_id: str) -> Any:
    """Return the country of a site whose status takes patients, as a row."""
    site = write.connection.execute(_SITE, {"site_id": site_id, "study_id": write.study_id}).one_or_none()
    if site is None:
        raise SiteNotFound(f"Study {write.study_id} has no site {site_id!r}.", field="site_id")
    for what, status in (("The study", site.study_status), (f"Site {site_id}", site.status)):
        if RecruitmentStatus(status) not in TAKING_STATUSES:
            raise SiteClosed(f"{what} is not taking patients: its status is {status}.")
    return site


def check_open(write: LedgerWrite, site_id: str, country: str, arm: str | None) -> None:
    """Check that no cap that applies is closed."""
    where = {"study_id": write.study_id, "site_id": site_id, "country": country, "arm": arm}
    _limits(write, write.connection.execute(_CAPS, where).all())


def _limits(write: LedgerWrite, rows: Sequence[Any], *, may_be_closed: bool = False) -> dict[CapKey, int | None]:
    """Return the limits of the caps that apply, if none of them is closed or closures do not matter."""
    limits: dict[CapKey, int | None] = {}
    for row in rows:
        key = CapKey(level=CapLevel(row.level), scope=row.scope)
        if row.is_closed and not may_be_closed:
            raise SiteClosed(f"{key} of study {write.study_id} is closed.")
        limits[key] = row.spots
    return limits


def check_room(
    write: LedgerWrite,
    site_id: str,
    country: str,
    arm: str | None,
    own: sa.Row[Any] | None,
    *,
    may_be_closed: bool = False,
) -> bool:
    """Check every cap that applies, widest first, and return whether anybody is on the waiting list.

    `own` is the referral's row if it already uses a spot. `may_be_closed` is for referrals under way, which continue
    when a part of the study is closed.
    """
    where = {
        "study_id": write.study_id,
        "site_id": site_id,
        "country": country,
        "arm": arm,
        "now_us": to_us(write.now),
        "taking": [kind for kind in SPOT_KINDS if write.policy.takes_spot(SpotState(kind))],
    }
    rows = write.connection.execute(_ROOM, where).all()
    limits, counts = _limits(write, rows, may_be_closed=may_be_closed), rows[0]._mapping
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
