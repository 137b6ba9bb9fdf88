"""What is logged of a request, and what never is."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.http.request_log import RequestFacts
from sitematch import logs
from sitematch.services.finding.finder import Finder
from tests.api.builders import make_app

CANARY = "QZ9 7XJ"
FORMS = [CANARY, CANARY.replace(" ", ""), CANARY.replace(" ", "%20"), CANARY.replace(" ", "+"), CANARY.lower()]
REQUEST_ID = "0123456789abcdef-proxy"
LONG_TOKEN = "a-token-that-is-long-enough"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything that any logger says, at any level, as JSON lines."""
    stream = io.StringIO()
    handler = logs.handler("json")
    handler.setStream(stream)
    handler.addFilter(RequestFacts())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def logged(tmp_path: Any, finder: Finder, database: Any, written: io.StringIO) -> Flask:
    import shutil

    shutil.copy(database, tmp_path)
    return make_app(tmp_path, finder, access_log=True, metrics_token=LONG_TOKEN)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_line_has_time_level_id_route_status_and_duration(logged: Flask, written: io.StringIO) -> None:
    logged.test_client().get("/v1/postcodes/US/33180", headers={"X-Request-Id": REQUEST_ID})

    (line,) = [found for found in lines(written) if found["logger"] == "sitematch.access"]
    assert line["duration_ms"] >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line["time"])
    assert {name: line[name] for name in ("level", "event", "method", "route", "status", "request_id")} == {
        "level": "info",
        "event": "GET /v1/postcodes/<country>/<code> 200",
        "method": "GET",
        "route": "/v1/postcodes/<country>/<code>",
        "status": 200,
        "request_id": REQUEST_ID,
    }


def test_no_route_logs_what_was_typed_wherever_it_was_put(logged: Flask, written: io.StringIO) -> None:
    client = logged.test_client()
    headers = {
        "X-Request-Id": CANARY.replace(" ", ""),
        "Referer": f"http://localhost/?postcode={CANARY}",
        "User-Agent": CANARY,
        "Accept-Language": CANARY,
        "Authorization": f"Bearer {CANARY}",
        "Cookie": f"lang={CANARY.replace(' ', '')}",
        "Idempotency-Key": CANARY,
    }
    count = 0
    for rule in logged.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", CANARY, rule.rule)
        for method in sorted(rule.methods or ()):
            for sent in (
                {"json": {"postcode": CANARY, "country": CANARY, "near": CANARY, "resourceType": CANARY}},
                {"data": {"place": CANARY, "postcode": CANARY, "email": CANARY, "language": CANARY}},
            ):
                open_headers = {**headers, "Authorization": ""} if count % 2 else headers
                client.open(path, method=method, query_string={"postcode": CANARY}, headers=open_headers, **sent)
                count += 1
    client.get(f"/{CANARY}")
    client.open("/", method=CANARY.replace(" ", ""))

    text = written.getvalue()
    assert count > 100
    assert '"status": 404' in text
    assert not [form for form in FORMS if form.lower() in text.lower()]


def test_every_answer_names_its_request_and_problems_say_it_too(client: FlaskClient) -> None:
    fine = client.get("/healthz")
    wrong = client.get("/v1/none", headers={"X-Request-Id": REQUEST_ID})

    assert fine.headers["X-Request-Id"].startswith("http-")
    assert wrong.headers["X-Request-Id"] == REQUEST_ID
    assert wrong.json["request_id"] == REQUEST_ID


def test_short_id_without_a_token_may_be_a_postcode_and_is_replaced(client: FlaskClient) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": "33180"}).headers["X-Request-Id"].startswith("http-")


@pytest.mark.parametrize(("form", "first"), [("json", "{"), ("console", "2")])
def test_logs_of_ours_go_once_to_one_handler_in_the_form_that_was_chosen(
    form: str, first: str, capfd: pytest.CaptureFixture[str]
) -> None:
    ours = logging.getLogger("sitematch")
    before = (ours.level, ours.propagate)
    try:
        logs.configure(form, "warning")
        logs.configure(form, "warning")
        logging.getLogger("sitematch.api").warning("Something is odd.")
        logging.getLogger("sitematch.api").info("Nothing is.")
    finally:
        ours.handlers.clear()
        ours.level, ours.propagate = before

    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(first)
    assert "Something is odd." in line
    assert "warning" in line
