"""The audit trail for people: the events at one site, who acted, and since when spots are held."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
import sqlalchemy as sa

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.occupancy import keys_for
from sitematch.domain.capacity.spot import LedgerEvent
from sitematch.domain.capacity.states import HOLD_STARTS, EventKind
from sitematch.store import schema
from sitematch.store.capacity.chain import read_event
from sitematch.store.engine import Store
from sitematch.store.instants import from_us, to_us
from sitematch.store.schema import event, latest_event

_RULES = (EventKind.CAP_SET.value, EventKind.CLOSED.value, EventKind.OPENED.value, EventKind.POLICY_SET.value)
_WHOLE = CapKey(level=CapLevel.STUDY)


def site_trail(
    store: Store, study_id: str, site_id: str, country: str, *, limit: int, before_seq: int | None = None
) -> tuple[LedgerEvent, ...]:
    """Return the events at a site, latest first: those of its referrals, and of the rules that apply to it.

    Parameters
    ----------
    store
        The database.
    study_id, site_id, country
        The site and its country, whose rules also apply to it.
    limit
        Maximum number of events, at least 1.
    before_seq
        Only events before this one, for the next page.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    is_rule = sa.and_(event.c.referral_id.is_(None), event.c.kind.in_(_RULES))
    query = (
        sa.select(event)
        .where(event.c.study_id == study_id, sa.or_(event.c.site_id == site_id, is_rule))
        .order_by(event.c.seq.desc())
    )
    if before_seq is not None:
        query = query.where(event.c.seq < before_seq)
    binding = frozenset(keys_for(site_id, country, None))
    found: list[LedgerEvent] = []
    with store.reading() as connection, connection.execution_options(yield_per=200).execute(query) as rows:
        for row in rows:
            happened = read_event(row)
            if happened.site_id == site_id or _part_of(happened) in binding:
                found.append(happened)
            if len(found) == limit:
                break
    return tuple(found)


def oldest_holds(store: Store, study_id: str, now: datetime) -> dict[str, datetime]:
    """Return the start of the oldest active hold at each site (aware, UTC); sites without one are left out.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    # An extension or a transfer does not begin a hold anew.
    began = (
        sa.select(latest_event.c.site_id, sa.func.max(event.c.at_us).label("at_us"))
        .select_from(latest_event.join(event, event.c.referral_id == latest_event.c.referral_id))
        .where(
            latest_event.c.study_id == study_id,
            latest_event.c.kind == EventKind.HELD.value,
            latest_event.c.expires_at_us > to_us(now),
            event.c.kind.in_(HOLD_STARTS),
        )
        .group_by(latest_event.c.site_id, latest_event.c.referral_id)
        .subquery()
    )
    query = sa.select(began.c.site_id, sa.func.min(began.c.at_us).label("since_us")).group_by(began.c.site_id)
    with store.reading() as connection:
        return {row.site_id: from_us(row.since_us) for row in connection.execute(query)}


def actor_names(store: Store, actor_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of the actors in an audit trail: people by their e-mail, tokens by label and owner.

    Parameters
    ----------
    store
        The database.
    actor_ids
        The ids in the events.

    Returns
    -------
    dict
        Only known actors; the system, the command line and unknown actors are left out.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    wanted = {actor_id.partition(":")[::2] for actor_id in actor_ids}
    users = {key for kind, key in wanted if kind == "user"}
    tokens = {key for kind, key in wanted if kind == "token"}
    account, token = schema.account, schema.token
    names: dict[str, str] = {}
    with store.reading() as connection:
        if users:
            people = sa.select(account.c.account_id, account.c.email).where(account.c.account_id.in_(users))
            names |= {f"user:{row.account_id}": row.email for row in connection.execute(people)}
        if tokens:
            owned = (
                sa.select(token.c.token_id, token.c.label, account.c.email)
                .join(account, account.c.account_id == token.c.account_id)
                .where(token.c.token_id.in_(tokens))
            )
            names |= {f"token:{row.token_id}": f"{row.label} ({row.email})" for row in connection.execute(owned)}
    return names


def _part_of(happened: LedgerEvent) -> CapKey | None:
    """Return the part of the study of a rule's event; None for an event of a referral."""
    if happened.referral_id is not None:
        return None
    if happened.kind is EventKind.POLICY_SET:
        return _WHOLE
    said = msgspec.json.decode(happened.detail)
    return CapKey(level=CapLevel(said["level"]), scope=said["scope"]) if "level" in said else None
