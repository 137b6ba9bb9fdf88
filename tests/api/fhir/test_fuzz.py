"""No search causes a server error, and every refusal is a valid OperationOutcome."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from api.fhir.grammar import near, split, unescape
from api.fhir.params import PARAMETERS
from sitematch.errors import InvalidInput
from sitematch.exporters.fhir.bundle import UNITS_KM
from sitematch.services.exchange.fhir import ResourceKind
from sitematch.services.finding.finder import Finder
from tests.api.builders import SITES, make_app
from tests.fhir_r4 import validate

NAMES = sorted(
    {
        *(one.name for some in PARAMETERS.values() for one in some),
        *("_count", "_after", "_before", "_include", "_revinclude", "_summary", "_total", "_format", "_sort", ""),
        *("name:exact", "name:contains", "name:", "status:not", "_has:ResearchStudy:site:condition", "_has:x:y:z"),
    }
)
WORDS = [
    *("miami", "Location/suva", "active", "true", "US", "Deutschland", "0", "-1", "1e400", "nan", "5", "json"),
    *("25.9|-80.1", "25.9|-80.1|50|km", "1|2||", "|||", r"1\|2", r"a\,b", "a,b", "\\", "\0", "~", "1.0~miami", "nan~a"),
    *("Location:organization", "ResearchStudy:site", "..", ".41", "\ud800", "é", "a\r\nb"),
]
texts = st.sampled_from(WORDS) | st.text(max_size=30)
numbers = st.floats(allow_nan=True).map(repr) | st.integers().map(str) | texts
nears = st.lists(numbers | st.sampled_from([*UNITS_KM, "leagues", ""]), min_size=1, max_size=5).map("|".join)
pairs = st.lists(
    st.tuples(st.sampled_from(NAMES), texts) | st.tuples(st.just("near"), nears) | st.tuples(texts, texts), max_size=5
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, finder: Finder, database: Path) -> Iterator[FlaskClient]:
    home: Path = tmp_path_factory.mktemp("home")
    shutil.copy(database, home / "sitematch.db")
    yield make_app(home, finder).test_client()


def assert_answered_or_refused(response: TestResponse) -> None:
    assert response.status_code < 500, response.text
    kind = {200: "Bundle"}.get(response.status_code, "OperationOutcome")
    assert response.json["resourceType"] == kind
    assert len(response.data) < 300_000
    if response.status_code != 200:
        validate(response.json)


@settings(max_examples=300, deadline=None)
@given(kind=st.sampled_from(list(ResourceKind)), asked=pairs, strict=st.booleans())
@example(kind=ResourceKind.LOCATION, asked=[("near", "90|180|0|m")], strict=True)
@example(kind=ResourceKind.LOCATION, asked=[("near", "1|2"), ("_after", "nan~a")], strict=True)
@example(kind=ResourceKind.LOCATION, asked=[("name", "\0")], strict=False)
@example(kind=ResourceKind.RESEARCH_STUDY, asked=[("identifier", "|")], strict=False)
def test_any_search_is_answered_or_refused(
    client: FlaskClient, kind: ResourceKind, asked: list[tuple[str, str]], strict: bool
) -> None:
    plain = [(a.encode("utf-8", "replace").decode(), b.encode("utf-8", "replace").decode()) for a, b in asked]
    headers = {"Prefer": "handling=strict"} if strict else {}

    query = MultiDict(plain)
    assert_answered_or_refused(client.get(f"/fhir/{kind.value}", query_string=query, headers=headers))
    assert_answered_or_refused(client.post(f"/fhir/{kind.value}/_search", data=query, headers=headers))


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=200))
def test_any_form_is_answered_or_refused(client: FlaskClient, body: bytes) -> None:
    response = client.post("/fhir/Location/_search", data=body, content_type="application/x-www-form-urlencoded")

    assert_answered_or_refused(response)


@settings(max_examples=200, deadline=None)
@given(
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    km=st.floats(0, 1e6),
    unit=st.sampled_from(list(UNITS_KM)),
)
def test_every_point_on_the_globe_can_be_searched_from(
    client: FlaskClient, latitude: float, longitude: float, km: float, unit: str
) -> None:
    value = f"{latitude!r}|{longitude!r}|{km / UNITS_KM[unit]!r}|{unit}"

    response = client.get("/fhir/Location", query_string={"near": value})

    assert response.status_code == 200, response.text
    assert response.json["total"] <= len(SITES)


@given(st.text(alphabet="ab,|\\$", max_size=12))
def test_pieces_put_together_are_the_text(text: str) -> None:
    assert ",".join(split(text, ",")) == text


@given(st.text(max_size=20))
def test_what_was_escaped_comes_back(text: str) -> None:
    escaped = "".join(f"\\{letter}" if letter in ",|$\\" else letter for letter in text)

    assert split(escaped, ",") == [escaped]
    assert unescape(escaped) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1,2",
        "1|2|3|km|5",
        "1|",
        "|2",
        "a|b",
        "1|2|x",
        "1|2|-1",
        "1|2|3|KM",
        "inf|0",
        "0x1|2",
        "1_0|2",
        "1|2 3",
        "٣|2",
    ],
)
def test_near_in_another_form_is_refused_without_repeating_the_point(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        near("near", text)

    assert refused.value.field == "near"
    assert "٣" not in refused.value.message


@pytest.mark.parametrize(
    ("text", "km", "unit"),
    [
        ("1|2", None, "km"),
        ("1|2|", None, "km"),
        ("1|2||m", None, "m"),
        ("1|2|5", 5.0, "km"),
        ("1|2|5|", 5.0, "km"),
        ("+1.|.2e1|500|m", 0.5, "m"),
        (" 1 | 2 | 1 | [mi_i] ", 1.609344, "[mi_i]"),
        ("1|2|1|[nmi_i]", 1.852, "[nmi_i]"),
    ],
)
def test_near_is_read_with_its_units(text: str, km: float | None, unit: str) -> None:
    found, said = near("near", text)

    assert (found.point.latitude, found.point.longitude) == (1.0, 2.0)
    assert found.km == km
    assert said == unit
