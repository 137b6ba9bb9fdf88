"""Public information about the spots of sites."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sitematch.domain.capacity.caps import Availability, CapacityState, SiteCapacity
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import TAKING_STATUSES, Study
from sitematch.services.finding.finder import StatedCapacity
from sitematch.services.finding.live_finders import shown_remaining
from sitematch.store.capacity import counting, ledger_changes
from sitematch.store.engine import Store


def read_availability(
    store: Store, studies: Mapping[str, Study], sites: Iterable[Site], now: datetime
) -> dict[str, Availability]:
    """Return the public information about the spots of some sites, as matches show it.

    Parameters
    ----------
    store
        The database.
    studies
        The sites' studies, by id.
    sites
        The sites.
    now
        The instant (aware).

    Returns
    -------
    dict
        By site_id.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with_ledger = ledger_changes.ledger_heads(store, studies)
    by_study: dict[str, list[Site]] = {}
    for site in sites:
        by_study.setdefault(site.study_id, []).append(site)
    return {
        site.site_id: found
        for study_id, some in by_study.items()
        for site, found in _available(store, studies[study_id], some, now, has_ledger=study_id in with_ledger)
    }


def _available(
    store: Store, study: Study, sites: Sequence[Site], now: datetime, *, has_ledger: bool
) -> Iterator[tuple[Site, Availability]]:
    counted: dict[str, SiteCapacity] = {}
    if has_ledger:
        counted = {site.site_id: site for site in counting.capacity(store, study.study_id, now)}
    stated = StatedCapacity(study)
    for site in sites:
        found = counted.get(site.site_id)
        if found is not None:
            yield site, Availability(shown_remaining(site, found.as_remaining()), found.state)
            continue
        remaining = shown_remaining(site, stated.remaining(site))
        if study.status not in TAKING_STATUSES or site.status not in TAKING_STATUSES or remaining.count == 0:
            state = CapacityState.NO_CAPACITY
        else:
            state = CapacityState.UNKNOWN if remaining.count is None else CapacityState.CAPACITY
        yield site, Availability(remaining, state)
