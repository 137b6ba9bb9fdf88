"""Ranking by minutes: exact, whatever the roads are, with a search that ends early."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from sitematch.domain.finding.candidate import Candidate
from sitematch.domain.finding.match import MatchResult, ReasonCode
from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.finding.ranking import rank
from sitematch.domain.journey.estimate import Interval, Journey, Method, Way, least_minutes
from tests.builders import make_place, make_site
from tests.domain.finding.test_ranking import NOW, Spots


def journey(minutes: float | None) -> Journey:
    if minutes is None:
        return Journey(way=Way.SEA, minutes=None, road_km=None, method=Method.MODEL)
    same = Interval(minutes, minutes, minutes, minutes, minutes)
    return Journey(way=Way.ROAD, minutes=same, road_km=same, method=Method.MODEL)


class Roads:
    """Minutes by site, and which sites were asked for."""

    def __init__(self, minutes: dict[str, float | None]) -> None:
        self.minutes = minutes
        self.asked: list[str] = []

    def __call__(self, candidates: Sequence[Candidate]) -> list[Journey]:
        self.asked += [one.site.site_id for one in candidates]
        return [journey(self.minutes[one.site.site_id]) for one in candidates]


def match(roads: Roads, km: dict[str, float], **policy: object) -> MatchResult:
    placed = [
        Candidate(make_site(name, facility=name), far, 0.0) for name, far in sorted(km.items(), key=lambda i: i[1])
    ]
    return rank(
        make_place(),
        MatchPolicy(**policy),  # type: ignore[arg-type]
        NOW,
        placed=placed,
        unplaced=[],
        capacity=Spots(),
        estimates=roads,
    )


def names(result: MatchResult) -> list[str]:
    return [one.site.site_id for one in result.matches]


roads_made = st.dictionaries(
    st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=3),
    st.tuples(st.floats(0, 2000), st.none() | st.floats(1, 10)),
    max_size=40,
)


@given(made=roads_made, limit=st.integers(1, 5), most=st.none() | st.floats(1, 2000))
def test_the_first_by_time_are_those_of_asking_for_every_site(
    made: dict[str, tuple[float, float | None]], limit: int, most: float | None
) -> None:
    km = {name: far for name, (far, _) in made.items()}
    minutes = {name: None if slow is None else least_minutes(far) * slow for name, (far, slow) in made.items()}

    found = match(Roads(minutes), km, order=Order.TIME, limit=limit, max_minutes=most)

    def key(name: str) -> tuple[float, float, str]:
        took = minutes[name]
        return (float("inf") if took is None else took, km[name], name)

    bound = float("inf") if most is None else most
    wanted = [name for name in sorted(km, key=key) if most is None or key(name)[0] <= bound][:limit]
    if wanted or not km:
        assert names(found) == wanted
        assert not found.outside_radius
    else:
        assert len(found.matches) == 1
        assert found.outside_radius


def test_a_search_by_time_ends_where_no_farther_site_can_be_quicker() -> None:
    km = {f"s{i:03d}": float(i) for i in range(1, 400)}
    roads = Roads(dict(km))

    assert names(match(roads, km, order=Order.TIME, limit=3)) == ["s001", "s002", "s003"]
    assert len(roads.asked) <= 16


def test_only_the_shown_sites_are_asked_for_by_default() -> None:
    km = {f"s{i}": float(10 * i) for i in range(1, 9)}
    roads = Roads(dict(km))

    found = match(roads, km, limit=2)

    assert roads.asked == ["s1", "s2"]
    assert [one.journey is not None for one in found.matches] == [True, True]


def test_a_site_that_is_quicker_than_the_one_before_it_says_so() -> None:
    found = match(Roads({"bay": 100.0, "inland": 60.0}), {"bay": 40.0, "inland": 50.0}, order=Order.DISTANCE)
    said = {one.site.site_id: [(r.code, r.count, r.subject) for r in one.reasons] for one in found.matches}

    assert (ReasonCode.QUICKER_THAN_AHEAD, 40, "bay") in said["inland"]
    assert all(code is not ReasonCode.QUICKER_THAN_AHEAD for code, _, _ in said["bay"])


def test_a_few_minutes_are_not_called_quicker() -> None:
    found = match(Roads({"a": 64.0, "b": 60.0}), {"a": 40.0, "b": 50.0}, order=Order.DISTANCE)

    assert all(r.code is not ReasonCode.QUICKER_THAN_AHEAD for one in found.matches for r in one.reasons)


def test_sites_across_the_sea_come_last_and_say_why() -> None:
    found = match(Roads({"island": None, "city": 300.0}), {"island": 20.0, "city": 90.0}, order=Order.TIME)

    assert names(found) == ["city", "island"]
    assert [one.reasons[0].code for one in found.matches] == [ReasonCode.QUICKEST, ReasonCode.NO_MINUTES]


def test_beyond_the_minutes_the_nearest_stands_alone_and_says_so() -> None:
    found = match(Roads({"a": 95.0, "b": 200.0}), {"a": 60.0, "b": 90.0}, max_minutes=90)

    assert names(found) == ["a"]
    assert found.outside_radius
    assert found.matches[0].reasons[0].code is ReasonCode.OUTSIDE_MINUTES
    assert [(one.site.site_id, one.reasons[0].code) for one in found.excluded] == [("b", ReasonCode.TOO_LONG)]
