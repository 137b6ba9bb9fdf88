"""A test message, sending again, and another secret."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

import pytest

from sitematch.errors import InvalidInput, NotFound
from sitematch.store.engine import Store
from sitematch.store.webhooks import endpoints, outbox, upkeep
from tests.store.builders import NOW, Coordinator
from tests.store.webhooks.test_endpoints import Receiver, ask, receiver, run

__all__ = ["receiver"]


def is_signed_with(secret: str, receiver: Receiver) -> bool:
    headers, body = receiver.requests[-1]
    at, signature = (part.partition("=")[2] for part in headers["Sitematch-Signature"].split(","))
    wanted = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature, wanted)


def test_test_message_arrives_at_this_webhook_alone(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    made = ask(store, receiver)
    ask(store, receiver)

    message_id = upkeep.send_test(store, webhook_id=made.webhook.webhook_id, now=NOW)
    arrived = run(coordinator)

    (message,) = receiver.messages()
    assert arrived == 1
    assert (message["id"], message["kind"], message["sites"]) == (message_id, "webhook.test", [])
    assert is_signed_with(made.secret, receiver)


def test_message_that_was_given_up_is_sent_again_and_gets_all_its_attempts(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    webhook_id = ask(store, receiver).webhook.webhook_id
    coordinator.cap(0)
    receiver.status = 503
    run(coordinator)
    while (failure := outbox.failed_deliveries(store)[0]).next_at is not None:
        coordinator.now = failure.next_at
        run(coordinator)
    receiver.status = 204

    count = upkeep.redeliver(store, webhook_id=webhook_id, now=coordinator.now)
    arrived = run(coordinator)

    assert (count, arrived) == (1, 1)
    assert outbox.failed_deliveries(store) == ()
    assert upkeep.redeliver(store, webhook_id=webhook_id, now=coordinator.now) == 0  # what arrived stays so


def test_message_that_waits_for_its_next_try_is_sent_now(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    webhook_id = ask(store, receiver).webhook.webhook_id
    coordinator.cap(0)
    receiver.status = 503
    run(coordinator)
    receiver.status = 204

    assert upkeep.redeliver(store, webhook_id=webhook_id, now=coordinator.now) == 1
    assert run(coordinator) == 1


def test_message_that_is_under_way_is_left_alone(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    webhook_id = ask(store, receiver).webhook.webhook_id
    coordinator.cap(0)
    receiver.status = 503
    run(coordinator)
    coordinator.later(seconds=10)
    due = outbox.take_next(store, webhook_id, coordinator.now)

    assert due is not None
    assert upkeep.redeliver(store, webhook_id=webhook_id, now=coordinator.now + timedelta(seconds=1)) == 0


def test_new_secret_signs_from_the_next_message_on(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    made = ask(store, receiver)

    secret = upkeep.rotate_secret(store, webhook_id=made.webhook.webhook_id)
    upkeep.send_test(store, webhook_id=made.webhook.webhook_id, now=NOW)
    run(coordinator)

    assert secret != made.secret
    assert is_signed_with(secret, receiver)


def test_webhook_that_is_unknown_or_disabled_is_refused(store: Store, receiver: Receiver) -> None:
    made = ask(store, receiver)
    endpoints.disable_webhook(store, webhook_id=made.webhook.webhook_id, now=NOW)

    for webhook_id, error in (("w-9", NotFound), (made.webhook.webhook_id, InvalidInput)):
        with pytest.raises(error):
            upkeep.send_test(store, webhook_id=webhook_id, now=NOW)
        with pytest.raises(error):
            upkeep.redeliver(store, webhook_id=webhook_id, now=NOW)
        with pytest.raises(error):
            upkeep.rotate_secret(store, webhook_id=webhook_id)
