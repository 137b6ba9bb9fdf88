from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sitematch.domain.accounts.access import Actor
from sitematch.domain.capacity.notice import NoticeKind
from sitematch.errors import InvalidInput, NotFound
from sitematch.notify.post import post
from sitematch.services.capacity.notices import run_notices
from sitematch.store.engine import Store
from sitematch.store.webhooks import endpoints, outbox
from tests.store.builders import NOW, STUDY_ID, Desk, make_site, make_study, site_key

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


def ask(store: Store, receiver: Receiver, **changes: object) -> endpoints.NewWebhook:
    wanted: dict[str, object] = {"url": receiver.url, "kinds": FULL_OR_FREE, "now": NOW, **changes}
    return endpoints.add_webhook(store, ANN, **wanted)  # type: ignore[arg-type]


def run(desk: Desk) -> int:
    return run_notices(desk.store, desk.now, allow_private=True)


def test_receiver_is_told_when_a_site_fills_and_reopens(store: Store, receiver: Receiver) -> None:
    desk = Desk(store)
    desk.cap(1, site_key())
    ask(store, receiver)
    run(desk)

    desk.hold("r-1")
    run(desk)
    desk.release("r-1")
    run(desk)
    run(desk)

    said = [(message["kind"], message["study_id"], message["sites"]) for message in receiver.messages()]
    assert said == [
        ("site.filled", STUDY_ID, [{"site_id": "site-1", "remaining": 0, "state": "waitlist"}]),
        ("site.reopened", STUDY_ID, [{"site_id": "site-1", "remaining": 1, "state": "capacity"}]),
    ]


def test_lapsed_hold_reopens_a_site_though_nothing_is_written(store: Store, receiver: Receiver) -> None:
    desk = Desk(store)
    desk.cap(1)
    ask(store, receiver)
    desk.hold("r-1")
    run(desk)

    desk.later(hours=48)
    run(desk)

    assert [message["kind"] for message in receiver.messages()] == ["site.filled", "site.reopened"]
    assert len(receiver.messages()[0]["sites"]) == 2  # type: ignore[arg-type]


def test_percentage_is_told_once_when_it_is_passed(store: Store, receiver: Receiver) -> None:
    desk = Desk(store)
    desk.cap(4, site_key())
    ask(store, receiver, kinds=frozenset({NoticeKind.SITE_PASSED_PERCENT}), percent=75)

    for number in range(4):
        desk.hold(f"r-{number}")
        run(desk)

    assert [(message["kind"], message["percent"]) for message in receiver.messages()] == [("site.passed-percent", 75)]


def test_what_happened_before_is_not_told(store: Store, receiver: Receiver) -> None:
    desk = Desk(store)
    desk.cap(1)
    desk.hold("r-1")

    ask(store, receiver)
    run(desk)

    assert receiver.requests == []


def test_another_study_is_not_told(store: Store, receiver: Receiver) -> None:
    desk = Desk(store)
    other = Desk(store, study=make_study(study_id="NCT2"), sites=[make_site("o", study_id="NCT2")])
    ask(store, receiver, study_id="NCT2")

    desk.cap(0)
    other.cap(0)
    run(desk)

    assert [message["study_id"] for message in receiver.messages()] == ["NCT2"]


def test_signature_proves_who_sent_what_and_when(store: Store, receiver: Receiver) -> None:
    desk = Desk(store)
    new = ask(store, receiver)
    desk.cap(0)
    run(desk)

    headers, body = receiver.requests[0]

    seconds, digest = (part.split("=")[1] for part in headers["Sitematch-Signature"].split(","))
    wanted = hmac.new(new.secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert (int(seconds), digest) == (int(NOW.timestamp()), wanted)
    assert headers["Sitematch-Message"] == json.loads(body)["id"]
    assert new.secret not in repr(new)


def test_refused_message_is_tried_again_later_and_later_then_given_up(store: Store, receiver: Receiver) -> None:
    desk = Desk(store)
    ask(store, receiver)
    desk.cap(0)
    receiver.status = 503
    waits = []

    run(desk)
    while (failure := outbox.failed_deliveries(store)[0]).next_at is not None:
        waits.append(failure.next_at - desk.now)
        desk.now = failure.next_at - timedelta(microseconds=1)
        assert run(desk) == 0
        desk.now = failure.next_at
        run(desk)

    assert tuple(waits) == outbox.RETRY_AFTER
    assert len(receiver.requests) == failure.attempts == len(outbox.RETRY_AFTER) + 1
    assert len({headers["Sitematch-Message"] for headers, _ in receiver.requests}) == 1
    assert failure.last_error == "the receiver answered 503"


def test_message_arrives_once_the_receiver_is_back(store: Store, receiver: Receiver) -> None:
    desk = Desk(store)
    ask(store, receiver)
    desk.cap(0)
    receiver.status = 500
    run(desk)
    receiver.status = 200
    desk.later(seconds=10)

    arrived = run(desk)

    assert (arrived, outbox.failed_deliveries(store)) == (1, ())


def test_receiver_that_is_gone_is_a_failure_not_a_crash(store: Store, receiver: Receiver) -> None:
    desk = Desk(store)
    gone = Receiver()
    gone.close()
    ask(store, gone)
    ask(store, receiver)
    desk.cap(0)

    arrived = run(desk)

    (failure,) = outbox.failed_deliveries(store)
    assert (arrived, failure.last_error) == (1, "no answer: ConnectionRefusedError")


def test_delivery_that_was_taken_up_is_left_alone_until_its_lease_ends(store: Store, receiver: Receiver) -> None:
    desk = Desk(store)
    ask(store, receiver)
    desk.cap(0)
    endpoints.notice_changes(store, desk.now)

    first = outbox.take_due(store, desk.now)
    meanwhile = outbox.take_due(store, desk.now + outbox.LEASE - timedelta(microseconds=1))
    after = outbox.take_due(store, desk.now + outbox.LEASE)
    outbox.record(store, first[0], error="too late", now=desk.now)

    assert (len(first), meanwhile, [due.attempt for due in after]) == (1, (), [2])
    assert outbox.failed_deliveries(store) == ()


def test_two_who_look_at_once_tell_once(store: Store, receiver: Receiver) -> None:
    desk = Desk(store)
    ask(store, receiver)
    desk.cap(0)
    gate = threading.Barrier(4)
    counts: list[int] = []

    def look() -> None:
        gate.wait()
        counts.append(endpoints.notice_changes(store, desk.now))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(counts) == [0, 0, 0, 1]


def test_disabled_webhook_is_told_nothing_more(store: Store, receiver: Receiver) -> None:
    desk = Desk(store)
    new = ask(store, receiver)
    desk.cap(0)
    endpoints.notice_changes(store, desk.now)

    endpoints.disable_webhook(store, webhook_id=new.webhook.webhook_id, now=desk.now)
    run(desk)

    assert receiver.requests == []
    assert [item.is_disabled for item in endpoints.list_webhooks(store)] == [True]
    with pytest.raises(NotFound):
        endpoints.disable_webhook(store, webhook_id="none", now=desk.now)


@pytest.mark.parametrize(
    "change",
    [
        {"url": "ftp://example.org/"},
        {"url": "https://"},
        {"url": "https://user:word@example.org/"},
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

    error = post(receiver.url, secret="s", body=b"{}", message_id="m", at=NOW, allow_private=True)

    assert error == "the receiver answered 302"
    assert len(receiver.requests) == 1


def test_private_addresses_are_out_of_reach_unless_allowed(receiver: Receiver) -> None:
    error = post(receiver.url, secret="s", body=b"{}", message_id="m", at=NOW)

    assert error == "the address is in a private network"
    assert receiver.requests == []
