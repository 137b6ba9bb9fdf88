"""Whether the pace of late is that of before: a test for the study and for each site, and what it says in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from sitematch.domain.capacity.recruitment import Recruitment, SiteRecruitment
from sitematch.reports.forecast.plan import DAY

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
    recent, recent_days, before, before_days
        Enrolments and open days in the recent part, and before it.
    probability
        How often chance alone makes a difference as large (two-sided), 0 to 1.
    last_on
        The day of the last enrolment; None if there was none.
    """

    name: str
    since: date
    recent: int
    recent_days: float
    before: int
    before_days: float
    probability: float
    last_on: date | None

    @property
    def is_slower(self) -> bool:
        """Return whether the recent pace is below the pace before."""
        return self.recent * self.before_days < self.before * self.recent_days


def study_test(recruitment: Recruitment, zone: tzinfo) -> PaceTest | None:
    """Compare the recent pace of the study's sites with that before; None if there is no open time on both sides."""
    return _test("", recruitment.sites, recruitment, zone)


def changed_sites(recruitment: Recruitment, zone: tzinfo) -> tuple[PaceTest, ...]:
    """Return the sites whose pace has changed, slower ones first, then by how certain it is.

    Notes
    -----
    Holm's step-down procedure keeps the probability of any false alarm at `LEVEL` over all sites of the study.
    """
    tests = sorted(
        (
            test
            for site in recruitment.sites
            if site.takes_patients and (test := _test(site.site_id, (site,), recruitment, zone)) is not None
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


def _test(name: str, sites: Sequence[SiteRecruitment], recruitment: Recruitment, zone: tzinfo) -> PaceTest | None:
    """Test with the binomial distribution: given the total, each enrolment falls into a part by its open time."""
    from scipy.stats import binomtest

    border = recruitment.as_of - recent_days(recruitment) * DAY
    open_days = sum(site.open_for / DAY for site in sites)
    late_days = sum(max(0.0, (end - max(start, border)) / DAY) for start, end in _spans(sites))
    times = [at for site in sites for at in site.enrolled_at]
    recent = sum(at >= border for at in times)
    if not times or late_days < 1 or open_days - late_days < 1:
        return None
    return PaceTest(
        name=name,
        since=border.astimezone(zone).date(),
        recent=recent,
        recent_days=late_days,
        before=len(times) - recent,
        before_days=open_days - late_days,
        probability=float(binomtest(recent, len(times), late_days / open_days).pvalue),
        last_on=max(times).astimezone(zone).date(),
    )


def _spans(sites: Sequence[SiteRecruitment]) -> Iterable[tuple[datetime, datetime]]:
    return (span for site in sites for span in site.open_spans)


def study_words(test: PaceTest) -> str:
    """Say in one or two sentences whether the study's pace has changed."""
    counted = (
        f"{test.recent} enrolled since {test.since} in {test.recent_days:.0f} open days of all sites, and "
        f"{test.before} before in {test.before_days:.0f}"
    )
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
