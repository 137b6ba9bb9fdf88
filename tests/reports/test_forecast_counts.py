"""Distributions of counts, against scipy's and against adding up by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sitematch.reports.forecast import counts


@pytest.mark.parametrize(("size", "share"), [(0.7, 0.3), (3.5, 0.6), (250.0, 0.4), (1e6, 1e-5)])
def test_negative_binomial_agrees_in_mean_variance_and_none(size: float, share: float) -> None:
    pmf = counts.negative_binomial(size, share)

    n = np.arange(len(pmf))
    mean = size * share / (1 - share)
    assert pmf.sum() == pytest.approx(1, abs=1e-9)
    assert counts.mean(pmf) == pytest.approx(mean, rel=1e-8)
    assert pmf @ (n - mean) ** 2 == pytest.approx(mean / (1 - share), rel=1e-7)
    assert pmf[0] == pytest.approx((1 - share) ** size, rel=1e-9)
    assert pmf == pytest.approx(stats.nbinom.pmf(n, size, 1 - share), rel=1e-7, abs=1e-13)


@pytest.mark.parametrize("cap", [0, 1, 5, 40])
def test_cap_turns_away_all_beyond_it(cap: int) -> None:
    pmf = counts.negative_binomial(3.5, 0.6, cap)

    whole = stats.nbinom(3.5, 0.4)
    assert len(pmf) == cap + 1
    assert pmf[-1] == pytest.approx(whole.sf(cap - 1), rel=1e-9)
    assert counts.mean(pmf) == pytest.approx(sum(whole.sf(j) for j in range(cap)), rel=1e-9)


def test_share_of_people_is_beta_binomial() -> None:
    assert counts.some_of(7, 2.5, 1.5) == pytest.approx(stats.betabinom.pmf(np.arange(8), 7, 2.5, 1.5), rel=1e-10)


pmfs = st.lists(st.floats(0.01, 1), min_size=1, max_size=6).map(lambda raw: np.array(raw) / sum(raw))


@given(st.lists(pmfs, min_size=1, max_size=4), st.integers(0, 8))
def test_total_is_the_sum_over_all_combinations(parts: list[counts.Pmf], cap: int) -> None:
    by_hand = np.zeros(cap + 1)
    for at in np.ndindex(*(len(part) for part in parts)):
        by_hand[min(sum(at), cap)] += np.prod([part[i] for part, i in zip(parts, at, strict=True)])

    found = counts.total(parts, cap)

    padded = np.zeros(cap + 1)
    padded[: len(found)] = found
    assert padded == pytest.approx(by_hand, abs=1e-12)


def test_long_distributions_add_up_like_short_ones() -> None:
    a, b = counts.negative_binomial(90.0, 0.9), counts.negative_binomial(60.0, 0.9)

    found = counts.total([a, b])

    assert min(len(a), len(b)) > 256  # so that the Fourier transform is what is tested
    assert found[: len(a)] == pytest.approx(stats.nbinom.pmf(np.arange(len(a)), 150.0, 0.1), abs=1e-12)


@given(pmfs, st.sampled_from([0.5, 0.8, 0.95]))
def test_interval_holds_at_least_its_level(pmf: counts.Pmf, level: float) -> None:
    low, high = counts.interval(pmf, level)

    assert pmf[low : high + 1].sum() >= level - 1e-9
    assert pmf[:low].sum() <= (1 - level) / 2 + 1e-9


def test_quantile_is_the_least_number_that_suffices() -> None:
    pmf = np.array([0.1, 0.4, 0.5])

    assert [counts.quantile(pmf, at) for at in (0.05, 0.1, 0.11, 0.5, 0.51, 1.0)] == [0, 0, 1, 1, 2, 2]


def test_remaining_is_what_is_left_of_the_spots() -> None:
    assert counts.remaining(np.array([0.2, 0.3, 0.5]), 1) == pytest.approx([0.8, 0.2])
    assert counts.remaining(np.array([0.2, 0.8]), 3) == pytest.approx([0, 0, 0.8, 0.2])


@pytest.mark.parametrize("cap", [None, 60, 7])
def test_many_capped_sites_at_once_are_their_sum_one_by_one(cap: int | None) -> None:
    rng = np.random.default_rng(3)
    sizes, shares, caps = rng.uniform(0.3, 9, 45), rng.uniform(0.05, 0.9, 45), rng.integers(0, 30, 45)

    found = counts.capped_total(sizes.tolist(), shares.tolist(), caps.tolist(), cap)

    each = [counts.negative_binomial(*one) for one in zip(sizes, shares, caps.tolist(), strict=True)]
    expected = counts.total(each, cap)
    assert len(found) == len(expected) == 1 + (int(caps.sum()) if cap is None else cap)
    assert found == pytest.approx(expected, abs=1e-13)
    assert found.sum() == pytest.approx(1)
