"""Accounts of people who may sign in, and rules for passwords."""

from __future__ import annotations

from dataclasses import dataclass

from sitematch.domain.accounts.access import Actor, Grant

MIN_PASSWORD = 12
"""Shortest password, in characters; there are no other rules, as NIST SP 800-63B advises."""

MAX_PASSWORD = 256
"""Longest password, so that nobody can slow down the server with long passwords."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person who may sign in.

    Parameters
    ----------
    account_id
        Random and stable.
    email
        In lower case.
    has_password
        Whether a password was set.
    is_disabled
        Whether it may no longer be used.
    grants
        Its roles; without any, nothing is allowed.
    """

    account_id: str
    email: str
    has_password: bool
    is_disabled: bool
    grants: tuple[Grant, ...]

    @property
    def actor(self) -> Actor:
        """The actor for this person's actions."""
        return Actor(actor_id=f"user:{self.account_id}", grants=self.grants)
