"""No body and no query string causes a server error, and every refusal is a valid problem."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask.testing import FlaskClient
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from api.http.problems import KINDS
from api.http.tables import TABULAR
from api.v1.schemas.finding import MatchRequest
from sitematch.domain.finding.policy import Order
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.travel import TravelCertainty
from sitematch.services.finding.finder import Finder
from tests.api.builders import POSTCODES, TOWNS, fill_database, make_app

FIELDS = [*MatchRequest.__struct_fields__, "radius", ""]
WORDS = [
    *(row[1] for row in POSTCODES),
    *(row[1] for row in TOWNS),
    *("US", "Deutschland", "FJ", "GB", "M5V", "SW1A 1AA", "km", "miles", "nan", "inf", "-1", "0", "1e400", "99999"),
    *(str(value) for kind in (Order, RecruitmentStatus, TravelCertainty) for value in kind),
]
words = st.sampled_from(WORDS) | st.text(max_size=60)
numbers = st.integers() | st.floats() | st.sampled_from([0, 1, 5, 500, -80.2, 25.8, 180, 1e308])
scalars = st.none() | st.booleans() | numbers | words
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3))
anything = st.dictionaries(st.sampled_from(FIELDS), scalars | st.lists(words, max_size=3) | values, max_size=6)
# Valid except for one field, so that the code after parsing is also reached.
MIAMI = {"postcode": "33180", "country": "US"}
nearly = st.tuples(st.sampled_from(FIELDS), scalars).map(lambda pair: {**MIAMI, pair[0]: pair[1]})
fitting = st.fixed_dictionaries(
    {},
    optional={
        "order": st.sampled_from(list(Order)),
        "limit": st.integers(1, 500),
        "within_km": st.floats(min_value=5e-324, allow_infinity=False),
        "min_travel": st.sampled_from(list(TravelCertainty)),
        "min_spots": st.integers(1, 1_000_000),
        "only_country": st.sampled_from(["US", "DE", "FJ", "GR", "AQ"]),
        "prefer_country": st.sampled_from(["US", "DE", "FJ", "GR", "AQ"]),
        "status": st.lists(st.sampled_from(list(RecruitmentStatus)), min_size=1, max_size=3),
        "unit": st.sampled_from(["km", "miles"]),
    },
)
points = st.fixed_dictionaries({"latitude": st.floats(-90, 90), "longitude": st.floats(-180, 180)}).filter(
    lambda point: any(point.values())  # 0, 0 is refused
)
answerable = st.tuples(st.just(MIAMI) | points, fitting).map(lambda pair: {**pair[0], **pair[1]})
bodies = answerable | nearly | anything


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, finder: Finder) -> Iterator[FlaskClient]:
    home: Path = tmp_path_factory.mktemp("home")
    fill_database(home)  # so that another study is requested, and not found
    yield make_app(home, finder).test_client()


@pytest.fixture(scope="module")
def problem_schema(client: FlaskClient) -> Draft202012Validator:
    document = client.get("/openapi.json").json
    root = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    return Draft202012Validator(root)


def assert_answered_or_refused(response: TestResponse, problem_schema: Draft202012Validator) -> None:
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        problem = json.loads(response.data)
        problem_schema.validate(problem)
        kind = KINDS[problem["type"].removeprefix("/problems/")]
        assert kind.status == problem["status"] == response.status_code
        assert len(response.data) < 20_000


@settings(max_examples=400, deadline=None)
@given(body=bodies | values)
@example(body={"postcode": "\x00", "country": "US"})
@example(body={"postcode": "33180", "country": "US", "limit": 500, "within_km": 5e-324})
@example(body={"latitude": 90, "longitude": 180, "limit": 500})
def test_any_json_body_is_answered_or_refused(
    client: FlaskClient, problem_schema: Draft202012Validator, body: Any
) -> None:
    # Python's own encoder also writes NaN and Infinity, which are not JSON.
    response = client.post("/v1/matches", data=json.dumps(body), content_type="application/json")

    assert_answered_or_refused(response, problem_schema)


@settings(max_examples=200, deadline=None)
@given(body=answerable)
def test_what_fits_the_types_is_answered(client: FlaskClient, body: dict[str, Any]) -> None:
    response = client.post("/v1/matches", json=body)

    assert response.status_code == 200, response.text
    answer = response.json
    ranks = [match["rank"] for match in answer["matches"]]
    assert ranks == list(range(1, len(ranks) + 1))
    assert len(ranks) <= body.get("limit", 5)


@settings(max_examples=60, deadline=None)
@given(body=answerable, media_type=st.sampled_from(list(TABULAR)))
def test_what_can_be_answered_comes_as_a_table_too(client: FlaskClient, body: dict[str, Any], media_type: str) -> None:
    response = client.post("/v1/matches", json=body, headers={"Accept": media_type})

    assert response.status_code == 200, response.text
    assert response.mimetype == media_type
    assert response.data


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=200))
@example(body=b'{"postcode": "\\ud800", "country": "US"}')
@example(body=b'{"postcode": "\xff", "country": "US"}')
@example(body=b'{"\xff": 1}')
def test_any_bytes_are_answered_or_refused(
    client: FlaskClient, problem_schema: Draft202012Validator, body: bytes
) -> None:
    response = client.post("/v1/matches", data=body, content_type="application/json")

    assert_answered_or_refused(response, problem_schema)


@settings(max_examples=300, deadline=None)
@given(pairs=st.lists(st.tuples(st.sampled_from(FIELDS), words | numbers.map(str)), max_size=6))
def test_any_query_string_is_answered_or_refused(
    client: FlaskClient, problem_schema: Draft202012Validator, pairs: list[tuple[str, str]]
) -> None:
    response = client.get(f"/v1/matches?{urlencode(pairs, errors='surrogatepass')}")

    assert_answered_or_refused(response, problem_schema)


@settings(max_examples=150, deadline=None)
@given(
    country=words, code=words, accept=st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=40)
)
def test_any_path_and_accept_header_is_answered_or_refused(
    client: FlaskClient, problem_schema: Draft202012Validator, country: str, code: str, accept: str
) -> None:
    path = "/".join(quote(part, safe="", errors="surrogatepass") for part in (country, code))

    response = client.get(f"/v1/postcodes/{path}", headers={"Accept": accept}, follow_redirects=True)

    assert_answered_or_refused(response, problem_schema)


@settings(max_examples=150, deadline=None)
@given(place=words, country=words)
def test_any_form_is_answered_with_a_page(client: FlaskClient, place: str, country: str) -> None:
    body = urlencode({"place": place, "country": country}, errors="surrogatepass")

    response = client.post("/", data=body, content_type="application/x-www-form-urlencoded")

    assert response.status_code < 500
    assert response.content_type == "text/html; charset=utf-8"
