"""Studies from exported catalogues, FHIR bundles and the NCI's trials: imported in the same way as the registry's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Unpack

from sitematch.config import Settings
from sitematch.domain.studies.import_outcome import ImportTotals
from sitematch.domain.studies.record import CatalogueRecord
from sitematch.errors import InvalidInput
from sitematch.importers.catalogue import read_catalogue
from sitematch.services.studies.importing import Options, import_into
from sitematch.services.studies.sources import RECORD_READERS, ImportSource


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
