"""HEAD and OPTIONS everywhere, conditional requests on every list, and a slash too many at the end."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.served_study import STUDY_ID, ServedStudy

LISTS = [
    "/v1/accounts", "/v1/capacity", "/v1/caps", "/v1/policy", "/v1/referrals", "/v1/sites", "/v1/studies",
    "/v1/waiting-list", "/v1/webhooks", "/v1/webhooks/failures", "/fhir/Location", "/fhir/HealthcareService",
    "/fhir/ResearchStudy", "/fhir/Organization", "/fhir/Location?near=1|2",
]  # fmt: skip


def addresses(document: dict[str, Any]) -> list[str]:
    return [path for path, methods in document["paths"].items() if "get" in methods and "{" not in path]


def test_every_list_of_the_document_is_tested(service: ServedStudy) -> None:
    lists = {
        path
        for path in addresses(service.document)
        if path.startswith(("/v1/", "/fhir/"))
        and not path.startswith(("/v1/reports/", "/v1/matches", "/v1/tokens", "/fhir/metadata", "/fhir/$"))
    }

    assert lists == {path.partition("?")[0] for path in LISTS}


@pytest.mark.parametrize("path", LISTS)
def test_an_unchanged_list_is_not_sent_again(service: ServedStudy, path: str) -> None:
    service.hold("r-1")
    first = service.ask("GET", path)
    tag = first.headers["ETag"]
    service.later(seconds=5)

    again = service.ask("GET", path, headers={"If-None-Match": tag})

    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert service.ask("GET", path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", ["/v1/referrals", "/v1/caps", "/v1/capacity", "/fhir/HealthcareService"])
def test_a_changed_list_is_sent(service: ServedStudy, path: str) -> None:
    tag = service.ask("GET", path).headers["ETag"]
    service.hold("r-1")

    assert service.ask("GET", path, headers={"If-None-Match": tag}).status_code == 200


def test_no_cache_keeps_what_a_token_opens(service: ServedStudy) -> None:
    assert {service.ask("GET", path).headers["Cache-Control"] for path in ("/v1/referrals", "/v1/accounts")} == {
        "no-store"
    }


def test_head_is_get_without_the_body(service: ServedStudy) -> None:
    for path in addresses(service.document):
        headers = {"Authorization": f"Bearer {service.secrets['administrator']}"}
        got, head = (service.client.open(path, method=method, headers=headers) for method in ("GET", "HEAD"))

        assert (head.status_code, head.data, head.mimetype) == (got.status_code, b"", got.mimetype), path
        assert head.headers.get("ETag") == got.headers.get("ETag"), path


def test_options_names_the_methods(service: ServedStudy) -> None:
    for path, methods in service.document["paths"].items():
        if "{" in path:
            continue
        headers = {"Authorization": f"Bearer {service.secrets['administrator']}"}
        found = service.client.options(path, headers=headers)

        assert found.status_code == 200, path
        assert {method.upper() for method in methods} <= set(found.allow or ()), path


def test_a_slash_too_many_leads_to_the_address(service: ServedStudy) -> None:
    for path in addresses(service.document):
        if path == "/":
            continue
        found = service.client.get(f"{path}/?a=b%20c&d=1")

        assert (found.status_code, found.headers["Location"]) == (308, f"{path}?a=b%20c&d=1"), path


@pytest.mark.parametrize("tail", ["/", "///"])
def test_a_post_keeps_its_method_and_its_body(client: FlaskClient, tail: str) -> None:
    body = {"postcode": "33180", "country": "US"}

    first = client.post(f"/v1/matches{tail}", json=body)
    followed = client.post(f"/v1/matches{tail}", json=body, follow_redirects=True)

    assert (first.status_code, first.headers["Location"], first.headers["Cache-Control"]) == (
        308,
        "/v1/matches",
        "no-store",
    )
    assert followed.json == client.post("/v1/matches", json=body).json


@pytest.mark.parametrize(
    "path", ["/v1/sites/miami/", f"/v1/studies/{STUDY_ID}/", "/fhir/Location/miami/", "/problems/not-found/"]
)
def test_one_thing_is_reached_too(client: FlaskClient, path: str) -> None:
    assert client.get(path, follow_redirects=True).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["//example.org/", "/%2fexample.org/", "/%5cexample.org/", "/nothing/", "/v1/", "/fhir/", "/\r\nX: 1/", "//"],
)
def test_nothing_leads_to_another_server(client: FlaskClient, path: str) -> None:
    found = client.get(path)

    assert found.status_code != 308 or found.headers["Location"].startswith("http://localhost/"), found.headers
    assert "example.org" not in found.headers.get("Location", "").partition("://")[2].partition("/")[0]
