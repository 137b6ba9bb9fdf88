"""What needs a coordinator today, most urgent first; each part only as far as the person may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sitematch.domain.accounts.access import Actor, Permission, may
from sitematch.domain.capacity.caps import SiteCapacity
from sitematch.domain.capacity.referral_filter import ReferralFilter, ReferralPage, ReferralSort
from sitematch.domain.capacity.states import SpotState
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study
from sitematch.services.capacity import coordinating, referral_lists
from sitematch.services.studies.placing import tells_contradiction
from sitematch.store.capacity.history.recent_changes import RecentChanges, recent_changes
from sitematch.store.engine import Store
from sitematch.store.studies import catalogue

SHOWN = 20
"""The most entries of one kind; the list of referrals has the others."""

LAPSES_WITHIN = timedelta(hours=24)
"""How soon a hold must lapse to be listed."""

CHANGED_WITHIN = timedelta(hours=24)
"""How long a site that filled or has spots again is listed."""

STALE_AFTER = timedelta(days=30)
"""The age of a study's record from which on it counts as stale: sponsors must report a change of status within 30 days
(42 CFR 11.64)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What needs somebody in one study.

    Parameters
    ----------
    study, sites
        The study, and its sites by id.
    offers, lapsing
        Offers that nobody has accepted yet, and holds that lapse within `LAPSES_WITHIN`; what lapses next first.
    screenings
        Screenings that have lasted longer than the study's rules allow; the oldest first.
    filled, freed
        Open sites that filled, or have spots again, within `CHANGED_WITHIN`.
    changes
        The other changes of that period; None if the person may not read the audit trail of the study.
    contradictions
        Sites whose records contradict themselves, and how.
    stale_study
        The study, if its record is older than `STALE_AFTER`; None otherwise.
    """

    study: Study
    sites: Mapping[str, Site]
    offers: ReferralPage
    lapsing: ReferralPage
    screenings: ReferralPage
    filled: tuple[SiteCapacity, ...]
    freed: tuple[SiteCapacity, ...]
    changes: RecentChanges | None
    contradictions: tuple[tuple[Site, str], ...]
    stale_study: Study | None

    @property
    def count(self) -> int:
        """The number of entries that need somebody; of a long list, those that are shown."""
        pages = (self.offers, self.lapsing, self.screenings)
        others = (self.contradictions, self.stale_study)
        return sum(len(page.referrals) for page in pages) + len(self.filled) + len(self.freed) + sum(map(bool, others))

    @property
    def has_more(self) -> bool:
        """Whether there are more entries than are shown."""
        return any(page.cursor is not None for page in (self.offers, self.lapsing, self.screenings))


def today(store: Store, actor: Actor, study_id: str, now: datetime) -> Today:
    """Return what needs the actor in a study.

    Raises
    ------
    NotAllowed
        If the actor has no role in the study that reads referrals.
    StudyNotFound, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.capacity.counting.capacity`.
    """
    window = coordinating.policy(store, actor, study_id).screening_window
    found = recent_changes(store, study_id, now - CHANGED_WITHIN, now)
    study = catalogue.read_study(store, study_id)
    sites = {site.site_id: site for site in catalogue.read_sites(store, study_id)}
    return Today(
        study=study,
        sites=sites,
        offers=_find(store, actor, study_id, now, SpotState.OFFERED),
        lapsing=_find(store, actor, study_id, now, SpotState.HELD, lapses_before=now + LAPSES_WITHIN),
        screenings=(
            ReferralPage(referrals=(), cursor=None)
            if window is None
            else _find(
                store, actor, study_id, now, SpotState.SCREENING, changed_before=now - window, sort=ReferralSort.OLDEST
            )
        ),
        filled=tuple(site for site in found.filled if _sees(actor, study_id, site.site_id)),
        freed=tuple(site for site in found.freed if _sees(actor, study_id, site.site_id)),
        changes=found if may(actor, Permission.AUDIT_READ, study_id=study_id) else None,
        contradictions=tuple(
            (site, flag)
            for site in (sites.values() if _may_mend(actor, study_id) else ())
            for flag in [next(filter(tells_contradiction, site.flags), "")]
            if flag
        ),
        stale_study=study if now.date() - study.as_of_on > STALE_AFTER and _may_mend(actor, study_id) else None,
    )


def _find(
    store: Store,
    actor: Actor,
    study_id: str,
    now: datetime,
    state: SpotState,
    *,
    lapses_before: datetime | None = None,
    changed_before: datetime | None = None,
    sort: ReferralSort = ReferralSort.LAPSES,
) -> ReferralPage:
    wanted = ReferralFilter(
        states=frozenset({state}), lapses_before=lapses_before, changed_before=changed_before, sort=sort
    )
    return referral_lists.find(store, actor, study_id, now, wanted, limit=SHOWN)


def _sees(actor: Actor, study_id: str, site_id: str) -> bool:
    return may(actor, Permission.CAPACITY_READ, study_id=study_id, site_id=site_id)


def _may_mend(actor: Actor, study_id: str) -> bool:
    """Return whether records are the actor's business: only who can import them can mend them."""
    return may(actor, Permission.CATALOGUE_WRITE, study_id=study_id)
