"""One action on many referrals: what it would do, and doing it. Each referral is a write of its own in the trail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sitematch.domain.accounts.access import Actor, Caller
from sitematch.domain.capacity.spot import Referral
from sitematch.domain.capacity.states import Action
from sitematch.errors import CapacityError, InvalidInput, NotAllowed, NotFound, SitematchError
from sitematch.services.capacity import coordinating
from sitematch.store.engine import Store

BULK_ACTIONS = (Action.EXTEND_HOLD, Action.TRANSFER, Action.RELEASE)
"""Actions that make sense for many referrals at once, in their usual order."""

MAX_REFERRALS = 200
"""The most referrals of one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkItem:
    """One referral of a bulk action.

    Parameters
    ----------
    referral_id
        The referral.
    referral
        Its state, before (in a preview) or after; None if the actor may not see it, or it was refused.
    refusal
        Why the action is not possible; None if it is, or was done.
    """

    referral_id: str
    referral: Referral | None
    refusal: SitematchError | None = None


def preview(
    store: Store, actor: Actor, action: Action, referral_ids: Sequence[str], now: datetime
) -> tuple[BulkItem, ...]:
    """Return what an action would meet, in the given order without repeats; nothing is changed.

    Raises
    ------
    InvalidInput
        If the action is none of `BULK_ACTIONS`, or there are no referrals or too many.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    found = []
    for referral_id in _chosen(action, referral_ids):
        referral = None
        try:
            referral = coordinating.referral(store, actor, referral_id, now)
            coordinating.require_move(store, actor, action, referral, now)
        except (CapacityError, NotAllowed, NotFound) as refusal:
            found.append(BulkItem(referral_id=referral_id, referral=referral, refusal=refusal))
        else:
            found.append(BulkItem(referral_id=referral_id, referral=referral))
    return tuple(found)


def run(
    store: Store,
    caller: Caller,
    action: Action,
    referral_ids: Sequence[str],
    now: datetime,
    *,
    hours: float | None = None,
    site_id: str | None = None,
) -> tuple[BulkItem, ...]:
    """Run an action on referrals one after the other; a refusal of one does not stop the others.

    Parameters
    ----------
    store, caller, now
        See `sitematch.services.capacity.coordinating`. With an idempotency key, a repeat does nothing twice.
    action, referral_ids
        See `preview`.
    hours, site_id
        See `sitematch.services.capacity.coordinating.move`.

    Returns
    -------
    tuple of BulkItem
        In the given order without repeats.

    Raises
    ------
    InvalidInput
        See `preview`; or if the hours or the site is missing or malformed.
    LedgerBusy, StorageFault, NotReady, IdempotencyConflict
        See `sitematch.store.capacity.ledger`. What was done before stays done; a repeat with the same key goes on.
    """
    done = []
    for referral_id in _chosen(action, referral_ids):
        key = None if caller.idempotency_key is None else f"{caller.idempotency_key}:{referral_id}"
        try:
            moved = coordinating.move(
                store,
                replace(caller, idempotency_key=key),
                action=action,
                referral_id=referral_id,
                now=now,
                hours=hours,
                site_id=site_id,
            )
        except (CapacityError, NotAllowed, NotFound) as refusal:
            done.append(BulkItem(referral_id=referral_id, referral=None, refusal=refusal))
        else:
            done.append(BulkItem(referral_id=referral_id, referral=moved))
    return tuple(done)


def _chosen(action: Action, referral_ids: Sequence[str]) -> tuple[str, ...]:
    if action not in BULK_ACTIONS:
        names = ", ".join(item.value for item in BULK_ACTIONS)
        raise InvalidInput(f"Choose one of these actions for several referrals: {names}.", field="action")
    chosen = tuple(dict.fromkeys(referral_ids))
    if not 1 <= len(chosen) <= MAX_REFERRALS:
        raise InvalidInput(f"Choose 1 to {MAX_REFERRALS} referrals.", field="ids")
    return chosen
