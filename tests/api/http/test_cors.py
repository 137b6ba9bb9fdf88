"""Other websites' scripts: what they may call, and what browsers are told about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api.app import create_app
from sitematch.config import Settings
from sitematch.errors import InvalidInput
from sitematch.services.finding.finder import Finder
from tests.api.builders import make_settings

OURS, OTHERS = "https://hospital.example", "https://elsewhere.example"


@pytest.fixture
def client(tmp_path: Path, finder: Finder) -> FlaskClient:
    return create_app(make_settings(tmp_path, cors_origins=(OURS,)), finder=finder).test_client()


@pytest.mark.parametrize(
    "path", ["/v1/sites", "/v1/studies", "/fhir/metadata", "/openapi.json", "/v1/postcodes/US/33180"]
)
def test_listed_origin_may_read_public_routes_without_credentials(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Origin": OURS})

    assert answer.headers["Access-Control-Allow-Origin"] == OURS
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


def test_preflight_lets_a_look_up_through_and_no_token(client: FlaskClient) -> None:
    asked = {
        "Origin": OURS,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, authorization",
    }

    answer = client.options("/v1/matches", headers=asked)

    assert answer.status_code in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == OURS
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "authorization" not in answer.headers["Access-Control-Allow-Headers"].lower()


@pytest.mark.parametrize(
    "path", ["/v1/capacity", "/v1/referrals", "/v1/tokens", "/console/", "/v1/reports/capacity", "/"]
)
def test_other_routes_name_no_origin(client: FlaskClient, path: str) -> None:
    for answer in (client.get(path, headers={"Origin": OURS}), client.options(path, headers={"Origin": OURS})):
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_other_origins_are_not_named(client: FlaskClient) -> None:
    assert "Access-Control-Allow-Origin" not in client.get("/v1/sites", headers={"Origin": OTHERS}).headers
    assert "Access-Control-Allow-Origin" not in client.get("/v1/sites", headers={"Origin": f"{OURS}.evil"}).headers


def test_without_the_setting_no_origin_is_named(tmp_path: Path, finder: Finder) -> None:
    client = create_app(make_settings(tmp_path), finder=finder).test_client()

    assert "Access-Control-Allow-Origin" not in client.get("/v1/sites", headers={"Origin": OURS}).headers


@pytest.mark.parametrize("text", ["*", "https://*.example", "hospital.example", "https://a.example/path", "null"])
def test_setting_takes_origins_only(text: str) -> None:
    with pytest.raises(InvalidInput, match="SITEMATCH_CORS_ORIGINS"):
        Settings.from_mapping({"SITEMATCH_CORS_ORIGINS": text})
    assert Settings.from_mapping({"SITEMATCH_CORS_ORIGINS": f"{OURS}, http://localhost:3000"}).cors_origins == (
        OURS,
        "http://localhost:3000",
    )
