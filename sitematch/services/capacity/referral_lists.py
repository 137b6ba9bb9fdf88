"""Finding referrals, and who made their changes; each call checks permissions first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sitematch.domain.accounts.access import Actor, Permission
from sitematch.domain.capacity.referral_filter import ReferralFilter, ReferralPage
from sitematch.domain.capacity.spot import Referral
from sitematch.services.capacity.coordinating import require_somewhere, visible_referrals
from sitematch.store.capacity import referral_search
from sitematch.store.capacity.history import audit_trail
from sitematch.store.engine import Store

_ROWS_A_READ = 500


def find(
    store: Store,
    actor: Actor,
    study_id: str,
    now: datetime,
    wanted: ReferralFilter,
    *,
    limit: int,
    cursor: str | None = None,
) -> ReferralPage:
    """Return a page of the referrals that the actor may see.

    Parameters are those of `sitematch.store.capacity.referral_search.find_referrals`.

    Raises
    ------
    NotAllowed
        If the actor has no role in the study that reads referrals, or asks who acted without reading the audit trail.
    InvalidInput, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.capacity.referral_search.find_referrals`.
    """
    require_somewhere(actor, Permission.REFERRALS_READ, study_id)
    if wanted.actor_id is not None:
        require_somewhere(actor, Permission.AUDIT_READ, study_id)
    return referral_search.find_referrals(
        store,
        study_id,
        now,
        wanted,
        limit=limit,
        cursor=cursor,
        visible=visible_referrals(store, actor, study_id),
    )


def find_all(store: Store, actor: Actor, study_id: str, now: datetime, wanted: ReferralFilter) -> Iterator[Referral]:
    """Yield all referrals that `find` would return, page by page."""
    cursor: str | None = None
    while True:
        found = find(store, actor, study_id, now, wanted, limit=_ROWS_A_READ, cursor=cursor)
        yield from found.referrals
        cursor = found.cursor
        if cursor is None:
            return


def recent_actors(store: Store, actor: Actor, study_id: str) -> dict[str, str]:
    """Return who made the latest changes of a study, with their names where they are known, by id.

    Raises
    ------
    NotAllowed
        If the actor may not read the audit trail of the whole study.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    require_somewhere(actor, Permission.AUDIT_READ, study_id)
    found = referral_search.recent_actors(store, study_id)
    return {actor_id: actor_id for actor_id in found} | audit_trail.actor_names(store, found)


def arms(store: Store, actor: Actor, study_id: str) -> tuple[str, ...]:
    """Return the arms of a study that have referrals or a cap, by name.

    Raises
    ------
    NotAllowed
        If the actor has no role in the study that reads referrals.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    require_somewhere(actor, Permission.REFERRALS_READ, study_id)
    return referral_search.known_arms(store, study_id)
