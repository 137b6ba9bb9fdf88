from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.http.errors import KIND_OF, kind_of
from api.http.problems import KINDS
from sitematch import errors
from sitematch.services.finding.finder import Finder
from tests.api.builders import make_app

MIAMI = {"postcode": "33180", "country": "US"}


def assert_problem(response: TestResponse, slug: str, field: str | None = None) -> dict[str, Any]:
    kind = KINDS[slug]
    problem: dict[str, Any] = json.loads(response.data)
    assert response.content_type == "application/problem+json"
    assert problem["type"] == f"/problems/{slug}", problem
    assert problem["status"] == response.status_code == kind.status
    assert problem["title"] == kind.title
    assert problem["what_to_do"] == kind.what_to_do
    assert problem["detail"]
    assert response.headers["Cache-Control"] == "no-store"
    if field is not None:
        assert problem["field"] == field, problem
    return problem


def leaves(error: type[errors.SitematchError]) -> list[type[errors.SitematchError]]:
    return [error, *(leaf for child in error.__subclasses__() for leaf in leaves(child))]


def test_every_error_of_the_library_has_a_kind_of_problem_of_its_own_choice() -> None:
    tree = {error for error in leaves(errors.SitematchError) if error.__module__ == "sitematch.errors"}

    assert tree == set(KIND_OF)


def test_error_that_the_map_lacks_takes_the_kind_of_its_base() -> None:
    class Later(errors.PostcodeNotFound):
        pass

    assert kind_of(Later("x")).slug == "postcode-not-found"


@pytest.mark.parametrize("slug", KINDS)
def test_every_kind_of_problem_is_explained_at_its_address(client: FlaskClient, slug: str) -> None:
    page = client.get(f"/problems/{slug}")

    assert page.status_code == 200
    assert page.content_type == "text/html; charset=utf-8"
    assert str(KINDS[slug].status.value) in page.text
    assert f"/problems/{slug}" in client.get("/problems").text


BODIES = [
    # what is sent, kind, field
    ({}, "invalid-input", "postcode"),
    ({"postcode": ""}, "invalid-input", "postcode"),
    ({"postcode": "", "country": "US"}, "invalid-postcode", "postcode"),
    ({"postcode": " \t", "country": "US"}, "invalid-postcode", "postcode"),
    ({"postcode": "9" * 10_000, "country": "US"}, "invalid-postcode", "postcode"),
    ({"postcode": "9" * 10_000}, "invalid-postcode", "postcode"),
    ({"town": "x" * 10_000, "country": "US"}, "invalid-input", "town"),
    ({**MIAMI, "country": "Atlantis"}, "unknown-country", "country"),
    ({**MIAMI, "country": ""}, "unknown-country", "country"),
    ({**MIAMI, "country": "x" * 10_000}, "unknown-country", "country"),
    ({"postcode": "4102", "country": "US"}, "invalid-postcode", "postcode"),
    ({"postcode": "99999", "country": "US"}, "postcode-not-found", "postcode"),
    ({"postcode": 33180, "country": "US"}, "invalid-input", "postcode"),
    ({"town": "Nirgendwo", "country": "US"}, "town-not-found", "town"),
    ({"town": "Springfield", "country": "US"}, "ambiguous-place", "town"),
    ({**MIAMI, "limit": 0}, "invalid-input", "limit"),
    ({**MIAMI, "limit": -1}, "invalid-input", "limit"),
    ({**MIAMI, "limit": 10**9}, "invalid-input", "limit"),
    ({**MIAMI, "limit": 10**40}, "invalid-input", "limit"),
    ({**MIAMI, "limit": "abc"}, "invalid-input", "limit"),
    ({**MIAMI, "limit": "5"}, "invalid-input", "limit"),
    ({**MIAMI, "limit": 5.5}, "invalid-input", "limit"),
    ({**MIAMI, "limit": True}, "invalid-input", "limit"),
    ({**MIAMI, "within_km": -1}, "invalid-input", "within_km"),
    ({**MIAMI, "within_km": 0}, "invalid-input", "within_km"),
    ({**MIAMI, "within_miles": "far"}, "invalid-input", "within_miles"),
    ({**MIAMI, "within_miles": 1.7e308}, "invalid-policy", "within_miles"),
    ({**MIAMI, "within_km": 5, "within_miles": 5}, "invalid-policy", "within_miles"),
    ({**MIAMI, "order": "cheapest"}, "invalid-input", "order"),
    ({**MIAMI, "min_spots": 0}, "invalid-input", "min_spots"),
    ({**MIAMI, "min_travel": "PAID"}, "invalid-input", "min_travel"),
    ({**MIAMI, "only_country": "Atlantis"}, "unknown-country", "only_country"),
    ({**MIAMI, "prefer_country": "Atlantis"}, "unknown-country", "prefer_country"),
    ({**MIAMI, "status": []}, "invalid-policy", "status"),
    ({**MIAMI, "status": ["OPEN"]}, "invalid-input", "status[0]"),
    ({**MIAMI, "status": "RECRUITING"}, "invalid-input", "status"),
    ({**MIAMI, "unit": "leagues"}, "invalid-input", "unit"),
    ({**MIAMI, "radius": 5}, "invalid-input", "radius"),
    ({**MIAMI, "uncertainty_km": 5}, "invalid-input", "uncertainty_km"),
    ({"latitude": 91, "longitude": 0}, "invalid-input", "latitude"),
    ({"latitude": 0, "longitude": -181}, "invalid-input", "longitude"),
    ({"latitude": 10}, "invalid-coordinates", "longitude"),
    ({"longitude": 10}, "invalid-coordinates", "latitude"),
    ({**MIAMI, "latitude": 1, "longitude": 1}, "invalid-input", "postcode"),
    ({"town": "Köln", "latitude": 1, "longitude": 1}, "invalid-input", "town"),
]


@pytest.mark.parametrize(("body", "slug", "field"), BODIES)
def test_bad_body_is_refused_with_the_field_at_fault(client: FlaskClient, body: object, slug: str, field: str) -> None:
    response = client.post("/v1/matches", json=body)

    problem = assert_problem(response, slug, field)
    assert len(problem["detail"]) < 600


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"33180", None),
        (b"postcode=33180", None),
        (b'{"postcode": "33180"', None),
        (b'{"postcode": "\xff"}', None),
        (b'{"postcode": "33180", "within_km": NaN}', "within_km"),
        (b'{"postcode": "33180", "within_km": -Infinity}', "within_km"),
        (b"[" * 60_000, None),
    ],
)
def test_body_that_is_not_a_json_object_is_refused(client: FlaskClient, body: bytes, field: str | None) -> None:
    response = client.post("/v1/matches", data=body, content_type="application/json")

    assert response.status_code == 400
    assert response.json["type"] in ("/problems/invalid-json", "/problems/invalid-input")
    assert response.json.get("field") == field


def test_number_too_large_for_a_float_names_its_field(client: FlaskClient) -> None:
    body = b'{"postcode": "33180", "country": "US", "within_km": 1e999}'

    response = client.post("/v1/matches", data=body, content_type="application/json")

    assert_problem(response, "invalid-input", "within_km")


@pytest.mark.parametrize(
    ("query", "slug", "field"),
    [
        ("", "invalid-input", "postcode"),
        ("postcode=33180&country=US&limit=abc", "invalid-input", "limit"),
        ("postcode=33180&country=US&limit=0", "invalid-input", "limit"),
        ("postcode=33180&country=US&limit=", "invalid-input", "limit"),
        ("postcode=33180&country=US&within_km=nan", "invalid-input", "within_km"),
        ("postcode=33180&country=US&within_km=inf", "invalid-policy", "within_km"),
        ("postcode=33180&country=US&within_miles=inf", "invalid-policy", "within_miles"),
        ("postcode=33180&country=US&within_km=-inf", "invalid-input", "within_km"),
        ("postcode=33180&postcode=33181&country=US", "invalid-input", "postcode"),
        ("postcode=33180&country=US&format=csv", "invalid-input", "format"),
        ("latitude=nan&longitude=0", "invalid-input", "latitude"),
        ("postcode=%FF%FE&country=US", None, None),
        (f"postcode={'9' * 10_000}&country=US", "invalid-postcode", "postcode"),
    ],
)
def test_bad_query_is_refused_with_the_field_at_fault(
    client: FlaskClient, query: str, slug: str | None, field: str | None
) -> None:
    response = client.get(f"/v1/matches?{query}")

    if slug is None:
        assert 400 <= response.status_code < 500
    else:
        assert_problem(response, slug, field)


def test_lost_leading_zero_is_offered_and_not_assumed(client: FlaskClient) -> None:
    problem = client.post("/v1/matches", json={"postcode": "4102", "country": "US"}).json

    assert [(offer["text"], offer["country"]) for offer in problem["suggestions"]] == [("04102", "US")]


def test_ambiguous_place_lists_its_candidates_and_each_can_be_asked(client: FlaskClient) -> None:
    problem = client.post("/v1/matches", json={"postcode": "Springfield", "country": "US"}).json

    assert problem["type"] == "/problems/ambiguous-place"
    assert len(problem["candidates"]) == 2
    for offer in problem["candidates"]:
        again = client.post("/v1/matches", json={"postcode": offer["text"], "country": offer["country"]})
        assert again.status_code == 200


def test_misspelt_field_is_answered_with_the_right_one(client: FlaskClient) -> None:
    problem = client.post("/v1/matches", json={**MIAMI, "withinkm": 5}).json

    assert "within_km" in problem["detail"]


@pytest.mark.parametrize(
    ("method", "path", "slug"),
    [
        ("GET", "/v1/nothing", "not-found"),
        ("GET", "/v1/sites/none", "site-not-found"),
        ("GET", "/v1/postcodes/US/99999", "postcode-not-found"),
        ("GET", "/v1/postcodes/US/abc", "invalid-postcode"),
        ("GET", "/v1/postcodes/Atlantis/1", "unknown-country"),
        ("GET", "/v1/postcodes/US/33180?x=1", "invalid-input"),
        ("GET", "/v1/sites?limit=0", "invalid-input"),
        ("GET", "/v1/sites?country=Atlantis", "unknown-country"),
        ("DELETE", "/v1/matches", "method-not-allowed"),
        ("POST", "/v1/sites", "method-not-allowed"),
        ("PUT", "/healthz", "method-not-allowed"),
    ],
)
def test_wrong_address_or_method_is_a_problem(client: FlaskClient, method: str, path: str, slug: str) -> None:
    response = client.open(path, method=method)

    assert_problem(response, slug)
    if slug == "method-not-allowed":
        assert response.headers["Allow"]


def test_body_of_another_type_is_415(client: FlaskClient) -> None:
    assert_problem(client.post("/v1/matches", data="postcode=33180"), "unsupported-media-type")
    assert_problem(client.post("/v1/matches", data=MIAMI), "unsupported-media-type")


def test_body_over_64_kilobytes_is_413_and_one_just_below_is_read(client: FlaskClient) -> None:
    padded = json.dumps(MIAMI).encode().ljust(64 * 1024)

    assert client.post("/v1/matches", data=padded, content_type="application/json").status_code == 200
    too_large = client.post("/v1/matches", data=padded + b" ", content_type="application/json")
    assert_problem(too_large, "too-large")
    form = client.post("/", data={"place": "x" * 70_000, "country": "US"}, headers={"Accept": "text/html"})
    assert form.status_code == 413


@pytest.mark.parametrize("accept", ["application/pdf", "application/json;q=0", "image/*"])
@pytest.mark.parametrize("path", ["/v1/matches?postcode=33180&country=US", "/v1/sites", "/v1/postcodes/US/33180"])
def test_unacceptable_media_type_is_406(client: FlaskClient, path: str, accept: str) -> None:
    assert_problem(client.get(path, headers={"Accept": accept}), "not-acceptable")


class ReaderFailed(Finder):
    """A finder that always fails."""

    def __init__(self, finder: Finder, fault: Exception) -> None:
        self.__dict__.update(finder.__dict__)
        self.fault = fault

    def locate(self, *arguments: Any, **more: Any) -> Any:
        raise self.fault


@pytest.mark.parametrize(
    ("fault", "slug", "retry_after"),
    [
        (errors.LedgerBusy("33180 of /srv/data", retry_after_s=2.5), "busy", "3"),
        (errors.StorageFault("33180 of /srv/data", kind="SQLITE_FULL"), "storage-fault", "5"),
        (errors.NotReady("33180 of /srv/data"), "not-ready", "5"),
    ],
)
def test_trouble_of_ours_says_when_to_come_back_and_nothing_of_our_insides(
    tmp_path: Path, finder: Finder, caplog: pytest.LogCaptureFixture, fault: Exception, slug: str, retry_after: str
) -> None:
    client = make_app(tmp_path, ReaderFailed(finder, fault)).test_client()

    response = client.post("/v1/matches", json=MIAMI)

    assert_problem(response, slug)
    assert response.headers["Retry-After"] == retry_after
    for told in (response.text, caplog.text):
        assert "33180" not in told
        assert "/srv" not in told
    assert ("SQLITE_FULL" in caplog.text) == (slug == "storage-fault")


def test_unforeseen_error_is_a_500_that_tells_nothing_and_a_log_entry_without_the_postcode(
    tmp_path: Path, finder: Finder, caplog: pytest.LogCaptureFixture
) -> None:
    fault = RuntimeError("secret trouble with 33180")
    client = make_app(tmp_path, ReaderFailed(finder, fault)).test_client()

    with caplog.at_level(logging.DEBUG):
        response = client.post("/v1/matches", json=MIAMI)

    problem = assert_problem(response, "internal-error")
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    assert "33180" not in response.text
    assert problem["instance"] in caplog.text
    assert "RuntimeError" in caplog.text
    assert "in locate" in caplog.text
    assert "33180" not in caplog.text
    assert "secret" not in caplog.text


def test_error_that_breaks_the_error_handler_is_logged_without_its_text(
    app: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KIND_OF, errors.InvalidPostcode, None)

    with caplog.at_level(logging.DEBUG):
        response = app.test_client().post("/v1/matches", json={"postcode": "4102", "country": "US"})

    assert response.status_code == 500
    assert "InvalidPostcode" in caplog.text
    assert "4102" not in caplog.text
    assert "4102" not in response.text


def test_page_for_a_person_and_problem_for_a_machine(client: FlaskClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}

    page = client.get("/nothing", headers=browser)
    problem = client.get("/nothing", headers={"Accept": "application/json"})
    interface = client.get("/v1/nothing", headers=browser)

    assert page.content_type.startswith("text/html")
    assert "Page not found" in page.text
    assert_problem(problem, "not-found")
    assert_problem(interface, "not-found")
