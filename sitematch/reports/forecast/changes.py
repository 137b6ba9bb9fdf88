"""Whether the pace of late is that of before: a test for the study and for each site, and what it says in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

import numpy as np

from sitematch.domain.capacity.recruitment import Recruitment, SiteRecruitment
from sitematch.reports.forecast.clock import passed_by, speed
from sitematch.reports.forecast.counts import total
from sitematch.reports.forecast.pace import open_between
from sitematch.reports.forecast.plan import DAY, age_days

MAX_RECENT_DAYS = 91
"""The recent part is a quarter of the ledger, at most this long."""

LEVEL = 0.05
"""A change is said if chance alone would make one as large in fewer than this share of cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceTest:
    """The recent part of a study or a site against the rest.

    Parameters
    ----------
    name
        The site_id; empty for the study.
    since
        The first day of the recent part.
    recent, before
        Enrolments in the recent part, and before it.
    expected
        The enrolments in the recent part if each site had kept an even pace over all its open time.
    probability
        How often chance alone makes a difference as large (two-sided), 0 to 1.
    last_on
        The day of the last enrolment; None if there was none.
    """

    name: str
    since: date
    recent: int
    before: int
    expected: float
    probability: float
    last_on: date | None

    @property
    def is_slower(self) -> bool:
        """Return whether fewer enrolled in the recent part than at an even pace."""
        return self.recent < self.expected


def study_test(recruitment: Recruitment, zone: tzinfo) -> PaceTest | None:
    """Compare the recent pace of the study's sites with that before; None if there is no open time on both sides."""
    return _test("", recruitment.sites, _counted(recruitment), recruitment, zone)


def changed_sites(recruitment: Recruitment, zone: tzinfo) -> tuple[PaceTest, ...]:
    """Return the sites whose pace has changed, slower ones first, then by how certain it is.

    Notes
    -----
    Holm's step-down procedure keeps the probability of any false alarm at `LEVEL` over all sites of the study.
    """
    tests = sorted(
        (
            test
            for site, days in zip(recruitment.sites, _counted(recruitment), strict=True)
            if site.takes_patients and (test := _test(site.site_id, (site,), (days,), recruitment, zone)) is not None
        ),
        key=lambda test: test.probability,
    )
    found = []
    for rank, test in enumerate(tests):
        if test.probability * (len(tests) - rank) > LEVEL:
            break
        found.append(test)
    return tuple(sorted(found, key=lambda test: (not test.is_slower, test.probability, test.name)))


def recent_days(recruitment: Recruitment) -> float:
    """Return how long the recent part is, in days."""
    since = recruitment.as_of if recruitment.since is None else recruitment.since
    return min(MAX_RECENT_DAYS, (recruitment.as_of - since) / DAY / 4)


def _counted(recruitment: Recruitment) -> tuple[tuple[float, float], ...]:
    """Return each site's open days in the recent part and before, if somebody could have passed screening then."""
    now, late = recruitment.as_of, recent_days(recruitment)
    passed = passed_by(recruitment.attempts)
    since = now if recruitment.since is None else recruitment.since
    edges = np.unique(np.append(np.arange(0.0, max(1.0, (now - since) / DAY) + 1), late))
    found = []
    for site in recruitment.sites:
        days = open_between(site, now, edges) * speed(0.0, passed, age_days(site, now) - (edges[1:] + edges[:-1]) / 2)
        found.append((float(days[edges[1:] <= late].sum()), float(days[edges[1:] > late].sum())))
    return tuple(found)


def _test(
    name: str,
    sites: Sequence[SiteRecruitment],
    days: Sequence[tuple[float, float]],
    recruitment: Recruitment,
    zone: tzinfo,
) -> PaceTest | None:
    """Test whether so many of the enrolments fall into the recent part, given how many there are at each site.

    At an even pace each does so with the share of that part in its open time. The sum of these binomials is exact;
    a difference is as large if it is at most as probable. Sites that opened or closed change no share but their own.
    """
    from scipy.stats import binom

    border = recruitment.as_of - recent_days(recruitment) * DAY
    if not days or min(sum(each) for each in zip(*days, strict=True)) < 1:
        return None
    times = [at for site in sites for at in site.enrolled_at]
    if not times:
        return None
    recent = sum(at >= border for at in times)
    shares = [
        (len(site.enrolled_at), late / (late + early) if late + early else 0.0)
        for site, (late, early) in zip(sites, days, strict=True)
    ]
    pmf = total(binom.pmf(np.arange(count + 1), count, share) for count, share in shares if count)
    as_far = pmf <= pmf[min(recent, len(pmf) - 1)] * (1 + 1e-7)
    return PaceTest(
        name=name,
        since=border.astimezone(zone).date(),
        recent=recent,
        before=len(times) - recent,
        expected=sum(count * share for count, share in shares),
        probability=min(1.0, float(pmf[as_far].sum())),
        last_on=max(times).astimezone(zone).date(),
    )


def study_words(test: PaceTest) -> str:
    """Say in one or two sentences whether the study's pace has changed."""
    counted = f"{test.recent} enrolled since {test.since}, and at an even pace it would be {test.expected:.0f}"
    if test.probability > LEVEL:
        return f"The pace has not clearly changed: {counted}."
    return (
        f"The pace has {'fallen' if test.is_slower else 'risen'}: {counted}. Chance alone makes such a difference in "
        f"{_percent(test.probability)} of cases. The forecast follows the pace of now, with a wider interval."
    )


def site_words(test: PaceTest) -> str:
    """Say in a clause how a site's pace has changed."""
    if test.recent == 0 and test.last_on is not None:
        return f"site {test.name} has not enrolled since {test.last_on:%B %Y}"
    return f"site {test.name} enrols {'more slowly' if test.is_slower else 'faster'} since {test.since:%B %Y}"


def _percent(share: float) -> str:
    return "less than 1 %" if share < 0.01 else f"{100 * share:.0f} %"
