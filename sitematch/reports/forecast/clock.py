"""Clocks: time as a site's pace counts it, so that one constant rate fits a pace that changes.

A site enrols at its own rate in the time of a clock. A clock runs at 1 now, at another speed while the study's pace was
different, slower while a site is young, and not yet before the first people can have passed screening. Everything that
holds for constant rates holds for these too, with the clock's time in place of days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sitematch.domain.capacity.recruitment import Attempt
from sitematch.domain.capacity.states import EventKind

Floats = npt.NDArray[np.float64]

SLOWEST = 0.02
"""The lowest speed of a clock: an enrolment is never impossible."""

_SPAN_DAYS = 30.0
"""How long one level of an unsteady pace lasts."""


class SiteTime(Protocol):
    """What a clock needs to know of a site."""

    @property
    def starts_in_days(self) -> float | None:
        """When it starts to take patients, from now; None is never."""

    @property
    def age_days(self) -> float:
        """How long ago it opened."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How the pace of a study changes, relative to its pace now.

    Parameters
    ----------
    a_year
        What the pace is multiplied by in a year, so far.
    lasts_days
        For how many more days it goes on like that, fading evenly; 0 if it has stopped.
    changed_days_ago, before
        When it changed at once, and the pace before that; 0 days and 1 if it did not.
    returns
        Whether it will go back to the pace before, at once.
    grows_days
        How long a new site takes to reach its pace, rising evenly.
    unsteady
        The coefficient of variation of the pace from month to month.
    ahead_sigma
        How far the coming months are from their mean, in standard deviations.
    """

    a_year: float = 1.0
    lasts_days: float = 0.0
    changed_days_ago: float = 0.0
    before: float = 1.0
    returns: bool = False
    grows_days: float = 0.0
    unsteady: float = 0.0
    ahead_sigma: float = 0.0

    @property
    def is_steady(self) -> bool:
        """Return whether the study's pace is the same at all times; sites may still grow."""
        return self.a_year == 1.0 and self.before == 1.0

    @property
    def is_falling(self) -> bool:
        """Return whether the pace will go on falling."""
        return self.a_year < 1 and self.lasts_days > 0

    def past(self, days_ago: Floats) -> Floats:
        """Return the pace of the study some days ago."""
        slope = np.log(self.a_year) / 365
        return np.asarray(np.exp(-slope * days_ago) * np.where(days_ago > self.changed_days_ago, self.before, 1.0))

    def coming(self, until: Floats) -> Floats:
        """Return the time that passes on the study's clock from now until some days ahead."""
        slope, lasts = np.log(self.a_year) / 365, self.lasts_days
        level = self.before if self.returns else 1.0
        if self.unsteady:
            spread = np.sqrt(np.log1p(self.unsteady**2 / np.maximum(1.0, until / _SPAN_DAYS)))
            return np.asarray(level * until * np.exp(self.ahead_sigma * spread - spread**2 / 2))
        if slope == 0 or lasts == 0:
            return level * until
        grid = np.arange(int(np.ceil(until.max(initial=1.0))) + 1, dtype=np.float64)
        at = np.minimum(grid[:-1] + 0.5, lasts)
        speed = np.exp(slope * (at - at**2 / (2 * lasts)))
        return np.asarray(level * np.interp(until, grid, np.concatenate([[0.0], np.cumsum(speed)])))


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of a pace, for the sites of a study.

    Parameters
    ----------
    pace
        The pace.
    passed
        For each age of a site in whole days, the share of its screenings that can have ended: the lag from hold to
        enrolment. At the last age and later it is 1.
    past
        The time on the clock that each site was open, by site_id.
    """

    pace: Pace
    passed: tuple[float, ...]
    past: dict[str, float]

    def ahead(self, sites: Sequence[SiteTime], days: Sequence[float]) -> Floats:
        """Return the time on the clock from now until each of some days, for each site: sites by days."""
        until = np.asarray(days, dtype=np.float64)
        whole = self.pace.coming(until)
        found: Floats = np.empty((len(sites), len(until)))
        grown = self.pace.grows_days + len(self.passed)
        young: dict[tuple[float, float], list[int]] = {}
        for i, site in enumerate(sites):
            if site.starts_in_days is None:
                found[i] = 0.0
            elif site.starts_in_days == 0 and site.age_days >= grown:
                found[i] = whole
            else:
                young.setdefault((round(site.starts_in_days), round(site.age_days)), []).append(i)
        if young:
            length = int(np.ceil(until.max(initial=1.0))) + 1
            edges = np.arange(length + 1, dtype=np.float64)
            steps = np.diff(self.pace.coming(edges))
            for (start, age), members in young.items():
                speeds = speed(self.pace.grows_days, np.array(self.passed), edges[:-1] + 0.5 - start + age)
                speeds[: int(start)] = 0.0
                found[members] = np.interp(until, edges, np.concatenate([[0.0], np.cumsum(steps * speeds)]))
        return found


def speed(grows_days: float, passed: Floats, age: Floats) -> Floats:
    """Return the pace of sites of some ages in days, relative to their full pace."""
    grown = np.ones_like(age) if grows_days == 0 else np.clip(age / grows_days, 0.0, 1.0)
    has_passed = passed[np.clip(age.astype(np.int64), 0, len(passed) - 1)]
    return np.maximum(SLOWEST, grown * has_passed)


_DAY_S = 86_400
LONGEST_DAYS = 365
"""Longer lags count as this long."""


def passed_by(attempts: Sequence[Attempt]) -> Floats:
    """Return, for each number of whole days, the share of enrolments that take no longer.

    Returns
    -------
    array
        Rising to 1 at its end; only ``[1.0]`` if nobody has enrolled, or all did on the day of their hold.

    Notes
    -----
    The cumulative incidence of enrolment beside failure (Aalen and Johansen 1978), divided by its last value: attempts
    that are under way count for as long as they have lasted, so a young ledger does not make screening look short.
    """
    days = np.array([min(LONGEST_DAYS, int(each.lasts.total_seconds() // _DAY_S)) for each in attempts], dtype=np.int64)
    enrolled = np.array([each.outcome is EventKind.ENROLLED for each in attempts], dtype=bool)
    if not enrolled.any() or int(days[enrolled].max()) == 0:
        return np.ones(1)
    under_way = np.array([each.outcome in (EventKind.HELD, EventKind.SCREENING) for each in attempts], dtype=bool)
    length = int(days[enrolled].max()) + 1
    ended_in, enrolled_in = (
        np.bincount(days[which], minlength=length)[:length].astype(np.float64) for which in (~under_way, enrolled)
    )
    at_risk = np.array([np.count_nonzero(days >= day) for day in range(length)], dtype=np.float64)
    stays = np.concatenate([[1.0], np.cumprod(1 - ended_in / np.maximum(at_risk, 1))[:-1]])
    incidence = np.cumsum(stays * enrolled_in / np.maximum(at_risk, 1))
    return np.asarray(incidence / incidence[-1])
