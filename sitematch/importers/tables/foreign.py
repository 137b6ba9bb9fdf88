"""Sites from a table that somebody keeps: CSV or Excel, whatever its columns are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sitematch.domain.place import Coordinates
from sitematch.domain.studies.record import RecordLocation, StudyRecord
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import Fault, InvalidCoordinates, InvalidInput
from sitematch.importers.facility import clean_facility
from sitematch.importers.tables.raw_rows import read_rows, refused, table_name
from sitematch.importers.text import tidy

FIELDS = ("facility", "city", "state", "postcode", "country", "status", "latitude", "longitude")
"""What a column can stand for."""

# What people call the columns, folded: small letters and digits only.
_CALLED: Mapping[str, tuple[str, ...]] = {
    "facility": ("facility", "facilityname", "site", "sitename", "hospital", "institution", "orgname", "organization",
                 "organisation", "clinic", "center", "centre", "centername", "name", "klinik", "zentrum"),
    "city": ("city", "town", "municipality", "locality", "orgcity", "ort", "stadt", "ville", "ciudad"),
    "state": ("state", "province", "region", "stateprovince", "stateorprovince", "county", "bundesland"),
    "postcode": ("postcode", "postalcode", "zip", "zipcode", "zippostalcode", "plz", "postleitzahl", "codepostal",
                 "codigopostal", "orgpostalcode"),
    "country": ("country", "countrycode", "orgcountry", "land", "pays", "pais"),
    "status": ("status", "recruitmentstatus", "sitestatus", "recruitingstatus"),
    "latitude": ("latitude", "lat", "latitudedeg"),
    "longitude": ("longitude", "lon", "lng", "long", "longitudedeg"),
}  # fmt: skip
_ALSO_CALLED = {
    "OPEN": RecruitmentStatus.RECRUITING,
    "ACTIVE": RecruitmentStatus.RECRUITING,
    "ENROLLING": RecruitmentStatus.RECRUITING,
    "PLANNED": RecruitmentStatus.NOT_YET_RECRUITING,
    "PENDING": RecruitmentStatus.NOT_YET_RECRUITING,
    "ON_HOLD": RecruitmentStatus.SUSPENDED,
    "PAUSED": RecruitmentStatus.SUSPENDED,
    "CLOSED": RecruitmentStatus.ACTIVE_NOT_RECRUITING,
    "CLOSED_TO_ENROLLMENT": RecruitmentStatus.ACTIVE_NOT_RECRUITING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTable:
    """A table as it stands in its file.

    Parameters
    ----------
    name
        The file's name, and the sheet's.
    header
        The columns' names.
    rows
        Row number in the file and cells as text, in order; empty rows are left out.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read_table(path: Path, sheet: str = "") -> ForeignTable:
    """Read a table from a file.

    Parameters
    ----------
    path
        CSV in UTF-8 with commas, semicolons or tabs between cells, or an Excel workbook (.xlsx).
    sheet
        Name of a workbook's sheet; its first one if empty.

    Raises
    ------
    NotReady
        If there is no such file.
    DataFault
        If it is empty, not UTF-8, or no workbook; or if there is no such sheet.
    """
    name = table_name(path, sheet)
    rows = [(number, tuple(map(tidy, cells))) for number, cells in read_rows(path, sheet)]
    rows = [row for row in rows if any(row[1])]
    if not rows:
        raise refused(name, "is empty; add a header and rows")
    return ForeignTable(name=name, header=rows[0][1], rows=tuple(rows[1:]))


def map_columns(header: Sequence[str], given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Tell which column stands for which field.

    Parameters
    ----------
    header
        The table's columns.
    given
        Field to column where the person says so; an empty column leaves the field out.

    Returns
    -------
    dict
        Field to column, in the order of `FIELDS`; fields without a column are missing.

    Raises
    ------
    InvalidInput
        If a field or column that was given is not known, or no column stands for the country, or none for the town or
        the postcode.

    Examples
    --------
    >>> map_columns(["Site name", "Town", "ZIP", "Country", "Remarks"])
    {'facility': 'Site name', 'city': 'Town', 'postcode': 'ZIP', 'country': 'Country'}
    """
    given = given or {}
    for field, column in given.items():
        if field not in FIELDS:
            raise InvalidInput(f"{field!r} is not a field. Use one of {', '.join(FIELDS)}.", field="map")
        if column and column not in header:
            raise InvalidInput(f"There is no column {column!r}. The columns are {', '.join(header)}.", field="map")
    folded = {"".join(filter(str.isalnum, column.casefold())): column for column in reversed(header)}
    chosen: dict[str, str] = {}
    for field in FIELDS:
        guessed = next((folded[name] for name in _CALLED[field] if name in folded), "")
        if column := given.get(field, guessed):
            chosen[field] = column
    if "country" not in chosen or not ({"city", "postcode"} & chosen.keys()):
        lacking = "town or postcode" if "country" in chosen else "country"
        raise InvalidInput(
            f"The column for the {lacking} is not clear. Name it, "
            f"e.g. --map country=Land. The columns are {', '.join(header)}.",
            field="map",
        )
    return chosen


def table_record(table: ForeignTable, columns: Mapping[str, str], study: Study) -> StudyRecord:
    """Read a table's rows as the locations of one study.

    Parameters
    ----------
    table
        From `read_table`.
    columns
        From `map_columns`.
    study
        The study that all rows belong to.

    Returns
    -------
    StudyRecord
        Rows that cannot be used are among its faults.
    """
    at = {field: table.header.index(column) for field, column in columns.items()}
    locations: list[RecordLocation] = []
    faults: list[Fault] = []
    for number, cells in table.rows:
        row = {field: cells[position] if position < len(cells) else "" for field, position in at.items()}
        read = _location(row, f"{table.name}, row {number}")
        if isinstance(read, Fault):
            faults.append(read)
        else:
            locations.append(read)
    return StudyRecord(study=study, locations=tuple(locations), faults=tuple(faults), given=len(table.rows))


def _location(row: Mapping[str, str], where: str) -> RecordLocation | Fault:
    status = None
    if text := row.get("status", ""):
        word = text.strip().upper().replace(" ", "_").replace("-", "_").replace(",", "")
        status = RecruitmentStatus.__members__.get(word) or _ALSO_CALLED.get(word)
        if status is None:
            wanted = ", ".join(RecruitmentStatus)
            return Fault(0, "status", text[:80], f"is unknown; use one of {wanted}", place=where)
    point = None
    if row.get("latitude") or row.get("longitude"):
        try:
            point = Coordinates(latitude=float(row.get("latitude", "")), longitude=float(row.get("longitude", "")))
        except InvalidCoordinates as error:
            return Fault(0, error.field or "latitude", row.get(error.field or "", ""), error.message, place=where)
        except ValueError:
            given = f"{row.get('latitude', '')}, {row.get('longitude', '')}"
            return Fault(0, "latitude", given[:80], "latitude and longitude must be decimal numbers", place=where)
    return RecordLocation(
        where=where,
        facility=clean_facility(row.get("facility", "")),
        city=row.get("city", ""),
        state=row.get("state", ""),
        postcode=row.get("postcode", ""),
        country=row.get("country", ""),
        status=status,
        point=point,
    )
