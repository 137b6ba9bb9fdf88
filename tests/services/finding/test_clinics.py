"""A look-up over all studies, compared with brute force, on both databases and in both ways of reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import databases
from sitematch.domain.capacity.caps import LimitedBy, Remaining
from sitematch.domain.finding.candidate import Candidate
from sitematch.domain.finding.clinic import ClinicResult, clinics_of
from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.finding.ranking import rank
from sitematch.domain.grid_cells import COLUMNS
from sitematch.domain.place import Coordinates
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.domain.studies.travel import TravelCertainty, TravelSupport
from sitematch.errors import InvalidInput, InvalidPolicy
from sitematch.gazetteer.locate import Gazetteer
from sitematch.geo.cells import FIRST_CELLS, outward
from sitematch.geo.geodesic import WGS84, distance_km
from sitematch.services.finding.clinics import ClinicFinder
from sitematch.services.finding.finder import StatedCapacity
from sitematch.services.finding.live_finders import LiveFinders, read_capacity
from sitematch.store.engine import Store, open_store
from sitematch.store.studies import catalogue, nearby
from tests.builders import NOW, make_place, make_site, make_study
from tests.store.builders import Coordinator

MIAMI = make_place(25.95, -80.14, country="US", uncertainty_km=1.0)
SUSPENDED = RecruitmentStatus.SUSPENDED


@pytest.fixture(params=["few", "many"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of reading: the cells of few sites are read first; of many, cell after cell."""
    if request.param == "many":
        monkeypatch.setattr(nearby, "FEW_STUDIES", 0)
    return str(request.param)


def study(number: int, **changes: object) -> Study:
    return make_study(**{"study_id": f"NCT0000000{number}", "title": "Lupus nephritis", **changes})


def site(number: int, name: str, latitude: float | None, longitude: float = -80.14, **changes: object) -> Site:
    study_id = f"NCT0000000{number}"
    return make_site(
        f"{study_id}-{name}",
        study_id=study_id,
        source_study=study_id,
        latitude=latitude,
        longitude=longitude,
        **{"facility": f"Clinic {name}", "country": "US", "uncertainty_km": 1.0, **changes},
    )


def fill(store: Store, *parts: tuple[Study, list[Site]]) -> None:
    for known in catalogue.list_studies(store):
        catalogue.remove_study(store, known.study_id)
    catalogue.replace_studies(store, parts)


@pytest.fixture
def finder(store: Store, gazetteer: Gazetteer) -> ClinicFinder:
    return ClinicFinder(gazetteer, store, StatedCapacity)


def names(result: ClinicResult) -> list[str]:
    return [match.site.facility.removeprefix("Clinic ") for match in result.clinics]


def find(finder: ClinicFinder, condition: str = "lupus", **policy: object) -> ClinicResult:
    return finder.match_clinics(condition, MIAMI, MatchPolicy(**policy), NOW)  # type: ignore[arg-type]


@pytest.mark.usefixtures("way")
class TestWhatIsFound:
    def test_clinic_of_several_studies_is_one_row_with_each_study(self, store: Store, finder: ClinicFinder) -> None:
        fill(
            store,
            (study(1), [site(1, "A", 26.0), site(1, "B", 30.0)]),
            (study(2), [site(2, "A", 26.01, postcode="33180"), site(2, "C", 40.0)]),
            (study(3, title="Asthma"), [site(3, "A", 26.0)]),
        )

        result = find(finder)

        assert names(result) == ["A", "B", "C"]
        assert [[at.study.study_id for at in match.studies] for match in result.clinics] == [
            ["NCT00000001", "NCT00000002"],
            ["NCT00000001"],
            ["NCT00000002"],
        ]
        assert result.studies_found == 2
        assert [match.rank for match in result.clinics] == [1, 2, 3]

    def test_only_sites_and_studies_that_take_patients_count(self, store: Store, finder: ClinicFinder) -> None:
        fill(
            store,
            (study(1), [site(1, "A", 26.0, status=SUSPENDED), site(1, "B", 30.0)]),
            (study(2, status=RecruitmentStatus.COMPLETED), [site(2, "C", 26.0)]),
        )

        assert names(find(finder)) == ["B"]
        assert names(find(finder, statuses=frozenset({SUSPENDED}))) == ["A"]

    def test_full_study_is_not_shown_and_a_clinic_of_full_studies_is_left_out(
        self, store: Store, finder: ClinicFinder
    ) -> None:
        fill(
            store,
            (study(1, pool_spots=0), [site(1, "A", 26.0), site(1, "B", 26.5)]),
            (study(2, pool_spots=3), [site(2, "B", 26.5)]),
        )

        result = find(finder)

        assert names(result) == ["B"]
        ((at,),) = [match.studies for match in result.clinics]
        assert (at.study.study_id, at.remaining.count) == ("NCT00000002", 3)

    def test_surest_travel_and_most_spots_of_its_studies_order_a_clinic_within_its_band(
        self, store: Store, finder: ClinicFinder
    ) -> None:
        sure = TravelSupport(certainty=TravelCertainty.COVERED)
        fill(
            store,
            (study(1), [site(1, "A", 25.96), site(1, "B", 25.97), site(1, "C", 25.98)]),
            (study(2, pool_spots=2), [site(2, "B", 25.97), replace(site(2, "C", 25.98), travel=sure)]),
        )

        result = find(finder)

        assert names(result) == ["C", "B", "A"]
        assert [match.band for match in result.clinics] == [1, 1, 1]
        assert [at.study.study_id for at in result.clinics[0].studies] == ["NCT00000002", "NCT00000001"]
        assert result.clinics[0].site.travel == TravelSupport()
        assert names(find(finder, order=Order.DISTANCE)) == ["A", "B", "C"]
        assert names(find(finder, min_travel=TravelCertainty.COVERED)) == ["C"]

    def test_clinics_without_a_location_come_last_unless_another_record_places_them(
        self, store: Store, finder: ClinicFinder
    ) -> None:
        fill(
            store,
            (study(1), [site(1, "A", None), site(1, "B", None), site(1, "C", 60.0)]),
            (study(2), [site(2, "B", 26.0)]),
        )

        result = find(finder)

        assert names(result) == ["B", "C", "A"]
        assert len(result.clinics[0].studies) == 2
        assert result.clinics[2].distance is None
        assert names(find(finder, limit=1)) == ["B"]
        assert names(find(finder, within_km=100)) == ["B"]

    def test_radius_and_country_bound_the_search(self, store: Store, finder: ClinicFinder) -> None:
        fill(store, (study(1), [site(1, "A", 26.0, country="CU"), site(1, "B", 30.0), site(1, "C", 40.0)]))

        assert names(find(finder, within_km=1000)) == ["A", "B"]
        assert names(find(finder, country="US")) == ["B", "C"]
        nothing_near = find(finder, within_km=1)
        assert (names(nothing_near), nothing_near.outside_radius) == (["A"], True)

    def test_condition_that_no_study_is_about_finds_nothing(self, store: Store, finder: ClinicFinder) -> None:
        fill(store, (study(1, summary="asthma"), [site(1, "A", 26.0)]))

        result = find(finder, "asthma")

        assert (result.studies_found, result.clinics) == (0, ())

    def test_untold_names_stay_rows_of_their_own(self, store: Store, finder: ClinicFinder) -> None:
        fill(
            store,
            (study(1), [site(1, "A", 26.0, facility="Research Site")]),
            (study(2), [site(2, "A", 26.0, facility="Research Site")]),
        )

        assert [len(match.studies) for match in find(finder).clinics] == [1, 1]

    def test_holds_count(self, store: Store, gazetteer: Gazetteer) -> None:
        fill(store, (study(2), [site(2, "A", 26.0)]))
        coordinator = Coordinator(store, study=study(1), sites=[site(1, "A", 26.0), site(1, "B", 30.0)])
        coordinator.cap(2)
        coordinator.hold("r-1", "NCT00000001-A", hold_for=timedelta(hours=1))
        once = ClinicFinder(gazetteer, store, lambda each: read_capacity(store, each, coordinator.now))
        live = LiveFinders(gazetteer, store, "NCT00000001", lambda: coordinator.now)

        try:
            found = [
                each.match_clinics("lupus", MIAMI, MatchPolicy(), coordinator.now) for each in (once, live.clinics)
            ]
        finally:
            live.close()

        for result in found:
            spots = [[(at.study.study_id[-1], at.remaining.count) for at in m.studies] for m in result.clinics]
            assert spots == [[("1", 1), ("2", None)], [("1", 1)]]


@pytest.mark.parametrize("asked", [{"min_spots": 1}, {"prefer_country": "US"}])
def test_what_makes_sense_in_one_study_only_is_refused(finder: ClinicFinder, asked: dict[str, object]) -> None:
    with pytest.raises(InvalidPolicy) as caught:
        find(finder, **asked)

    assert caught.value.field in asked


def test_condition_without_a_word_is_refused(finder: ClinicFinder) -> None:
    with pytest.raises(InvalidInput) as caught:
        find(finder, '"*"')

    assert caught.value.field == "condition"


def test_near_cells_are_read_and_the_rest_of_the_globe_is_not(
    store: Store, finder: ClinicFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearby, "FEW_STUDIES", 0)
    far = [site(1, f"F{n}", 40.0 + n / 10, 10.0 + n) for n in range(100)]
    fill(store, (study(1), [site(1, "A", 26.0), site(1, "B", 27.5), *far]))
    read: list[str] = []
    of_row = nearby.site_of

    def counted(row: object) -> Site:
        made = of_row(row)  # type: ignore[arg-type]
        read.append(made.facility)
        return made

    monkeypatch.setattr(nearby, "site_of", counted)
    result = find(finder, limit=1)

    assert names(result) == ["A"]
    assert set(read) <= {"Clinic A", "Clinic B"}


# Compared with brute force.

coordinates = st.tuples(
    st.sampled_from([-90.0, -89.7, -10.2, 0.0, 0.4, 51.5, 51.52, 89.6, 90.0]) | st.floats(-90, 90),
    st.sampled_from([-180.0, -179.8, -0.1, 0.0, 13.4, 179.9, 180.0]) | st.floats(-180, 180),
)
made_sites = st.builds(
    lambda number, name, where, travel, open_: site(
        number,
        name,
        where and where[0],
        where[1] if where else 0.0,
        certainty=travel,
        status=RecruitmentStatus.RECRUITING if open_ else SUSPENDED,
    ),
    st.integers(1, 3),
    st.sampled_from("ABCDEFGHIJ"),
    st.none() | coordinates,
    st.sampled_from(list(TravelCertainty)),
    st.sampled_from([True, True, True, False]),
)
catalogues = st.lists(made_sites, max_size=25, unique_by=lambda made: made.site_id)
policies = st.builds(
    MatchPolicy,
    limit=st.integers(1, 6),
    order=st.sampled_from([Order.BEST, Order.DISTANCE]),
    within_km=st.none() | st.floats(1, 20_000),
    min_travel=st.none() | st.sampled_from(list(TravelCertainty)),
)


def by_brute_force(sites: list[Site], point: Coordinates, policy: MatchPolicy) -> list[str]:
    least = list(TravelCertainty).index(policy.min_travel or TravelCertainty.NOT_COVERED)
    wanted = [s for s in sites if s.status in policy.statuses]
    wanted = [s for s in wanted if list(TravelCertainty).index(s.travel.certainty) <= least]
    candidates, unplaced = [], []
    for clinic in clinics_of(wanted):
        surest = min((s.travel for s in clinic.sites), key=lambda t: list(TravelCertainty).index(t.certainty))
        shown = replace(clinic.site, travel=surest)
        if shown.place is None:
            unplaced.append(shown)
            continue
        there = shown.place.coordinates
        azimuth, _, metres = WGS84.inv(point.longitude, point.latitude, there.longitude, there.latitude)
        candidates.append(Candidate(shown, metres / 1000, azimuth))
    candidates.sort(key=lambda candidate: (candidate.km, candidate.site.site_id))
    unplaced.sort(key=lambda each: each.site_id)

    class Unknown:
        def remaining(self, _site: Site, /) -> Remaining:
            return Remaining(count=None, as_of=None, drawn_from=LimitedBy.UNKNOWN)

    place = replace(MIAMI, coordinates=point)
    result = rank(place, policy, NOW, placed=candidates, unplaced=unplaced, capacity=Unknown())
    return [match.site.site_id for match in result.matches]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def one_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    url = databases.ready_url(request.param, tmp_path_factory.mktemp("clinics"))
    with open_store(url) as opened:
        yield opened
    databases.forget(url)


def answer(store: Store, gazetteer: Gazetteer, few: int, point: Coordinates, policy: MatchPolicy) -> list[str]:
    finder = ClinicFinder(gazetteer, store, StatedCapacity)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearby, "FEW_STUDIES", few)
        result = finder.match_clinics("lupus", replace(MIAMI, coordinates=point), policy, NOW)
    return [match.site.site_id for match in result.clinics]


@pytest.mark.parametrize("few", [500, 0])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sites=catalogues, where=coordinates, policy=policies)
def test_answer_is_that_of_brute_force_over_all_sites(
    one_store: Store, gazetteer: Gazetteer, few: int, sites: list[Site], where: tuple[float, float], policy: MatchPolicy
) -> None:
    fill(one_store, *((study(n), [s for s in sites if s.study_id == f"NCT0000000{n}"]) for n in (1, 2, 3)))
    point = Coordinates(latitude=where[0], longitude=where[1])

    found = answer(one_store, gazetteer, few, point, policy)

    assert found == by_brute_force(sites, point, policy)


def corners(cell: int) -> list[Coordinates]:
    south, west = cell // COLUMNS - 90, cell % COLUMNS - 180
    inside = (0.001, 0.999)
    return [Coordinates(latitude=south + up, longitude=west + right) for up in inside for right in inside]


@pytest.mark.parametrize("few", [500, 0])
@pytest.mark.parametrize("where", [(51.99, 13.01), (0.41, 0.33), (40.01, 179.99), (-17.99, -179.99), (88.01, 20.0)])
def test_nearer_clinic_in_a_later_cell_comes_before_those_of_the_first_cells(
    one_store: Store, gazetteer: Gazetteer, few: int, where: tuple[float, float]
) -> None:
    point = Coordinates(latitude=where[0], longitude=where[1])
    cells, _ = outward(point)
    first, later = cells[:FIRST_CELLS], cells[FIRST_CELLS : 4 * FIRST_CELLS]
    *_, far, farther = sorted((at for cell in first for at in corners(cell)), key=lambda at: distance_km(point, at))
    near = min((at for cell in later for at in corners(cell)), key=lambda at: distance_km(point, at))
    assert distance_km(point, near) < distance_km(point, far) < distance_km(point, farther)
    placed = {"far": far, "farther": farther, "near": near}
    fill(one_store, (study(1), [site(1, name, at.latitude, at.longitude) for name, at in placed.items()]))

    found = answer(one_store, gazetteer, few, point, MatchPolicy(limit=1, order=Order.DISTANCE))

    assert found == ["NCT00000001-near"]
