from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import shape

from sitematch.exporters.geojson import bounding_box

GEOJSON = {"Accept": "application/geo+json"}


def collection(client: FlaskClient, **asked: Any) -> dict[str, Any]:
    response = client.post("/v1/matches", json=asked, headers=GEOJSON)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json
    return found


def test_positions_are_longitude_first(client: FlaskClient) -> None:
    found = collection(client, postcode="33180", country="US", limit=1)

    assert found["features"][0]["id"] == "miami"
    assert found["features"][0]["geometry"] == {"type": "Point", "coordinates": [-80.21, 25.79]}


def test_same_sites_in_the_same_order_as_the_plain_answer(client: FlaskClient) -> None:
    asked = {"postcode": "33180", "country": "US", "limit": 3}
    plain = client.post("/v1/matches", json=asked).json

    found = collection(client, **asked)

    ids = [item["site"]["site_id"] for item in (*plain["matches"], *plain["excluded"])]
    assert [feature["id"] for feature in found["features"]] == ids
    first, match = found["features"][0]["properties"], plain["matches"][0]
    assert first["outcome"] == "match"
    assert first["rank"] == 1
    assert first["distance_km"] == match["distance"]["km"]
    assert first["reasons"] == [reason["text"] for reason in match["reasons"]]
    assert found["features"][-1]["properties"]["outcome"] == "excluded"
    assert found["query"] == plain["query"]
    assert found["study"]["notice"] == plain["study"]["notice"]
    assert found["attribution"] == plain["attribution"]


def test_site_without_a_location_has_a_null_geometry_and_is_not_lost(client: FlaskClient) -> None:
    found = collection(client, postcode="33180", country="US", limit=50)

    nowhere = next(feature for feature in found["features"] if feature["id"] == "nowhere")
    assert nowhere["geometry"] is None
    assert "distance_km" not in nowhere["properties"]


def test_sites_on_both_sides_of_the_antimeridian_keep_their_longitudes_in_a_box_that_crosses_it(
    client: FlaskClient,
) -> None:
    found = collection(client, latitude=-17, longitude=179.9, limit=2)

    by_id = {feature["id"]: feature for feature in found["features"]}
    assert by_id["suva"]["geometry"]["coordinates"][0] == 178.44
    assert by_id["apia"]["geometry"]["coordinates"][0] == -171.77
    assert by_id["suva"]["properties"]["rank"] == 1
    assert by_id["apia"]["properties"]["distance_km"] < 1500
    west, south, east, north = found["bbox"]
    if set(by_id) == {"suva", "apia"}:
        assert (west, south, east, north) == (178.44, -18.14, -171.77, -13.83)
    assert west > east


def test_every_geometry_can_be_read_by_shapely(client: FlaskClient) -> None:
    found = client.get("/v1/sites", headers=GEOJSON).json

    points = [shape(feature["geometry"]) for feature in found["features"] if feature["geometry"]]
    assert len(points) == 7
    assert all(point.is_valid and -180 <= point.x <= 180 and -90 <= point.y <= 90 for point in points)


def test_postcode_is_a_feature(client: FlaskClient) -> None:
    found = client.get("/v1/postcodes/NZ/1010", headers=GEOJSON).json

    assert found["type"] == "Feature"
    assert found["geometry"]["coordinates"] == [174.7633, -36.8485]
    assert found["properties"]["location"]["latitude"] == -36.8485


def test_collection_without_any_location_has_no_box(client: FlaskClient) -> None:
    found = client.get("/v1/sites?country=GR", headers=GEOJSON).json

    assert [feature["id"] for feature in found["features"]] == ["nowhere"]
    assert "bbox" not in found


degrees = st.tuples(st.integers(-180, 180).map(float), st.integers(-90, 90).map(float))


@given(st.lists(degrees, min_size=1, max_size=8))
def test_box_holds_every_point_and_no_narrower_one_does(points: list[tuple[float, float]]) -> None:
    box = bounding_box(points)

    assert box is not None
    west, south, east, north = box
    width = (east - west) % 360
    for longitude, latitude in points:
        assert south <= latitude <= north
        assert (longitude - west) % 360 <= width or longitude in (west, east)
    # Brute force: every point as the western edge.
    widths = [max((x - start) % 360 for x, _ in points) for start, _ in points]
    assert width == pytest.approx(min(widths))
