"""SQLite and PostgreSQL compared with a simple model, with a moving clock."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from benchmarks import databases
from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.states import SpotState
from sitematch.errors import SitematchError
from sitematch.store.capacity import counting, waiting
from sitematch.store.capacity.feed import CapacityFeed
from sitematch.store.capacity.history import audit
from sitematch.store.engine import Store, open_store
from tests.store.builders import NOW, Coordinator, make_site, make_study
from tests.store.capacity.model import SITES, Model, RequestRejected

_examples = itertools.count(1)
PARTS = [
    ("STUDY", ""),
    ("COUNTRY", "US"),
    ("COUNTRY", "FR"),
    ("ARM", "high"),
    ("SITE", "us-1"),
    ("SITE", "us-2"),
    ("SITE", "fr-1"),
]
names = st.sampled_from([f"r{number}" for number in range(6)])
sites = st.sampled_from(sorted(SITES))
arms = st.sampled_from([None, None, "high"])
parts = st.sampled_from(PARTS)


@cache
def shared_stores() -> tuple[Store, ...]:
    """One database of each kind for all examples; each example is a study of its own."""
    folder = Path(tempfile.mkdtemp(prefix="sitematch-model-"))
    return tuple(open_store(databases.ready_url(dialect, folder)) for dialect in ("sqlite", "postgresql"))


@pytest.fixture(scope="module", autouse=True)
def _close_stores() -> Any:
    yield
    for store in shared_stores():
        url = store.engine.url.render_as_string(hide_password=False)
        store.close()
        databases.forget(url)
    shared_stores.cache_clear()


class LedgerMachine(RuleBasedStateMachine):
    holds = Bundle("holds")

    @initialize(spots=st.integers(1, 3), waiting_first=st.lists(st.integers(-1, 1), max_size=3))
    def begin(self, spots: int, waiting_first: list[int]) -> None:
        # A full study with some who wait is where mistakes would show; start there, not at an empty one.
        self.number = next(_examples)
        self.study_id = f"NCT{self.number:08d}"
        self.model = Model(NOW)
        listed = [make_site(self.own(site), study_id=self.study_id, country=country) for site, country in SITES.items()]
        study = make_study(study_id=self.study_id)
        self.desks = [Coordinator(store, study=study, sites=listed) for store in shared_stores()]
        self.set_cap(("STUDY", ""), spots)
        for turn in range(spots):
            self.place_hold(f"r{turn}", "us-1", None)
        for turn, priority in enumerate(waiting_first):
            self.wait(f"r{3 + turn}", ["us-1", "fr-1"], None, priority)

    def own(self, name: str) -> str:
        return f"{self.study_id}-{name}"

    def key(self, part: tuple[str, str]) -> CapKey:
        level = CapLevel(part[0])
        return CapKey(level=level, scope=self.own(part[1]) if level is CapLevel.SITE else part[1])

    def both(self, expected: Callable[[], Any], act: Callable[[Coordinator], Any]) -> None:
        """Run the same action on the model and on both databases; the results must be equal."""
        try:
            wanted: Any = expected()
        except RequestRejected as refused:
            wanted = str(refused)
        for coordinator in self.desks:
            coordinator.now = self.model.now
            try:
                found = act(coordinator)
                found = getattr(found, "state", None)
                found = None if found is None else found.value
            except SitematchError as error:
                found = type(error).__name__
            assert found == wanted, coordinator.store.dialect

    @rule(target=holds, name=names, site=sites, arm=arms)
    def place_hold(self, name: str, site: str, arm: str | None) -> str:
        self.both(
            lambda: self.model.place_hold(name, site, arm),
            lambda coordinator: coordinator.hold(self.own(name), self.own(site), arm=arm),
        )
        return name

    @rule(
        name=names, wanted=st.lists(sites, min_size=1, max_size=3, unique=True), arm=arms, priority=st.integers(-1, 1)
    )
    def wait(self, name: str, wanted: list[str], arm: str | None, priority: int) -> None:
        self.both(
            lambda: self.model.wait(name, tuple(wanted), arm, priority),
            lambda coordinator: coordinator.wait(self.own(name), *map(self.own, wanted), arm=arm, priority=priority),
        )

    @rule(name=names)
    def accept(self, name: str) -> None:
        self.both(lambda: self.model.accept(name), lambda coordinator: coordinator.accept(self.own(name)))

    @rule(name=holds)
    def screen(self, name: str) -> None:
        self.both(
            lambda: self.model.move(name, "SCREENING", "HELD"), lambda coordinator: coordinator.screen(self.own(name))
        )

    @rule(name=holds)
    def enroll(self, name: str) -> None:
        self.both(
            lambda: self.model.move(name, "ENROLLED", "SCREENING"),
            lambda coordinator: coordinator.enroll(self.own(name)),
        )

    @rule(name=holds)
    def fail(self, name: str) -> None:
        self.both(
            lambda: self.model.move(name, "SCREEN_FAILED", "SCREENING"),
            lambda coordinator: coordinator.fail(self.own(name)),
        )

    @rule(name=holds)
    def withdraw(self, name: str) -> None:
        self.both(
            lambda: self.model.move(name, "WITHDRAWN", "ENROLLED"),
            lambda coordinator: coordinator.withdraw(self.own(name)),
        )

    @rule(name=names)
    def release(self, name: str) -> None:
        self.both(
            lambda: self.model.move(name, "RELEASED", "HELD", "SCREENING", "WAITING", "OFFERED"),
            lambda coordinator: coordinator.release(self.own(name)),
        )

    @rule(name=holds, hours=st.sampled_from([None, 1, 48, 200]))
    def extend(self, name: str, hours: int | None) -> None:
        self.both(lambda: self.model.extend(name, hours), lambda coordinator: coordinator.extend(self.own(name), hours))

    @rule(name=names, site=sites)
    def transfer(self, name: str, site: str) -> None:
        self.both(
            lambda: self.model.transfer(name, site),
            lambda coordinator: coordinator.transfer(self.own(name), self.own(site)),
        )

    @rule(name=holds)
    def correct(self, name: str) -> None:
        self.both(lambda: self.model.correct(name), lambda coordinator: coordinator.correct(self.own(name)))

    @rule(part=parts, spots=st.none() | st.integers(0, 3))
    def set_cap(self, part: tuple[str, str], spots: int | None) -> None:
        self.both(lambda: self.model.set_cap(part, spots), lambda coordinator: coordinator.cap(spots, self.key(part)))

    @rule(part=parts, is_shut=st.sampled_from([True, False, False]))
    def close_or_reopen(self, part: tuple[str, str], is_shut: bool) -> None:
        self.both(
            lambda: self.model.shut(part, is_shut),
            lambda coordinator: (coordinator.close if is_shut else coordinator.reopen)(self.key(part)),
        )

    @rule(
        back=st.sets(st.sampled_from(["SCREEN_FAILED", "WITHDRAWN"])),
        hours=st.sampled_from([1, 48]),
        days=st.sampled_from([0, 2, 7]),
    )
    def set_policy(self, back: set[str], hours: int, days: int) -> None:
        hold, extension = timedelta(hours=hours), timedelta(days=days)
        gives_back = frozenset(SpotState(name) for name in back)
        self.both(
            lambda: self.model.set_policy(frozenset(back), hold, extension),
            lambda coordinator: coordinator.policy(gives_back=gives_back, hold=hold, extension=extension),
        )

    @rule(minutes=st.sampled_from([60, 47 * 60, 48 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.model.now += timedelta(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        wanted = self.model.offer()

        found = [waiting.sweep(coordinator.store, self.study_id, self.model.now) for coordinator in self.desks]

        assert found == [wanted, wanted]

    @invariant()
    def everybody_stands_where_the_model_says(self) -> None:
        wanted = {self.own(name): self.model.state(name) for name in self.model.entries}
        for coordinator in self.desks:
            found = counting.list_referrals(coordinator.store, self.study_id, self.model.now)
            assert {item.referral_id: item.state.value for item in found} == wanted

    @invariant()
    def holds_and_offers_lapse_when_the_model_says(self) -> None:
        wanted = {self.own(name): entry.until for name, entry in self.model.entries.items()}
        for coordinator in self.desks:
            found = counting.list_referrals(coordinator.store, self.study_id, self.model.now)
            assert {item.referral_id: item.expires_at for item in found} == wanted

    @invariant()
    def what_is_left_is_what_the_model_counts(self) -> None:
        wanted = {
            self.own(site): 0 if self.model.is_closed(site, None) else self.model.left(site, None) for site in SITES
        }
        for coordinator in self.desks:
            for moment in (None, self.model.now):
                found = counting.capacity(coordinator.store, self.study_id, self.model.now, as_of=moment)
                assert {item.site_id: item.remaining for item in found} == wanted

    def teardown(self) -> None:
        if not hasattr(self, "desks"):
            return
        for coordinator in self.desks:
            found = audit.verify(coordinator.store)
            assert found.faults == ()
            heads = {head.study_id: head.seq for head in found.heads}
            assert heads.get(self.study_id, 0) == self.model.events
            with CapacityFeed(coordinator.store, lambda: self.model.now, poll_s=3600) as feed:
                known = feed.study(self.study_id, self.model.now)
                if known is not None:
                    assert tuple(known.sites.values()) == counting.capacity(
                        coordinator.store, self.study_id, self.model.now
                    )


TestLedgerAgainstModel = LedgerMachine.TestCase
TestLedgerAgainstModel.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
