from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sitematch.domain.accounts.access import Actor
from sitematch.domain.webhooks.notice import NewWebhook, NoticeKind
from sitematch.errors import InvalidInput, NotFound
from sitematch.notify import post as post_module
from sitematch.notify.post import post
from sitematch.services.webhooks.notices import run_notices
from sitematch.store.engine import Store
from sitematch.store.webhooks import endpoints, outbox
from tests.store.builders import NOW, STUDY_ID, Coordinator, make_site, make_study, site_key

FULL_OR_FREE = frozenset({NoticeKind.SITE_FILLED, NoticeKind.SITE_REOPENED})
ANN = Actor(actor_id="user:ann")


class Receiver:
    """A real HTTP server on loopback; answers what it is told to."""

    def __init__(self) -> None:
        self.status = 204
        self.requests: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((dict(self.headers), body))
                self.send_response(receiver.status)
                if receiver.status == 302:
                    self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?x=1"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def messages(self) -> list[dict[str, object]]:
        return [json.loads(body) for _, body in self.requests]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


def ask(store: Store, receiver: Receiver, **changes: object) -> NewWebhook:
    wanted: dict[str, object] = {"url": receiver.url, "kinds": FULL_OR_FREE, "now": NOW, **changes}
    return endpoints.add_webhook(store, ANN, **wanted)  # type: ignore[arg-type]


def run(coordinator: Coordinator) -> int:
    return run_notices(coordinator.store, lambda: coordinator.now, allow_private=True)


def test_receiver_is_told_when_a_site_fills_and_reopens(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1, site_key())
    ask(store, receiver)
    run(coordinator)

    coordinator.hold("r-1")
    run(coordinator)
    coordinator.release("r-1")
    run(coordinator)
    run(coordinator)

    said = [(message["kind"], message["study_id"], message["sites"]) for message in receiver.messages()]
    assert said == [
        ("site.filled", STUDY_ID, [{"site_id": "site-1", "remaining": 0, "state": "waitlist"}]),
        ("site.reopened", STUDY_ID, [{"site_id": "site-1", "remaining": 1, "state": "capacity"}]),
    ]


def test_lapsed_hold_reopens_a_site_though_nothing_is_written(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1)
    ask(store, receiver)
    coordinator.hold("r-1")
    run(coordinator)

    coordinator.later(hours=48)
    run(coordinator)

    assert [message["kind"] for message in receiver.messages()] == ["site.filled", "site.reopened"]
    assert len(receiver.messages()[0]["sites"]) == 2  # type: ignore[arg-type]


def test_percentage_is_told_once_when_it_is_passed(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(4, site_key())
    ask(store, receiver, kinds=frozenset({NoticeKind.SITE_PASSED_PERCENT}), percent=75)

    for number in range(4):
        coordinator.hold(f"r-{number}")
        run(coordinator)

    assert [(message["kind"], message["percent"]) for message in receiver.messages()] == [("site.passed-percent", 75)]


def test_what_happened_before_is_not_told(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1)
    coordinator.hold("r-1")

    ask(store, receiver)
    run(coordinator)

    assert receiver.requests == []


def test_another_study_is_not_told(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    other = Coordinator(store, study=make_study(study_id="NCT2"), sites=[make_site("o", study_id="NCT2")])
    ask(store, receiver, study_id="NCT2")

    coordinator.cap(0)
    other.cap(0)
    run(coordinator)

    assert [message["study_id"] for message in receiver.messages()] == ["NCT2"]


def test_signature_proves_who_sent_what_and_when(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    new = ask(store, receiver)
    coordinator.cap(0)
    run(coordinator)

    headers, body = receiver.requests[0]

    seconds, digest = (part.split("=")[1] for part in headers["Sitematch-Signature"].split(","))
    wanted = hmac.new(new.secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert (int(seconds), digest) == (int(NOW.timestamp()), wanted)
    assert headers["Sitematch-Message"] == json.loads(body)["id"]
    assert new.secret not in repr(new)


def test_refused_message_is_tried_again_later_and_later_then_given_up(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    ask(store, receiver)
    coordinator.cap(0)
    receiver.status = 503
    waits = []

    run(coordinator)
    while (failure := outbox.failed_deliveries(store)[0]).next_at is not None:
        waits.append(failure.next_at - coordinator.now)
        coordinator.now = failure.next_at - timedelta(microseconds=1)
        assert run(coordinator) == 0
        coordinator.now = failure.next_at
        run(coordinator)

    assert tuple(waits) == outbox.RETRY_AFTER
    assert len(receiver.requests) == failure.attempts == len(outbox.RETRY_AFTER) + 1
    assert len({headers["Sitematch-Message"] for headers, _ in receiver.requests}) == 1
    assert failure.last_error == "the receiver answered 503"


def test_message_arrives_once_the_receiver_is_back(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    ask(store, receiver)
    coordinator.cap(0)
    receiver.status = 500
    run(coordinator)
    receiver.status = 200
    coordinator.later(seconds=10)

    arrived = run(coordinator)

    assert (arrived, outbox.failed_deliveries(store)) == (1, ())


def test_receiver_that_is_gone_is_a_failure_not_a_crash(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    gone = Receiver()
    gone.close()
    ask(store, gone)
    ask(store, receiver)
    coordinator.cap(0)

    arrived = run(coordinator)

    (failure,) = outbox.failed_deliveries(store)
    assert (arrived, failure.last_error) == (1, "no answer: ConnectionRefusedError")


def test_delivery_that_was_taken_up_is_left_alone_until_its_lease_ends(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    hook = ask(store, receiver).webhook.webhook_id
    coordinator.cap(0)
    endpoints.notice_changes(store, coordinator.now)

    first = outbox.take_next(store, hook, coordinator.now)
    meanwhile = outbox.take_next(store, hook, coordinator.now + outbox.LEASE - timedelta(microseconds=1))
    after = outbox.take_next(store, hook, coordinator.now + outbox.LEASE)
    assert first is not None
    outbox.record(store, first, error="too late", now=coordinator.now)

    assert (first.attempt, meanwhile, after and after.attempt) == (1, None, 2)
    assert outbox.failed_deliveries(store) == ()


def test_receiver_gets_its_messages_in_order_even_if_the_first_must_be_tried_again(
    store: Store, receiver: Receiver
) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(1, site_key())
    ask(store, receiver)
    receiver.status = 500
    coordinator.hold("r-1")
    run(coordinator)
    coordinator.release("r-1")
    coordinator.later(seconds=1)
    run(coordinator)
    before = len(receiver.requests)
    receiver.status = 204
    coordinator.later(minutes=1)
    run(coordinator)

    kinds = [message["kind"] for message in receiver.messages()]
    assert before == 1
    assert kinds == ["site.filled", "site.filled", "site.reopened"]


def test_receiver_that_says_it_is_gone_for_good_is_told_nothing_more(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    ask(store, receiver)
    receiver.status = 410
    coordinator.cap(0)

    run(coordinator)
    coordinator.later(days=1)
    run(coordinator)

    assert len(receiver.requests) == 1
    assert [item.is_disabled for item in endpoints.list_webhooks(store)] == [True]


def test_receiver_that_trickles_is_given_up_and_holds_nobody_else_up(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post_module, "DEADLINE_S", 0.5)
    coordinator = Coordinator(store)
    with socket.create_server(("127.0.0.1", 0)) as trickling:
        threading.Thread(target=trickle, args=(trickling,), daemon=True).start()
        endpoints.add_webhook(
            store, ANN, url=f"http://127.0.0.1:{trickling.getsockname()[1]}/", kinds=FULL_OR_FREE, now=NOW
        )
        ask(store, receiver)
        coordinator.cap(0)

        arrived = run(coordinator)

    (failure,) = outbox.failed_deliveries(store)
    assert (arrived, len(receiver.requests)) == (1, 1)
    assert failure.last_error.startswith("no answer within")


def trickle(server: socket.socket) -> None:
    """Send one byte of an answer now and then, for ever."""
    with contextlib.suppress(OSError):
        connection, _ = server.accept()
        with connection:
            while True:
                connection.sendall(b"H")
                time.sleep(0.05)


def test_two_who_look_at_once_tell_once(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    ask(store, receiver)
    coordinator.cap(0)
    gate = threading.Barrier(4)
    counts: list[int] = []

    def look() -> None:
        gate.wait()
        counts.append(endpoints.notice_changes(store, coordinator.now))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(counts) == [0, 0, 0, 1]


def test_disabled_webhook_is_told_nothing_more(store: Store, receiver: Receiver) -> None:
    coordinator = Coordinator(store)
    new = ask(store, receiver)
    coordinator.cap(0)
    endpoints.notice_changes(store, coordinator.now)

    endpoints.disable_webhook(store, webhook_id=new.webhook.webhook_id, now=coordinator.now)
    run(coordinator)

    assert receiver.requests == []
    assert [item.is_disabled for item in endpoints.list_webhooks(store)] == [True]
    with pytest.raises(NotFound):
        endpoints.disable_webhook(store, webhook_id="none", now=coordinator.now)


@pytest.mark.parametrize(
    "change",
    [
        {"url": "ftp://example.org/"},
        {"url": "https://"},
        {"url": "https://user:word@example.org/"},
        {"url": "https://example.org:99999/"},
        {"url": "https://example.org:0/"},
        {"url": "https://example.org:port/"},
        {"url": "https://" + "a" * 64 + ".example.org/"},
        {"url": "https://" + "a." * 140 + "org/"},
        {"url": "https://b\u00fccher.example/"},
        {"url": "https://exa mple.org/"},
        {"url": "https://[::1/"},
        {"url": "https://example.org/" + "a" * 2000},
        {"kinds": frozenset()},
        {"percent": 50},
        {"kinds": frozenset({NoticeKind.SITE_PASSED_PERCENT})},
        {"kinds": frozenset({NoticeKind.SITE_PASSED_PERCENT}), "percent": 101},
    ],
)
def test_webhook_that_makes_no_sense_is_refused(store: Store, receiver: Receiver, change: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        ask(store, receiver, **change)


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.status = 302

    reply = post(receiver.url, secret="s", body=b"{}", message_id="m", at=NOW, allow_private=True)

    assert reply.error == "the receiver answered 302"
    assert len(receiver.requests) == 1


def test_private_addresses_are_out_of_reach_unless_allowed(receiver: Receiver) -> None:
    reply = post(receiver.url, secret="s", body=b"{}", message_id="m", at=NOW)

    assert reply.error == "the address is in a private network"
    assert receiver.requests == []
