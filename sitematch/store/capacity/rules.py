"""The rules for a study's spots: caps, closures, policy. Each change is an event in the study's chain.

All functions may raise `IdempotencyConflict`, `LedgerBusy`, `StorageFault` and `NotReady`, as in
`sitematch.store.capacity.ledger`. If a change frees spots, they are offered to the waiting list in the same
transaction.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.accounts.access import Caller
from sitematch.domain.capacity.caps import CapKey, CapLevel, CapUsage
from sitematch.domain.capacity.reasons import ClosureReason
from sitematch.domain.capacity.spot import SpotPolicy
from sitematch.domain.capacity.states import EventKind
from sitematch.errors import InvalidInput, SiteNotFound
from sitematch.store import schema
from sitematch.store.capacity.counting import read_view
from sitematch.store.capacity.waiting import offer_freed_spots
from sitematch.store.capacity.writing import LedgerWrite, perform, require_identifier
from sitematch.store.engine import Store
from sitematch.store.idempotency import KeyedRequest
from sitematch.store.schema import cap, latest_event

_MAX_SPOTS = 10_000_000


def set_cap(store: Store, caller: Caller, *, study_id: str, key: CapKey, spots: int | None, now: datetime) -> CapUsage:
    """Set, change or remove a limit.

    A limit below the spots taken is accepted: it shows as over-enrolled, and no more spots are given.

    Parameters
    ----------
    store
        The database.
    caller
        Who asks.
    study_id, key
        The study and its part.
    spots
        0 to 10,000,000; None removes the limit.
    now
        The instant (aware).

    Returns
    -------
    CapUsage
        The cap, and the spots taken under it.

    Raises
    ------
    InvalidInput
        If the number or the scope is invalid.
    SiteNotFound, StudyNotFound
        If there is none of that id, or the site is not the study's.
    """
    if spots is not None and not 0 <= spots <= _MAX_SPOTS:
        raise InvalidInput(f"A cap must be a number from 0 to {_MAX_SPOTS}, or none.", field="spots")
    return _set_rule(store, caller, study_id, key, EventKind.CAP_SET, now, spots=spots)


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
    """Close a part of a study to new patients; referrals in progress continue, and participants still count.

    Parameters
    ----------
    store, caller, study_id, key, now
        See `set_cap`.
    reason
        Why, for the history; None if it is not said.
    closed_on
        Since when it has taken nobody, for the history, not after today (UTC); the closure itself begins now.

    Raises
    ------
    InvalidInput, SiteNotFound, StudyNotFound
        See `set_cap`; or if `closed_on` is in the future.
    """
    if closed_on is not None and closed_on > now.date():
        raise InvalidInput("The day of the closure is in the future. Close it on that day.", field="closed_on")
    said = {"reason": reason and reason.value, "from": closed_on and closed_on.isoformat()}
    return _set_rule(
        store, caller, study_id, key, EventKind.CLOSED, now, why={name: word for name, word in said.items() if word}
    )


def reopen(store: Store, caller: Caller, *, study_id: str, key: CapKey, now: datetime) -> CapUsage:
    """Undo `close`. If its status in the catalogue is closed to new patients, the site stays closed.

    Raises
    ------
    InvalidInput, SiteNotFound, StudyNotFound
        See `set_cap`.
    """
    return _set_rule(store, caller, study_id, key, EventKind.OPENED, now)


def set_policy(store: Store, caller: Caller, *, study_id: str, policy: SpotPolicy, now: datetime) -> SpotPolicy:
    """Set a study's rules; they also apply to referrals in progress, except that holds keep their expiry.

    Raises
    ------
    StudyNotFound
        If there is no such study.
    """
    text = msgspec.json.encode(policy, order="deterministic").decode()

    def act(write: LedgerWrite) -> SpotPolicy:
        write.append(EventKind.POLICY_SET, detail=text)
        write.policy = policy
        write.connection.execute(
            sa.update(cap)
            .where(cap.c.study_id == study_id, cap.c.level == "STUDY", cap.c.scope == "")
            .values(policy=text)
        )
        offer_freed_spots(write)
        return policy

    return perform(store, caller, KeyedRequest("set_policy", (study_id, text)), now, SpotPolicy, act, study_id=study_id)


def _set_rule(
    store: Store,
    caller: Caller,
    study_id: str,
    key: CapKey,
    kind: EventKind,
    now: datetime,
    *,
    spots: int | None = None,
    why: dict[str, str] | None = None,
) -> CapUsage:
    _check_key(key)
    detail = {"level": key.level.value, "scope": key.scope, **(why or {})}
    if kind is EventKind.CAP_SET:
        detail["spots"] = spots  # type: ignore[assignment]
    text = msgspec.json.encode(detail).decode()

    def act(write: LedgerWrite) -> CapUsage:
        if key.level is CapLevel.SITE and not _is_site(write, key.scope):
            raise SiteNotFound(f"Study {study_id} has no site {key.scope!r}.", field="site_id")
        write.append(kind, detail=text)
        apply_rule(write.connection, study_id, key, kind, spots)
        offer_freed_spots(write)
        usage = read_view(write.connection, study_id, write.now).usage(write.now)
        return next(item for item in usage if item.key == key)

    operation = KeyedRequest(kind.value, (study_id, text))
    return perform(store, caller, operation, now, CapUsage, act, study_id=study_id)


def _check_key(key: CapKey) -> None:
    if key.level is CapLevel.STUDY:
        if key.scope:
            raise InvalidInput("A cap for the whole study must have an empty scope.", field="scope")
    elif key.level is CapLevel.COUNTRY:
        if not re.fullmatch(r"[A-Z]{2}", key.scope):
            raise InvalidInput("Give the country as two capital letters (ISO 3166-1 alpha-2).", field="scope")
    elif key.level is CapLevel.ARM:
        require_identifier(key.scope, "scope")


def _is_site(write: LedgerWrite, site_id: str) -> bool:
    """Return whether the site is in the catalogue, or has events in the ledger from when it was."""
    known = sa.select(schema.site.c.site_id).where(
        schema.site.c.site_id == site_id, schema.site.c.study_id == write.study_id
    )
    used = sa.select(latest_event.c.site_id).where(
        latest_event.c.study_id == write.study_id, latest_event.c.site_id == site_id
    )
    return write.connection.execute(sa.union_all(known, used).limit(1)).first() is not None


def apply_rule(connection: sa.Connection, study_id: str, key: CapKey, kind: EventKind, spots: int | None) -> None:
    """Write a cap's row according to a CAP_SET, CLOSED or OPENED event."""
    change: dict[str, Any] = {"spots": spots} if kind is EventKind.CAP_SET else {"is_closed": kind is EventKind.CLOSED}
    row = {"study_id": study_id, "level": key.level.value, "scope": key.scope}
    known = connection.execute(
        sa.update(cap).where(*(cap.c[name] == value for name, value in row.items())).values(**change)
    )
    if not known.rowcount:
        empty = {"spots": None, "is_closed": False, "version": 0, "policy": ""}
        head = {"head_seq": 0, "head_hash": "", "head_at_us": 0}
        connection.execute(sa.insert(cap).values({**row, **empty, **head, **change}))
