"""Exact distributions of a number of people: negative binomials, their sums, and their limits by caps.

A distribution is an array: entry n is the probability of n. If a cap cuts it off, the last entry is the probability of
the cap *or more*. Otherwise it ends where less than `NEGLIGIBLE` is left.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Pmf = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float64]

NEGLIGIBLE = 1e-13
"""Probability that may be left out at the upper end of a distribution."""

_DIRECT = 256
"""Up to this many entries in the shorter of two, direct convolution is faster than a Fourier transform."""

NOBODY: Pmf = np.array([1.0])


def negative_binomial(size: float, share: float, cap: int | None = None) -> Pmf:
    """Return the distribution of future enrolments with a rate that follows Gamma(size, β).

    Parameters
    ----------
    size
        The gamma's shape, over 0.
    share
        t / (β + t) for a time t: 0 to 1, 1 left out.
    cap
        The largest number of enrolments; None for no limit.

    Notes
    -----
    P(n) = Γ(size + n) / (Γ(size) n!) · share^n (1 - share)^size; mean size · share / (1 - share). The tail under a cap
    is the regularised incomplete beta function, which avoids cancellation.
    """
    from scipy.special import betainc, gammaln

    if share <= 0 or cap == 0:
        return NOBODY
    mean = size * share / (1 - share)
    deviation = float(np.sqrt(mean / (1 - share)))
    length = int(mean + 10 * deviation + 40)
    # P(N >= length) = I_share(length, size).
    while (cap is None or length < cap) and betainc(length, size, share) > NEGLIGIBLE:
        length *= 2
    if cap is not None:
        length = min(length, cap)
    n = np.arange(length, dtype=np.float64)
    logs = gammaln(size + n) - gammaln(size) - gammaln(n + 1) + n * np.log(share) + size * np.log1p(-share)
    pmf: Pmf = np.exp(logs)
    return np.append(pmf, betainc(length, size, share)) if cap is not None and length == cap else _trimmed(pmf)


def some_of(count: int, successes: float, failures: float) -> Pmf:
    """Return the distribution of how many of `count` people succeed.

    Parameters
    ----------
    count
        How many people.
    successes, failures
        The parameters of the distribution of the share that succeeds: Beta(successes, failures).

    Notes
    -----
    Beta-binomial: C(count, n) B(n + successes, count - n + failures) / B(successes, failures).
    """
    from scipy.special import betaln, gammaln

    n = np.arange(count + 1, dtype=np.float64)
    choose = gammaln(count + 1) - gammaln(n + 1) - gammaln(count - n + 1)
    pmf: Pmf = np.exp(choose + betaln(n + successes, count - n + failures) - betaln(successes, failures))
    return pmf


def total(parts: Iterable[Pmf], cap: int | None = None) -> Pmf:
    """Return the distribution of the sum of independent numbers, cut off at a cap.

    The shortest are added first, which is faster; except for rounding, the result does not depend on the order of
    `parts`.
    """
    heap = [(len(part), i, part) for i, part in enumerate(limited(part, cap) for part in parts)]
    if not heap:
        return NOBODY
    heapq.heapify(heap)
    tie = len(heap)
    while len(heap) > 1:
        _, _, a = heapq.heappop(heap)
        _, _, b = heapq.heappop(heap)
        both = limited(_sum(a, b), cap)
        heapq.heappush(heap, (len(both), tie, both))
        tie += 1
    return heap[0][2]


def capped_total(sizes: Sequence[float], shares: Sequence[float], caps: Sequence[int], cap: int | None = None) -> Pmf:
    """Return the distribution of a sum of negative binomials that are each cut off at a cap, and of the whole.

    Parameters
    ----------
    sizes, shares, caps
        As in `negative_binomial`, one of each.
    cap
        The cap of the sum; None for none.

    Notes
    -----
    The same as `total` of `negative_binomial`, for many at once: those with similar caps are added in pairs by Fourier
    transforms of all pairs together.
    """
    size, share, spots = np.array(sizes, dtype=np.float64), np.array(shares, dtype=np.float64), np.array(caps)
    lengths = np.ceil(np.log2(spots + 1)).astype(np.int64)
    return total(
        (_summed(size[at], share[at], spots[at], cap) for at in (lengths == n for n in np.unique(lengths))), cap
    )


def _summed(size: Floats, share: Floats, spots: npt.NDArray[np.int64], cap: int | None) -> Pmf:
    from scipy.fft import irfft, next_fast_len, rfft
    from scipy.special import betainc, gammaln

    n = np.arange(int(spots.max()) + 1, dtype=np.float64)
    logs = gammaln(size[:, None] + n) - gammaln(size)[:, None] - gammaln(n + 1) + n * np.log(share)[:, None]
    rows = np.where(n < spots[:, None], np.exp(logs + (size * np.log1p(-share))[:, None]), 0.0)
    rows[np.arange(len(spots)), spots] = np.where(spots == 0, 1.0, betainc(np.maximum(spots, 1), size, share))
    while len(rows) > 1:
        if len(rows) % 2:
            rows = np.vstack([rows, np.eye(1, rows.shape[1])])
        width = 2 * rows.shape[1] - 1
        length = next_fast_len(width, real=True)
        both = irfft(rfft(rows[::2], length, axis=1) * rfft(rows[1::2], length, axis=1), length, axis=1)
        rows = np.maximum(both[:, :width], 0.0)
        if cap is not None and width > cap + 1:
            rows[:, cap] = rows[:, cap:].sum(axis=1)
            rows = rows[:, : cap + 1]
    return np.asarray(rows[0, : int(spots.sum()) + 1])


def limited(pmf: Pmf, cap: int | None) -> Pmf:
    """Return the distribution of the lower of a number and a cap."""
    if cap is None or len(pmf) <= cap + 1:
        return pmf
    return np.append(pmf[:cap], pmf[cap:].sum())


def mixture(weighted: Iterable[tuple[float, Pmf]]) -> Pmf:
    """Return the weighted mixture of some distributions."""
    found = list(weighted)
    pmf = np.zeros(max(len(part) for _, part in found))
    for weight, part in found:
        pmf[: len(part)] += weight * part
    return pmf


def remaining(pmf: Pmf, spots: int) -> Pmf:
    """Return the distribution of the spots that a number leaves, never negative."""
    left = np.zeros(spots + 1)
    taken = limited(pmf, spots)
    left[: len(taken)] = taken
    return left[::-1]


def mean(pmf: Pmf) -> float:
    """Return the mean number."""
    return float(pmf @ np.arange(len(pmf)))


def quantile(pmf: Pmf, probability: float) -> int:
    """Return the smallest n such that the number is at most n with at least this probability (0 to 1)."""
    # Because of rounding, the sum may be slightly below 1.
    return min(int(np.searchsorted(np.cumsum(pmf), probability - 1e-12)), len(pmf) - 1)


def interval(pmf: Pmf, level: float) -> tuple[int, int]:
    """Return the central interval: at most (1 - level)/2 is below it, and the same above.

    Counts are whole numbers, so it contains the number with *at least* the probability `level`.
    """
    return quantile(pmf, (1 - level) / 2), quantile(pmf, (1 + level) / 2)


def at_least(pmf: Pmf, n: int) -> float:
    """Return the probability of n or more."""
    return float(min(1.0, pmf[max(0, n) :].sum()))


def _sum(a: Pmf, b: Pmf) -> Pmf:
    if min(len(a), len(b)) <= _DIRECT:
        return np.convolve(a, b)
    from scipy.signal import fftconvolve

    return np.asarray(np.maximum(fftconvolve(a, b), 0.0))


def _trimmed(pmf: Pmf) -> Pmf:
    above = np.cumsum(pmf[::-1])[::-1]
    return pmf[: max(1, int(np.count_nonzero(above > NEGLIGIBLE)))]
