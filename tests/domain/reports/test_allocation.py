"""Allocation: needs, caps and distances, and the optimum against every assignment there is."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.occupancy import keys_for
from sitematch.domain.reports.allocation import (
    Allocation,
    AllocationRequest,
    AllocationSite,
    Obstacle,
    allocate,
)
from sitematch.domain.studies.travel import TRAVEL_ORDER, TravelCertainty
from sitematch.errors import InvalidInput

STUDY = CapKey(level=CapLevel.STUDY)


def make_request(referral_id: str, **changes: object) -> AllocationRequest:
    return AllocationRequest(referral_id=referral_id, **changes)  # type: ignore[arg-type]


def make_offer(site_id: str, country: str = "DE", travel: TravelCertainty = TravelCertainty.UNKNOWN) -> AllocationSite:
    return AllocationSite(site_id=site_id, country=country, travel=travel)


def site_cap(site_id: str) -> CapKey:
    return CapKey(level=CapLevel.SITE, scope=site_id)


def country_cap(country: str) -> CapKey:
    return CapKey(level=CapLevel.COUNTRY, scope=country)


def arm_cap(arm: str) -> CapKey:
    return CapKey(level=CapLevel.ARM, scope=arm)


def sites_of(found: Allocation) -> dict[str, str]:
    return {placement.referral_id: placement.site_id for placement in found.placements}


def may_go(request: AllocationRequest, site: AllocationSite, km: float) -> bool:
    return (
        math.isfinite(km)
        and (request.max_km is None or km <= request.max_km)
        and (request.country is None or site.country == request.country)
        and (request.min_travel is None or TRAVEL_ORDER[site.travel] <= TRAVEL_ORDER[request.min_travel])
    )


def brute_force(
    requests: list[AllocationRequest], sites: list[AllocationSite], km: list[list[float]], room: dict[CapKey, int]
) -> tuple[int, float]:
    """Try every assignment; return how many are placed at best, and the least total distance of so many."""
    best = (0, 0.0)
    for chosen in itertools.product([None, *range(len(sites))], repeat=len(requests)):
        used = dict.fromkeys(room, 0)
        total, count = 0.0, 0
        for request, row, j in zip(requests, km, chosen, strict=True):
            if j is None:
                continue
            if not may_go(request, sites[j], row[j]):
                break
            count, total = count + 1, total + row[j]
            for key in keys_for(sites[j].site_id, sites[j].country, request.arm):
                if key in used:
                    used[key] += 1
        else:
            if all(used[key] <= room[key] for key in room):
                best = min(best, (-count, total)) if best else (-count, total)
    return -best[0], best[1]


_KM = st.one_of(st.integers(0, 500).map(float), st.just(math.inf))


@st.composite
def batches(
    draw: st.DrawFn,
) -> tuple[list[AllocationRequest], list[AllocationSite], list[list[float]], dict[CapKey, int]]:
    sites = [
        make_offer(f"s{j}", draw(st.sampled_from(["DE", "FR"])), draw(st.sampled_from(list(TravelCertainty))))
        for j in range(draw(st.integers(0, 4)))
    ]
    requests = [
        make_request(
            f"r{i}",
            max_km=draw(st.one_of(st.none(), st.integers(1, 500).map(float))),
            min_travel=draw(st.one_of(st.none(), st.none(), st.sampled_from(list(TravelCertainty)))),
            country=draw(st.sampled_from([None, None, "DE", "FR"])),
            arm=draw(st.sampled_from([None, "a", "b"])),
        )
        for i in range(draw(st.integers(0, 5)))
    ]
    km = [[draw(_KM) for _ in sites] for _ in requests]
    keys = [
        STUDY,
        country_cap("DE"),
        country_cap("FR"),
        arm_cap("a"),
        arm_cap("b"),
        *(site_cap(s.site_id) for s in sites),
    ]
    room = {key: draw(st.integers(0, 3)) for key in keys if draw(st.booleans())}
    return requests, sites, km, room


@given(batch=batches())
@settings(max_examples=200)
def test_no_other_assignment_places_more_or_as_many_over_less_distance(
    batch: tuple[list[AllocationRequest], list[AllocationSite], list[list[float]], dict[CapKey, int]],
) -> None:
    requests, sites, km, room = batch

    found = allocate(requests, sites, km, room)

    count, total_km = brute_force(requests, sites, km, room)
    assert len(found.placements) == count
    assert found.total_km == pytest.approx(total_km, abs=1e-6)
    assert_keeps_rules(requests, sites, km, room, found)


def assert_keeps_rules(
    requests: list[AllocationRequest],
    sites: list[AllocationSite],
    km: list[list[float]],
    room: dict[CapKey, int],
    found: Allocation,
) -> None:
    asked = {request.referral_id: (request, row) for request, row in zip(requests, km, strict=True)}
    at = {site.site_id: (site, j) for j, site in enumerate(sites)}
    used = dict.fromkeys(room, 0)
    for placement in found.placements:
        request, row = asked.pop(placement.referral_id)
        site, j = at[placement.site_id]
        assert may_go(request, site, row[j])
        assert placement.km == row[j]
        assert placement.given_up_km >= 0
        for key in keys_for(site.site_id, site.country, request.arm):
            if key in used:
                used[key] += 1
    assert all(used[key] <= room[key] for key in room)
    for unplaced in found.unplaced:
        request, row = asked.pop(unplaced.referral_id)
        fitting = [site for site, km_to in zip(sites, row, strict=True) if may_go(request, site, km_to)]
        assert bool(fitting) == (unplaced.obstacle is Obstacle.CAPS)
        assert all(used[key] == room[key] for key in unplaced.caps)  # each named cap is used up
        for site in fitting:  # and together they keep the referral from every site
            assert set(unplaced.caps) & set(keys_for(site.site_id, site.country, request.arm))
    assert not asked


@given(batch=batches(), seed=st.integers(0, 100))
@settings(max_examples=60)
def test_the_order_of_the_batch_changes_nothing(
    batch: tuple[list[AllocationRequest], list[AllocationSite], list[list[float]], dict[CapKey, int]], seed: int
) -> None:
    requests, sites, km, room = batch
    rows, columns = list(range(len(requests))), list(range(len(sites)))
    random.Random(seed).shuffle(rows)
    random.Random(seed + 1).shuffle(columns)

    first = allocate(requests, sites, km, room)
    second = allocate(
        [requests[i] for i in rows],
        [sites[j] for j in columns],
        [[km[i][j] for j in columns] for i in rows],
        dict(reversed(room.items())),
    )

    assert sites_of(first) == sites_of(second)


@pytest.mark.parametrize("seed", range(5))
def test_equally_good_allocations_are_told_apart_by_the_ids_alone(seed: int) -> None:
    ids, rng = [f"r{i}" for i in range(7)], random.Random(seed)
    sites = [make_offer(f"s{j}") for j in range(4)]
    room = {STUDY: 5} | {site_cap(site.site_id): 2 for site in sites}

    in_order = allocate([make_request(name) for name in ids], sites, [[100.0] * 4] * 7, room)
    rng.shuffle(ids)
    rng.shuffle(sites)
    shuffled = allocate([make_request(name) for name in ids], sites, [[100.0] * 4] * 7, room)

    assert sites_of(in_order) == sites_of(shuffled)


def test_who_would_lose_least_gives_way() -> None:
    found = allocate(
        [make_request("ann"), make_request("ben")],
        [make_offer("near"), make_offer("far")],
        [[10.0, 20.0], [10.0, 90.0]],
        {site_cap("near"): 1},
    )

    assert sites_of(found) == {"ann": "far", "ben": "near"}
    assert [(p.referral_id, p.given_up_km, p.best_site_id) for p in found.placements] == [
        ("ann", 10.0, "near"),
        ("ben", 0.0, "near"),
    ]


def test_placing_one_more_comes_before_any_distance() -> None:
    found = allocate(
        [make_request("ann"), make_request("ben", max_km=20)],
        [make_offer("near"), make_offer("far")],
        [[1.0, 5000.0], [10.0, 90.0]],
        {site_cap("near"): 1},
    )

    assert sites_of(found) == {"ann": "far", "ben": "near"}


def test_the_caps_of_study_country_and_arm_hold_at_once() -> None:
    requests = [make_request(f"r{i}", arm="a" if i < 3 else "b") for i in range(6)]
    sites = [make_offer("berlin"), make_offer("lyon", "FR")]
    km = [[float(i), 100.0 + i] for i in range(6)]

    found = allocate(requests, sites, km, {STUDY: 4, country_cap("DE"): 2, arm_cap("a"): 1})

    assert len(found.placements) == 4
    assert sum(p.site_id == "berlin" for p in found.placements) == 2
    assert sum(p.referral_id in ("r0", "r1", "r2") for p in found.placements) == 1
    assert {u.caps for u in found.unplaced} == {(STUDY, country_cap("DE"), arm_cap("a"))}


def test_a_referral_that_nothing_fits_says_which_needs_failed() -> None:
    (unplaced,) = allocate(
        [make_request("ann", max_km=50, min_travel=TravelCertainty.COVERED, country="DE")],
        [make_offer("a"), make_offer("b", "FR", TravelCertainty.COVERED)],
        [[60.0, 10.0]],
        {},
    ).unplaced

    assert unplaced.obstacle is Obstacle.NO_SITE_FITS
    assert unplaced.misfits == (("max_km", 1), ("min_travel", 1), ("country", 1))


def test_a_referral_from_nowhere_known_is_said_to_be_so() -> None:
    (unplaced,) = allocate([make_request("ann")], [make_offer("a")], [[math.inf]], {}).unplaced

    assert unplaced.obstacle is Obstacle.NOT_LOCATED


def test_a_part_that_is_full_already_names_its_cap() -> None:
    (unplaced,) = allocate([make_request("ann", arm="a")], [make_offer("a")], [[1.0]], {arm_cap("a"): 0}).unplaced

    assert unplaced.caps == (arm_cap("a"),)


def test_hundreds_of_referrals_and_sites_are_allocated_to_the_optimum_of_each_alone_where_no_cap_binds() -> None:
    rng = random.Random(5)
    requests = [make_request(f"r{i:03}") for i in range(200)]
    sites = [make_offer(f"s{j:03}") for j in range(46)]
    km = [[rng.uniform(0, 1000) for _ in sites] for _ in requests]

    found = allocate(requests, sites, km, {STUDY: 200})

    assert found.total_km == pytest.approx(sum(min(row) for row in km))
    assert all(placement.given_up_km == 0 for placement in found.placements)


@pytest.mark.parametrize("seed", range(12))
def test_scarce_spots_are_allocated_as_an_integer_program_over_all_pairs_does(seed: int) -> None:
    rng = random.Random(seed)
    arms, countries = ("a", "b", None), ("DE", "FR", "US")
    requests = [make_request(f"r{i:03}", arm=arms[i % 3], max_km=rng.choice((None, 700.0))) for i in range(30)]
    sites = [make_offer(f"s{j:03}", countries[j % 3]) for j in range(60)]
    # Everybody lives near the first sites, which are full soon: the best choice lies beyond the ten nearest.
    km = [[rng.uniform(0, 100) + 15 * j for j in range(60)] for _ in requests]
    room = {site_cap(site.site_id): rng.randint(0, 1) for site in sites}
    room |= {country_cap("DE"): 9, country_cap("FR"): 8, arm_cap("a"): 8, STUDY: rng.choice((22, 28))}

    found = allocate(requests, sites, km, room)

    most, least_km = integer_program(requests, sites, km, room)
    assert len(found.placements) == most
    assert found.total_km == pytest.approx(least_km, abs=1e-6)
    used = Counter(
        key
        for placement in found.placements
        for key in keys_for(
            placement.site_id,
            next(site.country for site in sites if site.site_id == placement.site_id),
            next(request.arm for request in requests if request.referral_id == placement.referral_id),
        )
    )
    assert all(used[key] <= spots for key, spots in room.items())


def integer_program(
    requests: list[AllocationRequest], sites: list[AllocationSite], km: list[list[float]], room: dict[CapKey, int]
) -> tuple[int, float]:
    """Return the greatest number of placements, and the least total distance of so many."""
    pairs = [
        (i, j) for i, request in enumerate(requests) for j, site in enumerate(sites) if may_go(request, site, km[i][j])
    ]
    names = [*range(len(requests)), *room]
    matrix = np.zeros((len(names) + 1, len(pairs)))
    for at, (i, j) in enumerate(pairs):
        for name in (i, *keys_for(sites[j].site_id, sites[j].country, requests[i].arm)):
            if name in names:
                matrix[names.index(name), at] = 1
    matrix[-1] = 1
    upper = np.array([1.0] * len(requests) + [float(spots) for spots in room.values()] + [math.inf])
    lower = np.zeros(len(upper))

    def least(cost: list[float]) -> float:
        found = milp(
            cost, constraints=LinearConstraint(matrix, lower, upper), bounds=Bounds(0, 1), integrality=[1] * len(cost)
        )
        assert found.success
        return float(found.fun)

    most = round(-least([-1.0] * len(pairs)))
    lower[-1] = upper[-1] = most
    return most, least([km[i][j] for i, j in pairs])


def test_an_id_given_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'ann' appears twice"):
        allocate([make_request("ann"), make_request("ann")], [make_offer("a")], [[1.0], [1.0]], {})


def test_a_batch_that_would_take_gigabytes_is_refused() -> None:
    requests = [make_request(str(i)) for i in range(1001)]
    sites = [make_offer(str(j)) for j in range(1000)]

    with pytest.raises(InvalidInput, match="at most 100 referrals"):
        allocate(requests, sites, [[0.0] * 1000] * 1001, {})


@pytest.mark.parametrize("max_km", [0.0, -1.0, math.nan, math.inf])
def test_a_bound_that_is_no_distance_is_refused(max_km: float) -> None:
    with pytest.raises(InvalidInput, match="max_km"):
        make_request("ann", max_km=max_km)
