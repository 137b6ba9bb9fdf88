"""Data answers come with gzip to who takes it, and are the same."""

from __future__ import annotations

import gzip

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.api.served_study import ServedStudy

MIAMI = {"postcode": "33180", "country": "US", "limit": 50}
GZIP = {"Accept-Encoding": "br, gzip;q=0.5"}

ANSWERS = [
    ("/openapi.json", None, ""),
    ("/docs", None, ""),
    ("/v1/sites", None, ""),
    ("/v1/sites", None, "application/geo+json"),
    ("/v1/sites", None, "text/csv"),
    ("/v1/sites", None, "application/x-ndjson"),
    ("/v1/matches", MIAMI, ""),
    ("/v1/matches", MIAMI, "application/geo+json"),
    ("/fhir/Location", None, ""),
    ("/fhir/metadata", None, ""),
]


@pytest.mark.parametrize(("path", "body", "accept"), ANSWERS)
def test_packed_answer_is_the_plain_one_in_fewer_bytes(
    client: FlaskClient, path: str, body: dict[str, object] | None, accept: str
) -> None:
    wanted = {"Accept": accept} if accept else {}
    method = "GET" if body is None else "POST"

    plain = client.open(path, method=method, json=body, headers=wanted)
    packed = client.open(path, method=method, json=body, headers=wanted | GZIP)

    assert plain.status_code == packed.status_code == 200
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    assert packed.content_type == plain.content_type
    for answer in (plain, packed):
        assert "accept-encoding" in answer.headers["Vary"].lower()


def test_etag_of_a_packed_answer_is_weak_and_is_found_again_by_either(client: FlaskClient) -> None:
    plain, packed = client.get("/openapi.json"), client.get("/openapi.json", headers=GZIP)

    assert packed.get_etag() == (plain.get_etag()[0], True)
    for asked in ({}, GZIP):
        for etag in (plain.headers["ETag"], packed.headers["ETag"]):
            again = client.get("/openapi.json", headers={"If-None-Match": etag, **asked})
            assert again.status_code == 304
            assert again.data == b""
            assert "Content-Encoding" not in again.headers
            assert "Accept-Encoding" in again.headers["Vary"]


@pytest.mark.parametrize("accept", ["", "identity", "gzip;q=0", "br"])
def test_who_does_not_take_gzip_gets_none(client: FlaskClient, accept: str) -> None:
    assert "Content-Encoding" not in client.get("/openapi.json", headers={"Accept-Encoding": accept}).headers


def test_short_answer_stays_as_it_is(client: FlaskClient) -> None:
    answer = client.get("/healthz", headers=GZIP)

    assert "Content-Encoding" not in answer.headers
    assert answer.json == {"status": "ok"}


def test_page_with_a_session_is_never_packed(service: ServedStudy) -> None:
    client = service.app.test_client()
    for path in ("/console", "/console/sign-in"):
        answer = client.get(path, headers=GZIP, follow_redirects=True)
        assert "Content-Encoding" not in answer.headers


def test_head_says_what_get_would_send(app: Flask) -> None:
    client = app.test_client()

    assert (
        client.head("/openapi.json", headers=GZIP).headers["Content-Length"]
        == client.get("/openapi.json", headers=GZIP).headers["Content-Length"]
    )
