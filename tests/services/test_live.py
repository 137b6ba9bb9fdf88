"""Matching by live capacity and a live catalogue, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.domain.policy import MatchPolicy
from sitematch.domain.site import Site
from sitematch.domain.study import RecruitmentStatus
from sitematch.gazetteer.locate import Gazetteer
from sitematch.services.finder import Finder
from sitematch.services.live import LiveFinder, read_capacity
from sitematch.store import catalogue, counting
from sitematch.store.engine import Store
from sitematch.store.seeding import take_stated_caps
from tests.api.builders import make_gazetteer
from tests.store.builders import STUDY, STUDY_ID, Desk, make_site, make_study, site_key
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
def desk(store: Store) -> Desk:
    return Desk(store, sites=SITES, study=make_study(pool_spots=2))


@pytest.fixture(scope="module")
def gazetteer(tmp_path_factory: pytest.TempPathFactory) -> Gazetteer:
    path: Path = make_gazetteer(tmp_path_factory.mktemp("gazetteer") / "gazetteer.sqlite")
    return Gazetteer.open(path)


@pytest.fixture
def live(store: Store, desk: Desk, gazetteer: Gazetteer) -> Iterator[LiveFinder]:
    take_stated_caps(store, desk.now)
    opened = LiveFinder(gazetteer, store, STUDY_ID, lambda: desk.now)
    yield opened
    opened.close()


def counts(finder: Finder, desk: Desk, **policy: object) -> dict[str, int | None]:
    result = finder.match_sites(HERE, MatchPolicy(**policy), desk.now)  # type: ignore[arg-type]
    return {match.site.site_id: match.remaining.count for match in result.matches}


def test_hold_shows_in_the_matches_after_a_look(live: LiveFinder, desk: Desk) -> None:
    before = counts(live.finder(), desk)

    desk.hold("r-1", "near")
    live.feed.look()

    assert before == {"near": 2, "far": 2}
    assert counts(live.finder(), desk) == {"near": 1, "far": 1}


def test_lapse_of_a_hold_shows_at_its_instant_without_a_look(live: LiveFinder, desk: Desk) -> None:
    desk.cap(1)
    desk.hold("r-1", "near", hold_for=timedelta(seconds=5))
    live.feed.look()
    full = counts(live.finder(), desk)

    desk.later(seconds=5)

    assert full == {}
    assert counts(live.finder(), desk) == {"near": 1, "far": 1}


def test_match_asks_the_database_nothing(live: LiveFinder, desk: Desk, store: Store) -> None:
    live.close()
    statements: list[str] = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    found = counts(live.finder(), desk)

    assert found == {"near": 2, "far": 2}
    assert statements == []


def test_loaded_catalogue_shows_after_a_look_and_is_read_once(live: LiveFinder, desk: Desk, store: Store) -> None:
    old = live.finder()

    catalogue.replace_study(store, make_study(pool_spots=2), (*SITES, placed("new", 43.65)))
    live.feed.look()

    assert set(counts(live.finder(), desk)) == {"new", "near", "far"}
    assert live.finder() is live.finder()
    assert live.finder() is not old


def test_site_that_takes_nobody_yet_is_not_said_to_be_full(live: LiveFinder, desk: Desk, store: Store) -> None:
    status = RecruitmentStatus.NOT_YET_RECRUITING
    catalogue.replace_study(store, make_study(), [placed("near", 43.7, status=status), SITES[1]])
    live.feed.look()

    assert counts(live.finder(), desk) == {"far": 2}
    assert counts(live.finder(), desk, statuses=frozenset({status})) == {"near": None}


def test_closed_study_matches_nobody(live: LiveFinder, desk: Desk) -> None:
    desk.close(STUDY)
    live.feed.look()

    assert counts(live.finder(), desk) == {}


def test_capacity_read_once_agrees_with_the_feed(live: LiveFinder, desk: Desk, store: Store) -> None:
    desk.hold("r-1", "near")
    desk.cap(1, site_key("far"))
    live.feed.look()

    once = read_capacity(store, make_study(), desk.now)

    assert [once.remaining(site) for site in SITES] == [live.finder().remaining(site, desk.now) for site in SITES]


def test_study_without_a_ledger_answers_what_it_states(store: Store, desk: Desk, gazetteer: Gazetteer) -> None:
    live = LiveFinder(gazetteer, store, STUDY_ID, lambda: desk.now)

    found = counts(live.finder(), desk)

    live.close()
    assert found == {"near": 2, "far": 2}
    assert read_capacity(store, make_study(pool_spots=2), desk.now).remaining(SITES[0]).count == 2


def stated(store: Store, desk: Desk) -> dict[str, int | None]:
    return {str(usage.key): usage.spots for usage in counting.caps(store, STUDY_ID, desk.now)}


def test_stated_numbers_become_caps_once(store: Store, desk: Desk) -> None:
    desk = Desk(store, sites=[placed("near", 43.7, spots=1), SITES[1]], study=make_study(pool_spots=8))

    taken = [take_stated_caps(store, desk.now), take_stated_caps(store, desk.now)]

    assert taken == [2, 0]
    assert stated(store, desk) == {"STUDY": 8, "SITE near": 1}


@pytest.mark.parametrize("spots", [None, 3])
def test_cap_that_a_coordinator_set_or_removed_stays(store: Store, desk: Desk, spots: int | None) -> None:
    take_stated_caps(store, desk.now)
    desk.cap(spots)

    catalogue.replace_study(store, make_study(pool_spots=9), SITES)
    take_stated_caps(store, desk.now)

    assert stated(store, desk) == {"STUDY": spots}


def test_site_that_comes_later_brings_its_own_number(store: Store, desk: Desk) -> None:
    take_stated_caps(store, desk.now)

    catalogue.replace_study(store, make_study(pool_spots=2), (*SITES, placed("new", 43.65, spots=4)))

    assert take_stated_caps(store, desk.now) == 1
    assert stated(store, desk) == {"STUDY": 2, "SITE new": 4}


def test_stated_cap_is_in_the_audit_trail_under_its_own_name(store: Store, desk: Desk) -> None:
    take_stated_caps(store, desk.now, request_id="load-1")

    (event,) = counting.iter_events(store, STUDY_ID)
    assert (event.actor_id, event.request_id) == ("system:catalogue", "load-1")
