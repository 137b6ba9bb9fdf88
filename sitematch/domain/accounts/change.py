"""What was changed at an account, when and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AccountChangeKind(StrEnum):
    """Changes of an account."""

    CREATED = "created"
    INVITED = "invited"
    ROLE_GIVEN = "role-given"
    ROLE_REMOVED = "role-removed"
    PASSWORD_SET = "password-set"  # noqa: S105 - the word itself
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """One change of an account.

    Parameters
    ----------
    account_id
        The account.
    at
        When (aware, UTC).
    actor_id
        Who did it, as in the audit trail.
    kind
        What was changed.
    role, study_id, site_id
        Of a role that was given or removed; empty otherwise, or where the role is for all of them.
    """

    account_id: str
    at: datetime
    actor_id: str
    kind: AccountChangeKind
    role: str = ""
    study_id: str = ""
    site_id: str = ""
