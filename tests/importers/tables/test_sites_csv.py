"""Real-world files of sites: every error is reported with its line, and nothing is lost silently."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from sitematch.domain.place import Coordinates, Precision
from sitematch.domain.studies.site import SITE_COLUMNS
from sitematch.domain.studies.travel import TravelCertainty, TravelKind
from sitematch.errors import DataFault, Fault, InvalidInput
from sitematch.exporters.tables.files import csv_text
from sitematch.exporters.tables.rows import STATED_SITE_HEADER, cells, site_row
from sitematch.importers.tables.sites_csv import parse_sites, read_sites

ROW = {
    "site_id": "s1",
    "study_id": "NCT00000001",
    "source_study": "NCT00000001",
    "facility": "Clinic, North",
    "city": "Kiel",
    "state": "Schleswig-Holstein",
    "postcode": "24105",
    "country": "DE",
    "latitude": "54.33470",
    "longitude": "10.13480",
    "precision": "DISTRICT",
    "uncertainty_km": "1.122",
    "location_source": "GeoNames",
    "status": "RECRUITING",
    "travel_certainty": "COVERED",
    "travel_kinds": "MILEAGE | PARKING",
    "time_reimbursement": "varies",
    "spots": "",
    "as_of": "2026-01-15",
    "flags": "",
}


def make_file(*changes: dict[str, str], line_end: str = "\n", columns: tuple[str, ...] = SITE_COLUMNS) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator=line_end, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(ROW | change for change in changes or ({},))
    return out.getvalue().encode()


def faults(content: bytes) -> list[tuple[int, str]]:
    with pytest.raises(DataFault) as caught:
        parse_sites(content, name="sites.csv")
    return [(fault.line, fault.field) for fault in caught.value.faults]


def test_a_good_row_becomes_a_site() -> None:
    (site,) = parse_sites(make_file(), name="sites.csv").sites

    assert site.facility == "Clinic, North"
    assert site.spots is None
    assert site.place is not None
    assert site.place.precision is Precision.DISTRICT
    assert site.travel.certainty is TravelCertainty.COVERED
    assert site.travel.kinds == (TravelKind.MILEAGE, TravelKind.PARKING)


def test_what_was_written_reads_back_the_same() -> None:
    content = make_file({}, {"site_id": "s2", "spots": "3", "flags": "one | two"}, {"site_id": "s3", "city": "臺北市"})
    sites = parse_sites(content, name="sites.csv").sites

    written = csv_text(STATED_SITE_HEADER, cells(map(site_row, sites), STATED_SITE_HEADER))
    again = parse_sites(written.encode(), name="sites.csv").sites

    assert again == sites


@pytest.mark.parametrize("change", [lambda b: b"\xef\xbb\xbf" + b, lambda b: b.replace(b"\n", b"\r\n")])
def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(change: object) -> None:
    assert callable(change)

    assert len(parse_sites(change(make_file()), name="sites.csv").sites) == 1


def test_columns_may_come_in_any_order_beside_others() -> None:
    content = make_file(columns=(*reversed(SITE_COLUMNS), "remark"))

    assert parse_sites(content, name="sites.csv").sites[0].site_id == "s1"


def test_a_site_without_a_location_is_kept() -> None:
    nowhere = dict.fromkeys(("latitude", "longitude", "precision", "uncertainty_km"), "")

    assert parse_sites(make_file(nowhere), name="sites.csv").sites[0].place is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"site_id": ""}, "site_id"),
        ({"facility": " "}, "facility"),
        ({"country": "Germany"}, "country"),
        ({"latitude": "95"}, "latitude"),
        ({"latitude": "54,3"}, "latitude"),
        ({"latitude": "nan"}, "latitude"),
        ({"longitude": "inf"}, "longitude"),
        ({"longitude": ""}, "longitude"),
        ({"uncertainty_km": "-1"}, "uncertainty_km"),
        ({"precision": "ROUGH"}, "precision"),
        ({"status": "OPEN"}, "status"),
        ({"travel_certainty": "YES"}, "travel_certainty"),
        ({"travel_kinds": "CAMEL"}, "travel_kinds"),
        ({"spots": "-1"}, "spots"),
        ({"spots": "2.5"}, "spots"),
        ({"as_of": "15.1.2026"}, "as_of"),
        ({"as_of": ""}, "as_of"),
    ],
)
def test_a_fault_is_reported_with_its_line_and_field(change: dict[str, str], field: str) -> None:
    assert faults(make_file({}, {"site_id": "s2"} | change)) == [(3, field)]


def test_all_faults_of_all_rows_are_reported_at_once() -> None:
    content = make_file({"status": "OPEN", "latitude": "95"}, {"site_id": "s2"}, {"site_id": "s3", "spots": "x"})

    assert faults(content) == [(2, "status"), (2, "latitude"), (4, "spots")]


def test_a_line_number_counts_the_lines_of_quoted_cells() -> None:
    content = make_file({"facility": "Clinic\nNorth"}, {"site_id": "s2", "status": "OPEN"})

    assert faults(content) == [(4, "status")]


def test_a_repeated_id_is_a_fault_that_names_the_first_line() -> None:
    with pytest.raises(DataFault, match="line 2"):
        parse_sites(make_file({}, {}), name="sites.csv")


def test_swapped_coordinates_are_named_as_such() -> None:
    def in_germany(country: str, point: Coordinates) -> bool:
        return 47 < point.latitude < 56 and 5 < point.longitude < 16

    swapped = make_file({"latitude": "10.1348", "longitude": "54.3347"})

    with pytest.raises(DataFault, match="latitude and longitude are swapped"):
        parse_sites(swapped, name="sites.csv", in_country=in_germany)


def test_a_latitude_off_the_globe_hints_at_a_swap() -> None:
    with pytest.raises(DataFault, match="may be swapped"):
        parse_sites(make_file({"latitude": "-118.4", "longitude": "34.1", "country": "US"}), name="sites.csv")


@pytest.mark.parametrize("column", ["site_id", "latitude", "as_of"])
def test_a_missing_column_is_named(column: str) -> None:
    columns = tuple(c for c in SITE_COLUMNS if c != column)

    assert faults(make_file(columns=columns)) == [(1, column)]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe\x00", make_file().splitlines(keepends=True)[0]])
def test_an_empty_or_undecodable_file_is_a_fault_of_the_file(content: bytes) -> None:
    assert faults(content) == [(0, "")]


def test_good_rows_are_kept_only_when_asked() -> None:
    content = make_file({}, {"site_id": "s2", "status": "OPEN"})

    kept = parse_sites(content, name="sites.csv", keep_good_rows=True)

    assert [site.site_id for site in kept.sites] == ["s1"]
    assert kept.faults == (Fault(3, "status", "OPEN", kept.faults[0].reason),)
    with pytest.raises(DataFault):
        parse_sites(content, name="sites.csv")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nothing-here"):
        read_sites(tmp_path / "nothing-here.csv")
