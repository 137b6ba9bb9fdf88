"""Importing a file that somebody uploads: first what it would change, then, if they agree, the change; and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sitematch.domain.accounts.access import Actor, Permission, may, require
from sitematch.domain.studies.change import StudyChange
from sitematch.domain.studies.import_outcome import ImportRecord, ImportTotals
from sitematch.domain.studies.record import StudyRecord
from sitematch.domain.studies.site import Site
from sitematch.errors import Fault
from sitematch.gazetteer.locate import Gazetteer
from sitematch.importers.sandbox.reading import read_records_apart, read_table_apart
from sitematch.services.studies.importing import import_records
from sitematch.services.studies.site_tables import TableForm, read_sites_tables
from sitematch.services.studies.sources import RECORD_READERS, ImportSource
from sitematch.store.engine import Store
from sitematch.store.studies import imports

SHOWN = 200
"""Studies, contradictions and faults that an outcome keeps; what is beyond is counted."""


@dataclass(slots=True)
class UploadOutcome:
    """What an import changed, or would.

    Parameters
    ----------
    changes
        Studies that change, as they came.
    faults
        What could not be used.
    notices
        What was noticed and costs only itself: where, and what.
    contradictions
        Sites whose records contradict themselves, and what was believed.
    totals
        Counts of everything, also of what is not kept here.
    studies_changing
        How many studies there are in `changes`, and beyond.
    import_id
        The import's number; None if nothing was changed.
    """

    changes: list[StudyChange] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notices: list[tuple[str, str]] = field(default_factory=list)
    contradictions: list[tuple[Site, str]] = field(default_factory=list)
    totals: ImportTotals = field(default_factory=ImportTotals)
    studies_changing: int = 0
    import_id: int | None = None

    def fault(self, fault: Fault, /) -> None:
        """Hear that something could not be used."""
        self.faults += [fault][: SHOWN - len(self.faults)]

    def notice(self, where: str, text: str, /) -> None:
        """Hear what was noticed and costs only itself."""
        self.notices += [(where, text)][: SHOWN - len(self.notices)]

    def contradiction(self, site: Site, _where: str, flag: str, /) -> None:
        """Hear that parts of a record contradict one another."""
        self.contradictions += [(site, flag)][: SHOWN - len(self.contradictions)]

    def change(self, change: StudyChange, /) -> None:
        """Hear that a study changes, or would."""
        self.studies_changing += 1
        self.changes += [change][: SHOWN - len(self.changes)]

    def progress(self, _studies: int, _sites: int, /) -> None:
        """Hear how much was read; a page has nobody to tell."""


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
    """Bring a file in, or tell what that would change.

    The file is read in a process of its own, within `UPLOAD_LIMITS` and `UPLOAD_PROCESS`: nothing in it can hold up or
    end the process that serves. Studies that the actor may not change are left out and reported.

    Parameters
    ----------
    store, gazetteer, actor
        Where, and who asks.
    path, form
        The file, and what it is.
    name, uploader
        What to call it, and who brought it, in the list of imports.
    study_id
        Whose sites a table holds; other forms say so themselves.
    now
        The instant (aware).
    dry_run
        Change nothing.
    allow_older, allow_left_out
        See `import_records`.

    Raises
    ------
    NotAllowed
        If the actor may change no study, or not the one whose sites a table holds.
    DataFault, InvalidInput, StudyNotFound
        If the file cannot be read or is too large, or a column is not understood; nothing is changed then.
    LedgerBusy, StorageFault, NotReady
        See `read_table_apart` and `import_records`; nothing is changed then.
    """
    outcome = UploadOutcome()
    records: Iterable[StudyRecord | Fault]
    if form is ImportSource.TABLE:
        require(actor, Permission.CATALOGUE_WRITE, study_id=study_id)
        records = read_sites_tables(store, path, study_id, TableForm(), now.date(), reader=read_table_apart)[0]
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


def list_imports(store: Store, actor: Actor) -> tuple[ImportRecord, ...]:
    """Return the imports, latest first, to whoever may change every study; to others none.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    return imports.list_imports(store) if may(actor, Permission.CATALOGUE_WRITE) else ()


def undo_import(store: Store, actor: Actor, import_id: int, now: datetime) -> ImportRecord:
    """Take the latest import back, if it is the one that was looked at; see `store.studies.imports.undo_import`.

    Raises
    ------
    NotAllowed
        If the actor may not change every study.
    InvalidInput, LedgerBusy, StorageFault, NotReady
        See there; `InvalidInput` also if another import came, or was undone, meanwhile.
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
