"""Attacks on hidden numbers with linear programming, over every total and every report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from sitematch.domain.reports.demand import BATCH, DemandCell, publishable
from sitematch.reports.demand import DemandFacts, RegionReach, demand_report
from sitematch.reports.document import Report
from sitematch.reports.render import Format, render
from tests.builders import NOW, make_site, make_study

MONTHS = ("2025-09", "2025-10", "2025-11", "2025-12")
REGIONS = ("US-331", "US-041", "DE-10", "FR-75")
THRESHOLD = 3 * BATCH
World = dict[tuple[str, str], int]

worlds = st.dictionaries(
    st.tuples(st.sampled_from(REGIONS), st.sampled_from(MONTHS)), st.integers(1, 9).map(lambda n: n * BATCH)
)


@dataclass(frozen=True)
class Seen:
    """What one report shows: totals by region, by month and in all."""

    months: tuple[str, ...]
    by_region: dict[str, int]
    by_month: dict[str, int]
    total: int


def cells_of(world: World, months: Sequence[str]) -> list[DemandCell]:
    return [DemandCell(month=m, region=r, lookups=n) for (r, m), n in sorted(world.items()) if m in months]


def make_report(world: World, months: Sequence[str], threshold: int = THRESHOLD) -> Report:
    return demand_report(
        DemandFacts(
            study=make_study(),
            as_of=NOW,
            sources=("test",),
            months=tuple(months),
            threshold=threshold,
            within_km=100.0,
            cells=publishable(cells_of(world, months), threshold),
            reach={
                "DE-10": RegionReach(name="Berlin", site=make_site("a"), km=20, least_km=0, most_km=45),
                "US-331": RegionReach(name="Miami", site=make_site("a"), km=900, least_km=860, most_km=940),
                "FR-75": RegionReach(name="Paris", site=make_site("a"), km=100, least_km=76, most_km=124),
            },
        ),
        "UTC",
    )


def windows() -> list[tuple[str, ...]]:
    """Every possible period of months, now and earlier."""
    return [MONTHS[i:j] for i in range(len(MONTHS)) for j in range(i + 1, len(MONTHS) + 1)]


def ours(world: World, months: tuple[str, ...]) -> Seen:
    tables = {table.name: table for table in make_report(world, months).tables}
    assert tables["regions"].totals is not None
    total = tables["regions"].totals[3]
    assert isinstance(total, int)
    return Seen(
        months=months,
        by_region={str(row[0]): row[3] for row in tables["regions"].rows if isinstance(row[3], int)},
        by_month={str(row[0]): row[1] for row in tables["months"].rows if isinstance(row[1], int)},
        total=total,
    )


def careless(world: World, months: tuple[str, ...]) -> Seen:
    """The wrong way: small cells are blank, but the totals include them."""
    cells = cells_of(world, months)
    shown = [cell for cell in cells if cell.lookups >= THRESHOLD]
    return Seen(
        months=months,
        by_region={r: sum(c.lookups for c in shown if c.region == r) for r in {c.region for c in shown}},
        by_month={m: sum(c.lookups for c in cells if c.month == m) for m in months},
        total=sum(c.lookups for c in cells),
    )


def attack(
    publish: Callable[[World, tuple[str, ...]], Seen], world: World
) -> dict[tuple[str, str], tuple[float, float]]:
    """Bound every cell by all that is published, each number taken as the total of what is in its row or column."""
    keys = [(region, month) for region in REGIONS for month in MONTHS]
    rows, values = [], []

    def know(members: Callable[[str, str], bool], total: int) -> None:
        rows.append([1.0 if members(region, month) else 0.0 for region, month in keys])
        values.append(float(total))

    for seen in (publish(world, months) for months in windows()):
        for month, total in seen.by_month.items():
            know(lambda r, m, month=month: m == month, total)  # type: ignore[misc]
        know(lambda r, m, seen=seen: m in seen.months, seen.total)  # type: ignore[misc]
        if len(seen.months) == 1:
            for region, total in seen.by_region.items():
                know(lambda r, m, region=region, seen=seen: r == region and m in seen.months, total)  # type: ignore[misc]
    bounds = {}
    for at, key in enumerate(keys):
        ends = []
        for sign in (1.0, -1.0):
            cost = np.zeros(len(keys))
            cost[at] = sign
            found = linprog(cost, A_eq=np.array(rows), b_eq=np.array(values), bounds=(0, None))
            assert found.success, found.message
            ends.append(sign * found.fun)
        bounds[key] = (ends[0], ends[1])
    return bounds


SMALL_WORLD: World = {
    ("US-331", "2025-12"): 99,
    ("DE-10", "2025-12"): 55,
    ("FR-75", "2025-12"): 22,
    ("US-331", "2025-11"): 44,
    ("US-041", "2025-11"): 11,
}
HIDDEN = {key: n for key, n in SMALL_WORLD.items() if n < THRESHOLD}


def test_the_attacker_finds_hidden_numbers_where_totals_hold_them() -> None:
    found = attack(careless, SMALL_WORLD)

    # The only hidden region of a month cannot be told from those without look-ups, but their sum is exact; so it is
    # found whole as soon as the others are known to be none.
    assert found["FR-75", "2025-12"] == (0, 22)
    assert found["US-041", "2025-11"] == (0, 11)


def test_the_attacker_finds_nothing_of_ours() -> None:
    found = attack(ours, SMALL_WORLD)

    for key, truth in HIDDEN.items():
        assert truth > 0
        assert found[key] == (0, 0)  # as for a region without any look-up


@given(world=worlds, other=worlds)
def test_hidden_numbers_change_no_byte_of_any_report(world: World, other: World) -> None:
    shown = {key: n for key, n in world.items() if n >= THRESHOLD}
    first = shown | {key: n for key, n in world.items() if n < THRESHOLD}
    second = shown | {key: n for key, n in other.items() if n < THRESHOLD and key not in shown}

    for months in windows():
        for form in (Format.JSON, Format.CSV):
            assert render(make_report(first, months), form) == render(make_report(second, months), form)


@given(world=worlds)
def test_totals_are_those_of_what_is_shown(world: World) -> None:
    for months in windows():
        seen = ours(world, months)

        shown = {key: n for key, n in world.items() if n >= THRESHOLD and key[1] in months}
        assert seen.total == sum(seen.by_region.values()) == sum(seen.by_month.values()) == sum(shown.values())


def test_regions_beyond_reach_are_named_and_those_that_cannot_be_told_are_not() -> None:
    report = make_report({("US-331", "2025-12"): 99, ("DE-10", "2025-12"): 55, ("FR-75", "2025-12"): 33}, MONTHS)

    tables = {table.name: table for table in report.tables}
    assert [row[0] for row in tables["without-supply"].rows] == ["US-331"]
    assert [(row[0], row[6]) for row in tables["regions"].rows] == [
        ("US-331", "out of reach"),
        ("DE-10", "within reach"),
        ("FR-75", "uncertain"),
    ]
    assert report.sections[0].text == (
        "99 of 187 searches shown (53%) came from regions without an open site within 100 km.",
    )
