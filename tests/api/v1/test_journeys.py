"""The way by car in answers over HTTP: JSON, GeoJSON and CSV, the order by time, and the bound of minutes."""

from __future__ import annotations

from flask.testing import FlaskClient

MIAMI = {"postcode": "33180", "country": "US"}


def test_every_match_says_how_long_the_way_is(client: FlaskClient) -> None:
    matches = client.post("/v1/matches", json=MIAMI).get_json()["matches"]

    ways = [match["journey"]["way"] for match in matches]
    assert len(ways) == 5
    for match in matches:
        minutes = match["journey"]["minutes"]
        if minutes is None:
            assert match["journey"]["text"] == "across the sea: ferry or flight"
        else:
            bounds = [minutes[name] for name in ("low_90", "low_50", "best", "high_50", "high_90")]
            assert bounds == sorted(bounds)
            assert "by car" in match["journey"]["text"]
            assert match["journey"]["road_km"]["best"] >= match["distance"]["km"]
    assert ways == ["ROAD", "ROAD_OR_FLIGHT", "SEA", "SEA", "SEA"]


def test_sites_come_in_the_order_of_time_on_request(client: FlaskClient) -> None:
    matches = client.post("/v1/matches", json=MIAMI | {"order": "time", "limit": 20}).get_json()["matches"]
    ways = [match["journey"] and match["journey"]["minutes"] for match in matches]
    minutes = [way and way["best"] for way in ways]
    known = [one for one in minutes if one is not None]

    assert known == sorted(known)
    assert minutes == known + [None] * (len(minutes) - len(known))


def test_minutes_bound_the_answer_and_are_said_again(client: FlaskClient) -> None:
    answer = client.post("/v1/matches", json=MIAMI | {"max_minutes": 90}).get_json()

    assert answer["query"]["max_minutes"] == 90
    assert [match["rank"] for match in answer["matches"]] == [1]
    assert "TOO_LONG" in {left_out["reasons"][0]["code"] for left_out in answer["excluded"]}


def test_a_bound_of_no_minutes_is_refused(client: FlaskClient) -> None:
    problem = client.post("/v1/matches", json=MIAMI | {"max_minutes": 0})

    assert problem.status_code in (400, 422)
    assert "max_minutes" in problem.text


def test_a_search_over_all_studies_knows_no_minutes_and_says_so(client: FlaskClient) -> None:
    problem = client.post("/v1/clinics", json=MIAMI | {"condition": "lupus", "order": "time"})

    assert problem.status_code in (400, 422)
    assert "one study" in problem.text


def test_geojson_and_csv_have_the_minutes_beside_the_distance(client: FlaskClient) -> None:
    features = client.post("/v1/matches", json=MIAMI, headers={"Accept": "application/geo+json"}).get_json()["features"]
    table = client.post("/v1/matches", json=MIAMI, headers={"Accept": "text/csv"}).text.splitlines()

    first = features[0]["properties"]
    assert first["minutes_low"] <= first["minutes"] <= first["minutes_high"]
    assert first["way"] == "ROAD"
    header = table[0].lstrip("\ufeff").split(",")
    row = dict(zip(header, table[1].split(","), strict=False))
    assert float(row["minutes"]) == first["minutes"]
    assert row["way"] == "ROAD"
