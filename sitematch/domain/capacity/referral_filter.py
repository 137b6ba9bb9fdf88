"""Which referrals of a study are wanted, in which order, and one page of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sitematch.domain.capacity.spot import Referral
from sitematch.domain.capacity.states import SpotState


class ReferralSort(StrEnum):
    """Orders of a list of referrals."""

    LATEST = "latest"
    """The latest change first."""
    OLDEST = "oldest"
    """The oldest change first."""
    LAPSES = "lapses"
    """What lapses next first; only holds and offers that have not lapsed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralFilter:
    """The wanted referrals; each condition that is given must be met.

    Parameters
    ----------
    text
        A part of the referral's id, in any case; empty for any.
    states
        One of these states; None for any.
    site_id, arm
        At this site, for this arm.
    actor_id
        Whose latest change was made by this actor.
    changed_from, changed_before
        Whose latest change was in this period (aware); `changed_before` is not included.
    lapses_before
        Holds and offers that have not lapsed, but will before this time (aware).
    sort
        The order.
    """

    text: str = ""
    states: frozenset[SpotState] | None = None
    site_id: str | None = None
    arm: str | None = None
    actor_id: str | None = None
    changed_from: datetime | None = None
    changed_before: datetime | None = None
    lapses_before: datetime | None = None
    sort: ReferralSort = ReferralSort.LATEST


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralPage:
    """One page of referrals.

    Parameters
    ----------
    referrals
        In the order that was asked for.
    cursor
        Where the next page begins; None at the end.
    searched_to
        The time of the last change that was looked at, if the page ended there although it is not full; None otherwise.
        The next page continues the search.
    """

    referrals: tuple[Referral, ...]
    cursor: str | None
    searched_to: datetime | None = None
