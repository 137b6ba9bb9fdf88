"""Reads and writes of webhooks, each with a permission check first.

Study managers manage the webhooks of their study; administrators manage webhooks of all studies. For anybody else, a
webhook is reported as not found.
"""

from __future__ import annotations

from datetime import datetime

from sitematch.domain.accounts.access import Actor, Permission, may, require
from sitematch.domain.webhooks.notice import FailedDelivery, NewWebhook, NoticeKind, Webhook
from sitematch.errors import NotFound
from sitematch.store.engine import Store
from sitematch.store.webhooks import endpoints, outbox, upkeep


def add_webhook(
    store: Store,
    actor: Actor,
    *,
    url: str,
    kinds: frozenset[NoticeKind],
    now: datetime,
    study_id: str | None = None,
    percent: int | None = None,
) -> NewWebhook:
    """Subscribe to notices from now on.

    See `sitematch.store.webhooks.endpoints.add_webhook`. Errors: those, and `NotAllowed`.
    """
    require(actor, Permission.WEBHOOKS_WRITE, study_id=study_id)
    return endpoints.add_webhook(store, actor, url=url, kinds=kinds, now=now, study_id=study_id, percent=percent)


def list_webhooks(store: Store, actor: Actor) -> tuple[Webhook, ...]:
    """Return the webhooks that the actor manages, oldest first. Errors: see `Store.reading`."""
    return tuple(
        item for item in endpoints.list_webhooks(store) if may(actor, Permission.WEBHOOKS_WRITE, study_id=item.study_id)
    )


def disable_webhook(store: Store, actor: Actor, *, webhook_id: str, now: datetime) -> None:
    """Remove a webhook, with its waiting messages.

    Raises
    ------
    NotFound
        If there is no such webhook, or the actor does not manage it.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    _managed(store, actor, webhook_id)
    endpoints.disable_webhook(store, webhook_id=webhook_id, now=now)


def send_test(store: Store, actor: Actor, *, webhook_id: str, now: datetime) -> str:
    """Send a message that says nothing happened, and return its id; see `sitematch.store.webhooks.upkeep.send_test`."""
    _managed(store, actor, webhook_id)
    return upkeep.send_test(store, webhook_id=webhook_id, now=now)


def redeliver(store: Store, actor: Actor, *, webhook_id: str, now: datetime) -> int:
    """Send again what failed, and return how many; see `sitematch.store.webhooks.upkeep.redeliver`."""
    _managed(store, actor, webhook_id)
    return upkeep.redeliver(store, webhook_id=webhook_id, now=now)


def rotate_secret(store: Store, actor: Actor, *, webhook_id: str) -> NewWebhook:
    """Give a webhook another secret; see `sitematch.store.webhooks.upkeep.rotate_secret`."""
    found = _managed(store, actor, webhook_id)
    return NewWebhook(webhook=found, secret=upkeep.rotate_secret(store, webhook_id=webhook_id))


def failed_deliveries(store: Store, actor: Actor) -> tuple[FailedDelivery, ...]:
    """Return the failed messages of the webhooks that the actor manages, oldest first.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    managed = _ids(store, actor)
    return tuple(item for item in outbox.failed_deliveries(store) if item.webhook_id in managed)


def _managed(store: Store, actor: Actor, webhook_id: str) -> Webhook:
    for item in list_webhooks(store, actor):
        if item.webhook_id == webhook_id:
            return item
    raise NotFound("Webhook not found.", field="webhook_id")


def _ids(store: Store, actor: Actor) -> frozenset[str]:
    return frozenset(item.webhook_id for item in list_webhooks(store, actor))
