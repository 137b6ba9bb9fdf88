"""Permissions: roles, scopes of tokens, and the check `may`. Everything is denied unless allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sitematch.errors import InvalidInput, NotAllowed


class Role(StrEnum):
    """Roles in a study or site, with the fewest permissions first."""

    VIEWER = "viewer"
    """Reads capacity, referrals, reports and the audit trail."""
    SITE_COORDINATOR = "site-coordinator"
    """Manages the referrals of the sites in the grant."""
    STUDY_MANAGER = "study-manager"
    """Manages every site of the studies in the grant, with their caps and rules."""
    ADMINISTRATOR = "administrator"
    """Has all permissions, including accounts."""


class Permission(StrEnum):
    """Permissions; also the scopes that an API token can be limited to."""

    CAPACITY_READ = "capacity:read"
    REFERRALS_READ = "referrals:read"
    REFERRALS_WRITE = "referrals:write"
    WAITING_LIST_WRITE = "waiting-list:write"
    REPORTS_READ = "reports:read"
    AUDIT_READ = "audit:read"
    CAPS_WRITE = "caps:write"
    CATALOGUE_WRITE = "catalogue:write"
    WEBHOOKS_WRITE = "webhooks:write"
    ACCOUNTS_WRITE = "accounts:write"


_VIEWER = frozenset(
    {Permission.CAPACITY_READ, Permission.REFERRALS_READ, Permission.REPORTS_READ, Permission.AUDIT_READ}
)
_COORDINATOR = _VIEWER | {Permission.REFERRALS_WRITE, Permission.WAITING_LIST_WRITE}
_MANAGER = _COORDINATOR | {Permission.CAPS_WRITE, Permission.CATALOGUE_WRITE, Permission.WEBHOOKS_WRITE}

GRANTED: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.SITE_COORDINATOR: _COORDINATOR,
    Role.STUDY_MANAGER: _MANAGER,
    Role.ADMINISTRATOR: frozenset(Permission),
}
"""The permissions of each role within its grant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role, and where it applies.

    Parameters
    ----------
    role
        The role.
    study_id
        The study; None is every study.
    site_id
        The site; None is every site of the study. Give the study that the site belongs to.

    Raises
    ------
    InvalidInput
        If a site coordinator has no site, another role has one, a site has no study, or an administrator is
        limited.
    """

    role: Role
    study_id: str | None = None
    site_id: str | None = None

    def __post_init__(self) -> None:
        if (self.role is Role.SITE_COORDINATOR) != (self.site_id is not None):
            raise InvalidInput("Give a site for a site coordinator, and for no other role.", field="site_id")
        if self.site_id is not None and self.study_id is None:
            raise InvalidInput("Give the study that the site belongs to.", field="study_id")
        if self.role is Role.ADMINISTRATOR and self.study_id is not None:
            raise InvalidInput("An administrator has access to every study. Leave the study out.", field="study_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The person or program that acts; the audit trail stores it with every change.

    Parameters
    ----------
    actor_id
        E.g. ``"user:5f0c…"``, ``"token:91ab…"``, ``"system:sweep"``; opaque, never an e-mail address.
    grants
        The roles; without any, nothing is allowed.
    scopes
        The permissions that a token is limited to; None for a person, who has all permissions of the roles.
    expires_at
        When a token ends (aware); None for a person.
    """

    actor_id: str
    grants: tuple[Grant, ...] = ()
    scopes: frozenset[Permission] | None = None
    expires_at: datetime | None = None


WAITING_LIST = Actor(actor_id="system:waiting-list")
"""Makes the offers of free spots, whoever freed them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An actor in one request.

    Parameters
    ----------
    actor
        The actor.
    request_id
        The id of the request, for the audit trail.
    idempotency_key
        With the same key and body, the same actor gets the same answer for 24 hours; None turns this off.
    """

    actor: Actor
    request_id: str
    idempotency_key: str | None = None


def may(actor: Actor, permission: Permission, *, study_id: str | None = None, site_id: str | None = None) -> bool:
    """Return whether an actor has a permission.

    Parameters
    ----------
    actor
        Who asks.
    permission
        The permission.
    study_id, site_id
        Where. None means all studies, or all sites of the study; a narrower grant is not enough.

    Returns
    -------
    bool
        False unless a grant allows it and, for a token, its scopes do too.

    Examples
    --------
    >>> ann = Actor(actor_id="user:1", grants=(Grant(role=Role.VIEWER, study_id="NCT1"),))
    >>> may(ann, Permission.CAPACITY_READ, study_id="NCT1")
    True
    >>> may(ann, Permission.CAPACITY_READ, study_id="NCT2"), may(ann, Permission.CAPS_WRITE, study_id="NCT1")
    (False, False)
    """
    if actor.scopes is not None and permission not in actor.scopes:
        return False
    return any(
        permission in GRANTED[grant.role] and grant.study_id in (None, study_id) and grant.site_id in (None, site_id)
        for grant in actor.grants
    )


def require(actor: Actor, permission: Permission, *, study_id: str | None = None, site_id: str | None = None) -> None:
    """Check that an actor may do something; see `may`.

    Raises
    ------
    NotAllowed
        If not. The message names the permission, but does not reveal what exists.
    """
    if not may(actor, permission, study_id=study_id, site_id=site_id):
        raise NotAllowed(f"You do not have permission to do this: {permission.value}.", permission=permission.value)


def granted_sites(actor: Actor, permission: Permission, study_id: str) -> frozenset[str] | None:
    """Return the sites of a study where an actor may do something.

    Returns
    -------
    frozenset of str or None
        Site ids; None is the whole study, whatever sites it has.

    Raises
    ------
    NotAllowed
        If there is no such site.

    Examples
    --------
    >>> ann = Actor(actor_id="user:1", grants=(Grant(role=Role.SITE_COORDINATOR, study_id="NCT1", site_id="a"),))
    >>> granted_sites(ann, Permission.REPORTS_READ, "NCT1")
    frozenset({'a'})
    """
    if may(actor, permission, study_id=study_id):
        return None
    granted = frozenset(
        grant.site_id
        for grant in actor.grants
        if grant.site_id is not None and may(actor, permission, study_id=study_id, site_id=grant.site_id)
    )
    if not granted:
        raise NotAllowed(f"You do not have permission to do this: {permission.value}.", permission=permission.value)
    return granted


def granted_studies(actor: Actor) -> frozenset[str] | None:
    """Return the studies in which an actor has a role; None is every study.

    Examples
    --------
    >>> granted_studies(Actor(actor_id="user:1", grants=(Grant(role=Role.VIEWER, study_id="NCT1"),)))
    frozenset({'NCT1'})
    """
    named = {grant.study_id for grant in actor.grants}
    return None if None in named else frozenset(study_id for study_id in named if study_id is not None)
