"""Offering spots that became free, because a hold or an offer lapsed, to the waiting list."""

from __future__ import annotations

from datetime import datetime

from sitematch.store.capacity.waiting import studies_with_waiting, sweep
from sitematch.store.engine import Store


def offer_freed_spots(store: Store, now: datetime, *, request_id: str = "sweep") -> dict[str, int]:
    """Make the offers that are due, and return their number by study, with every study that has a waiting list.

    Run it every few seconds or minutes, in any number of processes.

    Parameters
    ----------
    store
        The database.
    now
        The instant (aware).
    request_id
        For the audit trail.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    return {study_id: sweep(store, study_id, now, request_id=request_id) for study_id in studies_with_waiting(store)}
