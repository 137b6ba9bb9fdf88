"""What of a study may have changed since an instant: for clients that keep a copy and ask only for the difference."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa

from sitematch.domain.capacity import CapKey, CapLevel
from sitematch.domain.ledger import EventKind
from sitematch.domain.occupancy import keys_for
from sitematch.store.engine import Store
from sitematch.store.instants import to_us
from sitematch.store.schema import cap, event

_LAPSING = (EventKind.HELD.value, EventKind.OFFERED.value)
_RULES = (EventKind.CAP_SET.value, EventKind.CLOSED.value, EventKind.OPENED.value)

_happened = event.c.at_us > sa.bindparam("since_us")
_lapsed = sa.and_(
    event.c.kind.in_(_LAPSING),
    event.c.expires_at_us > sa.bindparam("since_us"),
    event.c.expires_at_us <= sa.bindparam("now_us"),
)
_of_study = event.c.study_id == sa.bindparam("study_id")
_REFERRALS = sa.select(event.c.referral_id).where(_of_study, event.c.referral_id.is_not(None), _happened | _lapsed)
# All places that such a referral ever had: one that is screened again elsewhere leaves its old site without an event.
_PLACES = (
    sa.select(event.c.site_id, event.c.country, event.c.arm)
    .where(_of_study, event.c.site_id.is_not(None), event.c.referral_id.in_(_REFERRALS))
    .distinct()
)
_SET = sa.select(event.c.kind, event.c.detail).where(
    _of_study, _happened, event.c.kind.in_((*_RULES, EventKind.POLICY_SET.value))
)
_CAPS = sa.select(cap.c.level, cap.c.scope).where(
    cap.c.study_id == sa.bindparam("study_id"), cap.c.spots.is_not(None) | cap.c.is_closed
)


def touched_since(
    store: Store, study_id: str, since: datetime, now: datetime
) -> tuple[frozenset[CapKey], frozenset[CapKey]]:
    """Return the parts of a study in which something happened or lapsed, and the parts that have rules.

    Parameters
    ----------
    store, study_id
        The study.
    since, now
        The instants between which to look; `since` itself is left out.

    Returns
    -------
    tuple of frozenset
        Every part touched, whether it has a cap or not; and every part with a limit or a closure, now or in between.

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
            is_rule = setting.kind in _RULES
            key = CapKey(level=CapLevel(said["level"]), scope=said["scope"]) if is_rule else _WHOLE
            touched.add(key)
            ruled.add(key)
    return frozenset(touched), frozenset(ruled)


_WHOLE = CapKey(level=CapLevel.STUDY)
