from __future__ import annotations

from flask.testing import FlaskClient

from tests.api.builders import SITES


def test_every_site_is_listed_once_by_id_over_all_pages(client: FlaskClient) -> None:
    seen, after = [], ""
    while after is not None:
        page = client.get(f"/v1/sites?limit=3&after={after}").json
        assert len(page["sites"]) <= 3
        seen += [site["site_id"] for site in page["sites"]]
        after = page["next"]

    assert seen == sorted(site.site_id for site in SITES)


def test_list_is_narrowed_by_country_and_status(client: FlaskClient) -> None:
    german = client.get("/v1/sites?country=Deutschland").json["sites"]
    paused = client.get("/v1/sites?status=SUSPENDED&status=WITHDRAWN").json["sites"]

    assert [site["site_id"] for site in german] == ["berlin", "berlin-paused"]
    assert [site["site_id"] for site in paused] == ["berlin-paused"]


def test_site_shows_its_spots_and_what_they_are_drawn_from(client: FlaskClient) -> None:
    own = client.get("/v1/sites/portland").json
    shared = client.get("/v1/sites/miami").json

    assert (own["remaining"]["count"], own["remaining"]["drawn_from"]) == (2, "SITE_CAP")
    assert (shared["remaining"]["count"], shared["remaining"]["drawn_from"]) == (8, "SHARED_POOL")
    assert own["site"]["stand_in"] is True


def test_unchanged_list_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/v1/sites")

    same = client.get("/v1/sites", headers={"If-None-Match": first.headers["ETag"]})
    other = client.get("/v1/sites?country=US", headers={"If-None-Match": first.headers["ETag"]})

    assert same.status_code == 304
    assert same.headers["X-Content-Type-Options"] == "nosniff"
    assert other.status_code == 200


def test_postcode_is_located_with_its_uncertainty_and_source(client: FlaskClient) -> None:
    answer = client.get("/v1/postcodes/usa/33180-1234").json

    assert answer["place"]["postcode"] == "33180"
    assert answer["place"]["location"]["uncertainty_km"] == 2.5
    assert answer["place"]["notes"]
    assert answer["attribution"] == ["Codes: made for tests."]
    assert client.get("/v1/postcodes/US/33180").headers["Cache-Control"] == "no-store"


def test_town_is_not_a_postcode(client: FlaskClient) -> None:
    response = client.get("/v1/postcodes/DE/Berlin")

    assert response.status_code == 400
    assert response.json["type"] == "/problems/invalid-postcode"
