"""Data that is no longer needed is deleted at the right time, and not before."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from sitematch.errors import LoginFailed
from sitematch.store.accounts import accounts, invitations, tokens
from sitematch.store.capacity.history import audit
from sitematch.store.engine import Store
from sitematch.store.retention import ENDED_TOKENS_KEPT, LOGIN_FAILURES_KEPT, MESSAGES_KEPT, forget_old
from sitematch.store.schema import delivery, idempotency, invitation, login_failure, outbox, token
from tests.store.builders import Coordinator, make_caller

KEPT = [
    (idempotency, timedelta(hours=24)),
    (outbox, MESSAGES_KEPT),
    (delivery, MESSAGES_KEPT),
    (login_failure, LOGIN_FAILURES_KEPT),
    (token, timedelta(hours=12) + ENDED_TOKENS_KEPT),
    (invitation, invitations.LASTS),
]


def fill(store: Store) -> Coordinator:
    """Create one row of every kind."""
    coordinator = Coordinator(store)
    coordinator.hold("r-1", caller=make_caller("key-1"))
    account = accounts.create_account(store, email="ann@example.org", now=coordinator.now, password="correct horse 1")
    with pytest.raises(LoginFailed):
        accounts.log_in(store, email="ann@example.org", password="wrong", now=coordinator.now)
    tokens.start_session(store, account_id=account.account_id, now=coordinator.now)
    guest = accounts.create_account(store, email="zoe@example.org", now=coordinator.now)
    invitations.invite(store, account_id=guest.account_id, now=coordinator.now)
    us = int(coordinator.now.timestamp() * 1_000_000)
    with store.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO webhook (webhook_id, study_id, url, secret, kinds, created_at_us, actor_id) "
            f"VALUES ('w', '', 'https://example.org/', 's', '[]', {us}, 'a')"
        )
        connection.execute(sa.insert(outbox).values(message_id="m", at_us=us, study_id="", kind="k", body="{}"))
        connection.execute(
            sa.insert(delivery).values(message_id="m", webhook_id="w", attempts=1, delivered_at_us=us, last_error="")
        )
    return coordinator


def count(store: Store, table: sa.Table) -> int:
    with store.reading() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


@pytest.mark.parametrize(("table", "kept"), KEPT, ids=lambda value: getattr(value, "name", ""))
def test_each_kind_is_kept_as_long_as_it_should_be_and_then_deleted(
    store: Store, table: sa.Table, kept: timedelta
) -> None:
    coordinator = fill(store)

    forget_old(store, coordinator.now + kept - timedelta(seconds=1))
    before = count(store, table)
    forget_old(store, coordinator.now + kept + timedelta(seconds=1))

    assert (before, count(store, table)) == (1, 0)


def test_message_that_waits_to_be_delivered_is_never_deleted(store: Store) -> None:
    coordinator = fill(store)
    with store.writing() as connection:
        connection.execute(sa.update(delivery).values(delivered_at_us=None, due_at_us=1))

    forget_old(store, coordinator.now + timedelta(days=400))

    assert (count(store, outbox), count(store, delivery)) == (1, 1)


def test_ledger_keeps_everything(store: Store) -> None:
    coordinator = fill(store)

    forgotten = forget_old(store, coordinator.now + timedelta(days=4000))

    assert forgotten
    assert audit.verify(store).is_intact
    assert not forget_old(store, coordinator.now + timedelta(days=4000))
