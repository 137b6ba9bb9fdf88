"""Where all referrals of a study stand at one instant: what reports count, beyond the spots in use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sitematch.domain.capacity.occupancy import StudyView
from sitematch.domain.capacity.states import EventKind


@dataclass(frozen=True, slots=True)
class ReferralsWithoutSite:
    """Referrals that have no site: they wait, or left the waiting list."""

    kind: EventKind
    arm: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """One referral on the waiting list, and the sites that it would take a spot at."""

    arm: str | None
    site_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OldestHold:
    """The hold that has lasted longest of those at one site for one arm, and has not lapsed."""

    site_id: str
    country: str
    arm: str | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyCounts:
    """A study at one instant.

    Parameters
    ----------
    as_of
        The instant (aware, UTC).
    view
        Its caps, sites and the referrals that have a site. Sites and registry statuses are today's: the catalogue
        keeps no history.
    unplaced
        The referrals that have none.
    waiting
        The waiting list, in no order.
    oldest_holds
        In no order.
    events
        How many events the ledger held for the study: the last one's place in its chain.
    head_hash
        That event's hash, which stands for all before it; empty if there is none.
    """

    as_of: datetime
    view: StudyView
    unplaced: tuple[ReferralsWithoutSite, ...]
    waiting: tuple[Waiting, ...]
    oldest_holds: tuple[OldestHold, ...]
    events: int
    head_hash: str
