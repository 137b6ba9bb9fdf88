"""The real server, as `sitematch serve` starts it, on a free loopback port and with its logs captured."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from sitematch.store import catalogue, migrate
from sitematch.store.engine import open_store
from tests.api.builders import SITES, STUDY_ID, make_gazetteer, make_settings, make_study

ROOT = Path(__file__).parents[2]
START = """
import sys
from granian import Granian
from granian.constants import Interfaces
Granian(
    target="api.app:create_app", factory=True, interface=Interfaces.WSGI,
    address="127.0.0.1", port=int(sys.argv[1]), workers=1,
).serve()
"""
POSTCODE = "33180"
WRONG = "7777777"


@dataclass
class Server:
    port: int
    log: Path

    def ask(
        self, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        data = None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if data else {}
        request = Request(f"http://127.0.0.1:{self.port}{path}", data=data, headers={**sent, **(headers or {})})
        try:
            with urlopen(request, timeout=10) as response:
                return response.status, dict(response.headers), response.read()
        except HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("server")
    make_gazetteer(home / "gazetteer.sqlite")
    settings = make_settings(home)
    with open_store(settings.database_url, require_ready=False) as store:
        migrate.upgrade(store)
        catalogue.replace_study(store, make_study(), SITES)
    port, log = free_port(), home / "log.txt"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SITEMATCH_")},
        "SITEMATCH_HOME": str(home),
        "SITEMATCH_GAZETTEER": str(settings.gazetteer_path),
        "SITEMATCH_STUDY": STUDY_ID,
        "SITEMATCH_ACCESS_LOG": "1",
        "PYTHONPATH": str(ROOT),
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(port)], cwd=home, env=environment, stdout=out, stderr=out
        )
    found = Server(port, log)
    try:
        wait_until_ready(found, process)
        yield found
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(server: Server, process: subprocess.Popen[bytes]) -> None:
    give_up_s = time.monotonic() + 60
    while time.monotonic() < give_up_s:
        assert process.poll() is None, server.log.read_text()
        try:
            if server.ask("/readyz")[0] == 200:
                return
        except (URLError, ConnectionError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"the server did not become ready:\n{server.log.read_text()}")


def test_real_server_ranks_sites_from_a_postcode(server: Server) -> None:
    status, headers, body = server.ask("/v1/matches", {"postcode": POSTCODE, "country": "US", "limit": 2})

    assert status == 200
    assert headers["content-type"] == "application/json"
    assert [match["site"]["site_id"] for match in json.loads(body)["matches"]] == ["miami", "portland"]


def test_every_answer_of_the_real_server_carries_the_protecting_headers(server: Server) -> None:
    asked = ["/", "/docs", "/openapi.json", "/healthz", "/v1/sites", "/v1/none", "/static/site.css", "/v1/sites/none"]
    for path in asked:
        _, headers, _ = server.ask(path)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "set-cookie" not in headers


def test_no_log_of_the_real_server_holds_a_postcode_or_a_query_string(server: Server) -> None:
    asked = {"postcode": POSTCODE, "country": "US"}
    answers = [
        server.ask("/v1/matches", asked)[0],
        server.ask(f"/v1/matches?postcode={POSTCODE}&country=US")[0],
        server.ask(f"/v1/matches?postcode={WRONG}&country=US")[0],
        server.ask("/v1/matches", {**asked, "postcode": WRONG})[0],
        server.ask(f"/v1/postcodes/US/{POSTCODE}")[0],
        server.ask(f"/v1/postcodes/US/{WRONG}")[0],
        server.ask(f"/v1/{WRONG}")[0],
        server.ask("/", headers={"Referer": f"http://127.0.0.1/?postcode={WRONG}"})[0],
    ]

    assert answers == [200, 200, 400, 400, 200, 400, 404, 200]
    log = wait_for_line(server, "(no route) 404")
    assert "POST /v1/matches 200" in log
    assert "GET /v1/matches 400" in log
    assert "GET /v1/postcodes/<country>/<code> 200" in log
    assert "?" not in log
    assert POSTCODE not in log
    assert WRONG not in log


def wait_for_line(server: Server, text: str) -> str:
    give_up_s = time.monotonic() + 10
    while time.monotonic() < give_up_s:
        log = server.log.read_text()
        if text in log:
            return log
        time.sleep(0.05)
    raise AssertionError(f"no line with {text!r} in the log:\n{server.log.read_text()}")


def test_body_over_the_limit_is_refused_with_and_without_a_stated_length(server: Server) -> None:
    # What comes first is a whole answerable request: cutting the rest off would be a silent guess.
    large = b'{"postcode": "33180", "country": "US"}'.ljust(70_000)
    statuses = []
    for chunked in (False, True):
        connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
        try:
            body = iter([large[:40_000], large[40_000:]]) if chunked else large
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/v1/matches", body=body, headers=headers, encode_chunked=chunked)
            statuses.append(connection.getresponse().status)
        finally:
            connection.close()

    assert statuses == [413, 413]


def test_chunked_body_is_read(server: Server) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        body = iter([b'{"postcode": "331', b'80", "country": "US"}'])
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/v1/matches", body=body, headers=headers, encode_chunked=True)
        response = connection.getresponse()
        answer = json.loads(response.read())
    finally:
        connection.close()

    assert response.status == 200, answer
    assert answer["matches"][0]["site"]["site_id"] == "miami"


def test_many_at_once_get_the_same_answer_as_one(server: Server) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def ask(_: int) -> list[str]:
        body = server.ask("/v1/matches", {"postcode": POSTCODE, "country": "US", "limit": 3})[2]
        return [match["site"]["site_id"] for match in json.loads(body)["matches"]]

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(64)))

    assert answers == [answers[0]] * 64
