"""Referrals in progress: how often screening fails, and how many of those held or in screening will enrol.

A forecast does not add them to the enrolments of sites: people who enrolled earlier were also held and screened, so a
site's rate already includes them. Only at a site that is closed to new patients are they the only ones who can still
enrol.
"""

from __future__ import annotations

from dataclasses import dataclass

from sitematch.domain.capacity.recruitment import Recruitment
from sitematch.reports.forecast.counts import Pmf, some_of, total
from sitematch.reports.forecast.plan import completion


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share that was estimated from counts.

    Parameters
    ----------
    count, of
        The count and its total.
    low, high
        The 95 % interval, 0 to 1.
    """

    count: int
    of: int
    low: float
    high: float


def screen_failures(recruitment: Recruitment) -> Share:
    """Return the share of completed screenings that failed; screenings that were abandoned are not counted.

    Notes
    -----
    Jeffreys' interval: the 2.5 % and 97.5 % quantiles of Beta(failed + 1/2, enrolled + 1/2), with 0 at the lower end if
    none failed and 1 at the upper if all did (Brown, Cai and DasGupta 2001, doi:10.1214/ss/1009213286).
    """
    from scipy.special import betaincinv

    failed, of = recruitment.screen_failed, recruitment.screen_failed + recruitment.enrolled
    low, high = (float(betaincinv(failed + 0.5, of - failed + 0.5, at)) for at in (0.025, 0.975))
    return Share(count=failed, of=of, low=0.0 if failed == 0 else low, high=1.0 if failed == of else high)


def will_enrol(recruitment: Recruitment) -> Pmf:
    """Return the distribution of how many referrals in progress will enrol, based on earlier ones.

    Notes
    -----
    Beta-binomial, with Jeffreys' prior, separately for held referrals and those in screening, of which more will enrol.
    The two are added as if they were independent.
    """
    held, screening = recruitment.held, recruitment.screening
    ended = max(0, recruitment.screened - screening - recruitment.enrolled)
    return total([some_of(held, *completion(recruitment)), some_of(screening, recruitment.enrolled + 0.5, ended + 0.5)])
