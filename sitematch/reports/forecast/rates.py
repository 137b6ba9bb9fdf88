"""Recruitment rates of sites: Poisson arrivals with rates that follow a gamma distribution over the sites.

Site i enrols at its own rate from Gamma(shape α, β): mean α/β per day, coefficient of variation 1/√α. After k
enrolments in τ open days, the distribution of its rate is Gamma(α + k, β + τ).

α and β are unknown too. The usual plug-in of their maximum likelihood gives intervals that are too narrow, increasingly
so for later dates and for similar sites. So a forecast averages over the plausible pairs, each with its weight.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sitematch.reports.forecast.clock import Clock, Floats, SiteTime

MIN_ENROLLED = 5
"""Minimum number of enrolments: at five, the 80 % interval of the study's rate spans a factor of about three."""

MIN_DAYS = 28
"""Minimum age of the ledger: in a younger one, few people have had time to be screened."""

PRIOR_SPREAD = 1.0
"""Prior for the differences between sites: the coefficient of variation is half-normal with this scale. So the usual
values in trials (α of 1 to 4, a coefficient of 0.5 to 1) are likely, and identical sites are possible."""

_NODES, FEW_NODES = 5, 3
_MANY_SITES = 200
_NEGLIGIBLE = 1e-3


class _Counted(Protocol):
    @property
    def site_id(self) -> str: ...

    @property
    def enrolled(self) -> int: ...

    @property
    def open_days(self) -> int: ...


@dataclass(frozen=True, slots=True)
class RateModel:
    """One distribution of the sites' rates.

    Parameters
    ----------
    shape
        α, over 0.
    days
        β, over 0: the rate parameter, in days.
    weight
        Its relative plausibility; the weights of a fit add up to 1.
    clock
        The clock of its days; None counts the plain days.
    """

    shape: float
    days: float
    weight: float = 1.0
    clock: Clock | None = None

    def past(self, sites: Sequence[_Counted]) -> Floats:
        """Return the time on the clock that each site was open."""
        if self.clock is None:
            return np.array([site.open_days for site in sites], dtype=np.float64)
        return np.array([self.clock.past.get(site.site_id, 0.0) for site in sites])

    def ahead(self, sites: Sequence[SiteTime], days: Sequence[float]) -> Floats:
        """Return the time on the clock from now until each of some days, for each site: sites by days."""
        if self.clock is not None:
            return self.clock.ahead(sites, days)
        never = math.inf
        starts: Floats = np.array([never if site.starts_in_days is None else site.starts_in_days for site in sites])
        return np.asarray(np.maximum(0.0, np.asarray(days, dtype=np.float64)[None, :] - starts[:, None]))

    @property
    def mean(self) -> float:
        """Return the enrolments per day at a typical site: α/β."""
        return self.shape / self.days

    @property
    def spread(self) -> float:
        """Return the differences between sites: the coefficient of variation of their rates, 1/√α."""
        return 1 / math.sqrt(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateFit:
    """The fitted rates of the sites.

    Parameters
    ----------
    best
        The maximum likelihood; if `is_even`, the Poisson limit, with a shape of `EVEN_SHAPE`.
    is_even
        Whether chance alone explains the differences between sites.
    plausible
        The distributions that forecasts average over, most likely first.
    enrolled, open_days, sites
        The data of the fit: sums over the sites with open time, and the number of those sites.
    pace_changed
        The probability that the study's pace has changed; 0 in a fit without clocks.
    """

    best: RateModel
    is_even: bool
    plausible: tuple[RateModel, ...]
    enrolled: int
    open_days: float
    sites: int
    pace_changed: float = 0.0


EVEN_SHAPE = 1e6
"""The value for an infinite α: the rates of sites then differ by a thousandth."""


def shortfall(enrolled: int, ledger_days: float) -> str | None:
    """Return why there is too little data for a forecast, in plain words; None if there is enough.

    Parameters
    ----------
    enrolled
        Enrolments in sites with open time.
    ledger_days
        The age of the ledger, in days.

    Notes
    -----
    The limits are `MIN_ENROLLED` and `MIN_DAYS`, with their reasons there.

    Examples
    --------
    >>> shortfall(3, 90.0)
    'Only 3 people have enrolled; a forecast needs 5.'
    >>> shortfall(30, 90.0) is None
    True
    """
    if enrolled < MIN_ENROLLED:
        who = {0: "Nobody has", 1: "Only 1 person has"}.get(enrolled, f"Only {enrolled} people have")
        return f"{who} enrolled; a forecast needs {MIN_ENROLLED}."
    if ledger_days < MIN_DAYS:
        return f"The ledger is {int(ledger_days)} days old; a forecast needs {MIN_DAYS}."
    return None


def fit(enrolled: Sequence[int], open_days: Sequence[float]) -> RateFit:
    """Fit the distribution of the sites' rates.

    Parameters
    ----------
    enrolled, open_days
        One of each for every site. Sites without open time are left out.

    Returns
    -------
    Fit
        See `Fit`.

    Raises
    ------
    ValueError
        If nobody enrolled in open time: the likelihood then has no maximum. Check `shortfall` first.

    Notes
    -----
    The model is that of Anisimov and Fedorov 2007, doi:10.1002/sim.2956. Mountain and Sherlock show how much too narrow
    the plug-in's intervals are: 2022, doi:10.1111/biom.13447 (arXiv:1912.09790).

    The likelihood has its maximum at an infinite α if Σ[(kᵢ - mτᵢ)² - kᵢ] ≤ 0, with m = Σkᵢ/Στᵢ: that is the score of
    1/α at 0. Otherwise it is found over (ln coefficient of variation, ln mean), where it is smooth and unbounded.

    The average is over 25 pairs (9 with over 200 sites): Gauss-Hermite nodes around the posterior's mode, each weighted
    by the actual posterior there. The prior is flat in the logarithm of the mean, and see `PRIOR_SPREAD`.
    """
    k, days = _seen(enrolled, open_days)
    best, is_even = _best(k, days)
    return RateFit(
        best=best,
        is_even=is_even,
        plausible=_plausible(k, days),
        enrolled=int(k.sum()),
        open_days=float(days.sum()),
        sites=len(k),
    )


def best_fit(enrolled: Sequence[int], open_days: Sequence[float]) -> RateFit:
    """Fit the rates as `fit` does, without what is plausible beside the maximum; errors as there."""
    k, days = _seen(enrolled, open_days)
    best, is_even = _best(k, days)
    return RateFit(
        best=best, is_even=is_even, plausible=(best,), enrolled=int(k.sum()), open_days=float(days.sum()), sites=len(k)
    )


def _seen(enrolled: Sequence[int], open_days: Sequence[float]) -> tuple[Floats, Floats]:
    seen = [(k, days) for k, days in zip(enrolled, open_days, strict=True) if days > 0]
    k = np.array([pair[0] for pair in seen], dtype=np.float64)
    if k.sum() <= 0:
        raise ValueError("Nobody enrolled in open time.")
    return k, np.array([pair[1] for pair in seen], dtype=np.float64)


def _best(k: Floats, days: Floats) -> tuple[RateModel, bool]:
    mean = float(k.sum() / days.sum())
    excess = float(np.sum((k - mean * days) ** 2 - k))
    if excess > 0:
        # Starting value for 1/α from the score.
        spread = math.sqrt(max(excess / float(np.sum((mean * days) ** 2)), 1e-4))
        best = model_at(maximum(lambda at: _log_likelihood(at, k, days), (math.log(spread), math.log(mean))))
        if best.shape <= EVEN_SHAPE:
            return best, False
    return RateModel(EVEN_SHAPE, EVEN_SHAPE / mean), True


def log_likelihood(model: RateModel, enrolled: Sequence[int], open_days: Sequence[float]) -> float:
    """Return the log-likelihood of the data; sites need open time."""
    at = (math.log(model.spread), math.log(model.mean))
    return _log_likelihood(at, np.array(enrolled, dtype=np.float64), np.array(open_days, dtype=np.float64))


Point = tuple[float, float]
"""Logarithms of the coefficient of variation and of the mean rate."""


def model_at(at: Point, weight: float = 1.0) -> RateModel:
    """Return the model of a point."""
    shape = math.exp(-2 * at[0])
    return RateModel(shape, shape / math.exp(at[1]), weight)


def _log_likelihood(at: Point, k: Floats, days: Floats) -> float:
    from scipy.special import gammaln

    shape = math.exp(-2 * at[0])
    # ln of τ/β; in this form nothing cancels as α grows.
    odds = math.exp(at[1]) * days / shape
    rising = gammaln(shape + k) - gammaln(shape)
    return float(np.sum(rising - gammaln(k + 1) - (shape + k) * np.log1p(odds) + k * np.log(odds)))


def log_posterior(at: Point, k: Floats, days: Floats) -> float:
    """Return the logarithm of a point's posterior density, without a constant; sites need open time."""
    spread = math.exp(at[0])
    return _log_likelihood(at, k, days) - (spread / PRIOR_SPREAD) ** 2 / 2 + at[0]


def maximum(function: Callable[[Point], float], start: Point) -> Point:
    """Return where a function is highest, within the range in which floats can tell α from α + k."""
    from scipy.optimize import minimize

    options = {"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4000}
    # Limited to the range in which a float can distinguish α from α + k, and exp does not overflow.
    found = minimize(
        lambda x: -function((min(max(x[0], -9.0), 4.0), x[1])), start, method="Nelder-Mead", options=options
    )
    return min(max(float(found.x[0]), -9.0), 4.0), float(found.x[1])


def _plausible(k: Floats, days: Floats) -> tuple[RateModel, ...]:
    def height(at: Point) -> float:
        return log_posterior(at, k, days)

    mode = maximum(height, (math.log(PRIOR_SPREAD / 2), math.log(float(k.sum() / days.sum()))))
    axes = axes_of(height, mode)
    # With many sites the posterior is narrow and nearly normal, and few nodes are enough.
    nodes, node_weights = np.polynomial.hermite_e.hermegauss(_NODES if len(k) <= _MANY_SITES else FEW_NODES)
    points, logs = [], []
    for z0, w0 in zip(nodes, node_weights, strict=True):
        for z1, w1 in zip(nodes, node_weights, strict=True):
            moved = axes @ np.array([z0, z1])
            at = (mode[0] + float(moved[0]), mode[1] + float(moved[1]))
            points.append(at)
            logs.append(math.log(w0 * w1) + (z0 * z0 + z1 * z1) / 2 + height(at))
    weights = np.exp(np.array(logs) - max(logs))
    weights /= weights.sum()
    kept = sorted(((float(w), at) for w, at in zip(weights, points, strict=True) if w > _NEGLIGIBLE), reverse=True)
    total = sum(weight for weight, _ in kept)
    return tuple(model_at(at, weight / total) for weight, at in kept)


def axes_of(height: Callable[[Point], float], mode: Point) -> Floats:
    """Return the square root of the posterior's covariance at its mode, from its curvature."""
    step = 1e-3
    curvature = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            total = 0.0
            for a in (-1, 1):
                for b in (-1, 1):
                    at = list(mode)
                    at[i] += a * step
                    at[j] += b * step
                    total += a * b * height((at[0], at[1]))
            curvature[i, j] = -total / (4 * step * step)
    return np.asarray(np.linalg.cholesky(np.linalg.inv(curvature)))


DAYS_A_MONTH = 30
"""Length of a month for rates, in days."""


def month_rates(models: Sequence[RateModel], sites: Sequence[_Counted]) -> list[tuple[float, float, float]]:
    """Return each site's enrolments in a month of 30 open days: the mean of its rate, and the rate's 95 % interval.

    Parameters
    ----------
    models
        The possible distributions of the sites' rates, with weights that add up to 1.
    sites
        The data of each site; a site without open time gets the rate of an unknown site.
    """
    from scipy.special import gammainc

    weights = np.array([model.weight for model in models])
    enrolled = np.array([site.enrolled for site in sites], dtype=np.float64)[:, None]
    shape = np.array([model.shape for model in models]) + enrolled
    days = np.array([model.days + model.past(sites) for model in models]).T
    mean = (shape / days) @ weights
    ends = []
    for probability in (0.025, 0.975):
        # The quantile of a mixture has no formula; 60 halvings find it to a float's precision.
        low, high = np.zeros(len(sites)), np.full(len(sites), float((shape / days).max() * 50))
        for _ in range(60):
            middle = (low + high) / 2
            is_above = gammainc(shape, days * middle[:, None]) @ weights >= probability
            low, high = np.where(is_above, low, middle), np.where(is_above, middle, high)
        ends.append(high)
    return [
        (float(m) * DAYS_A_MONTH, float(a) * DAYS_A_MONTH, float(b) * DAYS_A_MONTH)
        for m, a, b in zip(mean, *ends, strict=True)
    ]
