"""Tables that people keep: any column names, CSV as spreadsheets write it, and Excel."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from sitematch.domain.studies.record import StudyRecord
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.errors import DataFault, InvalidInput
from sitematch.importers.tables.foreign import map_columns, read_table, table_record
from tests.builders import make_study

HEADER = ["Site name", "Town", "ZIP", "Country", "Status", "Remarks"]
ROW = ["Harbour Clinic", "Hamburg", "20095", "Germany", "open", "nice"]


def write_csv(folder: Path, *rows: list[str], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    path = folder / "sites.csv"
    path.write_text("\r\n".join(delimiter.join(row) for row in rows), encoding=encoding, newline="")
    return path


def write_workbook(folder: Path, *rows: list[Any], sheet: str = "Sites") -> Path:
    from openpyxl import Workbook

    workbook = Workbook()
    assert workbook.active is not None
    workbook.active.title = "Notes"
    page = workbook.create_sheet(sheet, 0)
    for row in rows:
        page.append(row)
    path = folder / "sites.xlsx"
    workbook.save(path)
    return path


def read(path: Path, **given: str) -> StudyRecord:
    table = read_table(path)
    return table_record(table, map_columns(table.header, given), make_study())


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_file_is_read_whatever_parts_its_cells(tmp_path: Path, delimiter: str) -> None:
    (location,) = read(write_csv(tmp_path, HEADER, ROW, delimiter=delimiter, encoding="utf-8-sig")).locations

    assert (location.facility, location.city, location.postcode, location.country) == (
        "Harbour Clinic",
        "Hamburg",
        "20095",
        "Germany",
    )
    assert location.status is RecruitmentStatus.RECRUITING


def test_a_workbook_gives_the_same_and_its_numbers_are_codes(tmp_path: Path) -> None:
    path = write_workbook(
        tmp_path, HEADER, [None] * 6, ["Clinic", "Miami", 33180.0, "US", None, date(2026, 1, 1)], ["B", "C", 4102, "US"]
    )

    first, second = read(path).locations

    assert (first.postcode, second.postcode, first.status) == ("33180", "4102", None)
    assert first.where == "sites.xlsx, row 3"


def test_a_sheet_is_chosen_by_name_and_a_wrong_one_is_said(tmp_path: Path) -> None:
    path = write_workbook(tmp_path, HEADER, ROW, sheet="Sites 2026")

    assert read_table(path, "Sites 2026").header == tuple(HEADER)
    with pytest.raises(DataFault, match="the sheets are Sites 2026, Notes"):
        read_table(path, "Sites")
    with pytest.raises(DataFault, match="empty"):
        read_table(path, "Notes")


def test_columns_are_guessed_and_a_persons_word_goes_before() -> None:
    header = ["Name", "Hospital", "PLZ", "Ort", "Land"]

    assert map_columns(header) == {"facility": "Hospital", "city": "Ort", "postcode": "PLZ", "country": "Land"}
    assert map_columns(header, {"facility": "Name", "postcode": ""})["facility"] == "Name"
    assert "postcode" not in map_columns(header, {"postcode": ""})


@pytest.mark.parametrize(
    ("header", "given", "words"),
    [
        (["Town"], {}, "the country"),
        (["Country"], {}, "town or postcode"),
        (["City", "Country"], {"colour": "City"}, "not a field"),
        (["City", "Country"], {"city": "Town"}, "There is no column 'Town'"),
    ],
)
def test_a_mapping_that_cannot_be_is_said_with_the_columns(
    header: list[str], given: dict[str, str], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        map_columns(header, given)


def test_a_cell_that_cannot_be_read_costs_only_itself_and_is_told(tmp_path: Path) -> None:
    header = ["City", "Country", "Status", "Lat", "Lon"]
    path = write_csv(
        tmp_path,
        header,
        ["Kiel", "DE", "RECRUITING", "54.3", "10.1"],
        ["Kiel", "DE", "maybe", "", ""],
        ["Kiel", "DE", "", "95", "10"],
        ["Kiel", "DE", "", "x", "10"],
        ["Kiel", "DE"],
    )

    record = read(path)

    assert (len(record.locations), record.given, record.faults) == (5, 5, ())
    assert [location.flags for location in record.locations] == [
        (),
        ("The status 'maybe' is unknown, so the site's status is UNKNOWN.",),
        ("The record's point (95, 10) was left out: The latitude 95.0 is not a number from -90 to 90.",),
        ("The record's point (x, 10) is not two decimal numbers, so it was left out.",),
        (),
    ]
    assert [location.status for location in record.locations] == [
        RecruitmentStatus.RECRUITING,
        RecruitmentStatus.UNKNOWN,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"PK\x03\x04 no workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old"]
)
def test_what_is_no_table_is_a_fault_of_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)

    with pytest.raises(DataFault):
        read_table(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nothing"):
        read_table(tmp_path / "nothing.csv")


def test_dates_in_a_workbook_do_no_harm(tmp_path: Path) -> None:
    path = write_workbook(
        tmp_path,
        ["City", "Country", "Since"],
        ["Kiel", "DE", datetime(2026, 1, 1, tzinfo=None)],  # noqa: DTZ001 - as Excel has them
    )

    assert len(read(path).locations) == 1
