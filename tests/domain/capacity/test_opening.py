"""When sites opened, as their holds show: against simulated sites whose opening is known."""

from __future__ import annotations

import numpy as np
import pytest

from sitematch.domain.capacity.opening import MIN_HOLDS, HoldRecord, opened_after

DAYS = 365.0


def simulated(seed: int, share_late: float, sites: int = 20) -> tuple[dict[str, HoldRecord], float]:
    """Return the holds of sites, some of which opened late, and the open time of all."""
    rng = np.random.default_rng(seed)
    found, open_days = {}, 0.0
    for number in range(sites):
        opened = rng.uniform(0, DAYS) if rng.random() < share_late else 0.0
        held = np.sort(rng.uniform(opened, DAYS, rng.poisson(rng.gamma(2, 0.015) * (DAYS - opened))))
        found[str(number)] = HoldRecord(DAYS, len(held), float(held[0]) if len(held) else None)
        open_days += DAYS - opened
    return found, open_days


def ratio(seed: int, share_late: float) -> float:
    sites, open_days = simulated(seed, share_late)
    return (DAYS * len(sites) - sum(opened_after(sites).values())) / open_days


@pytest.mark.parametrize(("share_late", "within"), [(0.0, 0.02), (0.5, 0.07), (1.0, 0.1)])
def test_open_time_is_right_however_many_sites_opened_late(share_late: float, within: float) -> None:
    ratios = [ratio(seed, share_late) for seed in range(25)]

    assert np.mean(ratios) == pytest.approx(1, abs=within)


def test_control_counting_from_the_start_is_far_off_where_all_opened_late() -> None:
    taken_as_open = [DAYS * 20 / simulated(seed, 1.0)[1] for seed in range(25)]

    assert np.mean(taken_as_open) > 1.8


def test_opening_lies_before_the_first_hold() -> None:
    sites, _ = simulated(3, 0.7)

    for name, days in opened_after(sites).items():
        first = sites[name].first
        assert 0 <= days <= (DAYS if first is None else first)


def test_site_that_is_known_to_have_been_open_stays_so() -> None:
    late = HoldRecord(100.0, 30, 70.0)
    always = {str(n): HoldRecord(100.0, 20, 4.0) for n in range(5)}

    assert opened_after({**always, "x": late})["x"] > 60
    assert opened_after({**always, "x": HoldRecord(100.0, 30, 70.0, is_certain=True)})["x"] == 0


def test_too_few_holds_say_nothing() -> None:
    assert opened_after({"a": HoldRecord(300.0, MIN_HOLDS - 1, 250.0)}) == {"a": 0}
    assert opened_after({}) == {}


def test_very_many_holds_do_not_overflow() -> None:
    found = opened_after({"a": HoldRecord(1_000.0, 200_000, 999.0), "b": HoldRecord(1_000.0, 200_000, 0.01)})

    assert found == {"a": pytest.approx(999, abs=0.1), "b": pytest.approx(0, abs=0.02)}
