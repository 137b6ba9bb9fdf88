"""Many places ranked together: exactly what `ranking.rank` gives for each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sitematch.domain.finding.match import MatchResult
from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.travel import TravelCertainty, TravelSupport
from sitematch.domain.units import COMPASS
from sitematch.gazetteer.locate import Gazetteer
from sitematch.services.finding.finder import Finder
from tests.builders import NOW, make_place, make_site, make_study

DEGREES = st.tuples(st.floats(-90, 90), st.floats(-180, 180))
# Few and round, so that distances repeat, bands touch and points coincide.
ROUND = st.tuples(
    st.sampled_from((-90, -1, 0, 0.05, 0.5, 1, 45, 89.99, 90)), st.sampled_from((-180, -0.05, 0, 0.05, 1, 179.9, 180))
)
POINTS = DEGREES | ROUND
SITES = st.lists(
    st.tuples(
        POINTS,
        st.sampled_from((0.0, 1.0, 30.0, 500.0)),
        st.sampled_from(list(TravelCertainty)),
        st.sampled_from((None, 0, 1, 2, 9)),
        st.sampled_from((RecruitmentStatus.RECRUITING, RecruitmentStatus.RECRUITING, RecruitmentStatus.SUSPENDED)),
    ),
    min_size=1,
    max_size=40,
)
PLACES = st.lists(st.tuples(POINTS, st.sampled_from((0.0, 2.0, 80.0, 2000.0))), min_size=1, max_size=12)
POLICIES = st.builds(
    MatchPolicy,
    order=st.sampled_from((Order.BEST, Order.DISTANCE)),
    limit=st.integers(1, 12),
    within_km=st.none() | st.sampled_from((1.0, 120.0, 9_000.0)),
    min_spots=st.none() | st.just(2),
)


def site_of(number: int, drawn: Any) -> Site:
    (latitude, longitude), uncertainty_km, travel, spots, status = drawn
    return replace(
        make_site(f"s-{number:02}", spots=spots, status=status),
        place=make_place(latitude, longitude, uncertainty_km=uncertainty_km),
        travel=TravelSupport(certainty=travel, kinds=()),
    )


def place_of(drawn: Any) -> Place:
    (latitude, longitude), uncertainty_km = drawn
    return Place(
        coordinates=Coordinates(latitude=latitude, longitude=longitude),
        precision=Precision.ADDRESS,
        uncertainty_km=uncertainty_km,
        source="test",
    )


def told(result: MatchResult) -> list[Any]:
    return [
        (
            match.site.site_id,
            match.rank,
            match.band,
            match.distance and (match.distance.km, pytest.approx(match.distance.uncertainty_km, rel=1e-14)),
            match.distance and match.distance.direction,
            " ".join(reason.code for reason in match.reasons),
            result.outside_radius,
        )
        for match in result.matches
    ]


@settings(max_examples=300, deadline=None)
@given(sites=SITES, places=PLACES, policy=POLICIES)
@example(
    # More sites at one point than are measured at first.
    sites=[((10.0, 10.0), 1.0, TravelCertainty.UNKNOWN, 5, RecruitmentStatus.RECRUITING)] * 30,
    places=[((10.0, 10.0), 0.0), ((-10.0, -170.0), 0.0)],
    policy=MatchPolicy(limit=2),
)
def test_order_bands_distances_and_reasons_are_those_of_one_look_up_after_the_other(
    gazetteer: Gazetteer, sites: Any, places: Any, policy: MatchPolicy
) -> None:
    finder = Finder(gazetteer, make_study(), [site_of(number, drawn) for number, drawn in enumerate(sites)])
    together = finder.together(policy, NOW)
    where = [place_of(drawn) for drawn in places]
    alone = [told(finder.match_sites(place, policy, NOW)) for place in where]
    if together is None:
        assert not any(alone)
        return

    ranked = together.rank(where)

    rows = iter(
        zip(
            [together.sites[at].site_id for at in ranked.site],
            ranked.rank.tolist(),
            ranked.band.tolist(),
            zip(ranked.distance_km.tolist(), ranked.uncertainty_km.tolist(), strict=True),
            [COMPASS[at] for at in ranked.direction],
            map(together.reason_text, ranked.reasons.tolist()),
            ranked.outside_radius.tolist(),
            strict=True,
        )
    )
    assert [[next(rows) for _ in range(count)] for count in ranked.counts.tolist()] == alone
    assert next(rows, None) is None


@pytest.mark.parametrize(
    "policy", [MatchPolicy(order=Order.TIME), MatchPolicy(max_minutes=60.0), MatchPolicy(prefer_country="DE")]
)
def test_minutes_and_a_preferred_country_are_ranked_one_by_one(gazetteer: Gazetteer, policy: MatchPolicy) -> None:
    assert Finder(gazetteer, make_study(), [make_site("a")]).together(policy, NOW) is None


def test_sites_without_a_location_are_not_lost(gazetteer: Gazetteer) -> None:
    sites = [make_site("a"), make_site("b", latitude=None)]
    finder = Finder(gazetteer, make_study(), sites)

    assert finder.together(MatchPolicy(limit=1), NOW) is not None
    assert finder.together(MatchPolicy(limit=2), NOW) is None
    assert finder.together(MatchPolicy(limit=2, within_km=5.0), NOW) is not None
