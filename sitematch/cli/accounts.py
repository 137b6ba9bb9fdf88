"""``user`` and ``token``: accounts of people who manage capacity, and their API tokens."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from sitematch.cli.common import (
    EXIT_NOT_FOUND,
    STORE,
    Commands,
    console,
    exit_codes,
    format_option,
    plain_errors,
    prepared_settings,
    print_json,
    say,
)
from sitematch.cli.completion import complete_site, complete_study
from sitematch.cli.context import open_context
from sitematch.domain.accounts.access import Grant, Permission, Role
from sitematch.errors import InvalidInput

if TYPE_CHECKING:
    from sitematch.domain.accounts.account import Account

_CODES = exit_codes(EXIT_NOT_FOUND, *STORE)

_ROLE = click.Choice([role.value for role in Role])


@click.group("user", cls=Commands)
def user_group() -> None:
    """Create accounts for coordinators and give them roles. Patients do not need an account.

    A new installation has no accounts. Create the first administrator here.
    """


@click.group("token", cls=Commands)
def token_group() -> None:
    """Create and revoke API tokens."""


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option(
        "--site", metavar="SITE", shell_complete=complete_site, help="The site. Required for a site coordinator."
    )(command)
    return click.option(
        "--study", metavar="STUDY", shell_complete=complete_study, help="The study.  [default: all studies]"
    )(command)


_temporary = click.option("--temporary", is_flag=True, help="The person must change the password at the next sign-in.")


@user_group.command("add", epilog=_CODES)
@click.argument("email")
@click.option("--role", type=_ROLE, help="Without a role the account has no permissions until you run `user grant`.")
@_where
@click.option("--password", "with_password", is_flag=True, help="Ask for a password, or read it from stdin.")
@_temporary
@plain_errors
def add(
    email: str, role: str | None, study: str | None, site: str | None, with_password: bool, temporary: bool
) -> None:
    """Create an account.

    \b
    Examples:
      sitematch user add ann@example.org --role administrator --password
      sitematch user add bob@example.org --role site-coordinator --study NCT06064929 --site NCT06064929-001
    """
    from sitematch.services.accounts import accounts

    grant = None if role is None else Grant(role=Role(role), study_id=study, site_id=site)
    if role is None and (study or site):
        raise InvalidInput("--study and --site need a --role.", field="role")
    password = _new_password() if with_password else None
    with open_context() as context:
        account = accounts.create_account(
            context.store,
            context.actor,
            email=email,
            now=context.now,
            password=password,
            must_change=temporary,
            grant=grant,
        )
    say(f"Created account {account.account_id} for {account.email}: {_roles(account)}.")


@user_group.command("invite", epilog=_CODES)
@click.argument("email")
@plain_errors
def invite(email: str) -> None:
    """Print a link with which the owner of an account without a password chooses one. It works once, for 7 days.

    \b
    Example:
      sitematch user invite ann@example.org
    """
    from sitematch.services.accounts import accounts, invitations

    with open_context() as context:
        found = accounts.find_account(context.store, context.actor, email)
        code = invitations.invite(context.store, context.actor, account_id=found.account_id, now=context.now)
    address = (prepared_settings(context.now).public_url or "https://YOUR-SERVER").rstrip("/")
    say(f"{address}/console/invitation/{code}")


@user_group.command("list", epilog=_CODES)
@format_option("table", "json")
@plain_errors
def list_(form: str) -> None:
    """List the accounts and their roles.

    \b
    Example:
      sitematch user list
    """
    from sitematch.services.accounts import accounts

    with open_context() as context:
        found = accounts.list_accounts(context.store, context.actor)
    if form == "json":
        print_json(found)
        return
    rows = [
        (item.email, item.account_id, "disabled" if item.is_disabled else _roles(item), _signs_in(item))
        for item in found
    ]
    _print_table(("E-mail", "Account", "Roles", "Sign-in"), rows, "There are no accounts. Create one with `user add`.")


@user_group.command("grant", epilog=_CODES)
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
    from sitematch.services.accounts import accounts

    grant = Grant(role=Role(role), study_id=study, site_id=site)
    with open_context() as context:
        found = accounts.find_account(context.store, context.actor, email)
        account = accounts.give(context.store, context.actor, account_id=found.account_id, grant=grant, now=context.now)
    say(f"{account.email}: {_roles(account)}.")


@user_group.command("take-back", epilog=_CODES)
@click.argument("email")
@click.argument("role", type=_ROLE)
@_where
@plain_errors
def remove_grant(email: str, role: str, study: str | None, site: str | None) -> None:
    """Remove a role from an account.

    \b
    Example:
      sitematch user take-back bob@example.org study-manager --study NCT06064929
    """
    from sitematch.services.accounts import accounts

    grant = Grant(role=Role(role), study_id=study, site_id=site)
    with open_context() as context:
        found = accounts.find_account(context.store, context.actor, email)
        account = accounts.remove_grant(
            context.store, context.actor, account_id=found.account_id, grant=grant, now=context.now
        )
    say(f"{account.email}: {_roles(account)}.")


@user_group.command("set-password", epilog=_CODES)
@click.argument("email")
@_temporary
@plain_errors
def set_password(email: str, temporary: bool) -> None:
    """Set a password. It is asked for, or read from stdin. All sessions and tokens of the account end.

    \b
    Example:
      sitematch user set-password ann@example.org
    """
    from sitematch.services.accounts import accounts

    with open_context() as context:
        account = accounts.find_account(context.store, context.actor, email)
        password = _new_password()
        accounts.set_password(
            context.store,
            context.actor,
            account_id=account.account_id,
            password=password,
            now=context.now,
            must_change=temporary,
        )
    say(f"{account.email}: the password was changed. All sessions and tokens have ended.")


@user_group.command("reset-second-factor", epilog=_CODES)
@click.argument("email")
@plain_errors
def reset_second_factor(email: str) -> None:
    """Remove the second factor of somebody who lost it. All sessions of the account end.

    Make sure first that it is really this person who asks.

    \b
    Example:
      sitematch user reset-second-factor ann@example.org
    """
    from sitematch.services.accounts import accounts, second_factor

    with open_context() as context:
        account = accounts.find_account(context.store, context.actor, email)
        second_factor.reset(context.store, context.actor, account_id=account.account_id, now=context.now)
    say(f"{account.email} signs in with the password alone. All sessions have ended.")


@user_group.command("disable", epilog=_CODES)
@click.argument("email")
@plain_errors
def disable(email: str) -> None:
    """Disable an account and end its sessions and tokens. The audit trail keeps its id.

    \b
    Example:
      sitematch user disable bob@example.org
    """
    from sitematch.services.accounts import accounts

    with open_context() as context:
        account = accounts.find_account(context.store, context.actor, email)
        accounts.disable_account(context.store, context.actor, account_id=account.account_id, now=context.now)
    say(f"{account.email} is disabled.")


@token_group.command("create", epilog=_CODES)
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
    from sitematch.services.accounts import accounts, tokens

    wanted = frozenset(map(Permission, scopes)) or frozenset(Permission)
    with open_context() as context:
        account = accounts.find_account(context.store, context.actor, email)
        made = tokens.create_token(
            context.store,
            context.actor,
            account_id=account.account_id,
            label=label,
            scopes=wanted,
            expires_at=context.now + timedelta(days=days),
            now=context.now,
        )
    if form == "json":
        print_json({"secret": made.secret, "token": made.token})
        return
    click.echo(made.secret)
    say(
        f"Token {made.token.token_id} for {email}, valid until {made.token.expires_at:%Y-%m-%d}. It is not shown again."
    )


@token_group.command("list", epilog=_CODES)
@click.argument("email")
@format_option("table", "json")
@plain_errors
def list_tokens(email: str, form: str) -> None:
    """List an account's tokens, newest first. Secrets are never shown.

    \b
    Example:
      sitematch token list ann@example.org
    """
    from sitematch.services.accounts import accounts, tokens

    with open_context() as context:
        account = accounts.find_account(context.store, context.actor, email)
        found = tokens.list_tokens(context.store, context.actor, account.account_id)
        now = context.now
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


@token_group.command("revoke", epilog=_CODES)
@click.argument("token_id")
@plain_errors
def revoke(token_id: str) -> None:
    """Revoke a token immediately and permanently.

    \b
    Example:
      sitematch token revoke 91ab5f0c2d3e4f60
    """
    from sitematch.services.accounts import tokens

    with open_context() as context:
        tokens.revoke_token(context.store, context.actor, token_id=token_id, now=context.now)
    say(f"Token {token_id} is revoked.")


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
    from rich.text import Text

    from sitematch.exporters.tables.terminal import new_table

    table = new_table(*headings)
    for row in rows:
        table.add_row(*map(Text, row))
    console().print(table if rows else empty)
