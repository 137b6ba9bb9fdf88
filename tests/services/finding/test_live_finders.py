"""Matching by live capacity and a live catalogue, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from sitematch.domain.finding.policy import MatchPolicy
from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.errors import StudyNotFound
from sitematch.gazetteer.locate import Gazetteer
from sitematch.services.finding.finder import Finder
from sitematch.services.finding.live_finders import LiveFinders, read_capacity
from sitematch.store.capacity import counting
from sitematch.store.capacity.stated_caps import take_stated_caps
from sitematch.store.engine import Store
from sitematch.store.studies import catalogue
from tests.api.builders import make_gazetteer
from tests.store.builders import STUDY, STUDY_ID, Coordinator, make_site, make_study, site_key
from tests.store.fixtures import database_url, store

__all__ = ["database_url", "store"]

HERE = Place(
    coordinates=Coordinates(latitude=43.6, longitude=-70.2),
    precision=Precision.LOCALITY,
    uncertainty_km=1.0,
    source="made for tests",
    country="US",
)


def placed(site_id: str, latitude: float, **changes: object) -> Site:
    place = Place(
        coordinates=Coordinates(latitude=latitude, longitude=-70.2),
        precision=Precision.LOCALITY,
        uncertainty_km=1.0,
        source="made for tests",
    )
    return make_site(site_id, place=place, **changes)


SITES = (placed("near", 43.7), placed("far", 47.0))


@pytest.fixture
def coordinator(store: Store) -> Coordinator:
    return Coordinator(store, sites=SITES, study=make_study(pool_spots=2))


@pytest.fixture(scope="module")
def gazetteer(tmp_path_factory: pytest.TempPathFactory) -> Gazetteer:
    path: Path = make_gazetteer(tmp_path_factory.mktemp("gazetteer") / "gazetteer.sqlite")
    return Gazetteer.open(path)


@pytest.fixture
def live(store: Store, coordinator: Coordinator, gazetteer: Gazetteer) -> Iterator[LiveFinders]:
    take_stated_caps(store, coordinator.now)
    opened = LiveFinders(gazetteer, store, STUDY_ID, lambda: coordinator.now)
    yield opened
    opened.close()


def counts(finder: Finder, coordinator: Coordinator, **policy: object) -> dict[str, int | None]:
    result = finder.match_sites(HERE, MatchPolicy(**policy), coordinator.now)  # type: ignore[arg-type]
    return {match.site.site_id: match.remaining.count for match in result.matches}


def test_hold_shows_in_the_matches_after_a_look(live: LiveFinders, coordinator: Coordinator) -> None:
    before = counts(live.finder(), coordinator)

    coordinator.hold("r-1", "near")
    live.feed.look()

    assert before == {"near": 2, "far": 2}
    assert counts(live.finder(), coordinator) == {"near": 1, "far": 1}


def test_lapse_of_a_hold_shows_at_its_instant_without_a_look(live: LiveFinders, coordinator: Coordinator) -> None:
    coordinator.cap(1)
    coordinator.hold("r-1", "near", hold_for=timedelta(seconds=5))
    live.feed.look()
    full = counts(live.finder(), coordinator)

    coordinator.later(seconds=5)

    assert full == {}
    assert counts(live.finder(), coordinator) == {"near": 1, "far": 1}


def test_match_asks_the_database_nothing(live: LiveFinders, coordinator: Coordinator, store: Store) -> None:
    live.close()
    statements: list[str] = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    found = counts(live.finder(), coordinator)

    assert found == {"near": 2, "far": 2}
    assert statements == []


def test_loaded_catalogue_shows_after_a_look_and_is_read_once(
    live: LiveFinders, coordinator: Coordinator, store: Store
) -> None:
    old = live.finder()

    catalogue.replace_study(store, make_study(pool_spots=2), (*SITES, placed("new", 43.65)))
    live.feed.look()

    assert set(counts(live.finder(), coordinator)) == {"new", "near", "far"}
    assert live.finder() is live.finder()
    assert live.finder() is not old


def test_site_that_takes_no_patients_yet_is_not_shown_as_full(
    live: LiveFinders, coordinator: Coordinator, store: Store
) -> None:
    status = RecruitmentStatus.NOT_YET_RECRUITING
    catalogue.replace_study(store, make_study(), [placed("near", 43.7, status=status), SITES[1]])
    live.feed.look()

    assert counts(live.finder(), coordinator) == {"far": 2}
    assert counts(live.finder(), coordinator, statuses=frozenset({status})) == {"near": None}


def test_closed_study_has_no_matches(live: LiveFinders, coordinator: Coordinator) -> None:
    coordinator.close(STUDY)
    live.feed.look()

    assert counts(live.finder(), coordinator) == {}


def test_capacity_read_once_agrees_with_the_feed(live: LiveFinders, coordinator: Coordinator, store: Store) -> None:
    coordinator.hold("r-1", "near")
    coordinator.cap(1, site_key("far"))
    live.feed.look()

    once = read_capacity(store, make_study(), coordinator.now)

    assert [once.remaining(site) for site in SITES] == [
        live.finder().remaining(site, coordinator.now) for site in SITES
    ]


def test_study_without_a_ledger_answers_what_it_states(
    store: Store, coordinator: Coordinator, gazetteer: Gazetteer
) -> None:
    live = LiveFinders(gazetteer, store, STUDY_ID, lambda: coordinator.now)

    found = counts(live.finder(), coordinator)

    live.close()
    assert found == {"near": 2, "far": 2}
    assert read_capacity(store, make_study(pool_spots=2), coordinator.now).remaining(SITES[0]).count == 2


def stated(store: Store, coordinator: Coordinator) -> dict[str, int | None]:
    return {str(usage.key): usage.spots for usage in counting.caps(store, STUDY_ID, coordinator.now)}


def test_stated_numbers_become_caps_once(store: Store, coordinator: Coordinator) -> None:
    coordinator = Coordinator(store, sites=[placed("near", 43.7, spots=1), SITES[1]], study=make_study(pool_spots=8))

    taken = [take_stated_caps(store, coordinator.now), take_stated_caps(store, coordinator.now)]

    assert taken == [2, 0]
    assert stated(store, coordinator) == {"STUDY": 8, "SITE near": 1}


@pytest.mark.parametrize("spots", [None, 3])
def test_cap_that_a_coordinator_set_or_removed_stays(store: Store, coordinator: Coordinator, spots: int | None) -> None:
    take_stated_caps(store, coordinator.now)
    coordinator.cap(spots)

    catalogue.replace_study(store, make_study(pool_spots=9), SITES)
    take_stated_caps(store, coordinator.now)

    assert stated(store, coordinator) == {"STUDY": spots}


def test_site_that_comes_later_brings_its_own_number(store: Store, coordinator: Coordinator) -> None:
    take_stated_caps(store, coordinator.now)

    catalogue.replace_study(store, make_study(pool_spots=2), (*SITES, placed("new", 43.65, spots=4)))

    assert take_stated_caps(store, coordinator.now) == 1
    assert stated(store, coordinator) == {"STUDY": 2, "SITE new": 4}


def test_stated_cap_is_in_the_audit_trail_under_its_own_name(store: Store, coordinator: Coordinator) -> None:
    take_stated_caps(store, coordinator.now, request_id="load-1")

    (event,) = counting.iter_events(store, STUDY_ID)
    assert (event.actor_id, event.request_id) == ("system:catalogue", "load-1")


def load(store: Store, number: int, *, sites: int = 1) -> str:
    study_id = f"NCT0000001{number}"
    made = [placed(f"{study_id}-{n}", 43 + n, study_id=study_id) for n in range(sites)]
    catalogue.replace_study(store, make_study(study_id=study_id), made)
    return study_id


def test_any_study_of_the_catalogue_is_matched_by_its_id(
    live: LiveFinders, coordinator: Coordinator, store: Store
) -> None:
    other = load(store, 1)
    live.feed.look()

    assert set(counts(live.finder(other), coordinator)) == {f"{other}-0"}
    assert set(counts(live.finder(STUDY_ID), coordinator)) == {"near", "far"}
    with pytest.raises(StudyNotFound, match="NCT99999999"):
        live.finder("NCT99999999")


def test_hold_shows_in_the_matches_of_the_other_study_too(
    live: LiveFinders, store: Store, coordinator: Coordinator
) -> None:
    other = load(store, 1)
    live.finder(other)
    second = Coordinator(store, study=make_study(study_id=other), sites=[placed("second", 43.7, study_id=other)])
    second.cap(2)

    second.hold("r-1", "second")
    live.feed.look()

    assert counts(live.finder(other), coordinator) == {"second": 1}


def test_removed_study_is_no_longer_found(live: LiveFinders, store: Store) -> None:
    other = load(store, 1)
    live.finder(other)

    catalogue.remove_study(store, other)
    live.feed.look()

    for _ in range(2):
        with pytest.raises(StudyNotFound):
            live.finder(other)


def test_studies_asked_for_longest_ago_are_let_go_but_never_the_default(
    store: Store, coordinator: Coordinator, gazetteer: Gazetteer
) -> None:
    a, b, c = (load(store, number, sites=2) for number in range(3))
    live = LiveFinders(gazetteer, store, STUDY_ID, lambda: coordinator.now, sites_kept=4)
    try:
        default, first, second = live.finder(), live.finder(a), live.finder(b)
        assert live.finder(a) is first

        live.finder(c)

        assert live.finder(a) is first
        assert live.finder(b) is not second
        assert live.finder() is default
    finally:
        live.close()


def test_study_larger_than_all_that_is_kept_is_still_answered(
    store: Store, coordinator: Coordinator, gazetteer: Gazetteer
) -> None:
    large = load(store, 1, sites=9)
    live = LiveFinders(gazetteer, store, STUDY_ID, lambda: coordinator.now, sites_kept=4)
    try:
        assert live.finder(large) is live.finder(large)
    finally:
        live.close()


def test_many_threads_asking_for_many_studies_get_their_own(
    store: Store, coordinator: Coordinator, gazetteer: Gazetteer
) -> None:
    ids = [load(store, number) for number in range(6)] * 20
    before = threading.active_count()
    live = LiveFinders(gazetteer, store, STUDY_ID, lambda: coordinator.now, sites_kept=2)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda study_id: live.finder(study_id).study.study_id, ids))
        added = threading.active_count() - before
    finally:
        live.close()

    assert found == ids
    assert added == 2  # the feed, and the thread that computes all outlooks
