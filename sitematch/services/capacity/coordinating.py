"""Actions of coordinators: every read and write of the ledger, each with a permission check first.

The command line and HTTP both use this module, so neither can omit the check. Data that a caller may not read is
reported as not found, so that guessing an id reveals nothing.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from sitematch.domain.accounts.access import GRANTED, Actor, Caller, Permission, granted_sites, may, require
from sitematch.domain.capacity.caps import CapKey, CapLevel, CapUsage, SiteCapacity
from sitematch.domain.capacity.occupancy import keys_for
from sitematch.domain.capacity.reasons import ClosureReason
from sitematch.domain.capacity.spot import (
    LedgerEvent,
    Referral,
    SpotPolicy,
    VisibleReferrals,
    WaitingEntry,
    require_allowed,
)
from sitematch.domain.capacity.states import Action, EventKind, SpotState, standing
from sitematch.domain.capacity.waiting_detail import WaitingDetail
from sitematch.errors import InvalidInput, NotAllowed, ReferralNotFound
from sitematch.store.capacity import counting, ledger, ledger_changes, rules, waiting
from sitematch.store.engine import Store

OVERLAP = timedelta(seconds=15)
"""How far `capacity` looks back before the requested time: a write that had to wait has the time of its request, and
may be committed this much later."""


def capacity(
    store: Store,
    actor: Actor,
    study_id: str,
    now: datetime,
    *,
    as_of: datetime | None = None,
    since: datetime | None = None,
    arm: str | None = None,
) -> tuple[SiteCapacity, ...]:
    """Return the spots of the sites that the actor may see.

    Parameters
    ----------
    store, actor, study_id, now
        See the module and `sitematch.store.capacity.counting.capacity`.
    as_of
        An earlier time.
    since
        Leave out sites whose numbers have certainly not changed since this time, the `as_of` of an earlier answer.
    arm
        An arm whose cap also applies.

    Raises
    ------
    NotAllowed
        If the actor may see no site of the study.
    InvalidInput
        If `since` or `as_of` is in the future.
    StudyNotFound, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.capacity.counting.capacity`.
    """
    require_somewhere(actor, Permission.CAPACITY_READ, study_id)
    for name, instant in (("since", since), ("as_of", as_of)):
        if instant is not None and instant > now:
            raise InvalidInput(f"{name} is in the future. Give a time in the past.", field=name)
    found = counting.capacity(store, study_id, now, as_of=as_of, arm=arm)
    seen = tuple(
        site for site in found if may(actor, Permission.CAPACITY_READ, study_id=study_id, site_id=site.site_id)
    )
    if since is None:
        return seen
    touched, ruled = ledger_changes.touched_since(store, study_id, since - OVERLAP, now)
    return tuple(site for site in seen if may_have_changed(site, arm, touched, ruled))


def caps(store: Store, actor: Actor, study_id: str, now: datetime) -> tuple[CapUsage, ...]:
    """Return the caps that the actor may see, widest first; a site's cap needs a role for that site.

    Raises
    ------
    NotAllowed
        If the actor has no role in the study that reads capacity.
    StudyNotFound, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.capacity.counting.caps`.
    """
    require_somewhere(actor, Permission.CAPACITY_READ, study_id)
    return tuple(
        usage
        for usage in counting.caps(store, study_id, now)
        if usage.key.level is not CapLevel.SITE
        or may(actor, Permission.CAPACITY_READ, study_id=study_id, site_id=usage.key.scope)
    )


def set_cap(store: Store, caller: Caller, *, study_id: str, key: CapKey, spots: int | None, now: datetime) -> CapUsage:
    """Set or remove a limit; see `sitematch.store.capacity.rules.set_cap`. Errors: those, and `NotAllowed`."""
    require(caller.actor, Permission.CAPS_WRITE, study_id=study_id)
    return rules.set_cap(store, caller, study_id=study_id, key=key, spots=spots, now=now)


def close(
    store: Store,
    caller: Caller,
    *,
    study_id: str,
    key: CapKey,
    now: datetime,
    reason: ClosureReason | None = None,
    closed_on: date | None = None,
) -> CapUsage:
    """Close a part of a study to new patients; see `store.capacity.rules.close`. Errors: those, and `NotAllowed`."""
    require(caller.actor, Permission.CAPS_WRITE, study_id=study_id)
    return rules.close(store, caller, study_id=study_id, key=key, now=now, reason=reason, closed_on=closed_on)


def reopen(store: Store, caller: Caller, *, study_id: str, key: CapKey, now: datetime) -> CapUsage:
    """Undo `close`; see `sitematch.store.capacity.rules.reopen`. Errors: those, and `NotAllowed`."""
    require(caller.actor, Permission.CAPS_WRITE, study_id=study_id)
    return rules.reopen(store, caller, study_id=study_id, key=key, now=now)


def policy(store: Store, actor: Actor, study_id: str) -> SpotPolicy:
    """Return a study's rules for its spots. Errors: `NotAllowed`, and those of `store.capacity.counting.policy`."""
    require_somewhere(actor, Permission.CAPACITY_READ, study_id)
    return counting.policy(store, study_id)


def set_policy(store: Store, caller: Caller, *, study_id: str, policy: SpotPolicy, now: datetime) -> SpotPolicy:
    """Set a study's rules; see `sitematch.store.capacity.rules.set_policy`. Errors: those, and `NotAllowed`."""
    require(caller.actor, Permission.CAPS_WRITE, study_id=study_id)
    return rules.set_policy(store, caller, study_id=study_id, policy=policy, now=now)


def hold(
    store: Store,
    caller: Caller,
    *,
    study_id: str,
    site_id: str,
    now: datetime,
    referral_id: str | None = None,
    arm: str | None = None,
    hold_for: timedelta | None = None,
) -> Referral:
    """Hold a spot for a time; see `sitematch.store.capacity.ledger.place_hold`. Errors: those, and `NotAllowed`.

    Without a `referral_id` a random one is created; the same idempotency key gets the same id again.
    """
    require(caller.actor, Permission.REFERRALS_WRITE, study_id=study_id, site_id=site_id)
    return ledger.place_hold(
        store,
        caller,
        study_id=study_id,
        site_id=site_id,
        referral_id=referral_id or _new_referral_id(caller),
        now=now,
        arm=arm,
        hold_for=hold_for,
        may_use=lambda site: may(caller.actor, Permission.REFERRALS_WRITE, study_id=study_id, site_id=site),
    )


def move(
    store: Store,
    caller: Caller,
    *,
    action: Action,
    referral_id: str,
    now: datetime,
    reason: str | None = None,
    hours: float | None = None,
    site_id: str | None = None,
) -> Referral:
    """Run an action on a referral.

    Parameters
    ----------
    store, caller, now
        See the module.
    action
        One of `sitematch.domain.capacity.states.MOVES`.
    referral_id
        The referral.
    reason
        One of the action's codes (`ACTIONS[action].reasons`); None if it has none.
    hours, site_id
        What the action needs (`ACTIONS[action].needs`); see `sitematch.store.capacity.ledger.move`.

    Raises
    ------
    ReferralNotFound
        If there is none of that id, or the actor may not see it.
    NotAllowed
        If the actor may see it, but may not run this action, or not at the new site.
    InvalidInput
        If the reason, the hours or the site is missing or malformed.
    IllegalTransition, ExtensionTooLong, NoSpotsLeft, TooManyHolds, SiteClosed, SiteNotFound
        If it is not possible.
    IdempotencyConflict, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.capacity.ledger`.
    """
    found = _require_referral(store, caller.actor, Permission.REFERRALS_WRITE, referral_id, now)
    if site_id is not None:
        require(caller.actor, Permission.REFERRALS_WRITE, study_id=found.study_id, site_id=site_id)
    return ledger.move(
        store,
        caller,
        action=action,
        referral_id=referral_id,
        now=now,
        reason=reason,
        hours=hours,
        site_id=site_id,
    )


def require_move(store: Store, actor: Actor, action: Action, found: Referral, now: datetime) -> None:
    """Check that an actor may run an action on a referral, and that its state allows it.

    Raises
    ------
    NotAllowed, ReferralNotFound, IllegalTransition
        If not.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    require_allowed(found.referral_id, found.state, action)
    _require_referral(store, actor, Permission.REFERRALS_WRITE, found.referral_id, now)


def referral(store: Store, actor: Actor, referral_id: str, now: datetime) -> Referral:
    """Return the state of a referral.

    Raises
    ------
    ReferralNotFound
        If there is none of that id, or the actor may not see it.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    return _require_referral(store, actor, Permission.REFERRALS_READ, referral_id, now)


def history(store: Store, actor: Actor, referral_id: str, now: datetime) -> tuple[LedgerEvent, ...]:
    """Return what happened to a referral, oldest first, and who did it.

    What happened at sites whose audit trail the actor may not read is left out: an id that is used again at another
    site does not open its earlier history. Errors: as `referral`, and `NotAllowed`.
    """
    found = _require_referral(store, actor, Permission.AUDIT_READ, referral_id, now)
    shown = []
    sites: Sequence[str | None] = (None,)
    for event in counting.history(store, referral_id):
        if event.site_id is not None:
            sites = (event.site_id,)
        elif standing(event.kind) is EventKind.WAITING:
            sites = WaitingDetail.of(event.detail).site_ids
        if _may_at_any(actor, Permission.AUDIT_READ, found.study_id, sites):
            shown.append(event)
    return tuple(shown)


def referrals(
    store: Store,
    actor: Actor,
    study_id: str,
    now: datetime,
    *,
    site_id: str | None = None,
    states: Collection[SpotState] | None = None,
    limit: int | None = None,
) -> tuple[Referral, ...]:
    """Return the referrals that the actor may see, latest change first.

    Parameters are those of `sitematch.store.capacity.counting.list_referrals`.

    Raises
    ------
    NotAllowed
        If the actor has no role in the study that reads referrals.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    require_somewhere(actor, Permission.REFERRALS_READ, study_id)
    return counting.list_referrals(
        store,
        study_id,
        now,
        site_id=site_id,
        states=states,
        visible=visible_referrals(store, actor, study_id),
        limit=limit,
    )


def visible_referrals(store: Store, actor: Actor, study_id: str) -> VisibleReferrals | None:
    """Return which referrals of a study an actor may see; None is all of them."""
    site_ids = granted_sites(actor, Permission.REFERRALS_READ, study_id)
    if site_ids is None:
        return None
    waiting_ids = (
        entry.referral_id for entry in counting.waiting_list(store, study_id) if site_ids.intersection(entry.site_ids)
    )
    return VisibleReferrals(site_ids=site_ids, waiting_ids=frozenset(waiting_ids))


def count_by_state(store: Store, actor: Actor, study_id: str, site_id: str, now: datetime) -> Counter[SpotState]:
    """Return the number of a site's referrals by state.

    Errors: `NotAllowed`, and those of `sitematch.store.capacity.counting.count_by_state`.
    """
    require(actor, Permission.REFERRALS_READ, study_id=study_id, site_id=site_id)
    return counting.count_by_state(store, study_id, site_id, now)


def join_waiting_list(
    store: Store,
    caller: Caller,
    *,
    study_id: str,
    site_ids: Sequence[str],
    now: datetime,
    referral_id: str | None = None,
    priority: int = 0,
    arm: str | None = None,
) -> Referral:
    """Add a referral to the waiting list of some sites; the caller must be allowed to manage all of them.

    See `sitematch.store.capacity.waiting.join_waiting_list`. Errors: those, and `NotAllowed`.
    """
    require_somewhere(caller.actor, Permission.WAITING_LIST_WRITE, study_id)
    for site_id in site_ids:
        require(caller.actor, Permission.WAITING_LIST_WRITE, study_id=study_id, site_id=site_id)
    return waiting.join_waiting_list(
        store,
        caller,
        study_id=study_id,
        referral_id=referral_id or _new_referral_id(caller),
        site_ids=site_ids,
        now=now,
        priority=priority,
        arm=arm,
        may_use=lambda site: may(caller.actor, Permission.WAITING_LIST_WRITE, study_id=study_id, site_id=site),
    )


def waiting_list(store: Store, actor: Actor, study_id: str) -> tuple[WaitingEntry, ...]:
    """Return the waiting referrals for sites that the actor may see, in the order in which spots are offered.

    Raises
    ------
    NotAllowed
        If the actor has no role in the study that reads referrals.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    require_somewhere(actor, Permission.REFERRALS_READ, study_id)
    return tuple(
        entry
        for entry in counting.waiting_list(store, study_id)
        if _may_at_any(actor, Permission.REFERRALS_READ, study_id, entry.site_ids)
    )


def _require_referral(store: Store, actor: Actor, permission: Permission, referral_id: str, now: datetime) -> Referral:
    found = counting.read_referral(store, referral_id, now)
    waits_for: Sequence[str] = ()
    if found.site_id is None:
        entries = counting.waiting_list(store, found.study_id)
        waits_for = next((entry.site_ids for entry in entries if entry.referral_id == found.referral_id), ())
    sites = _sites_of(found, waits_for)
    if not _may_at_any(actor, Permission.REFERRALS_READ, found.study_id, sites):
        raise ReferralNotFound(f"There is no referral {referral_id!r}.", field="referral_id")
    if permission is Permission.REFERRALS_WRITE:
        is_allowed = may_change(actor, found, waits_for)
    else:
        is_allowed = _may_at_any(actor, permission, found.study_id, sites)
    if not is_allowed:
        raise NotAllowed(f"You do not have permission to do this: {permission.value}.", permission=permission.value)
    return found


def may_change(actor: Actor, found: Referral, waits_for: Sequence[str]) -> bool:
    """Return whether an actor may change a referral: at its site, or at all the sites that it waits for.

    Who changes a place on the waiting list changes it for all its sites, as who makes it does.
    """
    return all(
        may(actor, Permission.REFERRALS_WRITE, study_id=found.study_id, site_id=site_id)
        for site_id in _sites_of(found, waits_for)
    )


def _sites_of(found: Referral, waits_for: Sequence[str]) -> Sequence[str | None]:
    """Return where a referral belongs: its site, the sites that it waits for, or the whole study."""
    return waits_for or (None,) if found.site_id is None else (found.site_id,)


def _may_at_any(actor: Actor, permission: Permission, study_id: str, sites: Sequence[str | None]) -> bool:
    return any(may(actor, permission, study_id=study_id, site_id=site_id) for site_id in sites)


def require_somewhere(actor: Actor, permission: Permission, study_id: str) -> None:
    """Check that the actor has a permission in at least one part of a study."""
    is_in_scope = actor.scopes is None or permission in actor.scopes
    if not is_in_scope or not any(
        permission in GRANTED[grant.role] and grant.study_id in (None, study_id) for grant in actor.grants
    ):
        raise NotAllowed(f"You do not have permission to do this: {permission.value}.", permission=permission.value)


def may_have_changed(site: SiteCapacity, arm: str | None, touched: frozenset[CapKey], ruled: frozenset[CapKey]) -> bool:
    """Return whether something changed at the site or under a shared cap; see `ledger_changes.touched_since`."""
    return any(
        key in touched and (key.level is CapLevel.SITE or key in ruled)
        for key in keys_for(site.site_id, site.country, arm)
    )


def _new_referral_id(caller: Caller) -> str:
    if caller.idempotency_key is None:
        random = secrets.token_bytes(15)
    else:
        random = hashlib.sha256(f"{caller.actor.actor_id}\n{caller.idempotency_key}".encode()).digest()[:15]
    return f"r-{base64.b32encode(random).decode().lower()}"
