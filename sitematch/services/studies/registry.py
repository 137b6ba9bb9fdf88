"""ClinicalTrials.gov's studies: from files, from its API, and refreshed from there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Unpack

from sitematch.config import Settings
from sitematch.domain.plurals import counted
from sitematch.domain.studies.import_outcome import ImportRecord, ImportTotals
from sitematch.domain.studies.record import StudyRecord
from sitematch.errors import Fault, InvalidInput
from sitematch.importers import ctgov
from sitematch.importers.http import CtgovClient, RequestManners, download, questions_for
from sitematch.services.studies.importing import Options, import_into
from sitematch.services.studies.sources import ImportSource, read_ctgov

Say = Callable[[str], None]


class Registry:
    """Imports studies from ClinicalTrials.gov into the catalogue.

    Parameters
    ----------
    settings
        The locations of the database, the gazetteer and the registry.
    say
        Gets a line about each wait.
    manners
        The request limits for the registry; the defaults if omitted.
    """

    def __init__(self, settings: Settings, say: Say, manners: RequestManners | None = None) -> None:
        self._settings = settings
        self._say = say
        self._client = CtgovClient(settings.ctgov_url, manners=manners, say=say)

    def import_studies(
        self,
        sources: Sequence[str],
        *,
        condition: str = "",
        recruiting_only: bool = False,
        contacts: bool = False,
        **options: Unpack[Options],
    ) -> tuple[ImportTotals, int | None]:
        """Import files and studies by their numbers; see `import_records`.

        Parameters
        ----------
        sources
            Files, and NCT numbers of studies to fetch.
        condition
            Also fetch every study about this condition.
        recruiting_only
            Of those, only studies that recruit.
        contacts
            Whether to store persons and the contacts of sites, while patients are taken; otherwise they are erased.
        options
            See `import_records`.

        Raises
        ------
        InvalidInput
            If no source was given.
        StudyNotFound, OnlineUnavailable
            See `CtgovClient`.
        NotReady, DataFault, LedgerBusy, StorageFault
            See `import_records`.
        """
        if not sources and not condition:
            raise InvalidInput("Give a file, an NCT number such as NCT06064929, or a condition.", field="source")
        named = ", ".join(Path(source).name for source in sources[:5]) + (" …" if len(sources) > 5 else "")
        told = " and ".join(part for part in (named, f"condition {condition!r}" if condition else "") if part)
        records = self._records(sources, condition, recruiting_only, contacts, options["now"])
        return self._import(records, told, **options)

    def refresh(self, *, contacts: bool = False, **options: Unpack[Options]) -> tuple[ImportTotals, int | None]:
        """Fetch every study from ClinicalTrials.gov again; see `import_studies`.

        Raises
        ------
        InvalidInput
            If there is none.
        OnlineUnavailable, NotReady, DataFault, LedgerBusy, StorageFault
            See `import_studies`.
        """
        from sitematch.store.engine import open_store
        from sitematch.store.studies.imports import imported_studies

        with open_store(self._settings.database_url) as store:
            ids = imported_studies(store, ImportSource.CTGOV.value)
        if not ids:
            raise InvalidInput("No study has been imported from ClinicalTrials.gov yet. Use `sitematch import ctgov`.")
        self._say(f"Fetching {counted(len(ids), 'study', 'studies')} of ClinicalTrials.gov again.")
        return self._import(
            self._expected(ids, contacts, options["now"]), f"sync of {counted(len(ids), 'study', 'studies')}", **options
        )

    def _expected(self, ids: Sequence[str], contacts: bool, now: datetime) -> Iterator[StudyRecord | Fault]:
        """Yield the studies, and report those that the registry no longer has."""
        missing = set(ids)
        for record in self._fetched(questions_for(ids), contacts, now):
            if isinstance(record, StudyRecord):
                missing.discard(record.study.study_id)
            yield record
        for study_id in sorted(missing):
            yield Fault(
                0, "nctId", study_id, "the registry no longer has this study; nothing was changed", place="sync"
            )

    def _import(
        self, records: Iterator[StudyRecord | Fault], source: str, **options: Unpack[Options]
    ) -> tuple[ImportTotals, int | None]:
        return import_into(self._settings, records, origin=ImportSource.CTGOV.value, source=source, **options)

    def _records(
        self, sources: Sequence[str], condition: str, recruiting_only: bool, contacts: bool, now: datetime
    ) -> Iterator[StudyRecord | Fault]:
        for source in sources:
            nct_id = source.strip().upper()
            if ctgov.NCT_ID.fullmatch(nct_id) and not Path(source).exists():
                self._say(f"Fetching {nct_id}.")
                yield ctgov.parse_study(self._client.study(nct_id), now.date(), where=nct_id, contacts=contacts)
            else:
                yield from read_ctgov(Path(source), now.date(), contacts=contacts)
        if condition:
            question = {"query.cond": condition} | ({"filter.overallStatus": "RECRUITING"} if recruiting_only else {})
            yield from self._fetched([question], contacts, now)

    def _fetched(
        self, questions: Sequence[dict[str, str]], contacts: bool, now: datetime
    ) -> Iterator[StudyRecord | Fault]:
        # The same queries to the same registry continue where they stopped.
        asked = repr((self._settings.ctgov_url, list(questions), contacts))
        name = hashlib.sha256(asked.encode()).hexdigest()[:16]
        into = self._settings.home / "downloads" / f"{name}.ndjson"
        fetched = download(
            self._client,
            questions,
            into,
            lambda count: self._say(f"{counted(count, 'study', 'studies')} so far."),
            # An interrupted download stays on the disk for a while: without persons, unless they were requested.
            keep=(lambda record: record) if contacts else ctgov.without_contacts,
        )
        for number, value in enumerate(fetched, start=1):
            yield ctgov.parse_study(value, now.date(), where=f"fetched study {number}", contacts=contacts)


def list_imports(settings: Settings) -> tuple[ImportRecord, ...]:
    """Return the imports that changed something, latest first; see `sitematch.store.studies.imports.list_imports`."""
    from sitematch.store.engine import open_store
    from sitematch.store.studies import imports

    with open_store(settings.database_url) as store:
        return imports.list_imports(store)


def undo_last(settings: Settings, now: datetime) -> str:
    """Undo the latest import and return it; see `sitematch.store.studies.imports.undo_import`."""
    from sitematch.store.engine import open_store
    from sitematch.store.studies.imports import undo_import

    with open_store(settings.database_url) as store:
        undone = undo_import(store, now)
    return (
        f"Import {undone.import_id} ({undone.source}) of {undone.at:%Y-%m-%d %H:%M} UTC was undone: "
        f"{undone.totals.studies_changed} studies were restored."
    )
