"""The waiting list: who gets the next free spot.

The order is by priority, then by age. An offer uses a spot until it lapses, so nobody else can take it meanwhile. A
referral that declines an offer, or lets it lapse, leaves the list, and the spot goes to the next one. A lapse depends
only on `now` and writes nothing; the next write to the study, or `sweep`, offers the spot again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa

from sitematch.domain.accounts.access import WAITING_LIST, Actor, Caller
from sitematch.domain.capacity.occupancy import keys_for
from sitematch.domain.capacity.spot import MAX_WAITING_SITES, LedgerEvent, Referral, require_allowed, state_at
from sitematch.domain.capacity.states import Action, EventKind
from sitematch.domain.capacity.waiting_detail import WaitingDetail
from sitematch.errors import InvalidInput, SiteClosed, SiteNotFound
from sitematch.store import schema
from sitematch.store.capacity.counting import read_view, referral_from, waiting_in
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
from sitematch.store.instants import from_us
from sitematch.store.schema import latest_event

_SWEEPER = Actor(actor_id="system:sweep")


def join_waiting_list(
    store: Store,
    caller: Caller,
    *,
    study_id: str,
    referral_id: str,
    site_ids: Sequence[str],
    now: datetime,
    priority: int = 0,
    arm: str | None = None,
    may_use: Callable[[str | None], bool] = anywhere,
) -> Referral:
    """Add a referral to the waiting list of some sites; a free spot is offered at once if nobody is ahead.

    Parameters
    ----------
    store
        The database.
    caller
        Who asks.
    study_id, referral_id, arm, may_use
        Who waits for what; see `sitematch.store.capacity.ledger.place_hold`.
    site_ids
        The sites within the patient's maximum distance, preferred site first; 1 to 500. The caller finds them: the
        ledger has no postcode and stores no distance.
    now
        The instant (aware).
    priority
        -1000 to 1000; higher numbers come first.

    Returns
    -------
    Referral
        WAITING or OFFERED.

    Raises
    ------
    SiteClosed
        If the study has no waiting list.
    IllegalTransition
        If the referral's state does not allow it; the error lists the allowed actions.
    InvalidInput
        If an id, the priority or the number of sites is out of bounds, or the id looks like a person's number.
    ReferralIdTaken
        If the id is in use in another study, or where the caller may not look.
    SiteNotFound, StudyNotFound
        If there is none of that id, or the site is not the study's.
    IdempotencyConflict, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.capacity.ledger`.
    """
    require_referral_id(referral_id)
    if arm is not None:
        require_identifier(arm, "arm")
    wanted = tuple(dict.fromkeys(site_ids))
    if not 1 <= len(wanted) <= MAX_WAITING_SITES:
        raise InvalidInput(f"Choose 1 to {MAX_WAITING_SITES} sites to wait for.", field="site_ids")
    if not -1000 <= priority <= 1000:
        raise InvalidInput("The priority must be a number from -1000 to 1000.", field="priority")
    detail = WaitingDetail(priority=priority, site_ids=wanted).text()

    def act(write: LedgerWrite) -> Referral:
        if not write.policy.waiting_list:
            raise SiteClosed(f"Study {study_id} has no waiting list.")
        known = _known_sites(write, wanted)
        for site_id in wanted:
            if site_id not in known:
                raise SiteNotFound(f"Study {study_id} has no site {site_id!r}.", field="site_ids")
        latest = write.connection.execute(
            sa.select(latest_event).where(latest_event.c.referral_id == referral_id)
        ).one_or_none()
        require_own_referral(write, latest, may_use)
        expires_at = None if latest is None or latest.expires_at_us is None else from_us(latest.expires_at_us)
        state = None if latest is None else state_at(EventKind(latest.kind), expires_at, write.now)
        require_allowed(referral_id, state, Action.JOIN_WAITING_LIST)
        joined = write.append(
            EventKind.WAITING, referral_id=referral_id, is_new_referral=latest is None, arm=arm, detail=detail
        )
        offered = {event.referral_id: event for event in offer_freed_spots(write)}
        return referral_from(offered.get(referral_id, joined), write.now)

    operation = KeyedRequest("join_waiting_list", (study_id, referral_id, arm, detail))
    return perform(store, caller, operation, now, Referral, act, study_id=study_id)


def sweep(store: Store, study_id: str, now: datetime, *, request_id: str = "sweep") -> int:
    """Offer spots that became free by a lapse, and return the number of offers.

    Run it regularly (once a minute is enough) for the studies with a waiting list. It writes nothing if there is
    nothing to offer, and can run in several processes at once.

    Raises
    ------
    StudyNotFound, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.capacity.ledger`.
    """
    caller = Caller(actor=_SWEEPER, request_id=request_id)
    return perform(
        store,
        caller,
        KeyedRequest("sweep", (study_id,)),
        now,
        int,
        lambda write: len(offer_freed_spots(write)),
        study_id=study_id,
    )


def studies_with_waiting(store: Store) -> tuple[str, ...]:
    """Return the studies with referrals on the waiting list, by id."""
    query = (
        sa.select(latest_event.c.study_id)
        .where(latest_event.c.kind == EventKind.WAITING.value)
        .distinct()
        .order_by(latest_event.c.study_id)
    )
    with store.reading() as connection:
        return tuple(connection.execute(query).scalars())


_SOMEBODY_WAITS = (
    sa.select(latest_event.c.referral_id)
    .where(latest_event.c.study_id == sa.bindparam("study_id"), latest_event.c.kind == EventKind.WAITING.value)
    .limit(1)
)


def offer_freed_spots(write: LedgerWrite) -> tuple[LedgerEvent, ...]:
    """Offer the free spots to the waiting list, in its order; return the events, oldest first.

    An offer is the program's, not that of whoever freed the spot. Each referral is offered the first of its sites that
    is open and has a spot. Without a known cap there is nothing to wait for, so the spot is offered at once.
    """
    if write.connection.execute(_SOMEBODY_WAITS, {"study_id": write.study_id}).first() is None:
        return ()
    view = read_view(write.connection, write.study_id, write.now)
    taken = view.taken(write.now)
    sites = {site.site_id: site for site in view.sites}
    offers = []
    for entry in waiting_in(write.connection, write.study_id):
        for site in (sites[site_id] for site_id in entry.site_ids if site_id in sites):
            left, _ = view.left(taken, site, entry.arm)
            if left == 0 or not view.is_open(site, entry.arm):
                continue
            offers.append(
                write.append(
                    EventKind.OFFERED,
                    referral_id=entry.referral_id,
                    site_id=site.site_id,
                    country=site.country,
                    arm=entry.arm,
                    expires_at=write.now + write.policy.offer,
                    actor=WAITING_LIST,
                )
            )
            taken.update(keys_for(site.site_id, site.country, entry.arm))
            break
    return tuple(offers)


def _known_sites(write: LedgerWrite, site_ids: Sequence[str]) -> frozenset[str]:
    query = sa.select(schema.site.c.site_id).where(
        schema.site.c.study_id == write.study_id, schema.site.c.site_id.in_(site_ids)
    )
    return frozenset(write.connection.execute(query).scalars())
