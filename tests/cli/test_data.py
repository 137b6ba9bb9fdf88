"""Checking and loading a file of sites from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sitematch.config import data_file
from tests.cli.conftest import Run

GOOD = data_file("sites.csv").read_text(encoding="utf-8")


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    path = tmp_path / "faulty.csv"
    path.write_text(GOOD.replace("RECRUITING", "OPEN", 1), encoding="utf-8")
    return path


def site_count(run: Run) -> int:
    return len(json.loads(run("sites", "--format", "json").stdout))


def test_a_good_file_is_said_to_be_good(run: Run) -> None:
    result = run("data", "check", str(data_file("sites.csv")))

    assert result.exit_code == 0
    assert "46 sites, no errors" in result.stderr


def test_swapped_coordinates_are_caught_by_the_country_they_should_lie_in(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "swapped.csv"
    path.write_text(GOOD.replace("54.3347,10.1348", "10.1348,54.3347"), encoding="utf-8")

    result = run("data", "check", str(path))

    assert result.exit_code == 5
    assert "latitude and longitude are swapped" in result.stderr


def test_a_file_with_a_fault_changes_nothing(run: Run, faulty: Path) -> None:
    result = run("data", "load", str(faulty))

    assert result.exit_code == 5
    assert "line 2, status 'OPEN'" in result.stderr
    assert site_count(run) == 46


def test_its_good_rows_are_loaded_when_asked_and_the_rest_is_named(run: Run, faulty: Path) -> None:
    result = run("data", "load", str(faulty), "--keep-good-rows")

    assert result.exit_code == 0
    assert "Left out: line 2, status 'OPEN'" in result.stderr
    assert site_count(run) == 45


def test_the_stand_in_sites_are_rebuilt_to_the_same_bytes(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "sites.csv"

    result = run("data", "build-sites", "--out", str(out))

    assert result.exit_code == 0
    assert out.read_bytes() == data_file("sites.csv").read_bytes()


def test_a_fresh_database_is_made_once_and_said_so(run: Run) -> None:
    first = run("db", "upgrade")
    second = run("db", "upgrade")

    assert "loaded NCT06064929 with 46 sites" in first.stderr
    assert second.stderr == "The database is ready.\n"
