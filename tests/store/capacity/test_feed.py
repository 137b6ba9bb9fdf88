from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from sitematch.domain.capacity.caps import LimitedBy
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.store.capacity import feed as feed_module
from sitematch.store.capacity.feed import CapacityFeed
from sitematch.store.engine import Store
from sitematch.store.studies.catalogue import replace_study
from tests.store.builders import STUDY_ID, Coordinator, make_site, make_study, site_key

ROOT = Path(__file__).parents[3]
SITE = make_site()


@pytest.fixture
def coordinator(store: Store) -> Coordinator:
    return Coordinator(store)


@pytest.fixture
def feed(store: Store, coordinator: Coordinator) -> Iterator[CapacityFeed]:
    with CapacityFeed(store, lambda: coordinator.now, poll_s=3600) as opened:
        yield opened


def left(feed: CapacityFeed, now: datetime) -> int | None:
    found = feed.remaining(SITE, now)
    assert found is not None
    return found.count


def test_study_without_a_ledger_is_left_to_the_catalogue(feed: CapacityFeed, coordinator: Coordinator) -> None:
    assert feed.remaining(SITE, coordinator.now) is None
    assert feed.study(STUDY_ID, coordinator.now) is None


def test_change_shows_after_the_next_look(feed: CapacityFeed, coordinator: Coordinator) -> None:
    coordinator.cap(3)
    feed.look()
    coordinator.hold("r-1")
    before = left(feed, coordinator.now)

    feed.look()

    assert (before, left(feed, coordinator.now)) == (3, 2)
    assert feed.remaining(SITE, coordinator.now).drawn_from is LimitedBy.SHARED_POOL  # type: ignore[union-attr]


def test_lapsing_hold_shows_without_a_look(feed: CapacityFeed, coordinator: Coordinator) -> None:
    coordinator.cap(3)
    coordinator.hold("r-1", hold_for=timedelta(seconds=5))
    feed.look()

    counts = [left(feed, coordinator.now + timedelta(seconds=after)) for after in (4.999, 5, 4.999)]

    assert counts == [2, 3, 2]


def test_answer_needs_no_database(feed: CapacityFeed, coordinator: Coordinator, store: Store) -> None:
    coordinator.cap(3)
    feed.look()
    statements: list[str] = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    left(feed, coordinator.now)
    feed.study(STUDY_ID, coordinator.now)

    assert statements == []


def test_change_of_a_site_in_the_catalogue_shows(feed: CapacityFeed, coordinator: Coordinator, store: Store) -> None:
    coordinator.cap(3)
    feed.look()

    closed = make_site(status=RecruitmentStatus.COMPLETED)
    replace_study(store, make_study(), [closed])
    feed.look()

    assert left(feed, coordinator.now) == 0


def test_version_changes_with_the_numbers_and_with_nothing_else(feed: CapacityFeed, coordinator: Coordinator) -> None:
    coordinator.cap(3)
    feed.look()
    versions = [feed.study(STUDY_ID, coordinator.now).version]  # type: ignore[union-attr]

    feed.look()
    versions.append(feed.study(STUDY_ID, coordinator.now).version)  # type: ignore[union-attr]
    coordinator.hold("r-1", hold_for=timedelta(seconds=2))
    feed.look()
    versions.append(feed.study(STUDY_ID, coordinator.now).version)  # type: ignore[union-attr]
    coordinator.later(seconds=2)
    versions.append(feed.study(STUDY_ID, coordinator.now).version)  # type: ignore[union-attr]

    assert versions[0] == versions[1]
    assert len(set(versions)) == 3


def test_old_numbers_are_unknown_rather_than_wrong(feed: CapacityFeed, coordinator: Coordinator) -> None:
    coordinator.cap(3)
    feed.look()
    looked_at = coordinator.now

    coordinator.later(seconds=feed_module.STALE_AFTER.total_seconds() + 1)

    found = feed.remaining(SITE, coordinator.now)
    assert found is not None
    assert (found.count, found.as_of) == (None, looked_at)


def test_feed_agrees_with_the_database(feed: CapacityFeed, coordinator: Coordinator, store: Store) -> None:
    from sitematch.store.capacity import counting

    coordinator.cap(7)
    coordinator.cap(2, site_key())
    coordinator.hold("r-1")
    coordinator.hold("r-2", "site-2")
    coordinator.screen("r-2")
    feed.look()

    found = feed.study(STUDY_ID, coordinator.now)

    assert found is not None
    assert tuple(found.sites.values()) == counting.capacity(store, STUDY_ID, coordinator.now)


def test_commit_of_another_process_shows_without_being_asked_for(
    store: Store, coordinator: Coordinator, database_url: str
) -> None:
    coordinator.cap(3)
    script = textwrap.dedent(f"""
        from tests.store.builders import NOW, make_caller, STUDY_ID
        from sitematch.store.capacity import ledger
        from sitematch.store.engine import open_store
        with open_store({database_url!r}) as store:
            ledger.place_hold(store, make_caller(), study_id=STUDY_ID, site_id="site-1", referral_id="r", now=NOW)
    """)
    with CapacityFeed(store, lambda: coordinator.now) as feed:
        before = left(feed, coordinator.now)

        subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)
        deadline = time.monotonic() + 30
        while left(feed, coordinator.now) == before and time.monotonic() < deadline:
            time.sleep(0.01)

        assert (before, left(feed, coordinator.now)) == (3, 2)


def test_thread_looks_at_least_twice_a_second_by_default() -> None:
    assert feed_module.POLL_S <= 0.5


def test_feed_says_when_it_cannot_look(tmp_path: Path, store: Store, coordinator: Coordinator) -> None:
    coordinator.cap(3)
    with CapacityFeed(store, lambda: coordinator.now, poll_s=0.01) as feed:
        with store.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE catalogue RENAME TO hidden")
        deadline = time.monotonic() + 30
        while feed.last_error is None and time.monotonic() < deadline:
            time.sleep(0.01)
        noted = feed.last_error
        with store.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE hidden RENAME TO catalogue")
        while feed.last_error is not None and time.monotonic() < deadline:
            time.sleep(0.01)

        assert noted is not None
        assert feed.last_error is None


def test_with_very_many_studies_each_is_read_when_first_asked_for(
    store: Store, coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    coordinator.cap(3)
    monkeypatch.setattr(feed_module, "EAGER_STUDIES", 0)
    statements: list[str] = []
    with CapacityFeed(store, lambda: coordinator.now, poll_s=3600) as feed:
        first = left(feed, coordinator.now)
        sa.event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        again = left(feed, coordinator.now)
        asked = list(statements)
        coordinator.hold("r-1")
        feed.look()
        after = left(feed, coordinator.now)

    assert (first, again, after, asked) == (3, 3, 2, [])
