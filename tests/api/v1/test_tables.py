"""``/v1/sites``, ``/v1/matches`` and ``/v1/capacity`` as CSV, Excel and NDJSON, by the Accept header."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from werkzeug.test import TestResponse

from api.http.tables import TABULAR
from sitematch.exporters.tables.files import CSV_TYPE, NDJSON_TYPE, XLSX_TYPE
from sitematch.importers.tables.own_table import read_own
from tests.api.builders import SITES, STUDY_ID, make_app, make_finder, make_site
from tests.api.served_study import ServedStudy

MIAMI = {"postcode": "33180", "country": "US", "limit": 2}


def rows_of(response: TestResponse) -> list[dict[str, object]]:
    """Read a table of any form as texts by name; numbers of a workbook stay numbers."""
    if response.mimetype == XLSX_TYPE:
        header, *rows = load_workbook(io.BytesIO(response.data)).active.iter_rows(values_only=True)
        return [dict(zip(header, row, strict=True)) for row in rows]
    if response.mimetype == CSV_TYPE:
        return list(csv.DictReader(io.StringIO(response.text, newline="")))
    return [json.loads(line) for line in response.data.splitlines()]


@pytest.mark.parametrize(
    ("media_type", "content_type", "ending"),
    [
        (CSV_TYPE, "text/csv; charset=utf-8", "csv"),
        (XLSX_TYPE, XLSX_TYPE, "xlsx"),
        (NDJSON_TYPE, NDJSON_TYPE, "ndjson"),
    ],
)
def test_accept_chooses_the_form_and_the_file_has_a_name(
    client: FlaskClient, media_type: str, content_type: str, ending: str
) -> None:
    response = client.get("/v1/sites", headers={"Accept": media_type})

    assert response.status_code == 200
    assert response.content_type == content_type
    assert response.headers["Content-Disposition"] == f'attachment; filename="sitematch-sites-{STUDY_ID}.{ending}"'
    assert [row["site_id"] for row in rows_of(response)] == sorted(site.site_id for site in SITES)


def test_a_browser_still_gets_json(client: FlaskClient) -> None:
    response = client.get("/v1/sites", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert response.content_type == "application/json"


@pytest.mark.parametrize("media_type", TABULAR)
def test_a_served_table_can_be_imported(client: FlaskClient, tmp_path: Path, media_type: str) -> None:
    path = tmp_path / "served"
    path.write_bytes(client.get("/v1/sites", headers={"Accept": media_type}).data)

    (record,) = read_own(path)

    assert record.sites == tuple(sorted(SITES, key=lambda site: site.site_id))


@pytest.mark.parametrize("media_type", [CSV_TYPE, XLSX_TYPE, NDJSON_TYPE, "application/json", "application/geo+json"])
def test_pages_are_linked_and_each_site_is_on_one(client: FlaskClient, media_type: str) -> None:
    address: str | None = "/v1/sites?limit=3&status=RECRUITING"
    seen: list[object] = []
    pages = 0
    while address is not None:
        response = client.get(address, headers={"Accept": media_type})
        pages += 1
        if media_type in TABULAR:
            seen += [row["site_id"] for row in rows_of(response)]
        else:
            answer = response.json if media_type == "application/json" else json.loads(response.data)
            seen += [s.get("site_id", s.get("id")) for s in answer.get("sites", answer.get("features"))]
        link = response.headers.get("Link")
        address = None if link is None else link.partition("<")[2].partition(">")[0]

    assert pages == 3
    assert seen == sorted(site.site_id for site in SITES if site.status == "RECRUITING")


@pytest.mark.parametrize("media_type", TABULAR)
def test_sites_are_sent_again_only_if_they_changed(client: FlaskClient, media_type: str) -> None:
    first = client.get("/v1/sites", headers={"Accept": media_type})

    again = client.get("/v1/sites", headers={"Accept": media_type, "If-None-Match": first.headers["ETag"]})
    other = client.get("/v1/sites", headers={"Accept": "application/json", "If-None-Match": first.headers["ETag"]})

    assert (again.status_code, other.status_code) == (304, 200)
    assert first.headers["Vary"].split(", ")[0] == "Accept"


@pytest.mark.parametrize("media_type", TABULAR)
def test_table_of_matches_is_not_cached_and_does_not_contain_the_place(client: FlaskClient, media_type: str) -> None:
    response = client.post("/v1/matches", json=MIAMI, headers={"Accept": media_type})

    rows = rows_of(response)
    assert [(str(row["rank"]), row["site_id"]) for row in rows[:2]] == [("1", "miami"), ("2", "portland")]
    assert rows[0]["notice"] == "The sites are stand-ins."
    assert {row["outcome"] for row in rows} == {"match", "excluded"}
    assert response.headers["Cache-Control"] == "no-store"
    assert "33180" not in str(response.headers) + str(rows)


def test_a_formula_among_the_sites_is_harmless(gazetteer: Path, tmp_path: Path) -> None:
    finder = make_finder(gazetteer, [make_site("a", (25.8, -80.2), facility="=1+1", postcode="04102")])
    client = make_app(tmp_path, finder).test_client()

    table = client.get("/v1/sites", headers={"Accept": CSV_TYPE}).text
    workbook = client.get("/v1/sites", headers={"Accept": XLSX_TYPE}).data
    lines = client.get("/v1/sites", headers={"Accept": NDJSON_TYPE}).data

    assert ",'=1+1," in table
    sheet = load_workbook(io.BytesIO(workbook)).active
    cells = {head.value: cell for head, cell in zip(sheet[1], sheet[2], strict=True)}
    assert (cells["facility"].value, cells["facility"].data_type) == ("=1+1", "s")
    assert (cells["postcode"].value, cells["longitude"].value) == ("04102", -80.2)
    assert json.loads(lines)["facility"] == "=1+1"


@pytest.mark.parametrize("media_type", TABULAR)
def test_capacity_is_a_table_for_who_may_read_it(service: ServedStudy, media_type: str) -> None:
    accept = {"Accept": media_type}

    response = service.ask("GET", "/v1/capacity", headers=accept)
    again = service.ask("GET", "/v1/capacity", headers={**accept, "If-None-Match": response.headers["ETag"]})
    as_json = service.ask("GET", "/v1/capacity", headers={"If-None-Match": response.headers["ETag"]})
    own = service.ask("GET", "/v1/capacity", headers=accept, who="coordinator")
    denied = service.ask("GET", "/v1/capacity", headers=accept, who="nobody")

    rows = {row["site_id"]: row for row in rows_of(response)}
    assert len(rows) == len(SITES)
    assert (rows["miami"]["city"], str(rows["miami"]["remaining"]), rows["miami"]["bound_by"]) == (
        "Miami",
        "8",
        "STUDY",
    )
    assert float(str(rows["miami"]["latitude"])) == 25.79
    assert (again.status_code, as_json.status_code, denied.status_code) == (304, 200, 403)
    assert [row["site_id"] for row in rows_of(own)] == ["miami"]
    assert response.headers["Cache-Control"] == "private, no-cache"


def test_capacity_is_geojson_with_the_sites_places(service: ServedStudy) -> None:
    response = service.ask("GET", "/v1/capacity", headers={"Accept": "application/geo+json"})

    features = {feature["id"]: feature for feature in json.loads(response.data)["features"]}
    assert features["miami"]["geometry"]["coordinates"] == [-80.21, 25.79]
    assert features["nowhere"]["geometry"] is None
    assert features["miami"]["properties"]["remaining"] == 8
