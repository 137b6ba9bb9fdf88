from __future__ import annotations

import pytest

from benchmarks import race


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
