"""The states of all referrals of a study at one time, for reports that count more than the spots in use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sitematch.domain.capacity.occupancy import StudyView
from sitematch.domain.capacity.states import EventKind


@dataclass(frozen=True, slots=True)
class ReferralsWithoutSite:
    """Referrals without a site: they are on the waiting list or have left it."""

    kind: EventKind
    arm: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """One referral on the waiting list, with the sites that it waits for."""

    arm: str | None
    site_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OldestHold:
    """The oldest hold at one site for one arm that has not lapsed."""

    site_id: str
    country: str
    arm: str | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyCounts:
    """A study at one time.

    Parameters
    ----------
    as_of
        The time (aware, UTC).
    view
        Its caps, sites and the referrals with a site. Sites and registry statuses are current, because the catalogue
        keeps no history.
    unplaced
        The referrals without a site.
    waiting
        The waiting list, in no order.
    oldest_holds
        In no order.
    events
        The number of events of the study in the ledger, which is the last one's position in its chain.
    head_hash
        That event's hash, which covers all earlier events; empty if there is none.
    """

    as_of: datetime
    view: StudyView
    unplaced: tuple[ReferralsWithoutSite, ...]
    waiting: tuple[Waiting, ...]
    oldest_holds: tuple[OldestHold, ...]
    events: int
    head_hash: str
