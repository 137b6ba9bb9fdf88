"""Invitations are used once, and changes of accounts are numbered, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from sitematch.domain.accounts.access import Grant, Role
from sitematch.domain.accounts.change import AccountChangeKind
from sitematch.errors import LoginFailed
from sitematch.store.accounts import accounts, changes, invitations
from sitematch.store.accounts.changes import ChangedBy
from sitematch.store.engine import Store
from tests.store.builders import NOW

BY = ChangedBy(actor_id="user:ann", at=NOW)


def invited(store: Store) -> tuple[str, str]:
    account = accounts.create_account(store, email="zoe@example.org", now=NOW, by=BY)
    return account.account_id, invitations.invite(store, account_id=account.account_id, now=NOW, by=BY)


def test_invitation_is_accepted_by_one_of_many_at_once(store: Store) -> None:
    account_id, code = invited(store)

    def accept(number: int) -> str:
        try:
            invitations.accept_invitation(store, code=code, password=f"walnut harbour lamps {number}", now=NOW)
        except LoginFailed:
            return "refused"
        return "accepted"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(accept, range(4)))

    assert outcomes == ["accepted", "refused", "refused", "refused"]
    kinds = [change.kind for change in changes.list_changes(store, account_id, limit=9)]
    assert kinds == [AccountChangeKind.PASSWORD_SET, AccountChangeKind.INVITED, AccountChangeKind.CREATED]


def test_code_is_not_stored_and_ends_after_a_week(store: Store) -> None:
    _, code = invited(store)
    almost = NOW + invitations.LASTS - timedelta(microseconds=1)

    assert invitations.read_invitation(store, code=code, now=almost).email == "zoe@example.org"
    with pytest.raises(LoginFailed):
        invitations.read_invitation(store, code=code, now=NOW + invitations.LASTS)
    with store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT secret_hash FROM invitation").all()
    assert code not in str(rows)


def test_changes_of_one_account_at_once_are_all_kept(store: Store) -> None:
    account_id, _ = invited(store)
    grants = [Grant(role=Role.VIEWER, study_id=f"NCT{number}") for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda grant: accounts.give(store, account_id=account_id, grant=grant, by=BY), grants))
    accounts.give(store, account_id=account_id, grant=grants[0], by=BY)  # it has it already: nothing changes

    found = changes.list_changes(store, account_id, limit=50)
    assert sorted(change.study_id for change in found if change.study_id) == [f"NCT{number}" for number in range(8)]
    assert {change.actor_id for change in found} == {"user:ann"}
