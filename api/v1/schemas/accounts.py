"""Requests and answers about accounts, tokens and webhooks."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sitematch.domain.accounts.access import Grant, Permission, Role
from sitematch.domain.accounts.account import Account
from sitematch.domain.accounts.tokens import Token
from sitematch.domain.webhooks.notice import FailedDelivery, NoticeKind, Webhook
from sitematch.exporters.wire.matches import Instant, Wire


class GrantAnswer(Wire, frozen=True):
    """A role, and where it applies."""

    role: Role
    study_id: Annotated[str | None, Meta(description="Null means all studies.")]
    site_id: Annotated[str | None, Meta(description="Null means all sites of the study.")]


class AccountAnswer(Wire, frozen=True):
    """A person who may sign in."""

    account_id: str
    email: str
    is_disabled: bool
    grants: tuple[GrantAnswer, ...]


class AccountsAnswer(Wire, frozen=True):
    """Every account, by e-mail."""

    accounts: tuple[AccountAnswer, ...]


class TokensQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The account of the tokens."""

    account_id: str


class TokenRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """A new token."""

    account_id: Annotated[
        str, Meta(description="The account of the token. The token has no more permissions than the account.")
    ]
    label: Annotated[str, Meta(min_length=1, max_length=100, description="What the token is for.")]
    scopes: Annotated[tuple[Permission, ...], Meta(min_length=1, description="The permissions of the token.")]
    days: Annotated[int, Meta(ge=1, le=366, description="How long it is valid.")] = 90


class TokenAnswer(Wire, frozen=True):
    """A token, without its secret."""

    token_id: str
    account_id: str
    label: str
    scopes: tuple[Permission, ...]
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None
    secret: Annotated[
        str | None,
        Meta(description="Only in the first answer. It is not stored and cannot be shown again."),
    ] = None


class TokensAnswer(Wire, frozen=True):
    """An account's tokens, newest first."""

    tokens: tuple[TokenAnswer, ...]


class WebhookRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """A new webhook."""

    url: Annotated[str, Meta(max_length=2000, description="The address for POST requests: https://…")]
    kinds: Annotated[tuple[NoticeKind, ...], Meta(min_length=1, description="The kinds of event to send.")]
    percent: Annotated[
        Annotated[int, Meta(ge=1, le=100)] | None,
        Meta(description="Only with site.passed-percent: the percentage of spots taken."),
    ] = None
    study_id: Annotated[str | None, Meta(description="The default is all studies.")] = None


class WebhookAnswer(Wire, frozen=True):
    """A webhook that gets notices."""

    webhook_id: str
    study_id: str | None
    url: str
    kinds: tuple[NoticeKind, ...]
    percent: int | None
    is_disabled: bool
    secret: Annotated[str | None, Meta(description="The signing secret of the messages. Only in the first answer.")] = (
        None
    )


class WebhooksAnswer(Wire, frozen=True):
    """Every webhook, oldest first."""

    webhooks: tuple[WebhookAnswer, ...]


class WebhookTestAnswer(Wire, frozen=True):
    """A test message that waits to be delivered."""

    message_id: str


class RedeliveryAnswer(Wire, frozen=True):
    """Messages that wait to be delivered again."""

    messages: Annotated[int, Meta(ge=0, description="How many.")]


class DeliveryAnswer(Wire, frozen=True):
    """A message whose delivery failed, finally or so far."""

    message_id: str
    webhook_id: str
    url: str
    attempts: int
    last_error: str
    next_at: Annotated[Instant | None, Meta(description="When it is tried again; null if there are no more attempts.")]


class DeliveriesAnswer(Wire, frozen=True):
    """Messages that were not delivered, oldest first."""

    deliveries: tuple[DeliveryAnswer, ...]


def account_answer(account: Account) -> AccountAnswer:
    """Return the JSON type of an account."""
    return AccountAnswer(
        account_id=account.account_id,
        email=account.email,
        is_disabled=account.is_disabled,
        grants=tuple(map(_grant, account.grants)),
    )


def token_answer(token: Token, secret: str | None = None) -> TokenAnswer:
    """Return the JSON type of a token."""
    return TokenAnswer(
        token_id=token.token_id,
        account_id=token.account_id,
        label=token.label,
        scopes=tuple(sorted(token.scopes or ())),
        created_at=token.created_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        secret=secret,
    )


def webhook_answer(webhook: Webhook, secret: str | None = None) -> WebhookAnswer:
    """Return the JSON type of a webhook."""
    return WebhookAnswer(
        webhook_id=webhook.webhook_id,
        study_id=webhook.study_id,
        url=webhook.url,
        kinds=tuple(sorted(webhook.kinds)),
        percent=webhook.percent,
        is_disabled=webhook.is_disabled,
        secret=secret,
    )


def delivery_answer(failed: FailedDelivery) -> DeliveryAnswer:
    """Return the JSON type of a failed delivery."""
    return DeliveryAnswer(
        message_id=failed.message_id,
        webhook_id=failed.webhook_id,
        url=failed.url,
        attempts=failed.attempts,
        last_error=failed.last_error,
        next_at=failed.next_at,
    )


def _grant(grant: Grant) -> GrantAnswer:
    return GrantAnswer(role=grant.role, study_id=grant.study_id, site_id=grant.site_id)
