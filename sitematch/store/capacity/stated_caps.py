"""Numbers of spots in the catalogue become caps once; afterwards only coordinators change them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.accounts.access import Actor, Caller
from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.states import EventKind
from sitematch.store import schema
from sitematch.store.capacity.rules import apply_rule
from sitematch.store.capacity.waiting import offer_freed_spots
from sitematch.store.capacity.writing import LedgerWrite, perform
from sitematch.store.engine import Store
from sitematch.store.idempotency import KeyedRequest
from sitematch.store.schema import event

_CATALOGUE = Actor(actor_id="system:catalogue")

_POOLS = sa.select(schema.study.c.study_id, schema.study.c.pool_spots).where(schema.study.c.pool_spots.is_not(None))
_OWN = sa.select(schema.site.c.study_id, schema.site.c.site_id, schema.site.c.spots).where(
    schema.site.c.spots.is_not(None)
)
_EVER_SET = sa.select(event.c.study_id, event.c.detail).where(event.c.kind == EventKind.CAP_SET.value)


def take_stated_caps(store: Store, now: datetime, *, request_id: str = "catalogue") -> int:
    """Set the cap of every study and site with a stated number of spots that never had a cap.

    Parameters
    ----------
    store
        The database.
    now
        The instant (aware).
    request_id
        For the audit trail.

    Returns
    -------
    int
        The number of caps set; 0 writes nothing.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.

    Notes
    -----
    "Never had" is read from the events, so a cap that a coordinator removed does not come back. After an interruption,
    the next run sets the remaining caps.
    """
    stated: dict[str, dict[CapKey, int]] = {}
    with store.reading() as connection:
        for study in connection.execute(_POOLS):
            stated.setdefault(study.study_id, {})[CapKey(level=CapLevel.STUDY)] = study.pool_spots
        for site in connection.execute(_OWN):
            stated.setdefault(site.study_id, {})[CapKey(level=CapLevel.SITE, scope=site.site_id)] = site.spots
        if stated:
            for row in connection.execute(_EVER_SET):
                stated.get(row.study_id, {}).pop(_key(row.detail), None)
    caller = Caller(actor=_CATALOGUE, request_id=request_id)
    return sum(_take(store, caller, study_id, caps, now) for study_id, caps in sorted(stated.items()) if caps)


def _take(store: Store, caller: Caller, study_id: str, caps: dict[CapKey, int], now: datetime) -> int:
    def act(write: LedgerWrite) -> int:
        rows = write.connection.execute(_EVER_SET.where(event.c.study_id == study_id))
        set_meanwhile = _keys(row.detail for row in rows)
        count = 0
        for key, spots in caps.items():
            if key not in set_meanwhile:
                detail = {"level": key.level.value, "scope": key.scope, "spots": spots}
                write.append(EventKind.CAP_SET, detail=msgspec.json.encode(detail).decode())
                apply_rule(write.connection, study_id, key, EventKind.CAP_SET, spots)
                count += 1
        offer_freed_spots(write)
        return count

    return perform(store, caller, KeyedRequest("take_stated_caps", (study_id,)), now, int, act, study_id=study_id)


def _keys(details: Iterable[str]) -> frozenset[CapKey]:
    return frozenset(map(_key, details))


def _key(detail: str) -> CapKey:
    said: dict[str, Any] = msgspec.json.decode(detail)
    return CapKey(level=CapLevel(said["level"]), scope=said["scope"])
