"""Importing an uploaded file: a preview of the changes, the import after confirmation, and the undo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sitematch.domain.accounts.access import Actor, Permission, may, require
from sitematch.domain.studies.change import StudyChange
from sitematch.domain.studies.import_outcome import ImportRecord, ImportTotals
from sitematch.domain.studies.record import CatalogueRecord, StudyRecord
from sitematch.domain.studies.site import Site
from sitematch.errors import Fault, InvalidInput
from sitematch.gazetteer.locate import Gazetteer
from sitematch.importers.file_kinds import source_of
from sitematch.importers.sandbox.reading import read_records_apart, read_table_apart
from sitematch.importers.tables.foreign import ForeignTable
from sitematch.importers.tables.own_table import has_own_columns, own_records
from sitematch.services.studies.importing import import_records
from sitematch.services.studies.site_tables import TableForm, read_sites_tables
from sitematch.services.studies.sources import RECORD_READERS, ImportSource
from sitematch.services.studies.unplaced import Unplaced, explain_unplaced
from sitematch.store.engine import Store
from sitematch.store.studies import imports

SHOWN = 200
"""Maximum number of studies, contradictions and faults in an outcome; the others are only counted."""


@dataclass(slots=True)
class UploadOutcome:
    """The changes of an import, or of a preview.

    Parameters
    ----------
    changes
        Changed studies, in the order of the file.
    faults
        The parts that could not be used.
    notices
        Notices about single fields that could not be used: where, and what.
    contradictions
        Sites whose records contradict themselves, and what was used.
    unplaced_sites
        Sites that could not be placed, each with the reason and the best guess.
    gazetteer
        The source of the guesses.
    totals
        Counts of everything, including what is not listed here.
    studies_changing
        The number of changed studies, including those not in `changes`.
    import_id
        The import's number; None if nothing was changed.
    """

    changes: list[StudyChange] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notices: list[tuple[str, str]] = field(default_factory=list)
    contradictions: list[tuple[Site, str]] = field(default_factory=list)
    unplaced_sites: list[Unplaced] = field(default_factory=list)
    gazetteer: Gazetteer | None = None
    totals: ImportTotals = field(default_factory=ImportTotals)
    studies_changing: int = 0
    import_id: int | None = None

    def fault(self, fault: Fault, /) -> None:
        """Record that something could not be used."""
        self.faults += [fault][: SHOWN - len(self.faults)]

    def notice(self, where: str, text: str, /) -> None:
        """Record a notice about a single field."""
        self.notices += [(where, text)][: SHOWN - len(self.notices)]

    def contradiction(self, site: Site, _where: str, flag: str, /) -> None:
        """Record that parts of a record contradict one another."""
        self.contradictions += [(site, flag)][: SHOWN - len(self.contradictions)]

    def unplaced(self, site: Site, _where: str, /) -> None:
        """Record a site that could not be placed, with the reason and the best guess."""
        if len(self.unplaced_sites) < SHOWN and self.gazetteer is not None:
            self.unplaced_sites.append(explain_unplaced(self.gazetteer, site))

    def change(self, change: StudyChange, /) -> None:
        """Record a study that changes, or would change."""
        self.studies_changing += 1
        self.changes += [change][: SHOWN - len(self.changes)]

    def progress(self, _studies: int, _sites: int, /) -> None:
        """Ignore the progress, because a page does not show it."""


def import_upload(
    store: Store,
    gazetteer: Gazetteer,
    actor: Actor,
    path: Path,
    form: ImportSource,
    *,
    name: str,
    uploader: str,
    study_id: str,
    now: datetime,
    dry_run: bool,
    allow_older: bool = False,
    allow_left_out: bool = False,
) -> UploadOutcome:
    """Import a file, or preview its changes.

    A separate process reads the file, within `UPLOAD_LIMITS` and `UPLOAD_PROCESS`, so that the file cannot block or end
    the server process. Studies that the actor may not change are left out and reported.

    Parameters
    ----------
    store, gazetteer, actor
        The data and the actor.
    path, form
        The file, and the source that the person chose. If the file is certainly of another kind, that kind is used.
    name, uploader
        Its name and the person who uploaded it, for the list of imports.
    study_id
        The study of a table; other sources name their studies themselves.
    now
        The instant (aware).
    dry_run
        Change nothing, only preview.
    allow_older, allow_left_out
        See `import_records`.

    Raises
    ------
    NotAllowed
        If the actor may not change any study, or not the study of a table.
    DataFault, InvalidInput, StudyNotFound
        If the file cannot be read or is too large, or a column is not understood; nothing is changed then.
    LedgerBusy, StorageFault, NotReady
        See `read_table_apart` and `import_records`; nothing is changed then.
    """
    outcome = UploadOutcome(gazetteer=gazetteer)
    detected = source_of(path)
    if detected is not ImportSource.TABLE:
        form = detected
    records: Iterable[StudyRecord | CatalogueRecord | Fault]
    if form is ImportSource.TABLE:
        require(actor, Permission.CATALOGUE_WRITE, study_id=study_id)
        table = read_table_apart(path)
        if has_own_columns(table.header):
            records = _own(table, study_id)
        else:
            records = read_sites_tables(store, path, study_id, TableForm(), now.date(), reader=lambda *_: table)[0]
    else:
        records = _allowed(actor, read_records_apart(RECORD_READERS[form], path, now.date()))
    outcome.totals, outcome.import_id = import_records(
        store,
        gazetteer,
        records,
        origin=form.value,
        source=f"{name}, uploaded by {uploader}",
        now=now,
        watcher=outcome,
        dry_run=dry_run,
        allow_older=allow_older,
        allow_left_out=allow_left_out,
    )
    return outcome


def _own(table: ForeignTable, study_id: str) -> Iterator[CatalogueRecord]:
    """Read a table that sitematch exported: its sites keep their ids, places and marks."""
    for record in own_records(table.name, table.header, table.rows, is_whole=True):
        if record.study_id != study_id:
            raise InvalidInput(
                f"The table has sites of {record.study_id}, not of {study_id}. Switch to that study to import them.",
                field="file",
            )
        yield record


def list_imports(store: Store, actor: Actor) -> tuple[ImportRecord, ...]:
    """Return the imports, latest first, for an actor who may change every study; otherwise none.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    return imports.list_imports(store) if may(actor, Permission.CATALOGUE_WRITE) else ()


def undo_import(store: Store, actor: Actor, import_id: int, now: datetime) -> ImportRecord:
    """Undo the latest import, if it is the one that the page showed; see `store.studies.imports.undo_import`.

    Raises
    ------
    NotAllowed
        If the actor may not change every study.
    InvalidInput, LedgerBusy, StorageFault, NotReady
        See there; `InvalidInput` also if another import was made or undone meanwhile.
    """
    require(actor, Permission.CATALOGUE_WRITE)
    return imports.undo_import(store, now, import_id=import_id)


def _allowed(actor: Actor, records: Iterable[StudyRecord | Fault]) -> Iterator[StudyRecord | Fault]:
    for record in records:
        if isinstance(record, StudyRecord):
            study_id = record.study.study_id
            if not may(actor, Permission.CATALOGUE_WRITE, study_id=study_id):
                reason = "you do not have permission to change this study, so it was left out"
                yield Fault(0, "study", study_id, reason, place=study_id)
                continue
        yield record
