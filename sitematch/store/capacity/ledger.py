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

from collections.abc import Callable
from datetime import datetime, timedelta

from sitematch.domain.accounts.access import Caller
from sitematch.domain.capacity.spot import Referral, state_at
from sitematch.domain.capacity.states import ACTIONS, Action, EventKind, Needs, event_of
from sitematch.errors import InvalidInput
from sitematch.store.capacity import transfers
from sitematch.store.capacity.checks import (
    check_open,
    check_open_holds,
    check_room,
    latest_of,
    open_site,
    own_spot,
    require_action,
    state_in,
)
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
        site = open_site(write, site_id)
        latest = latest_of(write, referral_id)
        require_own_referral(write, latest, may_use)
        require_action(write, referral_id, latest, Action.PLACE_HOLD)
        somebody_waits = check_room(write, site_id, site.country, arm, own_spot(write, latest))
        if somebody_waits and offer_freed_spots(write):
            latest = require_action(write, referral_id, latest_of(write, referral_id), Action.PLACE_HOLD)
            check_room(write, site_id, site.country, arm, own_spot(write, latest))
        check_open_holds(write, site_id)
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
    hours
        For EXTEND_HOLD, by how much, in hours; None is the length of a hold, within what the study's rules leave.
    site_id
        For TRANSFER, the new site.

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
        If the reason is missing or not one of the action's codes, or `hours` or `site_id` is missing, malformed or not
        for this action.
    ExtensionTooLong
        If the study's rules do not allow the hold to be extended so far.
    SiteClosed
        If an offer is accepted, or a referral transferred, and the site is closed.
    NoSpotsLeft, TooManyHolds
        If the new site has no room, or the spot that a correction needs was given to somebody else.
    SiteNotFound
        If the study does not have the new site.
    """
    code = _reason(action, reason)
    _check_needs(action, hours, site_id)

    def act(write: LedgerWrite) -> Referral:
        latest = require_action(write, referral_id, latest_of(write, referral_id), action)
        kind = event_of(action, state_in(write, latest))
        match action:
            case Action.EXTEND_HOLD:
                moved = transfers.extend(write, latest, None if hours is None else timedelta(hours=hours))
            case Action.TRANSFER:
                moved = transfers.transfer(write, latest, kind, site_id or "")
            case Action.CORRECT:
                moved = transfers.correct(write, latest, kind, code)
            case _:
                if ACTIONS[action].checks_open:
                    open_site(write, latest.site_id)
                    check_open(write, latest.site_id, latest.country, latest.arm)
                expires_at = write.now + write.policy.hold if kind is EventKind.HELD else None
                moved = write.follow(latest, kind, expires_at=expires_at, reason=code)
        if action is Action.TRANSFER or not write.policy.takes_spot(state_at(kind, moved.expires_at, write.now)):
            offered = {event.referral_id: event for event in offer_freed_spots(write)}
            moved = offered.get(referral_id, moved)
        return referral_from(moved, write.now)

    body = (referral_id, *(value for value in (code, hours, site_id) if value is not None))
    return perform(store, caller, KeyedRequest(action.value, body), now, Referral, act, referral_id=referral_id)


def _check_needs(action: Action, hours: float | None, site_id: str | None) -> None:
    needs = ACTIONS[action].needs
    if hours is not None and (needs is not Needs.HOURS or not 0 < hours <= 365 * 24):
        raise InvalidInput("Give the hours to extend a hold by: more than 0 and at most 8760.", field="hours")
    if (needs is Needs.SITE) != bool(site_id):
        raise InvalidInput("Give the new site to transfer a referral to, and for nothing else.", field="site_id")


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
