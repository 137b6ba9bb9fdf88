"""A person who may sign in, and what a password must be."""

from __future__ import annotations

from dataclasses import dataclass

from sitematch.domain.accounts.access import Actor, Grant

MIN_PASSWORD = 12
"""Shortest password, in characters; there are no other rules, as NIST SP 800-63B advises."""

MAX_PASSWORD = 256
"""Longest password, so that hashing cannot be made slow from outside."""


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
        Its roles; empty may do nothing.
    """

    account_id: str
    email: str
    has_password: bool
    is_disabled: bool
    grants: tuple[Grant, ...]

    @property
    def actor(self) -> Actor:
        """Who acts when this person does."""
        return Actor(actor_id=f"user:{self.account_id}", grants=self.grants)
