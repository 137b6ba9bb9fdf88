"""Accounts, tokens, webhooks and the whole ledger: the services check permissions before they use the database."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from sitematch.domain.accounts.access import Actor, Grant, Permission, Role
from sitematch.domain.webhooks.notice import NoticeKind
from sitematch.errors import InvalidInput, LoginFailed, NotAllowed, NotFound
from sitematch.services.accounts import accounts, sign_in, tokens
from sitematch.services.capacity import ledger_copies
from sitematch.services.webhooks import endpoints
from sitematch.store.accounts import accounts as store_accounts
from sitematch.store.accounts import tokens as store_tokens
from sitematch.store.engine import Store
from tests.store.builders import NOW, STUDY_ID

ADMINISTRATOR = Actor(actor_id="user:admin", grants=(Grant(role=Role.ADMINISTRATOR),))
REFUSED = (
    Actor(actor_id="user:nobody"),
    Actor(actor_id="user:viewer", grants=(Grant(role=Role.VIEWER, study_id=STUDY_ID),)),
    Actor(actor_id="user:manager", grants=(Grant(role=Role.STUDY_MANAGER, study_id=STUDY_ID),)),
    Actor(
        actor_id="token:narrow",
        grants=(Grant(role=Role.ADMINISTRATOR),),
        scopes=frozenset({Permission.CAPACITY_READ}),
    ),
)


def functions(*modules: ModuleType) -> Iterator[Callable[..., Any]]:
    for module in modules:
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                yield function


def arguments(function: Callable[..., Any], actor: Actor) -> dict[str, Any]:
    """Return the arguments of a call, without a store, so that a call that reads before its check fails."""
    given: dict[str, Any] = {"store": None, "actor": actor}
    names = inspect.signature(function).parameters.items()
    return {
        name: given.get(name, NOW if name == "now" else "x")
        for name, how in names
        if how.default is inspect.Parameter.empty
    }


@pytest.mark.parametrize("actor", REFUSED, ids=lambda actor: actor.actor_id)
@pytest.mark.parametrize(
    "function", tuple(functions(accounts, tokens, ledger_copies)), ids=lambda function: function.__name__
)
def test_person_without_the_administrator_role_is_refused_before_the_database_is_used(
    function: Callable[..., Any], actor: Actor
) -> None:
    with pytest.raises(NotAllowed):
        function(**arguments(function, actor))


def test_account_is_made_with_its_role_and_found_by_its_email_in_any_case(store: Store) -> None:
    grant = Grant(role=Role.VIEWER, study_id=STUDY_ID)

    made = accounts.create_account(store, ADMINISTRATOR, email="Ann@example.org", now=NOW, grant=grant)

    assert made.grants == (grant,)
    assert accounts.find_account(store, ADMINISTRATOR, " ANN@EXAMPLE.ORG ") == made
    assert accounts.find_account(store, ADMINISTRATOR, made.account_id) == made


def test_webhooks_of_others_are_neither_listed_nor_disabled(store: Store) -> None:
    manager = Actor(actor_id="user:manager", grants=(Grant(role=Role.STUDY_MANAGER, study_id=STUDY_ID),))
    viewer = Actor(actor_id="user:viewer", grants=(Grant(role=Role.VIEWER, study_id=STUDY_ID),))
    kinds = frozenset({NoticeKind.SITE_FILLED})
    url = "https://ctms.example.org/hook"
    everywhere = endpoints.add_webhook(store, ADMINISTRATOR, url=url, kinds=kinds, now=NOW).webhook
    own = endpoints.add_webhook(store, manager, url=url, kinds=kinds, now=NOW, study_id=STUDY_ID).webhook

    with pytest.raises(NotAllowed):
        endpoints.add_webhook(store, manager, url=url, kinds=kinds, now=NOW)
    with pytest.raises(NotFound):
        endpoints.disable_webhook(store, manager, webhook_id=everywhere.webhook_id, now=NOW)
    with pytest.raises(NotFound):
        endpoints.disable_webhook(store, viewer, webhook_id=own.webhook_id, now=NOW)

    assert endpoints.list_webhooks(store, manager) == (own,)
    assert endpoints.list_webhooks(store, viewer) == ()
    assert set(endpoints.list_webhooks(store, ADMINISTRATOR)) == {everywhere, own}


class TestTokensMadeByTokens:
    """A token with the right to manage accounts cannot create one with more permissions or a later expiry."""

    @pytest.fixture
    def account_id(self, store: Store) -> str:
        account = store_accounts.create_account(store, email="ann@example.org", now=NOW)
        store_accounts.give(store, account_id=account.account_id, grant=Grant(role=Role.ADMINISTRATOR))
        return account.account_id

    @pytest.fixture
    def narrow(self, store: Store, account_id: str) -> Actor:
        """An administrator's token for one day that may manage accounts and read capacity."""
        made = tokens.create_token(
            store,
            ADMINISTRATOR,
            account_id=account_id,
            label="one day",
            scopes=frozenset({Permission.ACCOUNTS_WRITE, Permission.CAPACITY_READ}),
            expires_at=NOW + timedelta(days=1),
            now=NOW,
        )
        return sign_in.authenticate(store, secret=made.secret, now=NOW)

    def make(self, store: Store, actor: Actor, account_id: str, scopes: set[Permission], days: float) -> None:
        tokens.create_token(
            store,
            actor,
            account_id=account_id,
            label="made by a token",
            scopes=frozenset(scopes),
            expires_at=NOW + timedelta(days=days),
            now=NOW,
        )

    @pytest.mark.parametrize("scope", [each for each in Permission if each not in ("accounts:write", "capacity:read")])
    def test_no_scope_is_gained(self, store: Store, narrow: Actor, account_id: str, scope: Permission) -> None:
        with pytest.raises(NotAllowed, match="more permissions than its own"):
            self.make(store, narrow, account_id, {Permission.CAPACITY_READ, scope}, 0.5)

    def test_no_time_is_gained(self, store: Store, narrow: Actor, account_id: str) -> None:
        with pytest.raises(InvalidInput, match="cannot last longer"):
            self.make(store, narrow, account_id, {Permission.CAPACITY_READ}, 1.01)

    def test_less_can_be_handed_on(self, store: Store, narrow: Actor, account_id: str) -> None:
        self.make(store, narrow, account_id, {Permission.CAPACITY_READ}, 1)

        assert "made by a token" in {token.label for token in tokens.list_tokens(store, narrow, account_id)}

    def test_secret_of_a_session_is_not_accepted_as_a_token(self, store: Store, account_id: str) -> None:
        begun = store_tokens.start_session(store, account_id=account_id, now=NOW)

        with pytest.raises(LoginFailed):
            sign_in.authenticate(store, secret=begun.secret, now=NOW)
