from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitematch.domain.reports.coverage import counterfactuals, median, within_reach


def test_who_straddles_the_limit_cannot_be_told_and_widens_the_bounds() -> None:
    km, off = np.array([10.0, 48.0, 52.0, 90.0]), np.array([5.0, 5.0, 5.0, 5.0])

    found = within_reach(50, np.array([1.0, 2.0, 3.0, 4.0]), 5.0, km, km - off, km + off)

    assert (found.surely, found.unsure, found.beyond) == (1, 5, 4)
    assert found.share == pytest.approx(3 / 10)  # of those located, by the best points
    assert found.share_low == pytest.approx(1 / 15)  # of all
    assert found.share_high == pytest.approx((1 + 5 + 5) / 15)  # whoever is not located may be anywhere


def test_nobody_is_within_reach_of_no_site() -> None:
    endless = np.full(2, np.inf)

    found = within_reach(50, np.ones(2), 0.0, endless, endless, endless)

    assert (found.surely, found.unsure, found.beyond, found.share_high) == (0, 0, 2, 0)


@given(
    people=st.lists(st.integers(0, 9), min_size=1, max_size=30),
    seed=st.integers(0, 1000),
)
def test_the_median_of_weights_is_that_of_as_many_single_people(people: list[int], seed: int) -> None:
    km = np.random.default_rng(seed).integers(0, 50, len(people)).astype(float)

    found = median(km, np.array(people, dtype=float))

    single = sorted(v for v, n in zip(km.tolist(), people, strict=True) for _ in range(n))
    assert found == (single[(len(single) - 1) // 2] if single else math.inf)


def test_candidates_rank_by_the_median_then_by_the_mean() -> None:
    people, km = np.ones(3), np.array([10.0, 100.0, 300.0])
    useless, in_the_middle, far_out = np.full(3, 900.0), np.array([90.0, 20.0, 290.0]), np.array([310.0, 200.0, 0.0])

    found = counterfactuals(people, km, [useless, far_out, in_the_middle], [50.0])

    # The distances become 10, 100, 0 with the one far out; 10, 20, 290 with the one in the middle.
    assert [(one.candidate, one.median_km, one.nearer) for one in found] == [(1, 10, 1), (2, 20, 2), (0, 100, 0)]
    assert [one.shares for one in found] == [(2 / 3,), (2 / 3,), (1 / 3,)]


@given(seed=st.integers(0, 1000), places=st.integers(1, 12), candidates=st.integers(1, 5))
def test_each_candidate_changes_what_measuring_anew_would_show(seed: int, places: int, candidates: int) -> None:
    rng = np.random.default_rng(seed)
    people = rng.integers(1, 5, places).astype(float)
    km = rng.uniform(0, 500, places)
    to = [rng.uniform(0, 500, places) for _ in range(candidates)]

    found = counterfactuals(people, km, to, [100.0])

    for one in found:
        then = [min(a, b) for a, b in zip(km.tolist(), to[one.candidate].tolist(), strict=True)]
        single = sorted(v for v, n in zip(then, people.tolist(), strict=True) for _ in range(int(n)))
        assert one.median_km == single[(len(single) - 1) // 2]
        assert one.mean_km == pytest.approx(sum(single) / len(single))
        assert one.shares == (pytest.approx(sum(v <= 100 for v in single) / len(single)),)
    keys = [(one.median_km, one.mean_km) for one in found]
    assert keys == sorted(keys)
