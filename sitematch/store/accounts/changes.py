"""The history of accounts: each change is noted in the transaction that makes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sitematch.domain.accounts.access import Grant
from sitematch.domain.accounts.change import AccountChange, AccountChangeKind
from sitematch.store.engine import Store
from sitematch.store.instants import from_us, to_us
from sitematch.store.schema import account, account_change


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedBy:
    """Who changes an account, and when (aware)."""

    actor_id: str
    at: datetime


def note_change(
    connection: sa.Connection,
    account_id: str,
    kind: AccountChangeKind,
    by: ChangedBy | None,
    grant: Grant | None = None,
) -> None:
    """Note a change in the connection's transaction; nothing if nobody is named, as in the set-up of tests."""
    if by is None:
        return
    # Two changes of one account at the same time wait for one another here, so that their numbers differ.
    own = account.c.account_id == account_id
    connection.execute(sa.update(account).where(own).values(email=account.c.email))
    last = sa.select(sa.func.coalesce(sa.func.max(account_change.c.number), 0))
    number = connection.execute(last.where(account_change.c.account_id == account_id)).scalar_one() + 1
    connection.execute(
        sa.insert(account_change).values(
            account_id=account_id,
            number=number,
            at_us=to_us(by.at),
            actor_id=by.actor_id,
            kind=kind.value,
            role="" if grant is None else grant.role.value,
            study_id="" if grant is None else grant.study_id or "",
            site_id="" if grant is None else grant.site_id or "",
        )
    )


def list_changes(store: Store, account_id: str, *, limit: int) -> tuple[AccountChange, ...]:
    """Return the latest changes of an account, latest first.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    table = account_change.c
    query = sa.select(account_change).where(table.account_id == account_id).order_by(table.number.desc())
    with store.reading() as connection:
        return tuple(
            AccountChange(
                account_id=row.account_id,
                at=from_us(row.at_us),
                actor_id=row.actor_id,
                kind=AccountChangeKind(row.kind),
                role=row.role,
                study_id=row.study_id,
                site_id=row.site_id,
            )
            for row in connection.execute(query.limit(limit))
        )
