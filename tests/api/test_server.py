"""The real server, as `sitematch serve` starts it, on a free loopback port and with its logs captured."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from tests.api.real_server import Server, running_server

POSTCODE = "33180"
WRONG = "7777777"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server")) as found:
        yield found


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
    # The beginning is a complete request, and ignoring the rest would be a silent guess.
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
