"""``sitematch.open``, ``match`` and ``locate`` give what the command gives."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

import sitematch
from sitematch.config import Settings
from sitematch.domain.accounts.access import Actor, Caller
from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.travel import TravelCertainty
from sitematch.domain.units import Unit
from sitematch.errors import InvalidPolicy, StudyNotFound, UnknownCountry
from sitematch.library import opening
from sitematch.library.opening import MatchOptions, read_options
from sitematch.services.finding.finder import Finder
from sitematch.store.capacity import rules
from sitematch.store.engine import open_store
from tests.cli.conftest import Run, run

__all__ = ["run"]


def test_importing_the_package_loads_nothing_else() -> None:
    code = (
        "import sys; before = set(sys.modules); import sitematch; sitematch.__all__; dir(sitematch); "
        "print(*sorted(set(sys.modules) - before))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["sitematch"]


def test_locating_loads_no_database_and_no_index() -> None:
    code = "import sys, sitematch; sitematch.locate; print(*{name.partition('.')[0] for name in sys.modules})"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not {"pandas", "scipy", "flask", "rich", "alembic"} & set(done.stdout.split())


def test_every_public_name_is_there_and_no_other() -> None:
    assert all(getattr(sitematch, name) is not None for name in sitematch.__all__)
    assert set(sitematch.__all__) <= set(dir(sitematch))
    with pytest.raises(AttributeError, match="no attribute 'find'"):
        _ = sitematch.find  # type: ignore[attr-defined]


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(sitematch.__file__).parent / "py.typed").is_file()


def test_a_match_is_the_answer_of_the_command(run: Run) -> None:
    told = json.loads(run("match", "33180", "--country", "US", "--limit", "3", "--format", "json").stdout)

    found = sitematch.match("33180", "US", limit=3)

    answer = json.loads(msgspec.json.encode(found.to_dict()))
    for each in (answer, told):  # the two were asked at different times
        del each["answered_at"]
        for ranked in each["matches"]:
            del ranked["remaining"]["as_of"]
    assert answer == told


def test_an_open_study_is_a_finder_of_the_time_it_was_opened() -> None:
    now = datetime(2026, 1, 15, 12, tzinfo=UTC)

    finder = sitematch.open("nct06064929", now=now)

    assert isinstance(finder, Finder)
    assert finder.opened_at == now
    assert finder.match("10115", "DE").result == finder.find("10115", "DE", MatchPolicy(), now)


def test_an_unknown_study_is_refused() -> None:
    with pytest.raises(StudyNotFound):
        sitematch.open("NCT99999999")


def test_a_match_follows_the_ledger_but_an_open_study_does_not(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "KEPT_S", 0.0)
    finder = sitematch.open()
    before = sitematch.match("33180", "US", limit=1)
    with open_store(Settings.from_mapping({"SITEMATCH_HOME": str(home)}).database_url) as store:
        key = CapKey(level=CapLevel.STUDY)
        rules.set_cap(
            store,
            Caller(actor=Actor(actor_id="test"), request_id="test"),
            study_id="NCT06064929",
            key=key,
            spots=3,
            now=datetime.now(UTC),
        )

    after = sitematch.match("33180", "US", limit=1)

    assert (before[0].remaining.count, after[0].remaining.count) == (8, 3)
    assert finder.match("33180", "US", limit=1)[0].remaining.count == 8


def test_matches_in_the_same_second_read_the_database_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "KEPT_S", 3600.0)
    sitematch.match("33180", "US")
    (first,) = opening._finders.values()

    sitematch.match("10115", "DE")

    assert list(opening._finders.values()) == [first]


@pytest.mark.parametrize(
    ("options", "policy"),
    [
        ({}, MatchPolicy()),
        ({"limit": 2, "order": "DISTANCE"}, MatchPolicy(limit=2, order=Order.DISTANCE)),
        ({"within_miles": 10}, MatchPolicy(within_km=16.09344)),
        ({"travel": "covered"}, MatchPolicy(min_travel=TravelCertainty.COVERED)),
        ({"only_country": "Germany", "unit": "miles"}, MatchPolicy(country="DE", unit=Unit.MILES)),
        ({"status": "recruiting"}, MatchPolicy()),
        (
            {"status": ["RECRUITING", "NOT_YET_RECRUITING"]},
            MatchPolicy(statuses=frozenset({RecruitmentStatus.RECRUITING, RecruitmentStatus.NOT_YET_RECRUITING})),
        ),
    ],
)
def test_options_are_those_of_the_command(options: MatchOptions, policy: MatchPolicy) -> None:
    assert read_options(options) == policy


@pytest.mark.parametrize(
    ("options", "error", "field"),
    [
        ({"limit": 0}, InvalidPolicy, "limit"),
        ({"order": "nearest"}, InvalidPolicy, "order"),
        ({"travel": "maybe"}, InvalidPolicy, "travel"),
        ({"status": ["open"]}, InvalidPolicy, "status"),
        ({"unit": "leagues"}, InvalidPolicy, "unit"),
        ({"k": 5}, InvalidPolicy, "k"),
        ({"prefer_country": "Atlantis"}, UnknownCountry, "prefer_country"),
    ],
)
def test_a_wrong_option_is_named(options: MatchOptions, error: type[InvalidPolicy], field: str) -> None:
    with pytest.raises(error) as caught:
        sitematch.match("33180", "US", **options)

    assert caught.value.field == field
