"""People and their tokens, for administrators: accounts, roles, passwords, sessions and API tokens."""

from __future__ import annotations

import secrets
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import msgspec
from flask import Response
from msgspec import Meta

from api.backend import Backend
from api.console.page import session
from api.console.page.context import ConsoleContext, go, page
from api.console.page.forms import ConsoleForm
from api.console.page.routes import Console
from api.http.errors import problem_of
from api.http.reading import read_filters, read_form
from api.idempotency import once
from api.pages.languages import gettext as _
from sitematch.domain.accounts.access import GRANTED, Grant, Permission, Role
from sitematch.domain.accounts.tokens import Token
from sitematch.errors import InvalidInput
from sitematch.exporters.wire.matches import Wire
from sitematch.services.accounts import accounts, invitations, tokens
from sitematch.services.studies import catalogue

_Id = Annotated[str, Meta(max_length=200)]


class PersonForm(ConsoleForm, frozen=True, kw_only=True):
    """A new account."""

    email: Annotated[str, Meta(max_length=254)] = ""
    role: Role | None = None
    study_id: _Id = ""
    site_id: _Id = ""


class GrantForm(ConsoleForm, frozen=True, kw_only=True):
    """A role, and where it applies."""

    role: Role
    study_id: _Id = ""
    site_id: _Id = ""

    def grant(self) -> Grant:
        """Return the grant.

        Raises
        ------
        InvalidInput
            If the role cannot apply there.
        """
        return Grant(role=self.role, study_id=self.study_id.strip() or None, site_id=self.site_id.strip() or None)


class TokenForm(ConsoleForm, frozen=True, kw_only=True):
    """A new token."""

    label: Annotated[str, Meta(max_length=100)] = ""
    scopes: tuple[Permission, ...] = ()
    days: Annotated[int, Meta(ge=1, le=366)] = 90


class EndForm(ConsoleForm, frozen=True, kw_only=True):
    """The account or token to end."""

    token_id: _Id = ""


class End(StrEnum):
    """Actions that need confirmation."""

    ACCOUNT = "account"
    PASSWORD = "password"  # noqa: S105 - the word itself
    TOKEN = "token"  # noqa: S105 - the word itself


class EndQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The account or token to end, for the confirmation page."""

    what: End
    token_id: _Id = ""
    study: str | None = None


class DoneQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The action that was just done."""

    study: str | None = None
    done: Annotated[str, Meta(max_length=20)] = ""


class CreatedAccount(Wire, frozen=True):
    """The new object, with its secret only in the first answer."""

    account_id: str
    secret: str | None


def register(console: Console, backend: Backend) -> None:
    """Create the routes."""
    _register_people(console, backend)
    _register_person(console, backend)
    _register_tokens(console, backend)


def _register_people(console: Console, backend: Backend) -> None:
    @console.page("GET", "/people", Permission.ACCOUNTS_WRITE)
    def people() -> Response:
        return _list(ConsoleContext(backend))

    @console.page("POST", "/people", Permission.ACCOUNTS_WRITE, is_sensitive=True)
    def add_person() -> Response:
        asked, context = read_form(PersonForm), ConsoleContext(backend)

        def make() -> CreatedAccount:
            grant = None
            if asked.role is not None:
                grant = GrantForm(role=asked.role, study_id=asked.study_id, site_id=asked.site_id).grant()
            account = accounts.create_account(
                context.store, context.actor, email=asked.email, now=context.now, grant=grant
            )
            code = invitations.invite(context.store, context.actor, account_id=account.account_id, now=context.now)
            return CreatedAccount(account_id=account.account_id, secret=code)

        try:
            made = once(backend, "console_add_person", _plain(asked), CreatedAccount, make, masked="secret")
        except InvalidInput as error:
            return _list(context, typed=asked, fault=error.message, status=problem_of(error).status)
        return _show(context, made.account_id, invitation=made.secret, was_made=True)


def _register_person(console: Console, backend: Backend) -> None:
    @console.page("GET", "/people/<account_id>", Permission.ACCOUNTS_WRITE)
    def person(account_id: str) -> Response:
        return _show(ConsoleContext(backend), account_id, done=read_filters(DoneQuery).done)

    @console.page("POST", "/people/<account_id>/invitation", Permission.ACCOUNTS_WRITE, is_sensitive=True)
    def invite_again(account_id: str) -> Response:
        context = ConsoleContext(backend)

        def make() -> CreatedAccount:
            code = invitations.invite(context.store, context.actor, account_id=account_id, now=context.now)
            return CreatedAccount(account_id=account_id, secret=code)

        try:
            made = once(backend, "console_invite", [account_id], CreatedAccount, make, masked="secret")
        except InvalidInput as error:
            return _show(context, account_id, fault=error.message, status=problem_of(error).status)
        return _show(context, account_id, invitation=made.secret, was_made=True)

    @console.page("POST", "/people/<account_id>/roles", Permission.ACCOUNTS_WRITE, is_sensitive=True)
    def give_role(account_id: str) -> Response:
        asked, context = read_form(GrantForm), ConsoleContext(backend)
        try:
            accounts.give(context.store, context.actor, account_id=account_id, grant=asked.grant(), now=context.now)
        except InvalidInput as error:
            return _show(context, account_id, fault=error.message, status=problem_of(error).status)
        return go("person", account_id=account_id, done="given")

    @console.page("POST", "/people/<account_id>/roles/end", Permission.ACCOUNTS_WRITE, is_sensitive=True)
    def take_role_back(account_id: str) -> Response:
        asked, context = read_form(GrantForm), ConsoleContext(backend)
        if asked.role is Role.ADMINISTRATOR and _is_me(account_id):
            fault = _("You cannot remove your own administrator role. Ask another administrator.")
            return _show(context, account_id, fault=fault, status=409)
        accounts.remove_grant(context.store, context.actor, account_id=account_id, grant=asked.grant(), now=context.now)
        return go("person", account_id=account_id, done="taken")

    @console.page("GET", "/people/<account_id>/end", Permission.ACCOUNTS_WRITE)
    def confirm_end(account_id: str) -> Response:
        asked, context = read_filters(EndQuery), ConsoleContext(backend)
        account = accounts.read_account(context.store, context.actor, account_id)
        return page(
            "confirm_end.html", account=account, what=asked.what, token=_token(context, account_id, asked.token_id)
        )

    @console.page("POST", "/people/<account_id>/disable", Permission.ACCOUNTS_WRITE, is_sensitive=True)
    def disable_person(account_id: str) -> Response:
        context = ConsoleContext(backend)
        if _is_me(account_id):
            fault = _("You cannot disable your own account. Ask another administrator.")
            return _show(context, account_id, fault=fault, status=409)
        accounts.disable_account(context.store, context.actor, account_id=account_id, now=context.now)
        return go("person", account_id=account_id, done="disabled")

    @console.page("POST", "/people/<account_id>/password", Permission.ACCOUNTS_WRITE, is_sensitive=True)
    def new_password(account_id: str) -> Response:
        asked, context = read_form(EndForm), ConsoleContext(backend)
        if _is_me(account_id):
            return go("account")

        def make() -> CreatedAccount:
            password = _one_time_password()
            accounts.set_password(
                context.store,
                context.actor,
                account_id=account_id,
                password=password,
                now=context.now,
                must_change=True,
            )
            return CreatedAccount(account_id=account_id, secret=password)

        made = once(backend, "console_new_password", [account_id, _plain(asked)], CreatedAccount, make, masked="secret")
        return _show(context, account_id, password=made.secret, was_made=True)

    @console.page("POST", "/people/<account_id>/sessions/end", Permission.ACCOUNTS_WRITE, is_sensitive=True)
    def end_sessions(account_id: str) -> Response:
        context = ConsoleContext(backend)
        accounts.end_sessions(context.store, context.actor, account_id=account_id, now=context.now)
        return go("person", account_id=account_id, done="sessions")


def _register_tokens(console: Console, backend: Backend) -> None:
    @console.page("POST", "/people/<account_id>/tokens", Permission.ACCOUNTS_WRITE, is_sensitive=True)
    def add_token(account_id: str) -> Response:
        asked, context = read_form(TokenForm), ConsoleContext(backend)

        def make() -> CreatedAccount:
            made = tokens.create_token(
                context.store,
                context.actor,
                account_id=account_id,
                label=asked.label.strip(),
                scopes=frozenset(asked.scopes),
                expires_at=context.now + timedelta(days=asked.days),
                now=context.now,
            )
            return CreatedAccount(account_id=account_id, secret=made.secret)

        try:
            made = once(
                backend, "console_add_token", [account_id, _plain(asked)], CreatedAccount, make, masked="secret"
            )
        except InvalidInput as error:
            return _show(context, account_id, typed=asked, fault=error.message, status=problem_of(error).status)
        return _show(context, account_id, secret=made.secret, was_made=True)

    @console.page("POST", "/people/<account_id>/tokens/end", Permission.ACCOUNTS_WRITE, is_sensitive=True)
    def end_token(account_id: str) -> Response:
        asked, context = read_form(EndForm), ConsoleContext(backend)
        token = _token(context, account_id, asked.token_id)
        if token is not None:
            tokens.revoke_token(context.store, context.actor, token_id=token.token_id, now=context.now)
        return go("person", account_id=account_id, done="token")


def _studies(context: ConsoleContext) -> tuple[str, ...]:
    """Return the studies to choose from: the one in view, and those that somebody manages or has a role in."""
    known = {grant.study_id for each in accounts.list_accounts(context.store, context.actor) for grant in each.grants}
    return tuple(sorted({context.study_id, *(study_id for study_id in known if study_id)}))


def _is_me(account_id: str) -> bool:
    return session.current().account.account_id == account_id


def _token(context: ConsoleContext, account_id: str, token_id: str) -> Token | None:
    return next(
        (item for item in tokens.list_tokens(context.store, context.actor, account_id) if item.token_id == token_id),
        None,
    )


def _one_time_password() -> str:
    """Return a password of 96 random bits, which its owner should change."""
    return "-".join(secrets.token_urlsafe(3) for _ in range(4))


def _plain(asked: ConsoleForm) -> ConsoleForm:
    """Return a form without its common fields, so that only its content is compared."""
    return msgspec.structs.replace(asked, csrf="", key="")


def _list(context: ConsoleContext, *, typed: PersonForm | None = None, fault: str = "", status: int = 200) -> Response:
    return page(
        "people.html",
        status=status,
        accounts=accounts.list_accounts(context.store, context.actor),
        roles=list(Role),
        permissions=list(Permission),
        granted=GRANTED,
        studies=_studies(context),
        sites=catalogue.read_sites(context.store, context.study_id),
        typed=typed or PersonForm(),
        fault=fault,
    )


def _show(
    context: ConsoleContext,
    account_id: str,
    *,
    done: str = "",
    password: str | None = None,
    secret: str | None = None,
    invitation: str | None = None,
    was_made: bool = False,
    typed: TokenForm | None = None,
    fault: str = "",
    status: int = 200,
) -> Response:
    changes, names = accounts.list_changes(context.store, context.actor, account_id)
    return page(
        "person.html",
        status=status,
        account=accounts.read_account(context.store, context.actor, account_id),
        is_me=_is_me(account_id),
        tokens=tokens.list_tokens(context.store, context.actor, account_id),
        open_sessions=accounts.count_sessions(context.store, context.actor, account_id=account_id, now=context.now),
        roles=list(Role),
        scopes=list(Permission),
        password=password,
        secret=secret,
        invitation=invitation,
        invited_for=invitations.LASTS,
        changes=changes,
        names=names,
        studies=_studies(context),
        sites=catalogue.read_sites(context.store, context.study_id),
        was_made=was_made,
        typed=typed or TokenForm(),
        done=done,
        fault=fault,
    )
