"""Importing studies: reading records, locating sites, reporting differences, in one transaction.

The first pass reads and locates every record and writes the result to a temporary file. The second pass, in one
transaction, compares with the catalogue and writes. So memory contains only one study at a time, a failure at any point
changes nothing, and the write lock is held only during the second pass.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from datetime import datetime
from typing import IO, TYPE_CHECKING, Protocol, Required, TypedDict, Unpack

import msgspec

from sitematch.config import Settings
from sitematch.domain.studies.change import (
    RevisedSites,
    StudyChange,
    compare_studies,
    merge_study,
    revise_sites,
    take_sites,
)
from sitematch.domain.studies.contact import Contact, StudyContacts
from sitematch.domain.studies.identity import SiteIdentity
from sitematch.domain.studies.import_outcome import ImportTotals
from sitematch.domain.studies.record import CatalogueRecord, RecordLocation, StudyRecord
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.status_origin import (
    status_origin,
)
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import DataFault, Fault, StudyNotFound
from sitematch.gazetteer.grammar import find_country
from sitematch.gazetteer.locate import Gazetteer
from sitematch.services.studies.placer import Placer
from sitematch.services.studies.placing import (
    is_notice,
    tells_contradiction,
)

if TYPE_CHECKING:
    from sitematch.store.engine import Store
    from sitematch.store.studies.imports import ImportTransaction

_SPOOL_IN_MEMORY_BYTES = 8 << 20
_FAULTS_KEPT = 1_000


class _LaidAside(msgspec.Struct, array_like=True):
    """A study between the two passes. Sites from a record have no ids yet; sites from a catalogue do."""

    study_id: str
    study: Study | None
    sites: tuple[Site, ...]
    has_ids: bool = False
    is_whole: bool = True
    central: tuple[Contact, ...] = ()
    contacts: tuple[tuple[Contact, ...], ...] = ()
    left_out: tuple[SiteIdentity, ...] = ()
    states_status: bool = True
    lists_sites: bool = True
    is_copy: bool = False


_LAID_ASIDE = msgspec.msgpack.Decoder(_LaidAside)


class ImportWatcher(Protocol):
    """Receives the progress and the problems of an import."""

    def fault(self, fault: Fault, /) -> None:
        """Record that something could not be used."""
        ...

    def notice(self, where: str, text: str, /) -> None:
        """Record a notice about a single field of a study or a location."""
        ...

    def contradiction(self, site: Site, where: str, flag: str, /) -> None:
        """Record that parts of a record contradict one another; the flag says what was used and why."""
        ...

    def unplaced(self, site: Site, where: str, /) -> None:
        """Record a site that could not be placed."""
        ...

    def change(self, change: StudyChange, /) -> None:
        """Record a study that changes, or would change."""
        ...

    def progress(self, studies: int, sites: int, /) -> None:
        """Record how much was read and located."""
        ...


class Options(TypedDict, total=False):
    """The options of an import; see `import_records`."""

    now: Required[datetime]
    watcher: Required[ImportWatcher]
    dry_run: bool
    allow_older: bool
    allow_left_out: bool
    silent_status: RecruitmentStatus | None
    strict: bool


def import_into(
    settings: Settings,
    records: Iterable[StudyRecord | CatalogueRecord | Fault],
    *,
    origin: str,
    source: str,
    **options: Unpack[Options],
) -> tuple[ImportTotals, int | None]:
    """Open the gazetteer and the database, and call `import_records`; errors: see there."""
    from sitematch.store.engine import open_store

    gazetteer = Gazetteer.open(settings.gazetteer_path)
    with open_store(settings.database_url) as store:
        return import_records(store, gazetteer, records, origin=origin, source=source, **options)


def import_records(
    store: Store,
    gazetteer: Gazetteer,
    records: Iterable[StudyRecord | CatalogueRecord | Fault],
    *,
    origin: str,
    source: str,
    now: datetime,
    watcher: ImportWatcher,
    dry_run: bool = False,
    allow_older: bool = False,
    allow_left_out: bool = False,
    silent_status: RecruitmentStatus | None = None,
    strict: bool = False,
) -> tuple[ImportTotals, int | None]:
    """Import records into the catalogue.

    Parameters
    ----------
    store
        The database.
    gazetteer
        Source of coordinates.
    records
        The records from an importer; read once, with constant memory. A registry's record is located, and its sites are
        matched with known ones. A catalogue's record is used unchanged, with the ids of its sites.
    origin, source
        See `sitematch.domain.studies.import_outcome.ImportRecord`.
    now
        The moment (aware, UTC).
    watcher
        Receives faults, contradictions and changes.
    dry_run
        Compare and report, but change nothing.
    allow_older
        Import a record that is older than the last import of its study; otherwise it is left out.
    allow_left_out
        If a row that names a site of the catalogue cannot be used, leave that site unchanged and import the rest.
        Otherwise nothing is imported.
    silent_status
        The status of sites without a status in any record; None leaves them UNKNOWN.
    strict
        Import nothing if anything cannot be used.

    Returns
    -------
    tuple
        Totals, and the import's number: None if nothing changed.

    Raises
    ------
    DataFault, NotReady, OnlineUnavailable
        As raised by `records`; nothing is changed then. A `DataFault` also if `strict` is set and something was left
        out, or if `allow_left_out` is needed.
    StudyNotFound
        If there are sites, but no details, of a study that is not in the catalogue; nothing is changed then.
    InvalidInput, LedgerBusy, StorageFault
        See `sitematch.store.studies.imports.importing`; nothing is changed then.
    """
    from sitematch.store.studies.imports import importing, inspecting

    counts: Counter[str] = Counter()
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_IN_MEMORY_BYTES) as spool:
        faults = _lay_aside(records, Placer(gazetteer, silent_status), spool, counts, watcher)
        refused = counts["left_out"] + counts["records_left_out"]
        if strict and refused:
            raise DataFault(f"{source}: {refused} parts are unusable, so nothing was imported.", faults=faults)
        with (inspecting if dry_run else importing)(store) as transaction:
            for laid in _laid_aside(spool):
                _bring_in(transaction, laid, counts, watcher, dry_run=dry_run, allow_older=allow_older)
            totals = ImportTotals(**{field.name: counts[field.name] for field in fields(ImportTotals)})
            if totals.held_back and not (dry_run or allow_left_out):
                raise DataFault(f"{source}: nothing was imported. {totals.held_back_text}", faults=faults)
            done = None if dry_run else transaction.finish(at=now, origin=origin, source=source, totals=totals)
    return totals, done


def _lay_aside(
    records: Iterable[StudyRecord | CatalogueRecord | Fault],
    placer: Placer,
    spool: IO[bytes],
    counts: Counter[str],
    watcher: ImportWatcher,
) -> list[Fault]:
    """Read and locate all records; return the first `_FAULTS_KEPT` errors."""
    encoder = msgspec.msgpack.Encoder()
    kept: list[Fault] = []
    for record in records:
        if isinstance(record, Fault):
            counts["records_left_out"] += 1
            watcher.fault(record)
            kept += [record][: _FAULTS_KEPT - len(kept)]
            continue
        if isinstance(record, CatalogueRecord):
            laid = _LaidAside(record.study_id, record.study, record.sites, True, record.is_whole)
            counts.update(studies=1, locations=len(laid.sites), sites=len(laid.sites))
            counts["unplaced"] += sum(site.place is None for site in laid.sites)
            unknown = sum(site.status is RecruitmentStatus.UNKNOWN for site in laid.sites)
            counts.update(status_unknown=unknown, status_stated=len(laid.sites) - unknown)
            _lay(laid, spool, encoder)
            watcher.progress(counts["studies"], counts["sites"])
            continue
        sites: list[Site] = []
        contacts: list[tuple[Contact, ...]] = []
        faults = list(record.faults)
        left_out = [_whereabouts(location) for location in record.left_out]
        for text in record.notices:
            watcher.notice(record.study.study_id, text)
        counts["notices"] += len(record.notices)
        for location in record.locations:
            site = placer.site(location, record.study)
            if isinstance(site, Fault):
                faults.append(site)
                left_out.append(_whereabouts(location))
                continue
            noticed = [flag for flag in site.flags if is_notice(flag)]
            counts["notices"] += len(noticed)
            for flag in noticed:
                watcher.notice(f"{location.where}, {site.facility}, {site.city}", flag)
            sites.append(site)
            contacts.append(location.contacts)
            if site.place is None:
                counts["unplaced"] += 1
                watcher.unplaced(site, location.where)
            contradictions = [flag for flag in site.flags if tells_contradiction(flag)]
            counts["contradictions"] += bool(contradictions)
            for flag in contradictions:
                watcher.contradiction(site, location.where, flag)
        for fault in faults:
            watcher.fault(fault)
        kept += faults[: _FAULTS_KEPT - len(kept)]
        counts.update(studies=1, locations=record.given, sites=len(sites), left_out=len(faults))
        laid = _LaidAside(
            record.study.study_id,
            record.study,
            tuple(sites),
            central=record.contacts,
            contacts=tuple(contacts),
            left_out=tuple(left_out),
            states_status=record.states_status,
            lists_sites=record.lists_sites,
            is_copy=record.is_copy,
        )
        _lay(laid, spool, encoder)
        watcher.progress(counts["studies"], counts["sites"])
    return kept


def _whereabouts(location: RecordLocation) -> SiteIdentity:
    return SiteIdentity(
        location.facility, location.city, location.postcode, find_country(location.country) or "", location.address
    )


def _lay(laid: _LaidAside, spool: IO[bytes], encoder: msgspec.msgpack.Encoder) -> None:
    packed = encoder.encode(laid)
    spool.write(len(packed).to_bytes(4, "big") + packed)


def _laid_aside(spool: IO[bytes]) -> Iterator[_LaidAside]:
    spool.seek(0)
    while head := spool.read(4):
        yield _LAID_ASIDE.decode(spool.read(int.from_bytes(head, "big")))


def _bring_in(
    transaction: ImportTransaction,
    laid: _LaidAside,
    counts: Counter[str],
    watcher: ImportWatcher,
    *,
    dry_run: bool,
    allow_older: bool,
) -> None:
    known = transaction.read(laid.study_id)
    study = laid.study or known.study
    if study is None:
        raise StudyNotFound(f"There is no study {laid.study_id!r} in the catalogue.", field="study")
    was_of_record = known.study is not None and known.study.source == study.source
    if known.study and was_of_record and study.as_of_on < known.study.as_of_on and not allow_older:
        counts["records_left_out"] += 1
        reason = f"is older than the stored version of {known.study.as_of_on.isoformat()}; use allow-older to import it"
        watcher.fault(Fault(0, "date", study.as_of_on.isoformat(), reason, place=study.study_id))
        return
    if laid.is_copy and known.study is not None and not was_of_record:
        counts["records_left_out"] += 1
        reason = f"is a copy; the catalogue has the study from {known.study.source}, which stays"
        watcher.fault(Fault(0, "study", study.study_id, reason, place=study.study_id))
        return
    if laid.has_ids:
        revised = take_sites(study, known.sites, laid.sites, in_use=known.in_use, is_whole=laid.is_whole)
    else:
        study = merge_study(
            known.study,
            study,
            was_imported=known.was_imported,
            had_stand_ins=any(site.is_stand_in for site in known.sites),
            states_status=laid.states_status,
        )
        travel, reimbursement = study.travel, study.time_reimbursement
        offered = tuple(replace(site, travel=travel, time_reimbursement=reimbursement) for site in laid.sites)
        if laid.lists_sites:
            revised = revise_sites(study, known.sites, offered, in_use=known.in_use, left_out=laid.left_out)
        else:
            revised = RevisedSites(known.sites, (), len(known.sites))
        counts["held_back"] += revised.held_back
        counts.update(f"status_{status_origin(site)}" for site in revised.sites[: len(offered)])
    change = StudyChange(
        study_id=study.study_id,
        is_new=known.study is None,
        fields=compare_studies(known.study, study, all_fields=laid.has_ids),
        sites=revised.changes,
        unchanged=revised.unchanged,
    )
    counts.update(kind.value for kind in change.counts().elements())
    if not change.is_empty:
        watcher.change(change)
    if (study, revised.sites) != (known.study, known.sites):
        counts["studies_changed"] += 1
        if not dry_run:
            transaction.write(known, study, revised.sites)
    if not dry_run:
        # The record's sites come first among the revised ones, in its order.
        by_site = {site.site_id: own for site, own in zip(revised.sites, laid.contacts, strict=False) if own}
        kept = transaction.keep_contacts(known, study.study_id, StudyContacts(central=laid.central, by_site=by_site))
        counts["contacts"] += len(kept)
        counts["contacts_erased"] += max(0, len(known.contacts) - len(kept))
