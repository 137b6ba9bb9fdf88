"""Sites and studies from tables, FHIR bundles and the NCI's trials: the same way in as the registry's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from sitematch.config import Settings
from sitematch.domain.studies.import_outcome import ImportTotals
from sitematch.domain.studies.record import CatalogueRecord, RecordLocation, StudyRecord
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import Fault, InvalidInput, StudyNotFound
from sitematch.importers.catalogue import read_catalogue
from sitematch.importers.tables.foreign import map_columns, read_table, table_record
from sitematch.importers.tables.own_table import read_own
from sitematch.services.studies.importing import Options, import_into
from sitematch.services.studies.sources import RECORD_READERS, ImportSource

if TYPE_CHECKING:
    from sitematch.store.engine import Store


@dataclass(frozen=True, slots=True)
class Preview:
    """How a table would be read.

    Parameters
    ----------
    columns
        Field to column.
    unused
        Columns that stand for nothing.
    rows
        How many rows there are.
    first
        The first locations.
    faults
        Every fault.
    """

    columns: Mapping[str, str]
    unused: tuple[str, ...]
    rows: int
    first: tuple[RecordLocation, ...]
    faults: tuple[Fault, ...]


def preview_table(path: Path, given: Mapping[str, str], sheet: str, today: date, *, show: int = 5) -> Preview:
    """Read a table without importing it.

    Raises
    ------
    NotReady, DataFault
        See `read_table`.
    InvalidInput
        See `map_columns`.
    """
    table = read_table(path, sheet)
    columns = map_columns(table.header, given)
    nobody = Study(study_id="", title="", status=RecruitmentStatus.UNKNOWN, as_of_on=today, source=table.name)
    record = table_record(table, columns, nobody)
    unused = tuple(column for column in table.header if column and column not in columns.values())
    return Preview(columns, unused, record.given, record.locations[:show], record.faults)


def import_table(
    settings: Settings, path: Path, study_id: str, given: Mapping[str, str], sheet: str, *, title: str = "",
    **options: Unpack[Options],
) -> tuple[ImportTotals, int | None]:  # fmt: skip
    """Import a table of one study's sites: all of them, for a site that it lacks is closed.

    Parameters
    ----------
    settings
        Where things are.
    path, sheet
        See `read_table`.
    study_id
        The study; it must be in the catalogue, or have a title.
    given
        See `map_columns`.
    title
        Makes a new study of that name, if there is none.
    options
        See `import_records`.

    Raises
    ------
    StudyNotFound
        If there is no such study, and no title.
    NotReady, DataFault, InvalidInput, LedgerBusy, StorageFault
        See `preview_table` and `import_records`; nothing is changed then.
    """
    from sitematch.store.engine import open_store

    with open_store(settings.database_url) as store:
        record, name = read_sites_table(store, path, study_id, given, sheet, options["now"].date(), title=title)
    return import_into(settings, [record], origin=ImportSource.TABLE.value, source=name, **options)


def read_sites_table(
    store: Store, path: Path, study_id: str, given: Mapping[str, str], sheet: str, today: date, *, title: str = ""
) -> tuple[StudyRecord, str]:
    """Read a table as the record of a study that the catalogue has, or of a new one, and return the table's name too.

    Parameters and errors are those of `import_table`.
    """
    from sitematch.store.studies.catalogue import read_study

    table = read_table(path, sheet)
    columns = map_columns(table.header, given)
    try:
        study = replace(read_study(store, study_id), as_of_on=today)
    except StudyNotFound as error:
        if not title:
            raise StudyNotFound(
                f"There is no study {study_id!r} in the catalogue. Give --title to create it.", field="study"
            ) from error
        study = Study(
            study_id=study_id, title=title, status=RecruitmentStatus.RECRUITING, as_of_on=today, source=table.name
        )
    return table_record(table, columns, study), table.name


def import_own_table(
    settings: Settings, path: Path, study_id: str | None, sheet: str, *, is_whole: bool, **options: Unpack[Options]
) -> tuple[ImportTotals, int | None]:
    """Import a table of sites that sitematch exported, each site under its id and where it was.

    Parameters
    ----------
    settings
        Where things are.
    path, sheet
        See `read_own`.
    study_id
        The study that all rows must belong to; None takes any that are in the catalogue.
    is_whole
        Whether a site that the table lacks is closed; otherwise it stays as it is.
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

    return _with_caps(settings, records(), ImportSource.TABLE.value, path.name, options)


def import_catalogue(settings: Settings, path: Path, **options: Unpack[Options]) -> tuple[ImportTotals, int | None]:
    """Import an exported catalogue: studies with all their facts, and all their sites.

    Raises
    ------
    NotReady, DataFault, InvalidInput, LedgerBusy, StorageFault
        See `read_catalogue` and `import_records`; nothing is changed then.
    """
    return _with_caps(settings, read_catalogue(path), "catalogue", path.name, options)


def _with_caps(
    settings: Settings, records: Iterable[CatalogueRecord], origin: str, source: str, options: Options
) -> tuple[ImportTotals, int | None]:
    """Import records that may state spots, and take over those that are new as caps."""
    from sitematch.store.capacity.stated_caps import take_stated_caps
    from sitematch.store.engine import open_store

    done = import_into(settings, records, origin=origin, source=source, **options)
    if done[1] is not None:
        with open_store(settings.database_url) as store:
            take_stated_caps(store, options["now"])
    return done


def import_files(
    settings: Settings, source: ImportSource, paths: tuple[Path, ...], **options: Unpack[Options]
) -> tuple[ImportTotals, int | None]:
    """Import files of one source, which is no table; see `import_records`.

    Raises
    ------
    InvalidInput
        If no file is named.
    NotReady, DataFault, LedgerBusy, StorageFault
        See `import_records`; nothing is changed then.
    """
    if not paths:
        raise InvalidInput("Name a file.", field="source")
    today = options["now"].date()
    records = (record for path in paths for record in RECORD_READERS[source](path, today))
    return import_into(settings, records, origin=source.value, source=", ".join(path.name for path in paths), **options)
