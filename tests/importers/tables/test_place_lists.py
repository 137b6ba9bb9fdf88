"""Lists of places without a study: FHIR Locations and Organizations, and Open Referral, become rows of a table."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from sitematch.errors import DataFault
from sitematch.importers.tables.foreign import read_table
from tests.importers.test_file_kinds import FILES


def places(path: Path) -> list[dict[str, str]]:
    table = read_table(path)
    return [dict(zip(table.header, cells, strict=True)) for _, cells in table.rows]


def test_locations_of_smart_scheduling_links_have_addresses_and_no_status() -> None:
    first, second, closed = places(FILES / "locations.ndjson")

    assert (first["facility"], first["address"]) == (
        "Berkshire Family Medicine - Pittsfield",
        "510 North Street, Suite 2",
    )
    assert (first["city"], first["state"], first["postcode"]) == ("Pittsfield", "MA", "01201")
    assert (first["latitude"], first["longitude"]) == ("42.45", "-73.25")
    # "active" says nothing about recruitment.
    assert (first["status"], second["status"], closed["status"]) == ("", "", "ACTIVE_NOT_RECRUITING")


def test_organizations_are_places_if_there_are_no_locations() -> None:
    first, second = places(FILES / "organizations.json")

    assert (first["facility"], first["city"], first["country"]) == ("Hôpital Saint-Louis", "Paris", "FR")
    assert (second["facility"], second["city"]) == ("Without an address", "")


def test_fhir_with_its_own_study_is_not_a_list_of_places(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text('{"resourceType":"ResearchStudy","id":"x"}\n{"resourceType":"Location","id":"1"}')

    with pytest.raises(DataFault, match="import fhir"):
        read_table(path)


HSDS = [
    {
        "facility": "MAPS Community Clinic",
        "address": "1 Example Street, Floor 2",
        "city": "Boston",
        "state": "MA",
        "postcode": "02118",
        "country": "US",
        "latitude": "42.36",
        "longitude": "-71.06",
    },
    {
        "facility": "MAPS",
        "address": "30 School Lane",
        "city": "Springfield",
        "state": "MA",
        "postcode": "01103",
        "country": "US",
        "latitude": "",
        "longitude": "",
    },
]


def test_open_referral_joins_locations_with_their_physical_addresses() -> None:
    assert places(FILES / "hsds" / "locations.csv") == HSDS


@pytest.mark.parametrize("addresses", ["addresses.csv", "physical_addresses.csv"])
def test_open_referral_is_read_from_one_archive(tmp_path: Path, addresses: str) -> None:
    path = tmp_path / "hsds.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, member in (
            ("locations.csv", "locations.csv"),
            ("addresses.csv", addresses),
            ("organizations.csv",) * 2,
        ):
            archive.write(FILES / "hsds" / name, f"data/{member}")

    assert places(path) == HSDS


def test_open_referral_json_of_services_has_their_locations() -> None:
    assert places(FILES / "hsds-services.json") == [HSDS[0] | {"address": "1 Example Street"}]


def test_locations_without_addresses_say_which_file_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "locations.csv"
    path.write_bytes((FILES / "hsds" / "locations.csv").read_bytes())

    with pytest.raises(DataFault, match=r"addresses\.csv is missing"):
        read_table(path)
