"""``report coverage``, ``report catchments``, ``report demand`` and ``allocate``."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import shape

from sitematch.config import data_file
from tests.cli.conftest import Run


@pytest.fixture
def people(tmp_path: Path) -> str:
    path = tmp_path / "people.csv"
    path.write_text("zip,people\n33180,20\n04102,12\n59718,11\nnowhere,1\n", encoding="utf-8")
    return str(path)


def tables(text: str) -> dict[str, Any]:
    return {s["table"]["name"]: s["table"]["rows"] for s in json.loads(text)["sections"] if s["table"]}


def test_coverage_of_a_list_tells_the_share_and_the_nearest_sites(run: Run, people: str) -> None:
    result = run("report", "coverage", "--postcodes", people, "--column", "zip", "--people-column", "people",
                 "--country", "US", "--within-km", "75", "--format", "json")  # fmt: skip

    assert result.exit_code == 0, result.stderr
    found = tables(result.stdout)
    assert [(row["within_km"], row["not_located"]) for row in found["reach"]] == [(75.0, 1.0)]
    assert sum(row["people"] for row in found["nearest-sites"]) == 43
    assert "59718" not in result.output


def test_coverage_on_a_terminal_says_how_sure_it_is(run: Run, people: str) -> None:
    result = run("report", "coverage", "--postcodes", people, "--column", "zip", "--country", "US")

    assert "Located: 3 of 4 people." in result.stdout
    assert "At least" in result.stdout
    assert "stand-ins" in result.stdout


def test_candidates_of_a_file_are_ranked(run: Run, people: str, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(data_file("sites.csv").read_text(encoding="utf-8"))))
    moved = {**rows[-1], "site_id": "new-bozeman", "city": "Bozeman", "latitude": "45.68", "longitude": "-111.04"}
    path = tmp_path / "candidates.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerow(moved)

    result = run("report", "coverage", "--postcodes", people, "--column", "zip", "--country", "US",
                 "--candidates", str(path), "--format", "json")  # fmt: skip

    assert result.exit_code == 0, result.stderr
    (row,) = tables(result.stdout)["one-more-site"]
    assert (row["site_id"], row["why"], row["nearer"]) == ("new-bozeman", "candidate", 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--column", "zip"], "Give the country"),
        (["--country", "US"], "no such column"),
        (["--column", "zip", "--country", "US", "--format", "pdf"], "needs --out FILE"),
        (["--column", "zip", "--country", "US", "--within-km", "0"], "distances in kilometres"),
        (["--column", "zip", "--country", "US", "--time-zone", "Mars"], "Mars"),
    ],
)
def test_a_command_that_cannot_be_followed_says_what_to_do(
    run: Run, people: str, arguments: list[str], said: str
) -> None:
    result = run("report", "coverage", "--postcodes", people, *arguments)

    assert result.exit_code in (2, 5)
    assert said in result.stderr


def test_catchments_are_geojson_that_other_programs_read(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "catchments.geojson"

    printed = run("report", "catchments", "--format", "geojson")
    written = run("report", "catchments", "--radius-km", "100", "--out", str(path))

    assert written.exit_code == 0, written.stderr
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    assert len(json.loads(printed.stdout)["features"]) * 2 == len(features)
    assert all(shape(feature["geometry"]).is_valid for feature in features)


def test_a_batch_is_allocated_and_nothing_is_held(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "batch.csv"
    path.write_text("referral_id,postcode,country,within_km\nr-1,33180,US,\nr-2,04102,US,\nr-3,59718,US,50\n")
    run("capacity", "set-cap", "1")

    result = run("allocate", str(path), "--format", "json")

    assert result.exit_code == 0, result.stderr
    found = tables(result.stdout)
    assert len(found["placements"]) == 1
    assert {row["why"] for row in found["unplaced"]} >= {"Full: the cap of the study."}
    (cap,) = json.loads(run("capacity", "caps", "--format", "json").stdout)
    assert cap["taken"] == 0


def test_a_batch_may_be_json(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "batch.json"
    path.write_text(json.dumps([{"referral_id": "r-1", "town": "Sevilla", "country": "ES", "within_km": 2000}]))

    found = tables(run("allocate", str(path), "--format", "json").stdout)

    (row,) = found["placements"]
    assert row["given_up_km"] == 0
    assert row["km"] == row["best_km"] < 2000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("referral_id,postcode\n,33180\n", "line 2, referral_id: missing"),
        ("referral_id,zip\nr-1,33180\n", "line 2, zip: no such field"),
        ("referral_id,postcode,within_km\nr-1,33180,far\n", "not a number of kilometres"),
        ("referral_id,postcode,min_travel\nr-1,33180,maybe\n", "not one of COVERED"),
        ("referral_id,postcode\nJane Doe,33180\n", "must not identify the patient"),
        ("referral_id,postcode\n", "Give 1 to 2000 referrals"),
    ],
)
def test_a_batch_at_fault_is_refused_without_repeating_a_postcode(
    run: Run, tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "batch.csv"
    path.write_text(text, encoding="utf-8")

    result = run("allocate", str(path), "--format", "json")

    assert result.exit_code in (2, 5)
    assert said in result.stderr
    assert "33180" not in result.output


def test_demand_says_that_it_is_off_where_there_is_none(run: Run) -> None:
    result = run("report", "demand")

    assert result.exit_code == 0, result.stderr
    assert "SITEMATCH_COUNT_DEMAND=1" in result.stdout
