"""Accounts of people who may sign in."""

from __future__ import annotations

from dataclasses import dataclass

from sitematch.domain.accounts.access import Actor, Grant


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
    must_change_password
        Whether somebody else set the password, so that it must be changed before anything else.
    has_totp
        Whether signing in needs a code of an authenticator app.
    is_disabled
        Whether it may no longer be used.
    grants
        Its roles; without any, nothing is allowed.
    """

    account_id: str
    email: str
    has_password: bool
    must_change_password: bool
    has_totp: bool
    is_disabled: bool
    grants: tuple[Grant, ...]

    @property
    def actor(self) -> Actor:
        """The actor for this person's actions."""
        return Actor(actor_id=f"user:{self.account_id}", grants=self.grants)
