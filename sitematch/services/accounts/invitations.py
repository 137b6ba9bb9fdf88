"""Inviting people by a link, and accepting an invitation, which is a proof of identity itself."""

from __future__ import annotations

from datetime import datetime

from sitematch.domain.accounts.access import Actor, Permission, require
from sitematch.domain.accounts.account import Account
from sitematch.store.accounts import invitations
from sitematch.store.accounts.changes import ChangedBy
from sitematch.store.accounts.invitations import LASTS
from sitematch.store.engine import Store

__all__ = ["LASTS", "accept", "invite", "read"]


def invite(store: Store, actor: Actor, *, account_id: str, now: datetime) -> str:
    """Return the code of a new invitation; see `store.accounts.invitations.invite`. Errors: those, and `NotAllowed`."""
    require(actor, Permission.ACCOUNTS_WRITE)
    by = ChangedBy(actor_id=actor.actor_id, at=now)
    return invitations.invite(store, account_id=account_id, now=now, by=by)


def read(store: Store, *, code: str, now: datetime) -> Account:
    """Return the account of an invitation; see `sitematch.store.accounts.invitations.read_invitation`."""
    return invitations.read_invitation(store, code=code, now=now)


def accept(store: Store, *, code: str, password: str, now: datetime) -> Account:
    """Choose the password of an invited account; see `sitematch.store.accounts.invitations.accept_invitation`."""
    return invitations.accept_invitation(store, code=code, password=password, now=now)
