from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from api.http.openapi import address
from sitematch.exporters.tables.files import XLSX_TYPE

STUDY_ID = "NCT00000001"
MIAMI = {"postcode": "33180", "country": "US"}
GEOJSON = {"Accept": "application/geo+json"}
EXEMPT = {"/static/{filename}"}


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json
    return found


def assert_as_documented(document: dict[str, Any], path: str, method: str, response: TestResponse) -> None:
    """Check an answer against the document for its status and media type, without unknown members."""
    described = document["paths"][path][method]["responses"][str(response.status_code)]
    content = described["content"][response.mimetype]
    closed = json.loads(json.dumps(document["components"]["schemas"]))
    for schema in closed.values():
        if schema.get("type") == "object":
            schema["additionalProperties"] = False
    if content["schema"].get("format") == "binary":
        return  # a file: only its media type is documented
    root = {"components": {"schemas": closed}, **content["schema"]}
    is_json = response.mimetype.endswith(("/json", "+json"))
    value = json.loads(response.data) if is_json else response.data.decode("latin-1")
    Draft202012Validator(root).validate(value)


def test_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_every_route_is_documented_and_every_documented_path_exists(app: Flask, document: dict[str, Any]) -> None:
    served = {
        (address(rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        # The console's pages are for people alone, and no part of the interface (docs/adr/0111).
        if address(rule) not in EXEMPT and not rule.endpoint.startswith("console.")
    }

    documented = {(path, method) for path, methods in document["paths"].items() for method in methods}

    assert documented == served


def test_every_operation_has_its_own_id_a_summary_and_an_answer(document: dict[str, Any]) -> None:
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]

    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["summary"] for operation in operations)
    assert all({"200", "201", "204", "303"} & operation["responses"].keys() for operation in operations)


def test_days_and_instants_are_documented_as_such(document: dict[str, Any]) -> None:
    described = [
        (f"{name}.{field}", json.dumps(schema))
        for name, shape in document["components"]["schemas"].items()
        for field, schema in shape.get("properties", {}).items()
        if field in ("as_of", "at") or field.endswith(("_at", "_on"))
    ]

    assert len(described) > 10
    assert [field for field, schema in described if '"format": "date' not in schema] == []


SITE_KINDS = ("Location", "HealthcareService", "Organization")
CALLS = [
    ("/v1/matches", "post", "/v1/matches", {"json": MIAMI}),
    ("/v1/matches", "post", "/v1/matches", {"json": {**MIAMI, "limit": 1, "within_km": 1}}),
    ("/v1/matches", "post", "/v1/matches", {"json": {**MIAMI, "limit": 50}, "headers": GEOJSON}),
    ("/v1/matches", "post", "/v1/matches", {"json": {"latitude": -17, "longitude": 179, "limit": 50}}),
    ("/v1/matches", "post", "/v1/matches", {"json": {"postcode": "4102", "country": "US"}}),
    ("/v1/matches", "post", "/v1/matches", {"json": {"town": "Springfield", "country": "US"}}),
    ("/v1/matches:batch", "post", "/v1/matches:batch", {"json": {"patients": [MIAMI, {"postcode": "x"}]}}),
    ("/v1/matches:batch", "post", "/v1/matches:batch", {"json": {"patients": []}}),
    ("/v1/matches", "post", "/v1/matches", {"json": {"town": "Nirgendwo", "country": "US"}}),
    ("/v1/matches", "post", "/v1/matches", {"data": b"x"}),
    ("/v1/matches", "post", "/v1/matches", {"data": b" " * 70_000, "content_type": "application/json"}),
    ("/v1/matches", "get", "/v1/matches?postcode=33180&country=US", {}),
    ("/v1/matches", "get", "/v1/matches?postcode=33180&country=US", {"headers": {"Accept": "text/csv"}}),
    ("/v1/clinics", "post", "/v1/clinics", {"json": {**MIAMI, "condition": "lupus"}}),
    ("/v1/clinics", "post", "/v1/clinics", {"json": {**MIAMI, "condition": "?"}}),
    ("/v1/clinics", "post", "/v1/clinics", {"json": MIAMI}),
    ("/v1/studies", "get", "/v1/studies", {}),
    ("/v1/studies", "get", "/v1/studies?q=lupus&status=RECRUITING&limit=1", {}),
    ("/v1/studies", "get", "/v1/studies?q=%22", {}),
    ("/v1/studies/{study_id}", "get", "/v1/studies/NCT00000001", {}),
    ("/v1/studies/{study_id}", "get", "/v1/studies/none", {}),
    ("/v1/sites", "get", "/v1/sites", {}),
    ("/v1/sites", "get", "/v1/sites?limit=2&country=US", {"headers": GEOJSON}),
    ("/v1/sites", "get", "/v1/sites", {"headers": {"Accept": XLSX_TYPE}}),
    ("/v1/sites", "get", "/v1/sites?limit=zwei", {}),
    ("/v1/sites/{site_id}", "get", "/v1/sites/nowhere", {}),
    ("/v1/sites/{site_id}", "get", "/v1/sites/nowhere", {"headers": GEOJSON}),
    ("/v1/sites/{site_id}", "get", "/v1/sites/miami-full", {}),
    ("/v1/sites/{site_id}", "get", "/v1/sites/none", {}),
    ("/v1/postcodes/{country}/{code}", "get", "/v1/postcodes/US/33180", {}),
    ("/v1/postcodes/{country}/{code}", "get", "/v1/postcodes/US/33180", {"headers": GEOJSON}),
    ("/v1/postcodes/{country}/{code}", "get", "/v1/postcodes/US/99999", {}),
    ("/healthz", "get", "/healthz", {}),
    ("/readyz", "get", "/readyz", {}),
    ("/", "get", "/", {}),
    ("/", "post", "/", {"data": {"place": "33180", "country": "US"}}),
    ("/embed", "get", "/embed?study=NCT00000001", {}),
    ("/embed", "post", "/embed", {"data": {"place": "33180", "country": "US"}}),
    ("/embed.js", "get", "/embed.js", {}),
    ("/map/towns", "get", "/map/towns", {}),
    ("/map/circles", "post", "/map/circles", {"json": {"latitude": -17, "longitude": 179, "farthest_km": 900}}),
    ("/map/circles", "post", "/map/circles", {"json": {"latitude": 91, "longitude": 0}}),
    ("/preferences", "post", "/preferences", {"data": {"lang": "de"}}),
    ("/docs", "get", "/docs", {}),
    ("/problems", "get", "/problems", {}),
    ("/problems/{slug}", "get", "/problems/not-ready", {}),
    ("/problems/{slug}", "get", "/problems/none", {"headers": {"Accept": "application/json"}}),
    ("/openapi.json", "get", "/openapi.json", {}),
    ("/fhir/$bulk-publish", "get", "/fhir/$bulk-publish", {}),
    ("/fhir/$bulk-publish", "get", "/fhir/$bulk-publish?_since=yesterday", {}),
    ("/fhir/bulk/{kind}.ndjson", "get", "/fhir/bulk/Slot.ndjson", {}),
    ("/fhir/bulk/{kind}.ndjson", "get", "/fhir/bulk/Patient.ndjson", {}),
    ("/fhir/metadata", "get", "/fhir/metadata", {}),
    ("/fhir/metadata", "get", "/fhir/metadata?_format=xml", {}),
    *(
        call
        for kind, known in (*((kind, "miami") for kind in SITE_KINDS), ("ResearchStudy", "NCT00000001"))
        for call in (
            (f"/fhir/{kind}", "get", f"/fhir/{kind}?unknown=1&_count=3", {}),
            (f"/fhir/{kind}", "get", f"/fhir/{kind}?_count=-1", {}),
            (f"/fhir/{kind}/_search", "post", f"/fhir/{kind}/_search", {"data": {"_count": "2"}}),
            (f"/fhir/{kind}/_search", "post", f"/fhir/{kind}/_search", {"json": {}}),
            (f"/fhir/{kind}/{{id}}", "get", f"/fhir/{kind}/{known}", {"headers": {"Accept": "application/json"}}),
            (f"/fhir/{kind}/{{id}}", "get", f"/fhir/{kind}/none", {}),
        )
    ),
    ("/fhir/Location", "get", "/fhir/Location?near=25.9|-80.1|50|[mi_i]&_revinclude=HealthcareService:location", {}),
]


@pytest.mark.parametrize(("path", "method", "url", "how"), CALLS)
def test_real_answer_is_as_documented(
    client: FlaskClient, document: dict[str, Any], path: str, method: str, url: str, how: dict[str, Any]
) -> None:
    response = client.open(url, method=method.upper(), **how)

    assert_as_documented(document, path, method, response)


def test_calls_above_reach_every_documented_operation_that_needs_no_token(document: dict[str, Any]) -> None:
    documented = {
        (path, method)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if not operation["security"]
    }

    assert {(path, method) for path, method, _, _ in CALLS} == documented


def test_every_example_of_the_document_can_be_sent(client: FlaskClient, document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if operation["security"]:
                continue  # tests/api/v1/test_coordinating.py sends those
            examples = {p["name"]: p["example"] for p in operation.get("parameters", ()) if "example" in p}
            inside = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            url = path
            for name in inside:
                value = {"site_id": "miami", "study_id": STUDY_ID}.get(name) or examples[name]
                value = {"NCT06064929-001": "miami", "NCT06064929": STUDY_ID}.get(value, value)
                url = url.replace(f"{{{name}}}", str(value))
            body = next(iter(operation.get("requestBody", {}).get("content", {"": {}}).items()))
            how: dict[str, Any] = {"query_string": {k: v for k, v in examples.items() if k not in inside}}
            if body[0]:
                how["json" if "json" in body[0] else "data"] = body[1]["example"]

            response = client.open(url, method=method.upper(), **how)

            assert response.status_code in (200, 303), (method, url, response.text)


def test_document_is_sent_again_only_if_it_changed(client: FlaskClient) -> None:
    first = client.get("/openapi.json")

    again = client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304
    assert again.data == b""


def test_switched_off_route_is_not_documented(app: Flask, tmp_path: Any, finder: Any) -> None:
    from tests.api.builders import make_app

    off = make_app(tmp_path, finder, get_matches=False).test_client().get("/openapi.json").json

    assert set(off["paths"]["/v1/matches"]) == {"post"}


def test_docs_page_shows_every_operation_and_loads_nothing_from_elsewhere(
    client: FlaskClient, document: dict[str, Any]
) -> None:
    page = client.get("/docs").text

    for path, methods in document["paths"].items():
        for method in methods:
            assert f"<code>{method.upper()} {path}</code>" in page
    assert not re.search(r"<script(?![^>]* src=)", page)
    assert "style=" not in page
    for marker in ('src="http', 'src="//', 'href="http', 'href="//', "@import"):
        assert marker not in page


def test_docs_page_is_the_same_for_every_reader(app: Flask, tmp_path: Any, finder: Any) -> None:
    from tests.api.builders import make_app

    french_first = make_app(tmp_path / "other", finder).test_client()
    page = french_first.get("/docs", headers={"Accept-Language": "fr"}).text

    assert page == app.test_client().get("/docs").text
