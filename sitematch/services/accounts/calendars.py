"""A person's own secret addresses of calendars, and who reads through one."""

from __future__ import annotations

from dataclasses import replace

from sitematch.domain.accounts.access import Actor, Permission
from sitematch.domain.accounts.tokens import Session
from sitematch.store.accounts import calendars
from sitematch.store.engine import Store


def make(store: Store, session: Session, study_id: str) -> str:
    """Return the code of the person's new address; see `sitematch.store.accounts.calendars.make_calendar`."""
    return calendars.make_calendar(store, account_id=session.account.account_id, study_id=study_id)


def end(store: Store, session: Session, study_id: str) -> None:
    """End the person's address; see `sitematch.store.accounts.calendars.end_calendar`."""
    calendars.end_calendar(store, account_id=session.account.account_id, study_id=study_id)


def exists(store: Store, session: Session, study_id: str) -> bool:
    """Return whether the person has an address; see `sitematch.store.accounts.calendars.has_calendar`."""
    return calendars.has_calendar(store, account_id=session.account.account_id, study_id=study_id)


def reader(store: Store, code: str) -> tuple[Actor, str]:
    """Return who reads through an address, with the owner's present roles, and the study; only referrals can be read.

    Raises
    ------
    NotFound, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.accounts.calendars.owner_of`.
    """
    account, study_id = calendars.owner_of(store, code)
    return replace(account.actor, scopes=frozenset({Permission.REFERRALS_READ})), study_id
