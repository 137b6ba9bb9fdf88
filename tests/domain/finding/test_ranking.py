"""The order of matches, and why nearer sites were left out: the specification."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitematch.domain.capacity.caps import LimitedBy, Remaining
from sitematch.domain.finding.candidate import Candidate
from sitematch.domain.finding.match import MatchResult, Reason, ReasonCode
from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.finding.ranking import MAX_EXCLUDED, NOTHING_FORESEEN, rank
from sitematch.domain.place import Place
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.travel import TRAVEL_ORDER, TravelCertainty
from sitematch.domain.units import Unit
from sitematch.errors import InvalidPolicy
from tests.builders import NOW, make_place, make_site

COVERED, MAY_BE, UNKNOWN, NOT_COVERED = (
    TravelCertainty.COVERED,
    TravelCertainty.MAY_BE_COVERED,
    TravelCertainty.UNKNOWN,
    TravelCertainty.NOT_COVERED,
)


class Spots:
    """Spots by site id; unknown where not given."""

    def __init__(self, **counts: int) -> None:
        self.counts = counts

    def remaining(self, site: Site, /) -> Remaining:
        return Remaining(count=self.counts.get(site.site_id), as_of=None, drawn_from=LimitedBy.SITE_CAP)


def match(
    *sites: tuple[float, Site],
    place: Place | None = None,
    unplaced: Sequence[Site] = (),
    spots: Spots | None = None,
    foreseen: Mapping[str, Reason] = NOTHING_FORESEEN,
    **policy: object,
) -> MatchResult:
    """Rank sites that lie at the given distances in kilometres."""
    ordered = sorted(sites, key=lambda pair: (pair[0], pair[1].site_id))
    return rank(
        place or make_place(),
        MatchPolicy(**policy),  # type: ignore[arg-type]
        NOW,
        placed=iter([Candidate(site, km, 0.0) for km, site in ordered]),
        unplaced=unplaced,
        capacity=spots or Spots(),
        foreseen=foreseen,
    )


def ids(result: MatchResult) -> list[str]:
    return [m.site.site_id for m in result.matches]


def left_out(result: MatchResult) -> dict[str, list[ReasonCode]]:
    return {e.site.site_id: [reason.code for reason in e.reasons] for e in result.excluded}


def codes(result: MatchResult, site_id: str) -> list[ReasonCode]:
    return next([r.code for r in m.reasons] for m in result.matches if m.site.site_id == site_id)


class TestBest:
    def test_nearest_first_when_sites_are_far_apart(self) -> None:
        result = match((10, make_site("near")), (100, make_site("far", certainty=COVERED)))

        assert ids(result) == ["near", "far"]
        assert [m.band for m in result.matches] == [1, 2]

    def test_travel_support_decides_among_sites_that_are_about_equally_far(self) -> None:
        result = match(
            (10, make_site("a", certainty=NOT_COVERED)),
            (11, make_site("b", certainty=UNKNOWN)),
            (12, make_site("c", certainty=MAY_BE)),
            (13, make_site("d", certainty=COVERED)),
        )

        assert ids(result) == ["d", "c", "b", "a"]
        assert codes(result, "d")[0] is ReasonCode.AHEAD_BY_TRAVEL

    def test_more_spots_decide_where_travel_support_is_equal_and_unknown_comes_last(self) -> None:
        result = match(
            (10, make_site("unknown")), (11, make_site("one")), (12, make_site("nine")), spots=Spots(one=1, nine=9)
        )

        assert ids(result) == ["nine", "one", "unknown"]
        assert codes(result, "nine")[0] is ReasonCode.AHEAD_BY_SPOTS

    def test_distance_then_site_id_decide_where_all_else_is_equal(self) -> None:
        result = match((11, make_site("z")), (10, make_site("c")), (10, make_site("b")))

        assert ids(result) == ["b", "c", "z"]

    def test_a_band_is_five_kilometres_deep_near_by(self) -> None:
        result = match((2, make_site("a")), (7, make_site("b", certainty=COVERED)), (7.01, make_site("c")))

        assert [m.band for m in result.matches] == [1, 1, 2]
        assert ids(result) == ["b", "a", "c"]

    def test_a_band_is_a_tenth_of_its_start_deep_far_away(self) -> None:
        result = match((1000, make_site("a")), (1100, make_site("b", certainty=COVERED)), (1100.1, make_site("c")))

        assert ids(result) == ["b", "a", "c"]

    def test_a_band_is_as_deep_as_the_combined_uncertainty_of_place_and_first_site(self) -> None:
        place = make_place(uncertainty_km=30.0)

        result = match(
            (10, make_site("a", uncertainty_km=40.0)),
            (60, make_site("b", certainty=COVERED)),
            (60.1, make_site("c")),
            place=place,
        )

        assert ids(result) == ["b", "a", "c"]
        assert result.matches[1].distance is not None
        assert result.matches[1].distance.uncertainty_km == pytest.approx(50.0)

    def test_a_band_does_not_stretch_when_its_members_do(self) -> None:
        result = match((0, make_site("a")), (4, make_site("b")), (8, make_site("c", certainty=COVERED)))

        assert [m.band for m in result.matches] == [1, 1, 2]


class TestDistanceOrder:
    def test_travel_support_and_spots_do_not_matter(self) -> None:
        result = match(
            (10, make_site("a", certainty=NOT_COVERED)),
            (10.5, make_site("b", certainty=COVERED)),
            order=Order.DISTANCE,
        )

        assert ids(result) == ["a", "b"]

    def test_equal_distances_go_by_site_id(self) -> None:
        result = match((10, make_site("b")), (10, make_site("a")), order=Order.DISTANCE, limit=1)

        assert ids(result) == ["a"]


class TestWhoCanTakeAPatient:
    @pytest.mark.parametrize("status", [s for s in RecruitmentStatus if s is not RecruitmentStatus.RECRUITING])
    def test_a_site_that_is_not_recruiting_is_left_out(self, status: RecruitmentStatus) -> None:
        result = match((1, make_site("shut", status=status)), (100, make_site("open")))

        assert ids(result) == ["open"]
        assert left_out(result) == {"shut": [ReasonCode.NOT_RECRUITING]}

    def test_other_statuses_can_be_asked_for(self) -> None:
        soon = make_site("soon", status=RecruitmentStatus.NOT_YET_RECRUITING)

        result = match((1, soon), statuses=frozenset({RecruitmentStatus.NOT_YET_RECRUITING}))

        assert ids(result) == ["soon"]

    @pytest.mark.parametrize("count", [0, -3])
    def test_a_full_or_over_enrolled_site_is_left_out(self, count: int) -> None:
        result = match((1, make_site("full")), (100, make_site("open")), spots=Spots(full=count))

        assert left_out(result) == {"full": [ReasonCode.FULL]}

    def test_unknown_spots_are_not_zero(self) -> None:
        result = match((1, make_site("a")))

        assert ids(result) == ["a"]
        assert ReasonCode.SPOTS_UNKNOWN in codes(result, "a")

    def test_a_wanted_number_of_spots_must_be_known(self) -> None:
        result = match(
            (1, make_site("unknown")), (2, make_site("two")), (90, make_site("three")),
            spots=Spots(two=2, three=3), min_spots=3,
        )  # fmt: skip

        assert ids(result) == ["three"]
        assert left_out(result) == {"unknown": [ReasonCode.TOO_FEW_SPOTS], "two": [ReasonCode.TOO_FEW_SPOTS]}

    @pytest.mark.parametrize(
        ("asked", "taken"), [(COVERED, "a"), (MAY_BE, "ab"), (UNKNOWN, "abc"), (NOT_COVERED, "abcd")]
    )
    def test_travel_support_must_be_at_least_as_sure_as_asked(self, asked: TravelCertainty, taken: str) -> None:
        sites = [
            (i * 100.0, make_site(n, certainty=c)) for i, (n, c) in enumerate(zip("abcd", TRAVEL_ORDER, strict=True))
        ]

        result = match(*sites, min_travel=asked)

        assert ids(result) == list(taken)
        assert set(left_out(result)) == set("abcd") - set(taken)

    def test_every_reason_for_leaving_a_site_out_is_given(self) -> None:
        shut = make_site("x", status=RecruitmentStatus.COMPLETED, certainty=NOT_COVERED, country="FR")

        result = match(
            (1, shut), (9, make_site("y", certainty=COVERED)), spots=Spots(x=0), min_travel=COVERED, country="DE"
        )

        assert left_out(result)["x"] == [
            ReasonCode.NOT_RECRUITING,
            ReasonCode.FULL,
            ReasonCode.TRAVEL_TOO_UNSURE,
            ReasonCode.COUNTRY_NOT_ASKED,
        ]


class TestRadius:
    def test_sites_beyond_it_are_left_out_and_said_so(self) -> None:
        result = match((10, make_site("in")), (60, make_site("out")), within_km=50)

        assert ids(result) == ["in"]
        assert left_out(result) == {"out": [ReasonCode.TOO_FAR]}
        assert not result.outside_radius

    def test_a_site_exactly_on_it_is_within(self) -> None:
        result = match((50, make_site("on")), within_km=50)

        assert ids(result) == ["on"]
        assert not result.outside_radius

    def test_nothing_within_it_shows_the_nearest_open_site_anyway_and_says_so(self) -> None:
        shut = make_site("shut", status=RecruitmentStatus.SUSPENDED)

        result = match((10, shut), (60, make_site("a")), (90, make_site("b")), within_km=50)

        assert ids(result) == ["a"]
        assert result.outside_radius
        assert codes(result, "a")[0] is ReasonCode.OUTSIDE_RADIUS
        assert left_out(result) == {"shut": [ReasonCode.NOT_RECRUITING], "b": [ReasonCode.TOO_FAR]}

    def test_a_shut_site_beyond_it_does_not_hide_the_nearest_open_one(self) -> None:
        shut = make_site("shut", status=RecruitmentStatus.SUSPENDED)

        result = match((60, shut), (90, make_site("open")), within_km=50)

        assert ids(result) == ["open"]


class TestCountries:
    def test_own_country_comes_first_however_far(self) -> None:
        result = match(
            (10, make_site("near", country="FR")),
            (500, make_site("own", country="DE")),
            prefer_country="DE",
        )

        assert ids(result) == ["own", "near"]
        assert [m.band for m in result.matches] == [1, 2]
        assert ReasonCode.OWN_COUNTRY in codes(result, "own")
        assert ReasonCode.OTHER_COUNTRY in codes(result, "near")

    def test_a_nearer_site_abroad_that_no_longer_fits_is_named(self) -> None:
        result = match((10, make_site("near", country="FR")), (500, make_site("own")), prefer_country="DE", limit=1)

        assert ids(result) == ["own"]
        assert left_out(result) == {"near": [ReasonCode.OTHER_COUNTRY]}

    def test_only_one_country_can_be_asked_for(self) -> None:
        result = match((10, make_site("near", country="FR")), (500, make_site("own")), country="DE")

        assert ids(result) == ["own"]


class TestSitesWithoutALocation:
    def test_they_come_last_and_are_not_lost(self) -> None:
        result = match((9000, make_site("far")), unplaced=[make_site("somewhere", latitude=None, certainty=COVERED)])

        assert ids(result) == ["far", "somewhere"]
        assert result.matches[1].distance is None
        assert result.matches[1].band == 2

    def test_they_are_named_where_the_limit_leaves_no_room(self) -> None:
        result = match((9, make_site("a")), unplaced=[make_site("b", latitude=None)], limit=1)

        assert left_out(result) == {"b": [ReasonCode.NO_LOCATION]}

    def test_they_are_left_out_of_a_radius_that_cannot_be_checked(self) -> None:
        result = match((9, make_site("a")), unplaced=[make_site("b", latitude=None)], within_km=50)

        assert ids(result) == ["a"]
        assert left_out(result) == {"b": [ReasonCode.NO_LOCATION]}


class TestReasons:
    def test_neighbours_whose_order_cannot_be_told_apart_both_say_so(self) -> None:
        place = make_place(uncertainty_km=3.0)

        result = match((10, make_site("a")), (12, make_site("b")), (100, make_site("c")), place=place)

        assert ReasonCode.UNDECIDED in codes(result, "a")
        assert ReasonCode.UNDECIDED in codes(result, "b")
        assert ReasonCode.UNDECIDED not in codes(result, "c")

    def test_an_order_that_travel_decides_is_not_called_undecided(self) -> None:
        result = match(
            (10, make_site("a")), (12, make_site("b", certainty=COVERED)), place=make_place(uncertainty_km=9.0)
        )

        assert ids(result) == ["b", "a"]
        assert ReasonCode.UNDECIDED not in codes(result, "a") + codes(result, "b")

    def test_a_nearer_site_pushed_beyond_the_limit_is_named_with_its_rank(self) -> None:
        result = match((10, make_site("a")), (11, make_site("b", certainty=COVERED)), limit=1)

        (exclusion,) = result.excluded
        assert (exclusion.site.site_id, exclusion.reasons[0].code, exclusion.reasons[0].count) == (
            "a", ReasonCode.BEYOND_LIMIT, 2,
        )  # fmt: skip

    def test_left_out_sites_beyond_the_last_match_are_not_listed(self) -> None:
        shut = make_site("shut", status=RecruitmentStatus.COMPLETED)

        result = match((10, make_site("a")), (20, shut), limit=1)

        assert left_out(result) == {}

    def test_long_lists_of_left_out_sites_are_counted(self) -> None:
        shut = [(float(i), make_site(f"{i:03d}", status=RecruitmentStatus.COMPLETED)) for i in range(100)]

        result = match(*shut, (500, make_site("open")))

        assert len(result.excluded) == MAX_EXCLUDED
        assert result.excluded_more == 100 - MAX_EXCLUDED
        assert result.excluded[0].site.site_id == "000"

    def test_miles_for_a_place_in_the_united_states_and_kilometres_in_germany_unless_asked(self) -> None:
        assert match((1, make_site()), place=make_place(country="US")).unit is Unit.MILES
        assert match((1, make_site()), place=make_place(country="DE")).unit is Unit.KM
        assert match((1, make_site()), place=make_place(country="US"), unit=Unit.KM).unit is Unit.KM


class TestPolicy:
    @pytest.mark.parametrize("limit", [0, -1, 501, 10**9])
    def test_a_limit_out_of_range_is_refused(self, limit: int) -> None:
        with pytest.raises(InvalidPolicy) as caught:
            MatchPolicy(limit=limit)

        assert caught.value.field == "limit"

    @pytest.mark.parametrize("radius", [math.nan, math.inf, -math.inf, -1.0, 0.0])
    def test_a_radius_that_makes_no_sense_is_refused(self, radius: float) -> None:
        with pytest.raises(InvalidPolicy) as caught:
            MatchPolicy(within_km=radius)

        assert caught.value.field == "within_km"

    def test_no_status_at_all_is_refused(self) -> None:
        with pytest.raises(InvalidPolicy):
            MatchPolicy(statuses=frozenset())


_SITES = st.lists(
    st.tuples(
        st.floats(0, 300),
        st.sampled_from(list(TravelCertainty)),
        st.sampled_from(["DE", "FR"]),
        st.sampled_from([RecruitmentStatus.RECRUITING, RecruitmentStatus.COMPLETED]),
        st.one_of(st.none(), st.integers(0, 5)),
        st.floats(0, 20),
    ),
    max_size=25,
)


@given(
    rows=_SITES,
    limit=st.integers(1, 8),
    prefer=st.sampled_from([None, "DE"]),
    radius=st.one_of(st.none(), st.floats(1, 300)),
    order=st.sampled_from(list(Order)),
)
def test_the_first_matches_do_not_depend_on_the_limit_and_no_nearer_site_vanishes(
    rows: list[tuple[float, TravelCertainty, str, RecruitmentStatus, int | None, float]],
    limit: int,
    prefer: str | None,
    radius: float | None,
    order: Order,
) -> None:
    sites = [
        (km, make_site(f"{i:02d}", certainty=travel, country=country, status=status, uncertainty_km=u))
        for i, (km, travel, country, status, _, u) in enumerate(rows)
    ]
    spots = Spots(**{f"{i:02d}": row[4] for i, row in enumerate(rows) if row[4] is not None})
    asked = {"prefer_country": prefer, "within_km": radius, "order": order, "spots": spots}

    result = match(*sites, limit=limit, **asked)  # type: ignore[arg-type]
    everything = match(*sites, limit=500, **asked)  # type: ignore[arg-type]

    assert ids(result) == ids(everything)[:limit]
    assert [m.rank for m in result.matches] == list(range(1, len(result.matches) + 1))
    for before, after in pairwise(result.matches):
        assert before.band <= after.band
    if not result.excluded_more and result.matches:
        farthest_km = max(m.distance.km for m in result.matches if m.distance)
        seen = set(ids(result)) | set(left_out(result))
        assert {s.site_id for km, s in sites if km < farthest_km} <= seen


def test_the_order_does_not_depend_on_how_the_sites_were_listed() -> None:
    dice = random.Random(7)
    sites = [
        (dice.uniform(0, 60), make_site(f"{i:02d}", certainty=dice.choice(list(TravelCertainty)))) for i in range(30)
    ]
    first = ids(match(*sites, limit=30))

    dice.shuffle(sites)

    assert ids(match(*sites, limit=30)) == first


def test_site_that_is_likely_full_soon_says_so_last_and_keeps_its_rank() -> None:
    sites = [(10.0, make_site("a")), (10.2, make_site("b")), (300.0, make_site("c"))]
    soon = Reason(ReasonCode.LIKELY_FULL, on=date(2026, 3, 31), probability=0.9)

    plain, told = match(*sites), match(*sites, foreseen={"a": soon, "c": soon})

    assert [found.site.site_id for found in told.matches] == [found.site.site_id for found in plain.matches]
    assert [found.reasons[-1] is soon for found in told.matches] == [True, False, True]
    assert [found.reasons[:-1] if found.site.site_id != "b" else found.reasons for found in told.matches] == [
        found.reasons for found in plain.matches
    ]


def reasons(result: MatchResult, site_id: str) -> dict[ReasonCode, Reason]:
    (found,) = (m.reasons for m in result.matches if m.site.site_id == site_id)
    return {reason.code: reason for reason in found}


class TestReasonsAreTrue:
    def test_how_much_farther_is_the_difference_to_the_nearest(self) -> None:
        result = match((100.0, make_site("a")), (160.0, make_site("b")))

        farther = reasons(result, "b")[ReasonCode.FARTHER]
        assert (farther.km, farther.subject) == (60.0, make_site("a").facility)

    def test_how_much_farther_a_site_ahead_is_is_the_difference_to_the_nearer_one(self) -> None:
        result = match(
            (100.0, make_site("near", certainty=NOT_COVERED)),
            (104.0, make_site("paid", certainty=COVERED)),
        )

        ahead = reasons(result, "paid")[ReasonCode.AHEAD_BY_TRAVEL]
        assert (ahead.km, ahead.subject) == (4.0, make_site("near").facility)

    def test_either_may_be_nearer_names_the_neighbour_it_is_about(self) -> None:
        # Only b and c are within the error of their locations of one another.
        sites = {name: make_site(name, uncertainty_km=2.0) for name in "abc"}
        result = match((10.0, sites["a"]), (100.0, sites["b"]), (100.5, sites["c"]), order=Order.DISTANCE)

        assert ReasonCode.UNDECIDED not in reasons(result, "a")
        assert reasons(result, "b")[ReasonCode.UNDECIDED].subject == "Clinic c"
        assert reasons(result, "c")[ReasonCode.UNDECIDED].subject == "Clinic b"

    def test_distance_to_one_site_is_not_told_twice(self) -> None:
        result = match(
            (100.0, make_site("a", uncertainty_km=2.0)),
            (100.5, make_site("b", uncertainty_km=2.0)),
            order=Order.DISTANCE,
        )

        assert set(reasons(result, "b")) & {ReasonCode.FARTHER, ReasonCode.SAME_BAND} == set()
        assert ReasonCode.UNDECIDED in reasons(result, "b")

    def test_more_spots_are_claimed_only_of_a_known_number(self) -> None:
        sites = (100.0, make_site("unknown")), (104.0, make_site("known"))

        result = match(*sites, spots=Spots(known=2))

        said = reasons(result, "known")
        assert ReasonCode.AHEAD_BY_SPOTS not in said
        assert said[ReasonCode.AHEAD_BY_KNOWN_SPOTS].subject == "Clinic unknown"

    def test_a_site_beyond_the_radius_is_of_the_preferred_country_only_if_it_lies_there(self) -> None:
        result = match((80.0, make_site("abroad", country="DE")), within_km=10, prefer_country="US")

        said = reasons(result, "abroad")
        assert result.outside_radius
        assert ReasonCode.OWN_COUNTRY not in said
        assert said[ReasonCode.OTHER_COUNTRY].subject == "DE"

    def test_sites_farther_than_the_last_one_shown_are_not_called_left_out(self) -> None:
        paused = make_site("paused", status=RecruitmentStatus.SUSPENDED)

        # Both lie in one band, so the walk meets the paused site before it ends.
        assert left_out(match((100.0, make_site("a")), (104.0, paused), limit=1)) == {}
        assert list(left_out(match((10.0, paused), (20.0, make_site("a")), limit=1))) == ["paused"]

    def test_what_is_not_listed_of_the_left_out_is_counted_exactly(self) -> None:
        full = [(float(number), make_site(f"full-{number:02}")) for number in range(1, MAX_EXCLUDED + 4)]
        counts = {site.site_id: 0 for _, site in full}

        result = match(*full, (50.0, make_site("open")), spots=Spots(**counts), limit=1)

        assert (len(result.excluded), result.excluded_more) == (MAX_EXCLUDED, 3)
