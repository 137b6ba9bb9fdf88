"""Two real server processes over one database: no spot is sold twice, and each sees what the other sold."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchmarks import race
from benchmarks.servers import Servers, ask, serving
from sitematch.store.capacity.stated_caps import take_stated_caps
from sitematch.store.engine import open_store
from sitematch.store.studies.catalogue import replace_study
from tests.api.builders import SITES, STUDY_ID, make_gazetteer, make_study

WITHIN_S = 1.0
"""The promise: a commit shows in every server's next answer within a second."""


def test_two_servers_sell_each_spot_once_and_tell_every_loser_why(database_url: str) -> None:
    found = race.run_http(database_url, processes=6, attempts=240, spots=20)

    assert found.faults == ()
    assert found.sold == 20
    assert sum(found.refused.values()) == 220


@pytest.fixture
def servers(database_url: str, tmp_path: Path) -> Iterator[Servers]:
    gazetteer = make_gazetteer(tmp_path / "gazetteer.sqlite")
    with open_store(database_url) as store:
        replace_study(store, make_study(as_of_on=date(2026, 1, 2)), SITES)
        take_stated_caps(store, datetime.now(UTC))
    with serving(database_url, study_id=STUDY_ID, gazetteer_path=gazetteer) as running:
        yield running


def spots(port: int, site_id: str = "miami") -> int | None:
    answer = ask(port, "POST", "/v1/matches", {"postcode": "33180", "country": "US", "limit": 50}).body
    (count,) = (match["remaining"]["count"] for match in answer["matches"] if match["site"]["site_id"] == site_id)
    found: int | None = count
    return found


def promised(look: Callable[[], Any], wanted: Any) -> bool:
    """Ask until the promise is due; what is answered by a request that was sent after that must be right.

    No time is asserted: a slow machine asks less often, and the last answer, asked for when the second is over, decides.
    """
    due_s = time.monotonic() + WITHIN_S
    while time.monotonic() < due_s:
        if look() == wanted:
            return True
        time.sleep(0.02)
    return bool(look() == wanted)


def test_hold_taken_at_one_server_shows_in_the_matches_of_the_other(servers: Servers) -> None:
    here, there = servers.ports
    before = spots(here), spots(there)

    for number in range(1, 4):
        body = {"site_id": "miami", "referral_id": f"r-{number}"}
        taker, other = (here, there) if number % 2 else (there, here)
        assert ask(taker, "POST", "/v1/referrals", body, secret=servers.secret, key=f"k-{number}").status == 201

        assert promised(lambda: spots(other), 8 - number)  # noqa: B023
        assert promised(lambda: spots(taker), 8 - number)  # noqa: B023
    assert before == (8, 8)


def test_loaded_catalogue_and_lapsed_hold_show_in_every_server(servers: Servers, database_url: str) -> None:
    body = {"site_id": "miami", "referral_id": "r-1", "hold_hours": 3 / 3600}
    assert ask(servers.ports[0], "POST", "/v1/referrals", body, secret=servers.secret, key="k").status == 201
    assert promised(lambda: [spots(port) for port in servers.ports], [7, 7])
    with open_store(database_url) as store:
        replace_study(store, make_study(title="Another title"), SITES[:4])

    def titles() -> list[tuple[str, int]]:
        answers = [ask(port, "GET", "/v1/sites").body for port in servers.ports]
        return [(answer["study"]["title"], len(answer["sites"])) for answer in answers]

    assert promised(titles, [("Another title", 4)] * 2)
    give_up_s = time.monotonic() + 30
    while [spots(port) for port in servers.ports] != [8, 8] and time.monotonic() < give_up_s:
        time.sleep(0.05)
    assert [spots(port) for port in servers.ports] == [8, 8]


def test_same_key_at_two_servers_is_one_hold(servers: Servers) -> None:
    body = {"site_id": "miami"}

    replies = [ask(port, "POST", "/v1/referrals", body, secret=servers.secret, key="k") for port in servers.ports * 2]

    assert {reply.status for reply in replies} == {201}
    assert len({reply.body["referral_id"] for reply in replies}) == 1
    listed = ask(servers.ports[0], "GET", "/v1/referrals", secret=servers.secret).body
    assert len(listed["referrals"]) == 1


def test_revoked_token_is_refused_by_both_at_once(servers: Servers) -> None:
    accounts = ask(servers.ports[0], "GET", "/v1/accounts", secret=servers.secret).body["accounts"]
    asked = {"account_id": accounts[0]["account_id"], "label": "short", "scopes": ["capacity:read"]}
    made = ask(servers.ports[0], "POST", "/v1/tokens", asked, secret=servers.secret, key="t").body
    before = [ask(port, "GET", "/v1/capacity", secret=made["secret"]).status for port in servers.ports]

    ask(servers.ports[1], "DELETE", f"/v1/tokens/{made['token_id']}", secret=servers.secret, key="d")

    after = [ask(port, "GET", "/v1/capacity", secret=made["secret"]).status for port in servers.ports]
    assert (before, after) == ([200, 200], [401, 401])


class Receiver:
    """A real webhook receiver on loopback that notes what it gets."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got.append({"body": body, "signature": self.headers["Sitematch-Signature"]})
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep the tests quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/notices"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def test_servers_tell_a_webhook_once_when_a_site_fills_and_pass_lapsed_spots_on(
    database_url: str, tmp_path: Path
) -> None:
    with open_store(database_url) as store:
        replace_study(store, make_study(pool_spots=1), SITES[:1])
        take_stated_caps(store, datetime.now(UTC))
    settings = {"SITEMATCH_NOTICES_EVERY_S": "0.2", "SITEMATCH_WEBHOOKS_TO_PRIVATE": "1"}
    receiver = Receiver()
    with serving(database_url, study_id=STUDY_ID, settings=settings) as servers:
        here, there = servers.ports

        def send(path: str, body: object, key: str) -> Any:
            return ask(here, "POST", path, body, secret=servers.secret, key=key).body

        ask(there, "GET", "/v1/capacity", secret=servers.secret)  # both have the database open, so both make rounds
        made = send("/v1/webhooks", {"url": receiver.url, "kinds": ["site.filled"]}, "w")
        send("/v1/referrals", {"site_id": "miami", "referral_id": "r-1", "hold_hours": 2 / 3600}, "h")
        waits = send("/v1/waiting-list", {"site_ids": ["miami"], "referral_id": "r-2"}, "q")
        state, give_up_s = "", time.monotonic() + 60
        while (not receiver.got or state != "OFFERED") and time.monotonic() < give_up_s:
            state = ask(there, "GET", "/v1/referrals/r-2", secret=servers.secret).body["state"]
            time.sleep(0.1)
        failures = ask(here, "GET", "/v1/webhooks/failures", secret=servers.secret).body["deliveries"]
    receiver.close()

    assert waits["state"] == "WAITING"
    assert state == "OFFERED"
    assert failures == []
    body, signature = receiver.got[0]["body"], receiver.got[0]["signature"]
    seconds, _, digest = signature.removeprefix("t=").partition(",v1=")
    expected = hmac.new(made["secret"].encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert digest == expected
    assert [site["site_id"] for site in json.loads(body)["sites"]] == ["miami"]
    assert len({each["body"] for each in receiver.got}) == len(receiver.got)
