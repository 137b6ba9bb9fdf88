"""Notices that coordinators' own systems can subscribe to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class NoticeKind(StrEnum):
    """Events at sites of a study."""

    SITE_FILLED = "site.filled"
    """The last spot was taken."""
    SITE_REOPENED = "site.reopened"
    """A spot is free again."""
    SITE_PASSED_PERCENT = "site.passed-percent"
    """The requested share of the spots is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A subscription to notices.

    Parameters
    ----------
    webhook_id
        Random and stable.
    study_id
        The study; None is every study.
    url
        The receiver, by POST.
    kinds
        The kinds of notices.
    percent
        The share of the spots, 1 to 100; None unless `SITE_PASSED_PERCENT` is among the kinds.
    is_disabled
        Whether it gets no more notices.
    """

    webhook_id: str
    study_id: str | None
    url: str
    kinds: frozenset[NoticeKind]
    percent: int | None
    is_disabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    """A new webhook.

    Parameters
    ----------
    webhook
        The stored part.
    secret
        The key for signing messages; it is not shown again.
    """

    webhook: Webhook
    secret: str

    def __repr__(self) -> str:
        return f"NewWebhook(webhook={self.webhook!r}, secret=…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """One message that must be delivered to one webhook now.

    Parameters
    ----------
    message_id, webhook_id
        The message and its receiver; a receiver that gets a message twice recognises it by its id.
    url, secret
        The receiver's URL, and the key for signing.
    body
        The JSON text that is signed and sent.
    attempt
        1 for the first.
    """

    message_id: str
    webhook_id: str
    url: str
    secret: str
    body: bytes
    attempt: int

    def __repr__(self) -> str:
        return f"DueDelivery(message_id={self.message_id!r}, webhook_id={self.webhook_id!r}, attempt={self.attempt})"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedDelivery:
    """A message whose delivery failed, finally or so far.

    Parameters
    ----------
    message_id, webhook_id, url
        The message and its receiver.
    attempts
        The number of attempts.
    last_error
        The result of the last attempt, in plain words.
    next_at
        The time of the next attempt (aware, UTC); None if there is none.
    """

    message_id: str
    webhook_id: str
    url: str
    attempts: int
    last_error: str
    next_at: datetime | None
