"""The funnel's counts of attempts, and the times between their steps."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sitematch.domain.capacity.attempt import Attempt
from sitematch.domain.capacity.states import STATES, Outcome

_MICROSECOND = timedelta(microseconds=1)
_Z_95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""


@dataclass(frozen=True, slots=True)
class Count:
    """One count and its column."""

    name: str
    label: str
    description: str
    is_detail: bool = False


COUNTS = (
    Count("attempts", "Attempts", "Attempts to get a spot."),
    Count("again", "Again", "Attempts of referrals that had an earlier one, e.g. rescreenings.", is_detail=True),
    Count("waited", "Waited", "Attempts that were on the waiting list.", is_detail=True),
    Count("offered", "Offered", "Attempts that were offered a spot from the waiting list.", is_detail=True),
    Count("held", "Held", "Attempts that held a spot."),
    Count("screened", "Screened", "Attempts that started screening."),
    Count("enrolled", "Enrolled", "Attempts that led to enrolment, whether or not the participant left later."),
    Count(
        "released",
        "Released",
        "Attempts that ended because the spot was given back or the referral left the waiting list.",
    ),
    Count("lapsed", "Lapsed", "Attempts that ended because a hold or an offer lapsed."),
    Count("screen_failed", "Screen failed", "Attempts that ended in a failed screening."),
    Count("open", "Open", "Attempts that are waiting, offered a spot, on hold or in screening."),
    Count("withdrawn", "Withdrawn", "Enrolled participants who left the study.", is_detail=True),
)


@dataclass(frozen=True, slots=True)
class StepTime:
    """The transition between two steps, and its columns."""

    name: str
    label: str
    description: str


STEPS = (
    StepTime("wait", "Waiting to hold", "from joining the waiting list to the hold"),
    StepTime("hold", "Hold to screening", "from the hold to the start of screening"),
    StepTime("screening", "Screening to enrolment", "from the start of screening to enrolment"),
    StepTime("total", "Start to enrolment", "from the attempt's start to enrolment"),
)


class FunnelTally:
    """Counts of attempts, and the times of their steps in whole microseconds, eight bytes each."""

    def __init__(self) -> None:
        self.referrals = 0
        self.counts: Counter[str] = Counter()
        self.times_us = {step.name: array("q") for step in STEPS}

    def add(self, attempt: Attempt, *, is_new_referral: bool) -> None:
        """Count an attempt.

        Parameters
        ----------
        attempt
            The attempt.
        is_new_referral
            Whether it is the first attempt of its referral here.
        """
        self.referrals += is_new_referral
        counts = self.counts
        counts["attempts"] += 1
        counts["again"] += attempt.number > 1
        counts["waited"] += attempt.waited_at is not None
        counts["offered"] += attempt.offered_at is not None
        counts["held"] += attempt.held_at is not None
        counts["screened"] += attempt.screened_at is not None
        counts["enrolled"] += attempt.enrolled_at is not None
        outcome = STATES[attempt.state].outcome
        if outcome is not Outcome.ENROLLED:  # that step is counted above, also for people who left later
            counts[outcome] += 1
        self._time("wait", attempt.waited_at, attempt.held_at)
        self._time("hold", attempt.held_at, attempt.screened_at)
        self._time("screening", attempt.screened_at, attempt.enrolled_at)
        self._time("total", attempt.started_at, attempt.enrolled_at)

    def _time(self, name: str, start: datetime | None, end: datetime | None) -> None:
        if start is not None and end is not None:
            self.times_us[name].append((end - start) // _MICROSECOND)

    def median(self, name: str) -> timedelta | None:
        """Return the median time of a step (the mean of the middle two if even); None if nobody completed it."""
        times = sorted(self.times_us[name])
        if not times:
            return None
        middle = len(times) // 2
        return timedelta(microseconds=times[middle] if len(times) % 2 else (times[middle - 1] + times[middle]) // 2)


def wilson_interval(hits: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share.

    Parameters
    ----------
    hits, of
        The count and its total; `of` is at least 1.

    Notes
    -----
    Wilson's score interval (1927, doi:10.1080/01621459.1927.10502953), which stays between 0 and 1 and is valid for
    small numbers.

    Examples
    --------
    >>> low, high = wilson_interval(10, 20)
    >>> f"{low:.3f} {high:.3f}"
    '0.299 0.701'
    """
    share, z2 = hits / of, _Z_95**2
    centre = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z_95 / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, centre - half), min(1.0, centre + half)
