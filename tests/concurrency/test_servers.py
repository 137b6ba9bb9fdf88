"""Two real server processes with one database: no spot is sold twice, and each server sees the other's changes."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from benchmarks import databases, race
from benchmarks.servers import HttpClient, Reply, Servers, ask, serving
from sitematch.domain.studies.site import Site
from sitematch.store.capacity.stated_caps import take_stated_caps
from sitematch.store.engine import open_store
from sitematch.store.studies.catalogue import replace_study
from tests.api.builders import SITES, make_gazetteer, make_study

SPOTS = 20

WITHIN_S = 1.0
"""The guarantee: a commit appears in every server's answers within a second."""


@dataclass(frozen=True, slots=True)
class Running:
    """Two servers over one database, which all tests of this module share; each test has a study of its own."""

    url: str
    servers: Servers
    numbers: Iterator[int]

    @property
    def ports(self) -> tuple[int, ...]:
        return self.servers.ports

    def new_study(self, sites: Sequence[Site] = SITES, **changes: Any) -> StudyAtWork:
        study_id = f"NCT{next(self.numbers):08}"
        return StudyAtWork(self, study_id).load(sites, **changes)

    def ask(self, port: int, method: str, path: str, body: object = None, key: str | None = None) -> Reply:
        return ask(port, method, path, body, secret=self.servers.secret, key=key)


@dataclass(frozen=True, slots=True)
class StudyAtWork:
    """One test's study."""

    running: Running
    study_id: str

    def load(self, sites: Sequence[Site] = SITES, **changes: Any) -> StudyAtWork:
        """Load the study's record, as an import does."""
        mine = [replace(site, study_id=self.study_id, site_id=self.site(site.site_id)) for site in sites]
        with open_store(self.running.url) as store:
            replace_study(store, make_study(study_id=self.study_id, **changes), mine)
            take_stated_caps(store, datetime.now(UTC))
        return self

    def site(self, name: str = "miami") -> str:
        return f"{self.study_id}-{name}"

    def hold(self, port: int, referral: str, key: str, **changes: Any) -> Reply:
        body = {"study_id": self.study_id, "site_id": self.site(), "referral_id": f"{self.study_id}-{referral}"}
        return self.running.ask(port, "POST", "/v1/referrals", body | changes, key=f"{self.study_id}-{key}")

    def spots(self, port: int) -> int | None:
        asked = {"postcode": "33180", "country": "US", "limit": 50, "study_id": self.study_id}
        answer = ask(port, "POST", "/v1/matches", asked).body
        (count,) = (m["remaining"]["count"] for m in answer["matches"] if m["site"]["site_id"] == self.site())
        found: int | None = count
        return found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("servers")
    url = databases.ready_url(request.param, folder)
    gazetteer = make_gazetteer(folder / "gazetteer.sqlite")
    race.prepare(url, SPOTS)  # the servers' own study
    settings = {"SITEMATCH_NOTICES_EVERY_S": "0.2", "SITEMATCH_WEBHOOKS_TO_PRIVATE": "1"}
    with serving(url, study_id=race.STUDY_ID, gazetteer_path=gazetteer, settings=settings) as servers:
        yield Running(url, servers, itertools.count(90_000_001))
    databases.forget(url)


@pytest.fixture
def study(running: Running) -> StudyAtWork:
    return running.new_study()


def test_two_servers_sell_each_spot_once_and_tell_every_loser_why(running: Running) -> None:
    found = race.run(
        running.url,
        processes=6,
        attempts=240,
        spots=SPOTS,
        make_client=HttpClient,
        address=running.servers.address,
    )

    assert found.faults == ()
    assert found.sold == SPOTS
    assert sum(found.refused.values()) == 240 - SPOTS


def promised(look: Callable[[], Any], wanted: Any) -> bool:
    """Ask until the promise is due; what is answered by a request that was sent after that must be right.

    No time is asserted: a slow machine asks less often, and the last answer, asked for when the second is over,
    decides.
    """
    due_s = time.monotonic() + WITHIN_S
    while time.monotonic() < due_s:
        if look() == wanted:
            return True
        time.sleep(0.02)
    return bool(look() == wanted)


def test_hold_taken_at_one_server_shows_in_the_matches_of_the_other(running: Running, study: StudyAtWork) -> None:
    here, there = running.ports
    before = study.spots(here), study.spots(there)

    for number in range(1, 4):
        taker, other = (here, there) if number % 2 else (there, here)
        assert study.hold(taker, f"r-{number}", f"k-{number}").status == 201

        assert promised(lambda: study.spots(other), 8 - number)  # noqa: B023
        assert promised(lambda: study.spots(taker), 8 - number)  # noqa: B023
    assert before == (8, 8)


def test_loaded_catalogue_and_lapsed_hold_show_in_every_server(running: Running, study: StudyAtWork) -> None:
    assert study.hold(running.ports[0], "r-1", "k", hold_hours=3 / 3600).status == 201
    assert promised(lambda: [study.spots(port) for port in running.ports], [7, 7])
    study.load(SITES[:4], title="Another title")

    def titles() -> list[tuple[str, int]]:
        answers = [ask(port, "GET", f"/v1/sites?study_id={study.study_id}").body for port in running.ports]
        return [(answer["study"]["title"], len(answer["sites"])) for answer in answers]

    assert promised(titles, [("Another title", 4)] * 2)
    give_up_s = time.monotonic() + 30
    while [study.spots(port) for port in running.ports] != [8, 8] and time.monotonic() < give_up_s:
        time.sleep(0.05)
    assert [study.spots(port) for port in running.ports] == [8, 8]


def test_same_key_at_two_servers_is_one_hold(running: Running, study: StudyAtWork) -> None:
    replies = [study.hold(port, "r-1", "k") for port in running.ports * 2]

    assert {reply.status for reply in replies} == {201}
    assert len({reply.body["referral_id"] for reply in replies}) == 1
    listed = running.ask(running.ports[0], "GET", f"/v1/referrals?study_id={study.study_id}").body
    assert len(listed["referrals"]) == 1


def test_revoked_token_is_refused_by_both_at_once(running: Running) -> None:
    here, there = running.ports
    accounts = running.ask(here, "GET", "/v1/accounts").body["accounts"]
    asked = {"account_id": accounts[0]["account_id"], "label": "short", "scopes": ["capacity:read"], "days": 1}
    made = running.ask(here, "POST", "/v1/tokens", asked, key="t").body
    before = [ask(port, "GET", "/v1/capacity", secret=made["secret"]).status for port in running.ports]

    running.ask(there, "DELETE", f"/v1/tokens/{made['token_id']}", key="d")

    after = [ask(port, "GET", "/v1/capacity", secret=made["secret"]).status for port in running.ports]
    assert (before, after) == ([200, 200], [401, 401])


class Receiver:
    """A real webhook receiver on loopback that records its messages."""

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


def test_servers_tell_a_webhook_once_when_a_site_fills_and_pass_lapsed_spots_on(running: Running) -> None:
    study = running.new_study(SITES[:1], pool_spots=1)
    receiver = Receiver()
    here, there = running.ports
    for port in running.ports:
        running.ask(port, "GET", "/v1/capacity")  # both have the database open, so both make rounds
    hook = {"url": receiver.url, "kinds": ["site.filled"], "study_id": study.study_id}
    made = running.ask(here, "POST", "/v1/webhooks", hook, key="w").body

    study.hold(here, "r-1", "h", hold_hours=2 / 3600)
    waiting = {"study_id": study.study_id, "site_ids": [study.site()], "referral_id": f"{study.study_id}-r-2"}
    waits = running.ask(here, "POST", "/v1/waiting-list", waiting, key="q").body
    state, give_up_s = "", time.monotonic() + 60
    while (not receiver.got or state != "OFFERED") and time.monotonic() < give_up_s:
        state = running.ask(there, "GET", f"/v1/referrals/{study.study_id}-r-2").body["state"]
        time.sleep(0.1)
    failures = running.ask(here, "GET", "/v1/webhooks/failures").body["deliveries"]
    running.ask(here, "DELETE", f"/v1/webhooks/{made['webhook_id']}", key="x")
    receiver.close()

    assert waits["state"] == "WAITING"
    assert state == "OFFERED"
    assert failures == []
    body, signature = receiver.got[0]["body"], receiver.got[0]["signature"]
    seconds, _, digest = signature.removeprefix("t=").partition(",v1=")
    expected = hmac.new(made["secret"].encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert digest == expected
    assert [site["site_id"] for site in json.loads(body)["sites"]] == [study.site()]
    assert len({each["body"] for each in receiver.got}) == len(receiver.got)
