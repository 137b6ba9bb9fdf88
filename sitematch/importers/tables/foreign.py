"""Sites from other people's tables: CSV or Excel, with any column names."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sitematch.domain.studies.record import RecordLocation, StudyRecord
from sitematch.domain.studies.study import Study, tidy_study_id
from sitematch.errors import InvalidInput
from sitematch.importers.facility import clean_facility
from sitematch.importers.limits import NO_LIMITS, FileLimits
from sitematch.importers.location_fields import point_field, status_field
from sitematch.importers.tables.raw_rows import read_rows, refused, table_name
from sitematch.importers.text import tidy

FIELDS = (
    "study", "title", "facility", "address", "address_2", "city", "state", "postcode", "country", "status", "latitude",
    "longitude",
)  # fmt: skip
"""The fields that a column can have. The first two belong to the study: its id and its title."""

# Usual names of the columns, in lower case, with letters and digits only.
_CALLED: Mapping[str, tuple[str, ...]] = {
    "study": ("study", "studyid", "nctid", "nctnumber", "nct", "trial", "trialid", "studynumber", "estudio", "etude",
              "studie", "studiennummer"),
    "title": ("studytitle", "brieftitle", "trialtitle", "officialtitle", "studienname", "titre", "titulo"),
    "facility": ("facility", "facilityname", "site", "sitename", "hospital", "institution", "orgname", "organization",
                 "organisation", "clinic", "center", "centre", "centername", "centrename", "name", "klinik", "zentrum",
                 "prufzentrum", "etablissement", "hopital", "centro"),
    "address": ("address", "address1", "addressline1", "addressline", "street", "streetaddress", "street1",
                "siteaddress", "facilityaddress", "orgaddressline1", "adresse", "strasse", "anschrift", "rue",
                "direccion", "calle", "endereco", "indirizzo", "adres", "straat"),
    "address_2": ("address2", "addressline2", "street2", "orgaddressline2"),
    "city": ("city", "town", "municipality", "locality", "orgcity", "sitecity", "ort", "stadt", "ville", "ciudad",
             "cidade", "citta", "plaats", "miasto"),
    "state": ("state", "province", "stateprovince", "stateorprovince", "orgstateorprovince", "region", "county",
              "bundesland", "sitestate", "estado", "provincia"),
    "postcode": ("postcode", "postalcode", "zip", "zipcode", "zippostalcode", "plz", "postleitzahl", "codepostal",
                 "codigopostal", "orgpostalcode", "sitezip", "cep", "cap"),
    "country": ("country", "countrycode", "countryname", "orgcountry", "sitecountry", "land", "pays", "pais", "paese"),
    "status": ("status", "recruitmentstatus", "sitestatus", "recruitingstatus", "overallstatus", "statut", "estado",
               "rekrutierungsstatus"),
    "latitude": ("latitude", "lat", "latitudedeg", "breite", "breitengrad"),
    "longitude": ("longitude", "lon", "lng", "long", "longitudedeg", "lange", "laengengrad", "langengrad"),
}  # fmt: skip

_HEADER_WITHIN = 25
"""Number of rows from the top that are searched for a header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTable:
    """A table, as in its file.

    Parameters
    ----------
    name
        The file's name, and the sheet's.
    header
        The columns' names.
    rows
        Row number in the file and cells as text, in order; empty rows are left out.
    notices
        Notices about unusual ways in which the file was read.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    notices: tuple[str, ...] = ()


def read_table(
    path: Path, sheet: str = "", given: Mapping[str, str] | None = None, *, limits: FileLimits = NO_LIMITS
) -> ForeignTable:
    """Read a table from a file.

    Parameters
    ----------
    path
        CSV with commas, semicolons, tabs or bars between cells, an Excel workbook (.xlsx) or NDJSON; see `read_rows`.
    sheet
        Name of a workbook's sheet; its first one if empty.
    given
        Field to column, as given by the person; the header is the row with these columns.
    limits
        See `read_rows`.

    Raises
    ------
    InvalidInput
        If there is no such file.
    DataFault
        If it is empty, has an unsupported encoding, or is not a workbook; or if there is no such sheet.
    """
    name = table_name(path, sheet)
    notices: list[str] = []
    raw_rows = read_rows(path, sheet, notice=notices.append, limits=limits)
    rows = [(number, tuple(map(tidy, cells))) for number, cells in raw_rows]
    rows = [row for row in rows if any(row[1])]
    if not rows:
        raise refused(name, "is empty; add a header and rows")
    at = _header_at(rows, frozenset(filter(None, (given or {}).values())))
    if at:
        notices.append(f"The header is row {rows[at][0]}; the {at} above it {'is' if at == 1 else 'are'} not read.")
    return ForeignTable(name=name, header=rows[at][1], rows=tuple(rows[at + 1 :]), notices=tuple(notices))


def _header_at(rows: Sequence[tuple[int, tuple[str, ...]]], wanted: frozenset[str]) -> int:
    """Find the header: the top row with the most known columns; the first row if none has any."""
    known = [
        len({field for field, names in _CALLED.items() if any(_folded(cell) in names for cell in cells)})
        + 2 * len(wanted.intersection(cells))
        for _, cells in rows[:_HEADER_WITHIN]
    ]
    best = max(known)
    return known.index(best) if best >= 2 else 0


def _folded(column: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", column.casefold())))


def map_columns(
    header: Sequence[str], given: Mapping[str, str] | None = None, *, has_country: bool = False
) -> dict[str, str]:
    """Return the column of each field.

    Parameters
    ----------
    header
        The table's columns.
    given
        Field to column, as given by the person; an empty column leaves the field out.
    has_country
        Whether the person gives the country of all rows, so that no column is needed.

    Returns
    -------
    dict
        Field to column, in the order of `FIELDS`; fields without a column are missing. No column has two fields.

    Raises
    ------
    InvalidInput
        If a given field or column is unknown, or there is no column for the country, or none for the town or the
        postcode.

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
    folded = {_folded(column): column for column in reversed(header)}
    chosen: dict[str, str] = {}
    for field in FIELDS:
        if field in given:
            column = given[field]
        else:
            taken = {*chosen.values(), *given.values()}
            column = next((folded[n] for n in _CALLED[field] if n in folded and folded[n] not in taken), "")
        if column:
            chosen[field] = column
    columns = f"The columns are {', '.join(filter(None, header))}."
    if not ({"city", "postcode"} & chosen.keys()):
        raise InvalidInput(
            f"The column for the town or postcode is not clear. Name it, e.g. --map city=Ort. {columns}", field="map"
        )
    if "country" not in chosen and not has_country:
        raise InvalidInput(
            "The column for the country is not clear. Name it with --map country=COLUMN, or give one country for all "
            f"rows, e.g. --country US. {columns}",
            field="map",
        )
    return chosen


def study_ids(table: ForeignTable, columns: Mapping[str, str]) -> tuple[str, ...]:
    """Return the study ids in a table, in the order of their first rows; empty without a column."""
    if "study" not in columns:
        return ()
    at = table.header.index(columns["study"])
    found = (tidy_study_id(cells[at]) for _, cells in table.rows if at < len(cells))
    return tuple(dict.fromkeys(filter(None, found)))


def table_record(
    table: ForeignTable, columns: Mapping[str, str], study: Study, *, country: str = "", only_study: bool = False
) -> StudyRecord:
    """Read a table's rows as the locations of one study.

    Parameters
    ----------
    table
        From `read_table`.
    columns
        From `map_columns`.
    study
        The study that the rows belong to.
    country
        The country of rows without one.
    only_study
        Whether to use only rows that name the study; otherwise all rows belong to it.

    Returns
    -------
    StudyRecord
        Identical rows are one location, with a notice. A cell that cannot be read affects only that cell.
    """
    at = {field: table.header.index(column) for field, column in columns.items()}
    locations: list[RecordLocation] = []
    seen: dict[tuple[str, ...], int] = {}
    notices = list(table.notices)
    given = 0
    for number, cells in table.rows:
        row = {field: cells[position] if position < len(cells) else "" for field, position in at.items()}
        if only_study and tidy_study_id(row.get("study", "")) != study.study_id:
            continue
        given += 1
        first = seen.setdefault(cells, number)
        if first != number:
            notices.append(f"Row {number} repeats row {first} exactly, so both are one site.")
            continue
        locations.append(_location(row, f"{table.name}, row {number}", country))
    return StudyRecord(study=study, locations=tuple(locations), faults=(), given=given, notices=tuple(notices))


def rows_of_no_study(table: ForeignTable, columns: Mapping[str, str], country: str = "") -> tuple[RecordLocation, ...]:
    """Return the rows without a study in a table of many studies."""
    at = {field: table.header.index(column) for field, column in columns.items()}
    found = []
    for number, cells in table.rows:
        row = {field: cells[position] if position < len(cells) else "" for field, position in at.items()}
        if not tidy_study_id(row.get("study", "")):
            found.append(_location(row, f"{table.name}, row {number}", country))
    return tuple(found)


def _location(row: Mapping[str, str], where: str, country: str) -> RecordLocation:
    flags: list[str] = []
    return RecordLocation(
        where=where,
        facility=clean_facility(row.get("facility", "")),
        address=", ".join(filter(None, (row.get("address", ""), row.get("address_2", "")))),
        city=row.get("city", ""),
        state=row.get("state", ""),
        postcode=row.get("postcode", ""),
        country=row.get("country", "") or country,
        status=status_field(row.get("status", ""), flags),
        point=point_field(row.get("latitude"), row.get("longitude"), flags),
        flags=tuple(flags),
    )
