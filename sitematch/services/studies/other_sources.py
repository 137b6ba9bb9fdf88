"""Studies from exported catalogues, FHIR bundles and the NCI's trials: imported in the same way as the registry's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from sitematch.config import Settings
from sitematch.domain.studies.import_outcome import ImportTotals
from sitematch.domain.studies.record import CatalogueRecord
from sitematch.errors import InvalidInput
from sitematch.importers.catalogue import read_catalogue
from sitematch.importers.file_kinds import source_of
from sitematch.services.studies.importing import Options, import_into
from sitematch.services.studies.sources import RECORD_READERS, SOURCES, ImportSource

if TYPE_CHECKING:
    from sitematch.services.studies.site_tables import TableForm


def import_catalogue(settings: Settings, path: Path, **options: Unpack[Options]) -> tuple[ImportTotals, int | None]:
    """Import an exported catalogue: studies with all their details, and all their sites.

    Raises
    ------
    NotReady, DataFault, InvalidInput, LedgerBusy, StorageFault
        See `read_catalogue` and `import_records`; nothing is changed then.
    """
    return import_with_caps(settings, read_catalogue(path), "catalogue", path.name, options)


def import_with_caps(
    settings: Settings, records: Iterable[CatalogueRecord], origin: str, source: str, options: Options
) -> tuple[ImportTotals, int | None]:
    """Import records that may state spots, and set new ones as caps."""
    from sitematch.store.capacity.stated_caps import take_stated_caps
    from sitematch.store.engine import open_store

    done = import_into(settings, records, origin=origin, source=source, **options)
    if done[1] is not None:
        with open_store(settings.database_url) as store:
            take_stated_caps(store, options["now"])
    return done


Run = Callable[..., tuple[ImportTotals, int | None]]
"""Imports with `Options`, which are given as keywords."""


def import_any(
    settings: Settings, paths: Sequence[Path], study_id: str | None, form: TableForm, title: str
) -> Iterator[tuple[Path, str, Run]]:
    """Detect the kind of each file; return what it is, and the function that imports it.

    Parameters
    ----------
    settings
        Where things are.
    paths
        The files.
    study_id, form, title
        For files that are tables of sites; see `sitematch.services.studies.site_tables.import_table`. FHIR is a table
        if a study is given.

    Raises
    ------
    InvalidInput
        If no file is given, or a file cannot be opened.
    """
    from sitematch.importers.tables.own_table import is_own
    from sitematch.services.studies.site_tables import import_own_table, import_table

    if not paths:
        raise InvalidInput("Name a file.", field="source")
    for path in paths:
        try:
            source = source_of(path)
        except OSError as error:
            raise InvalidInput(f"{path} cannot be read: {error.strerror}.", field="source") from error
        is_table = source is ImportSource.TABLE or (source is ImportSource.FHIR and study_id is not None)
        if source is ImportSource.TABLE and is_own(path, ""):
            yield path, "Table of sitematch", partial(import_own_table, settings, path, study_id, "", is_whole=False)
        elif is_table:
            yield (
                path,
                SOURCES[ImportSource.TABLE].title,
                partial(import_table, settings, path, study_id, form, title=title),
            )
        else:
            yield path, SOURCES[source].title, partial(import_files, settings, source, (path,))


def import_files(
    settings: Settings, source: ImportSource, paths: tuple[Path, ...], **options: Unpack[Options]
) -> tuple[ImportTotals, int | None]:
    """Import files of one source other than a table; see `import_records`.

    Raises
    ------
    InvalidInput
        If no file is given.
    NotReady, DataFault, LedgerBusy, StorageFault
        See `import_records`; nothing is changed then.
    """
    if not paths:
        raise InvalidInput("Name a file.", field="source")
    today = options["now"].date()
    records = (record for path in paths for record in RECORD_READERS[source](path, today))
    return import_into(settings, records, origin=source.value, source=", ".join(path.name for path in paths), **options)
