"""Reports against a recount of random ledgers, which the real store wrote."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import databases
from sitematch.domain.accounts.access import Actor, Grant, Role
from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.states import SpotState
from sitematch.errors import SitematchError
from sitematch.reports.document import Report, Table
from sitematch.services.reports import reporting
from sitematch.store.capacity import counting
from sitematch.store.engine import Store, open_store
from tests.reports.recount import COUNTED, Recount, recount_funnel
from tests.store.builders import NOW, Coordinator, make_site, make_study

SITES = {"fr-1": "FR", "us-1": "US", "us-2": "US"}
ZONE = "America/New_York"
BOSS = Actor(actor_id="user:boss", grants=(Grant(role=Role.ADMINISTRATOR),))
_numbers = itertools.count(1)

referrals = st.sampled_from([f"r{number}" for number in range(4)])
places = st.sampled_from(sorted(SITES))
arms = st.sampled_from([None, "high", "low"])
parts = st.sampled_from(
    [("STUDY", ""), ("COUNTRY", "US"), ("ARM", "high"), ("SITE", "us-1"), ("SITE", "us-2"), ("SITE", "fr-1")]
)
hours = st.sampled_from([0, 0, 1, 30, 49, 24 * 20])
walks = st.sampled_from(
    [("screen", "fail"), ("screen", "fail"), ("screen", "enroll"), ("screen", "enroll", "withdraw"), ("release",)]
)
one_act = st.one_of(
    st.tuples(st.just("walk"), referrals, places, walks),
    st.tuples(st.just("walk"), referrals, places, walks),
    st.tuples(st.just("hold"), referrals, places, arms),
    st.tuples(st.just("hold"), referrals, places, arms),
    st.tuples(st.just("wait"), referrals, st.lists(places, min_size=1, max_size=2, unique=True), arms),
    st.tuples(st.sampled_from(["screen", "screen", "enroll", "fail", "withdraw", "release", "accept"]), referrals),
    st.tuples(st.sampled_from(["screen", "screen", "enroll", "fail", "withdraw", "release", "accept"]), referrals),
    st.tuples(st.just("cap"), parts, st.none() | st.integers(0, 3)),
    st.tuples(st.sampled_from(["close", "reopen"]), parts),
    st.tuples(st.just("policy"), st.sets(st.sampled_from(["SCREEN_FAILED", "WITHDRAWN"]))),
)
ledgers = st.lists(st.tuples(hours, one_act), min_size=5, max_size=30)


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One SQLite database for all examples; each example is a study of its own."""
    folder: Path = tmp_path_factory.mktemp("recount")
    with open_store(databases.ready_url("sqlite", folder)) as store:
        yield store


class PlayedStudy:
    """Lives through a ledger; what the store refuses has not happened."""

    def __init__(self, store: Store) -> None:
        self.study_id = f"NCT{next(_numbers):08d}"
        listed = [make_site(self.own(site), study_id=self.study_id, country=country) for site, country in SITES.items()]
        self.coordinator = Coordinator(store, study=make_study(study_id=self.study_id), sites=listed)

    def own(self, name: str) -> str:
        return f"{self.study_id}-{name}"

    def key(self, part: tuple[str, str]) -> CapKey:
        level = CapLevel(part[0])
        return CapKey(level=level, scope=self.own(part[1]) if level is CapLevel.SITE else part[1])

    def live(self, acts: list[tuple[int, tuple[Any, ...]]]) -> int:
        done = 0
        for pause_h, (what, *how) in acts:
            self.coordinator.later(hours=pause_h)
            try:
                self.act(what, how)
                done += 1
            except SitematchError:
                continue
        return done

    def act(self, what: str, how: list[Any]) -> None:
        coordinator = self.coordinator
        if what == "hold":
            coordinator.hold(self.own(how[0]), self.own(how[1]), arm=how[2])
        elif what == "wait":
            coordinator.wait(self.own(how[0]), *map(self.own, how[1]), arm=how[2])
        elif what == "walk":
            coordinator.hold(self.own(how[0]), self.own(how[1]))
            for step in how[2]:
                coordinator.later(hours=7)
                getattr(coordinator, step)(self.own(how[0]))
        elif what == "cap":
            coordinator.cap(how[1], self.key(how[0]))
        elif what in ("close", "reopen"):
            getattr(coordinator, what)(self.key(how[0]))
        elif what == "policy":
            coordinator.policy(gives_back=frozenset(SpotState(name) for name in how[0]))
        else:
            getattr(coordinator, what)(self.own(how[0]))


def rows_of(table: Table) -> dict[str, dict[str, Any]]:
    names = [column.name for column in table.columns]
    rows = [dict(zip(names, row, strict=True)) for row in table.rows]
    return {row["part_id"]: row for row in rows}


def table_of(report: Report, name: str) -> Table:
    return next(table for table in report.tables if table.name == name)


def add_up(table: Table, study: Table) -> None:
    """Hold the sums over a table's rows against its totals and against the study's own line."""
    totals = table.totals or table.rows[0]
    for at, column in enumerate(study.columns):
        if column.name in ("taken", *COUNTED):
            counts = [row[at] for row in table.rows]
            assert totals[at] == sum(counts) == study.rows[0][at], (table.name, column.name)  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(acts=ledgers, back_h=st.sampled_from([0, 1, 40, 24 * 25]))
def test_capacity_at_any_instant_is_what_a_recount_of_the_events_gives(
    shared_store: Store, acts: list[Any], back_h: int
) -> None:
    played = PlayedStudy(shared_store)
    played.live(acts)
    now = played.coordinator.now
    at = max(NOW, now - timedelta(hours=back_h))
    countries = {played.own(site): country for site, country in SITES.items()}
    recount = Recount(list(counting.iter_events(shared_store, played.study_id)), at, countries)

    report = reporting.capacity_report(shared_store, BOSS, played.study_id, now, as_of=at)

    wanted = {"study": {played.study_id: recount.row("STUDY", "")}}
    wanted["countries"] = {country: recount.row("COUNTRY", country) for country in set(countries.values())}
    wanted["sites"] = {site: recount.row("SITE", site) for site in countries}
    arms_named = {scope for level, scope in recount.named if level == "ARM" and scope}
    if arms_named:
        wanted["arms"] = {arm: recount.row("ARM", arm) for arm in arms_named}
    assert {table.name for table in report.tables} == set(wanted)
    for name, parts_wanted in wanted.items():
        found = rows_of(table_of(report, name))
        for part, row in parts_wanted.items():
            assert {key: found[part][key] for key in row} == row, (name, part)
        add_up(table_of(report, name), table_of(report, "study"))
    if at == now:
        present = reporting.capacity_report(shared_store, BOSS, played.study_id, now)
        assert present == report


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(acts=ledgers, back_h=st.sampled_from([0, 1, 40, 24 * 25]))
def test_funnel_at_any_instant_is_what_a_recount_of_the_events_gives(
    shared_store: Store, acts: list[Any], back_h: int
) -> None:
    played = PlayedStudy(shared_store)
    played.live(acts)
    now = played.coordinator.now
    at = max(NOW, now - timedelta(hours=back_h))
    wanted = recount_funnel(counting.iter_events(shared_store, played.study_id), at, ZoneInfo(ZONE))

    report = reporting.funnel_report(shared_store, BOSS, played.study_id, now, as_of=at, time_zone=ZONE)

    found = {("study", ""): rows_of(table_of(report, "study"))[played.study_id]}
    found |= {("month", month): row for month, row in rows_of(table_of(report, "months")).items()}
    found |= {("site", site): row for site, row in rows_of(table_of(report, "sites")).items()}
    for key, row in wanted.items():
        assert {name: found[key][name] for name in row} == row, key
    assert all(found[key]["attempts"] == 0 for key in found.keys() - wanted.keys())
    study = found["study", ""]
    ends = ("enrolled", "released", "lapsed", "screen_failed", "open")
    assert study["attempts"] == sum(study[name] for name in ends)
