"""Sites from tables: tables that people maintain, with any column names, and tables that sitematch exported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from sitematch.config import Settings
from sitematch.domain.studies.import_outcome import ImportTotals
from sitematch.domain.studies.record import CatalogueRecord, RecordLocation, StudyRecord
from sitematch.domain.studies.study import RecruitmentStatus, Study, tidy_study_id
from sitematch.errors import Fault, InvalidInput, StudyNotFound
from sitematch.gazetteer.grammar import parse_country
from sitematch.importers.location_fields import status_field
from sitematch.importers.tables.foreign import (
    ForeignTable,
    map_columns,
    read_table,
    rows_of_no_study,
    study_ids,
    table_record,
)
from sitematch.importers.tables.own_table import read_own
from sitematch.services.studies.importing import Options, import_into
from sitematch.services.studies.other_sources import import_with_caps
from sitematch.services.studies.sources import ImportSource

if TYPE_CHECKING:
    from sitematch.store.engine import Store

_SAMPLES = 3

TableReader = Callable[[Path, str, Mapping[str, str]], ForeignTable]
"""Reads a table from a file, a sheet and the given columns; see `read_table`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableForm:
    """The form of a table, as a person describes it.

    Parameters
    ----------
    columns
        Field to column; see `map_columns`.
    sheet
        Sheet of a workbook; the first sheet if empty.
    country
        The country of rows without one; empty if not given.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    sheet: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """A column of a table: its field (empty if none), and its first values that are not empty."""

    field: str
    column: str
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A preview of a table.

    Parameters
    ----------
    columns, unused
        Columns with a field, in the order of the fields, and columns without one.
    statuses
        Each word for a status, the number of rows with it, and its meaning; most frequent first.
    rows
        The number of rows.
    study_ids
        The studies in a column.
    first
        The first locations.
    notices
        Notices about unusual ways in which the file was read.
    """

    columns: tuple[ColumnUse, ...]
    unused: tuple[ColumnUse, ...]
    statuses: tuple[tuple[str, int, str], ...]
    rows: int
    study_ids: tuple[str, ...]
    first: tuple[RecordLocation, ...]
    notices: tuple[str, ...]


def preview_table(path: Path, form: TableForm, today: date, *, show: int = 5) -> Preview:
    """Read a table without importing it.

    Raises
    ------
    NotReady, DataFault
        See `read_table`.
    InvalidInput, UnknownCountry
        See `map_columns`; also if the form's country is not known.
    """
    table, columns = _read(path, form)
    nobody = Study(study_id="", title="", status=RecruitmentStatus.UNKNOWN, as_of_on=today, source=table.name)
    record = table_record(table, columns, nobody, country=form.country)
    field_of = {column: name for name, column in columns.items()}

    def use(column: str) -> ColumnUse:
        at = table.header.index(column)
        values = dict.fromkeys(cells[at] for _, cells in table.rows if at < len(cells) and cells[at])
        return ColumnUse(field_of.get(column, ""), column, tuple(values)[:_SAMPLES])

    return Preview(
        columns=tuple(use(column) for column in columns.values()),
        unused=tuple(use(column) for column in dict.fromkeys(table.header) if column and column not in field_of),
        statuses=_statuses(table, columns),
        rows=len(table.rows),
        study_ids=study_ids(table, columns),
        first=record.locations[:show],
        notices=(*record.notices, *(f"{row.where}: {flag}" for row in record.locations for flag in row.flags)),
    )


def _statuses(table: ForeignTable, columns: Mapping[str, str]) -> tuple[tuple[str, int, str], ...]:
    if "status" not in columns:
        return ()
    at = table.header.index(columns["status"])
    words = Counter(cells[at] if at < len(cells) else "" for _, cells in table.rows)
    return tuple((text, count, status_field(text, []) or "no status") for text, count in words.most_common())


def _read(path: Path, form: TableForm, reader: TableReader = read_table) -> tuple[ForeignTable, dict[str, str]]:
    if form.country:
        parse_country(form.country)
    table = reader(path, form.sheet, form.columns)
    return table, map_columns(table.header, form.columns, has_country=bool(form.country))


def import_table(
    settings: Settings, path: Path, study_id: str | None, form: TableForm, *, title: str = "",
    **options: Unpack[Options],
) -> tuple[ImportTotals, int | None]:  # fmt: skip
    """Import a table of sites. It must have all sites of its studies, because missing sites are closed.

    Parameters
    ----------
    settings
        Where things are.
    path
        See `read_table`.
    study_id
        The study of all rows; None uses the table's column.
    form
        The form of the table.
    title
        The title of a new study, if it does not exist.
    options
        See `import_records`.

    Raises
    ------
    StudyNotFound
        If there is no study of `study_id`, and no title.
    NotReady, DataFault, InvalidInput, UnknownCountry, LedgerBusy, StorageFault
        See `read_sites_tables` and `import_records`; nothing is changed then.
    """
    from sitematch.store.engine import open_store

    with open_store(settings.database_url) as store:
        records, name = read_sites_tables(
            store, path, study_id, form, options["now"].date(), title=title, silent_status=options.get("silent_status")
        )
    return import_into(settings, records, origin=ImportSource.TABLE.value, source=name, **options)


def read_sites_tables(
    store: Store,
    path: Path,
    study_id: str | None,
    form: TableForm,
    today: date,
    *,
    title: str = "",
    silent_status: RecruitmentStatus | None = None,
    reader: TableReader = read_table,
) -> tuple[list[StudyRecord | Fault], str]:
    """Read a table as the records of studies, and also return the table's name; see `import_table`.

    Parameters
    ----------
    store
        The database with the studies.
    path, study_id, form, title
        See `import_table`.
    today
        The date of the details.
    silent_status
        See `import_records`; a new study without a status in any row also gets this one.
    reader
        Reads the table, like `read_table`.

    Raises
    ------
    StudyNotFound
        If there is no study of `study_id`, and no title.
    NotReady, DataFault, InvalidInput, UnknownCountry
        See `preview_table`; also if neither `study_id` nor a column names the study, or they differ.
    """
    table, columns = _read(path, form, reader)
    named = study_ids(table, columns)
    if study_id is not None:
        others = [each for each in named if each != study_id]
        if others and (len(named) > 1 or (study_id.startswith("NCT") and others[0].startswith("NCT"))):
            raise InvalidInput(
                f"{table.name} has rows of {', '.join(named[:5])}, not only of {study_id}: leave out --study to import "
                f"them all, or write --map study= if the column {columns['study']!r} is something else.",
                field="study",
            )
        study = _study(store, study_id, title, table.name, today)
        record = table_record(table, columns, study, country=form.country)
        return [_with_study_status(record, silent_status)], table.name
    if not named:
        raise InvalidInput("Say with --study whose sites these are.", field="study")
    stray = rows_of_no_study(table, columns, form.country)
    records: list[StudyRecord | Fault] = [
        Fault(0, "study", "", "names no study", place=location.where) for location in stray
    ]
    for each in named:
        own_title = title or _title(table, columns, each) or each
        study = _study(store, each, own_title, table.name, today)
        record = table_record(table, columns, study, country=form.country, only_study=True)
        # A row without a study may be one of this study's sites, which has then not vanished.
        records.append(_with_study_status(replace(record, left_out=stray), silent_status))
    return records, table.name


def _study(store: Store, study_id: str, title: str, source: str, today: date) -> Study:
    from sitematch.store.studies.catalogue import read_study

    try:
        return replace(read_study(store, study_id), as_of_on=today)
    except StudyNotFound as error:
        if not title:
            raise StudyNotFound(
                f"There is no study {study_id!r} in the catalogue. Give --title to create it.", field="study"
            ) from error
    return Study(study_id=study_id, title=title, status=RecruitmentStatus.UNKNOWN, as_of_on=today, source=source)


def _title(table: ForeignTable, columns: Mapping[str, str], study_id: str) -> str:
    if "title" not in columns:
        return ""
    at, study_at = table.header.index(columns["title"]), table.header.index(columns["study"])
    rows = (cells for _, cells in table.rows if max(at, study_at) < len(cells))
    return next((cells[at] for cells in rows if tidy_study_id(cells[study_at]) == study_id and cells[at]), "")


def _with_study_status(record: StudyRecord, silent_status: RecruitmentStatus | None) -> StudyRecord:
    """Set the status of a study from its sites if it is unknown; one site that takes patients is enough."""
    if record.study.status is not RecruitmentStatus.UNKNOWN:
        return record
    taking = any(location.status is RecruitmentStatus.RECRUITING for location in record.locations)
    status = RecruitmentStatus.RECRUITING if taking else silent_status or RecruitmentStatus.UNKNOWN
    return replace(record, study=replace(record.study, status=status))


def import_own_table(
    settings: Settings, path: Path, study_id: str | None, sheet: str, *, is_whole: bool, **options: Unpack[Options]
) -> tuple[ImportTotals, int | None]:
    """Import a table of sites that sitematch exported; each site keeps its id and location.

    Parameters
    ----------
    settings
        Where things are.
    path, sheet
        See `read_own`.
    study_id
        The study that all rows must belong to; None allows any study in the catalogue.
    is_whole
        Whether sites that are missing from the table are closed; otherwise they do not change.
    options
        See `import_records`.

    Raises
    ------
    StudyNotFound
        If a row's study is not in the catalogue.
    NotReady, DataFault, InvalidInput, LedgerBusy, StorageFault
        See `read_own` and `import_records`; nothing is changed then.
    """

    def records() -> Iterator[CatalogueRecord]:
        for record in read_own(path, sheet, is_whole=is_whole):
            if study_id not in (None, record.study_id):
                raise InvalidInput(
                    f"{path.name} has sites of {record.study_id}, not of {study_id}. Leave out --study to import them.",
                    field="study",
                )
            yield record

    return import_with_caps(settings, records(), ImportSource.TABLE.value, path.name, options)
