from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from api.http.negotiation import GEOJSON, JSON, best_media_type


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("application/geo+json", GEOJSON),
        ("APPLICATION/GEO+JSON", GEOJSON),
        ("application/json;q=0.4, application/geo+json;q=0.5", GEOJSON),
        ("application/geo+json;q=0.4, application/json;q=0.5", JSON),
        ("application/geo+json, application/json", JSON),
        ("application/geo+json, */*;q=0.1", GEOJSON),
        ("application/json;q=0, */*", GEOJSON),
        ("*/*, application/json;q=0", GEOJSON),
        ("application/*;q=0.2, application/geo+json;q=0.1", JSON),
        ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
        ("application/json; charset=utf-8", JSON),
        ("text/html", None),
        ("*/*;q=0", None),
        ("application/json;q=2", None),
        ("application/json;q=nan", None),
        (";;;, ,/", None),
    ],
)
def test_most_specific_range_decides_and_the_highest_weight_wins(accept: str, expected: str | None) -> None:
    assert best_media_type(accept, (JSON, GEOJSON)) == expected


@pytest.mark.parametrize("path", ["/v1/matches?postcode=33180&country=US", "/v1/sites", "/v1/sites/miami"])
def test_answer_says_that_it_depends_on_accept(client: FlaskClient, path: str) -> None:
    plain = client.get(path)
    geo = client.get(path, headers={"Accept": "application/geo+json"})

    assert plain.content_type == JSON
    assert geo.content_type == GEOJSON
    assert plain.headers["Vary"] == geo.headers["Vary"]
    assert plain.headers["Vary"].split(", ")[0] == "Accept"
