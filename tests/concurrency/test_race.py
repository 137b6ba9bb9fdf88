from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks import race
from sitematch.domain.capacity.states import SpotState
from sitematch.errors import LedgerBusy, NoSpotsLeft
from sitematch.store.capacity.history import audit
from sitematch.store.engine import open_store
from sitematch.store.migrate import upgrade
from tests.store.builders import Coordinator, site_key


def test_as_many_spots_are_sold_as_there_are_and_every_loser_is_told_why(database_url: str) -> None:
    found = race.run(database_url, processes=8, attempts=200, spots=20)

    assert found.faults == ()
    assert found.sold == 20
    assert sum(found.refused.values()) == 180


def test_counting_before_the_lock_oversells_or_the_race_proves_nothing(database_url: str) -> None:
    found = race.run(database_url, processes=8, attempts=200, spots=20, make_client=race.NaiveClient)

    assert found.sold > 20


@pytest.mark.parametrize("processes", [2])
def test_race_for_a_single_spot_has_one_winner(database_url: str, processes: int) -> None:
    found = race.run(database_url, processes=processes, attempts=20, spots=1)

    assert (found.sold, found.faults) == (1, ())


def test_race_of_transfers_and_corrections_for_the_last_spot_has_one_winner(database_url: str) -> None:
    with open_store(database_url) as store:
        upgrade(store)
        coordinator = Coordinator(store)
        coordinator.policy(gives_back=frozenset({SpotState.SCREEN_FAILED}))
        coordinator.cap(1, site_key("site-2"))
        contenders = [f"r-{number}" for number in range(8)]
        for number, referral_id in enumerate(contenders):
            coordinator.hold(referral_id, "site-2" if number % 2 else "site-1")
            if number % 2:  # screening failed, so the spot was given back: a correction wants it again
                coordinator.screen(referral_id)
                coordinator.fail(referral_id)
        barrier = threading.Barrier(len(contenders))

        def contend(number: int) -> str:
            barrier.wait()
            while True:
                try:
                    if number % 2:
                        coordinator.correct(contenders[number])
                    else:
                        coordinator.transfer(contenders[number], "site-2")
                except LedgerBusy as busy:
                    time.sleep(busy.retry_after_s)
                except NoSpotsLeft:
                    return "refused"
                else:
                    return "won"

        with ThreadPoolExecutor(len(contenders)) as pool:
            outcomes = list(pool.map(contend, range(len(contenders))))

        assert sorted(outcomes) == ["refused"] * 7 + ["won"]
        assert coordinator.site("site-2").taken == 1
        assert audit.verify(store).is_intact
