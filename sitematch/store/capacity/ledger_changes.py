"""Changes of a study since a given time, for clients that keep a copy and request only the differences."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec
import sqlalchemy as sa

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.occupancy import keys_for
from sitematch.domain.capacity.states import CAP_KINDS, LAPSING_KINDS, SETTING_KINDS
from sitematch.store.engine import Store
from sitematch.store.instants import to_us
from sitematch.store.schema import cap, event, latest_event

_happened = event.c.at_us > sa.bindparam("since_us")
_lapsed = sa.and_(
    event.c.kind.in_(LAPSING_KINDS),
    event.c.expires_at_us > sa.bindparam("since_us"),
    event.c.expires_at_us <= sa.bindparam("now_us"),
)
_of_study = event.c.study_id == sa.bindparam("study_id")
_REFERRALS = sa.select(event.c.referral_id).where(_of_study, event.c.referral_id.is_not(None), _happened | _lapsed)
# All sites that such a referral ever had: if it is screened again elsewhere, its old site has no event.
_PLACES = (
    sa.select(event.c.site_id, event.c.country, event.c.arm)
    .where(_of_study, event.c.site_id.is_not(None), event.c.referral_id.in_(_REFERRALS))
    .distinct()
)
_SET = sa.select(event.c.kind, event.c.detail).where(_of_study, _happened, event.c.kind.in_(SETTING_KINDS))
_CAPS = sa.select(cap.c.level, cap.c.scope).where(
    cap.c.study_id == sa.bindparam("study_id"), cap.c.spots.is_not(None) | cap.c.is_closed
)


def touched_since(
    store: Store, study_id: str, since: datetime, now: datetime
) -> tuple[frozenset[CapKey], frozenset[CapKey]]:
    """Return the parts of a study in which something happened or lapsed, and the parts with rules.

    Parameters
    ----------
    store, study_id
        The study.
    since, now
        The period; `since` itself is not included.

    Returns
    -------
    tuple of frozenset
        Every changed part, with or without a cap; and every part with a limit or a closure, now or during the period.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    where = {"study_id": study_id, "since_us": to_us(since), "now_us": to_us(now)}
    touched: set[CapKey] = set()
    with store.reading() as connection:
        ruled = {CapKey(level=CapLevel(row.level), scope=row.scope) for row in connection.execute(_CAPS, where)}
        for place in connection.execute(_PLACES, where):
            touched.update(keys_for(place.site_id, place.country, place.arm))
        for setting in connection.execute(_SET, where):
            said = msgspec.json.decode(setting.detail)
            is_rule = setting.kind in CAP_KINDS
            key = CapKey(level=CapLevel(said["level"]), scope=said["scope"]) if is_rule else _WHOLE
            touched.add(key)
            ruled.add(key)
    return frozenset(touched), frozenset(ruled)


def has_ledger(store: Store, study_id: str) -> bool:
    """Return whether anything was ever written to a study's ledger.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    query = sa.select(event.c.seq).where(event.c.study_id == study_id).limit(1)
    with store.reading() as connection:
        return connection.execute(query).first() is not None


def ledger_heads(store: Store, study_ids: Collection[str] | None = None) -> dict[str, str]:
    """Return the end of the chain of the studies with a ledger, by study_id; it changes with every event.

    Parameters
    ----------
    store
        The database.
    study_ids
        Only these studies; None for all.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    chains = sa.select(cap.c.study_id, cap.c.head_hash).where(
        cap.c.level == CapLevel.STUDY.value, cap.c.scope == "", cap.c.head_seq > 0
    )
    if study_ids is not None:
        chains = chains.where(cap.c.study_id.in_(sorted(study_ids)))
    with store.reading() as connection:
        return {row.study_id: row.head_hash for row in connection.execute(chains)}


def last_lapse_us(store: Store, now: datetime) -> int:
    """Return when the last hold or offer lapsed before a given time, in microseconds since 1970; 0 if none did.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    latest = latest_event.c
    query = sa.select(sa.func.max(latest.expires_at_us)).where(
        latest.kind.in_(LAPSING_KINDS), latest.expires_at_us <= to_us(now)
    )
    with store.reading() as connection:
        return connection.execute(query).scalar_one() or 0


_WHOLE = CapKey(level=CapLevel.STUDY)
