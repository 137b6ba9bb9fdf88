"""Limits on open holds: one site or one account must not be able to take every spot of a study."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sitematch.domain.accounts.access import Actor
from sitematch.domain.capacity.spot import OPEN_HOLDS_PER_ACCOUNT, SpotPolicy
from sitematch.domain.capacity.states import Action
from sitematch.errors import InvalidPolicy, TooManyHolds
from sitematch.store.engine import Store
from tests.store.builders import Coordinator


def as_person(coordinator: Coordinator, actor_id: str) -> None:
    coordinator.caller = replace(coordinator.caller, actor=Actor(actor_id=actor_id))


def test_account_is_refused_beyond_its_limit_and_others_are_not(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.policy(open_holds_per_account=2)
    as_person(coordinator, "user:one")
    coordinator.hold("r-1")
    coordinator.hold("r-2")

    with pytest.raises(TooManyHolds) as refused:
        coordinator.hold("r-3")

    assert (refused.value.per, refused.value.most) == ("account", 2)
    as_person(coordinator, "user:two")
    assert coordinator.hold("r-3").state == "HELD"


def test_site_is_refused_beyond_its_limit_and_another_is_not(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.policy(open_holds_per_site=1, open_holds_per_account=None)
    coordinator.hold("r-1", site_id="site-1")

    with pytest.raises(TooManyHolds) as refused:
        coordinator.hold("r-2", site_id="site-1")

    assert (refused.value.per, refused.value.most) == ("site", 1)
    assert coordinator.hold("r-2", site_id="site-2").state == "HELD"


@pytest.mark.parametrize("action", [Action.RELEASE, Action.START_SCREENING])
def test_a_hold_that_moved_on_no_longer_counts(store: Store, action: Action) -> None:
    coordinator = Coordinator(store)
    coordinator.policy(open_holds_per_account=1)
    coordinator.hold("r-1")

    coordinator.move(action, "r-1")

    assert coordinator.hold("r-2").state == "HELD"


def test_a_hold_that_lapsed_no_longer_counts(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.policy(open_holds_per_account=1, open_holds_per_site=1)
    coordinator.hold("r-1")

    coordinator.now += timedelta(hours=49)

    assert coordinator.hold("r-2").state == "HELD"


def test_an_account_has_a_limit_by_default_and_a_site_has_none() -> None:
    policy = SpotPolicy()

    assert (policy.open_holds_per_account, policy.open_holds_per_site) == (OPEN_HOLDS_PER_ACCOUNT, None)


@pytest.mark.parametrize("field", ["open_holds_per_site", "open_holds_per_account"])
@pytest.mark.parametrize("most", [0, -1, 10_000_001])
def test_limits_that_make_no_sense_are_refused_by_name(field: str, most: int) -> None:
    with pytest.raises(InvalidPolicy) as refused:
        SpotPolicy(**{field: most})

    assert refused.value.field == field
