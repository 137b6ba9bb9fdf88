"""Extending a hold, moving a referral to another site, and taking back a step. Each runs under the study's lock.

The caller has checked that the referral's state allows it; see `sitematch.store.capacity.ledger.move`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.capacity.spot import LedgerEvent
from sitematch.domain.capacity.states import HOLD_STARTS, STANDS_AS, EventKind
from sitematch.domain.capacity.waiting_detail import WaitingDetail
from sitematch.errors import ExtensionTooLong, InvalidInput
from sitematch.store.capacity.checks import check_open_holds, check_room, open_site, own_spot
from sitematch.store.capacity.waiting import offer_freed_spots
from sitematch.store.capacity.writing import WAIT_KINDS, LedgerWrite
from sitematch.store.instants import from_us
from sitematch.store.schema import event


def _last(*kinds: str) -> sa.Select[Any]:
    return (
        sa.select(event)
        .where(event.c.referral_id == sa.bindparam("referral_id"), event.c.kind.in_(kinds))
        .order_by(event.c.seq.desc())
        .limit(1)
    )


_HOLD_START = _last(*(kind.value for kind in HOLD_STARTS))
_WAIT = _last(*WAIT_KINDS)


def extend(write: LedgerWrite, latest: sa.Row[Any], by: timedelta | None) -> LedgerEvent:
    """Let a hold lapse later.

    Parameters
    ----------
    write
        The write.
    latest
        The referral's row of `latest_event`.
    by
        By how much; None is the length of a hold, or what the study's rules leave if that is less.

    Raises
    ------
    ExtensionTooLong
        If all extensions together would be longer than the policy allows.
    """
    start = write.connection.execute(_HOLD_START, {"referral_id": latest.referral_id}).one()
    expires_at, bound = from_us(latest.expires_at_us), from_us(start.expires_at_us) + write.policy.extension
    wanted = min(expires_at + write.policy.hold, bound) if by is None else expires_at + by
    if wanted > bound or wanted <= expires_at:
        hours = f"{write.policy.extension.total_seconds() / 3600:g} hours"
        raise ExtensionTooLong(
            f"The study's rules allow a hold to be extended by {hours} in all. This one can last until "
            f"{bound:%Y-%m-%d %H:%M} UTC at the latest.",
            latest=bound,
        )
    return write.follow(latest, EventKind.HOLD_EXTENDED, expires_at=wanted)


def transfer(write: LedgerWrite, latest: sa.Row[Any], kind: EventKind, site_id: str) -> LedgerEvent:
    """Move a hold, or a referral on the waiting list, to another site.

    A hold needs room at the new site and keeps the time when it lapses; it never jumps the queue. A waiting referral
    keeps its place and then waits for the new site alone.

    Raises
    ------
    InvalidInput
        If it is at that site already.
    SiteNotFound, SiteClosed, NoSpotsLeft, TooManyHolds
        See `sitematch.store.capacity.ledger.move`.
    """
    site = open_site(write, site_id)
    if kind is EventKind.WAIT_TRANSFERRED:
        joined = write.connection.execute(_WAIT, {"referral_id": latest.referral_id}).one()
        before = WaitingDetail.of(joined.detail)
        detail = WaitingDetail(
            priority=before.priority,
            site_ids=(site_id,),
            joined_seq=before.joined_seq or joined.seq,
            joined_us=before.joined_us or joined.at_us,
        )
        return write.follow(latest, kind, detail=detail.text())
    if site_id == latest.site_id:
        raise InvalidInput("The referral is at this site already. Choose another one.", field="site_id")
    own = own_spot(write, latest)
    if check_room(write, site_id, site.country, latest.arm, own) and offer_freed_spots(write):
        check_room(write, site_id, site.country, latest.arm, own)
    check_open_holds(write, site_id, besides=latest.referral_id)
    return write.append(
        kind,
        referral_id=latest.referral_id,
        site_id=site_id,
        country=site.country,
        arm=latest.arm,
        expires_at=from_us(latest.expires_at_us),
        detail=msgspec.json.encode({"from": latest.site_id}).decode(),
    )


def correct(write: LedgerWrite, latest: sa.Row[Any], kind: EventKind, reason: str | None) -> LedgerEvent:
    """Take back the step that brought a referral where it is.

    The referral is where it was before. A hold lasts from now as long as a new one. If the step gave the spot back, a
    spot must be free again; a closure does not matter, as for every referral under way.

    Raises
    ------
    NoSpotsLeft
        If the spot was given to somebody else.
    """
    own = own_spot(write, latest)
    if own is None:
        check_room(write, latest.site_id, latest.country, latest.arm, None, may_be_closed=True)
    expires_at = write.now + write.policy.hold if STANDS_AS[kind] is EventKind.HELD else None
    detail = msgspec.json.encode({"corrects": latest.seq}).decode()
    return write.follow(latest, kind, expires_at=expires_at, reason=reason, detail=detail)
