"""What coordinators' own systems can ask to be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class NoticeKind(StrEnum):
    """Something that happened to sites of a study."""

    SITE_FILLED = "site.filled"
    """The last spot was taken."""
    SITE_REOPENED = "site.reopened"
    """A spot is free again."""
    SITE_PASSED_PERCENT = "site.passed-percent"
    """As great a share of the spots as was asked for is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Someone who asked to be told.

    Parameters
    ----------
    webhook_id
        Random and stable.
    study_id
        Which study; None is every one.
    url
        Where to, by POST.
    kinds
        What of.
    percent
        From which share of the spots on, 1 to 100; None unless `SITE_PASSED_PERCENT` is among the kinds.
    is_disabled
        Whether it is told nothing more.
    """

    webhook_id: str
    study_id: str | None
    url: str
    kinds: frozenset[NoticeKind]
    percent: int | None
    is_disabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    """A webhook that was just made.

    Parameters
    ----------
    webhook
        What is kept of it.
    secret
        What messages are signed with; it is not shown again.
    """

    webhook: Webhook
    secret: str

    def __repr__(self) -> str:
        return f"NewWebhook(webhook={self.webhook!r}, secret=…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """One message to bring to one webhook now.

    Parameters
    ----------
    message_id, webhook_id
        Which message to whom; a receiver that gets a message twice knows it by its id.
    url, secret
        Where to, and what to sign with.
    body
        JSON, as it is signed and sent.
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
    """A message that was given up, or has failed so far.

    Parameters
    ----------
    message_id, webhook_id, url
        Which message to whom.
    attempts
        How often it was tried.
    last_error
        What came of the last attempt, in plain words.
    next_at
        When it is tried again (aware, UTC); None if it was given up.
    """

    message_id: str
    webhook_id: str
    url: str
    attempts: int
    last_error: str
    next_at: datetime | None
