"""``user`` and ``token``: who may run the capacity, and with what."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from sitematch.cli.common import EXIT_CODES, console, format_option, plain_errors, print_json, say
from sitematch.cli.context import open_desk
from sitematch.domain.accounts.access import Grant, Permission, Role
from sitematch.errors import AccountNotFound, InvalidInput

if TYPE_CHECKING:
    from sitematch.store.accounts.accounts import Account
    from sitematch.store.engine import Store

_ROLE = click.Choice([role.value for role in Role])


@click.group("user")
def user_group() -> None:
    """Create accounts for coordinators and give them roles. Patients do not need an account.

    A new installation has no accounts. Create the first administrator here.
    """


@click.group("token")
def token_group() -> None:
    """Create and revoke API tokens."""


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--site", metavar="SITE", help="The site. Required for a site coordinator.")(command)
    return click.option("--study", metavar="STUDY", help="The study.  [default: all studies]")(command)


@user_group.command("add", epilog=EXIT_CODES)
@click.argument("email")
@click.option("--role", type=_ROLE, help="Without a role the account has no permissions until you run `user grant`.")
@_where
@click.option("--password", "with_password", is_flag=True, help="Ask for a password, or read it from stdin.")
@plain_errors
def add(email: str, role: str | None, study: str | None, site: str | None, with_password: bool) -> None:
    """Create an account.

    \b
    Examples:
      sitematch user add ann@example.org --role administrator --password
      sitematch user add bob@example.org --role site-coordinator --study NCT06064929 --site NCT06064929-001
    """
    from sitematch.store.accounts import accounts

    grant = None if role is None else Grant(role=Role(role), study_id=study, site_id=site)
    if role is None and (study or site):
        raise InvalidInput("--study and --site need a --role.", field="role")
    password = _new_password() if with_password else None
    with open_desk() as desk:
        account = accounts.create_account(desk.store, email=email, now=desk.now, password=password)
        if grant is not None:
            account = accounts.give(desk.store, account_id=account.account_id, grant=grant)
    say(f"Created account {account.account_id} for {account.email}: {_roles(account)}.")


@user_group.command("list", epilog=EXIT_CODES)
@format_option("table", "json")
@plain_errors
def list_(form: str) -> None:
    """List the accounts and their roles.

    \b
    Example:
      sitematch user list
    """
    from sitematch.store.accounts import accounts

    with open_desk() as desk:
        found = accounts.list_accounts(desk.store)
    if form == "json":
        print_json(found)
        return
    rows = [
        (item.email, item.account_id, "disabled" if item.is_disabled else _roles(item), _signs_in(item))
        for item in found
    ]
    _print_table(("E-mail", "Account", "Roles", "Sign-in"), rows, "There are no accounts. Create one with `user add`.")


@user_group.command("grant", epilog=EXIT_CODES)
@click.argument("email")
@click.argument("role", type=_ROLE)
@_where
@plain_errors
def grant_(email: str, role: str, study: str | None, site: str | None) -> None:
    """Give an account a role.

    \b
    Example:
      sitematch user grant bob@example.org study-manager --study NCT06064929
    """
    from sitematch.store.accounts import accounts

    grant = Grant(role=Role(role), study_id=study, site_id=site)
    with open_desk() as desk:
        account = accounts.give(desk.store, account_id=_account(desk.store, email).account_id, grant=grant)
    say(f"{account.email}: {_roles(account)}.")


@user_group.command("take-back", epilog=EXIT_CODES)
@click.argument("email")
@click.argument("role", type=_ROLE)
@_where
@plain_errors
def take_back(email: str, role: str, study: str | None, site: str | None) -> None:
    """Remove a role from an account.

    \b
    Example:
      sitematch user take-back bob@example.org study-manager --study NCT06064929
    """
    from sitematch.store.accounts import accounts

    grant = Grant(role=Role(role), study_id=study, site_id=site)
    with open_desk() as desk:
        account = accounts.take_back(desk.store, account_id=_account(desk.store, email).account_id, grant=grant)
    say(f"{account.email}: {_roles(account)}.")


@user_group.command("set-password", epilog=EXIT_CODES)
@click.argument("email")
@plain_errors
def set_password(email: str) -> None:
    """Set a password. It is asked for, or read from stdin. All sessions and tokens of the account end.

    \b
    Example:
      sitematch user set-password ann@example.org
    """
    from sitematch.store.accounts import accounts

    with open_desk() as desk:
        account = _account(desk.store, email)
        accounts.set_password(desk.store, account_id=account.account_id, password=_new_password(), now=desk.now)
    say(f"{account.email}: the password was changed. All sessions and tokens have ended.")


@user_group.command("disable", epilog=EXIT_CODES)
@click.argument("email")
@plain_errors
def disable(email: str) -> None:
    """Disable an account and end its sessions and tokens. The audit trail keeps its id.

    \b
    Example:
      sitematch user disable bob@example.org
    """
    from sitematch.store.accounts import accounts

    with open_desk() as desk:
        account = _account(desk.store, email)
        accounts.disable_account(desk.store, account_id=account.account_id, now=desk.now)
    say(f"{account.email} is disabled.")


@token_group.command("create", epilog=EXIT_CODES)
@click.argument("email")
@click.option("--label", required=True, metavar="TEXT", help="What the token is for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([permission.value for permission in Permission]),
    help="A permission of the token; may be repeated.  [default: all that the account's roles allow]",
)
@click.option(
    "--days", type=click.IntRange(1, 366), default=90, show_default=True, help="Days until the token expires."
)
@format_option("table", "json")
@plain_errors
def create(email: str, label: str, scopes: tuple[str, ...], days: int, form: str) -> None:
    """Create a token for an account. The secret is printed once: only a hash of it is kept.

    \b
    Examples:
      sitematch token create ann@example.org --label "my scripts"
      sitematch token create bob@example.org --label booking --scope referrals:write --days 30
    """
    from sitematch.store.accounts import tokens

    wanted = frozenset(map(Permission, scopes)) or frozenset(Permission)
    with open_desk() as desk:
        made = tokens.create_token(
            desk.store,
            account_id=_account(desk.store, email).account_id,
            label=label,
            scopes=wanted,
            expires_at=desk.now + timedelta(days=days),
            now=desk.now,
        )
    if form == "json":
        print_json({"secret": made.secret, "token": made.token})
        return
    click.echo(made.secret)
    say(
        f"Token {made.token.token_id} for {email}, valid until {made.token.expires_at:%Y-%m-%d}. It is not shown again."
    )


@token_group.command("list", epilog=EXIT_CODES)
@click.argument("email")
@format_option("table", "json")
@plain_errors
def list_tokens(email: str, form: str) -> None:
    """List an account's tokens, newest first. Secrets are never shown.

    \b
    Example:
      sitematch token list ann@example.org
    """
    from sitematch.store.accounts import tokens

    with open_desk() as desk:
        found = tokens.list_tokens(desk.store, _account(desk.store, email).account_id)
        now = desk.now
    if form == "json":
        print_json(found)
        return
    rows = [
        (
            item.token_id,
            item.label,
            "revoked" if item.revoked_at else "expired" if item.expires_at <= now else f"{item.expires_at:%Y-%m-%d}",
            " ".join(sorted(item.scopes or ())),
        )
        for item in found
    ]
    _print_table(("Token", "Label", "Until", "Scopes"), rows, "No tokens.")


@token_group.command("revoke", epilog=EXIT_CODES)
@click.argument("token_id")
@plain_errors
def revoke(token_id: str) -> None:
    """Revoke a token immediately and permanently.

    \b
    Example:
      sitematch token revoke 91ab5f0c2d3e4f60
    """
    from sitematch.store.accounts import tokens

    with open_desk() as desk:
        tokens.revoke_token(desk.store, token_id=token_id, now=desk.now)
    say(f"Token {token_id} is revoked.")


def _account(store: Store, email: str) -> Account:
    from sitematch.store.accounts import accounts

    wanted = email.strip().lower()
    for account in accounts.list_accounts(store):
        if wanted in (account.email, account.account_id):
            return account
    raise AccountNotFound(
        f"There is no account {email!r}. To list the accounts, run `sitematch user list`.", field="email"
    )


def _new_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


def _roles(account: Account) -> str:
    return (
        ", ".join(
            " ".join(part for part in (grant.role.value, grant.study_id, grant.site_id) if part)
            for grant in account.grants
        )
        or "no role"
    )


def _signs_in(account: Account) -> str:
    return "password" if account.has_password else "token"


def _print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console().print(table if rows else empty)
