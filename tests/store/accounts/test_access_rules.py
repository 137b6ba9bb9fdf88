from __future__ import annotations

import itertools

import pytest

from sitematch.domain.accounts.access import Actor, Grant, Permission, Role, may, require
from sitematch.errors import InvalidInput, NotAllowed

READ = {Permission.CAPACITY_READ, Permission.REFERRALS_READ, Permission.REPORTS_READ, Permission.AUDIT_READ}
RUN = READ | {Permission.REFERRALS_WRITE, Permission.WAITING_LIST_WRITE}
MANAGE = RUN | {Permission.CAPS_WRITE, Permission.CATALOGUE_WRITE, Permission.WEBHOOKS_WRITE}
EXPECTED = {
    Role.VIEWER: READ,
    Role.SITE_COORDINATOR: RUN,
    Role.STUDY_MANAGER: MANAGE,
    Role.ADMINISTRATOR: set(Permission),
}


def actor(*grants: Grant, scopes: frozenset[Permission] | None = None) -> Actor:
    return Actor(actor_id="user:ann", grants=grants, scopes=scopes)


@pytest.mark.parametrize(("role", "permission"), list(itertools.product(Role, Permission)))
def test_each_role_may_do_what_is_written_here_and_nothing_else(role: Role, permission: Permission) -> None:
    grant = Grant(
        role=role,
        study_id=None if role is Role.ADMINISTRATOR else "NCT1",
        site_id="s-1" if role is Role.SITE_COORDINATOR else None,
    )

    allowed = may(actor(grant), permission, study_id="NCT1", site_id="s-1")

    assert allowed is (permission in EXPECTED[role])


@pytest.mark.parametrize("permission", list(Permission))
def test_nobody_may_do_anything_without_a_role(permission: Permission) -> None:
    assert not may(actor(), permission, study_id="NCT1", site_id="s-1")
    with pytest.raises(NotAllowed, match=permission.value):
        require(actor(), permission)


def test_coordinator_is_limited_to_the_own_site() -> None:
    ann = actor(Grant(role=Role.SITE_COORDINATOR, study_id="NCT1", site_id="s-1"))

    answers = [
        may(ann, Permission.REFERRALS_WRITE, study_id=study, site_id=site)
        for study, site in (("NCT1", "s-1"), ("NCT1", "s-2"), ("NCT1", None), ("NCT2", "s-1"), (None, None))
    ]

    assert answers == [True, False, False, False, False]


def test_manager_is_limited_to_the_own_study() -> None:
    ann = actor(Grant(role=Role.STUDY_MANAGER, study_id="NCT1"))

    answers = [
        may(ann, Permission.CAPS_WRITE, study_id=study, site_id=site)
        for study, site in (("NCT1", None), ("NCT1", "s-2"), ("NCT2", None), (None, None))
    ]

    assert answers == [True, True, False, False]


def test_token_never_may_more_than_its_account() -> None:
    token = actor(Grant(role=Role.VIEWER), scopes=frozenset({Permission.CAPS_WRITE, Permission.CAPACITY_READ}))

    assert may(token, Permission.CAPACITY_READ)
    assert not may(token, Permission.CAPS_WRITE)
    assert not may(token, Permission.REPORTS_READ)


@pytest.mark.parametrize(
    "place",
    [
        {"role": Role.SITE_COORDINATOR},
        {"role": Role.SITE_COORDINATOR, "study_id": "NCT1"},
        {"role": Role.SITE_COORDINATOR, "site_id": "s-1"},
        {"role": Role.VIEWER, "study_id": "NCT1", "site_id": "s-1"},
        {"role": Role.ADMINISTRATOR, "study_id": "NCT1"},
    ],
)
def test_grant_that_makes_no_sense_is_refused(place: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        Grant(**place)  # type: ignore[arg-type]
