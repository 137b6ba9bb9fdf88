"""Imports: one transaction for all studies of an import, and the undo."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.studies.contact import NO_CONTACTS, StudyContacts
from sitematch.domain.studies.design import NO_DESIGN
from sitematch.domain.studies.import_outcome import ImportRecord, ImportTotals
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study
from sitematch.errors import InvalidInput
from sitematch.store import schema
from sitematch.store.engine import Store
from sitematch.store.instants import from_us, to_us
from sitematch.store.studies.catalogue import sites_in_use, touch, write_study
from sitematch.store.studies.contacts import contacts_of, store_contacts
from sitematch.store.studies.recruiting_days import forget_recruiting
from sitematch.store.studies.rows import site_of, study_of

_BATCH, _PART = schema.import_batch.c, schema.import_study.c
_VERSION = msgspec.json.Decoder(tuple[Study, tuple[Site, ...]])
_TOTALS = msgspec.json.Decoder(ImportTotals)


@dataclass(frozen=True, slots=True)
class KnownStudy:
    """The catalogue's state of a study.

    Parameters
    ----------
    study
        None if it is not in the catalogue.
    sites
        Its sites, in order.
    in_use
        Ids of its sites with referrals.
    was_imported
        Whether the study comes from an import, and not from a person.
    contacts
        The stored contacts.
    """

    study: Study | None
    sites: tuple[Site, ...]
    in_use: frozenset[str]
    was_imported: bool
    contacts: StudyContacts = NO_CONTACTS


class ImportTransaction:
    """An import in progress; `importing` creates it."""

    def __init__(self, connection: sa.Connection, import_id: int) -> None:
        self._connection = connection
        self.import_id = import_id
        self._parts: dict[str, dict[str, Any]] = {}
        self._written: set[str] = set()
        self._touched = False

    def read(self, study_id: str) -> KnownStudy:
        """Return the catalogue's state of a study, with this import's changes so far."""
        study, sites = _read(self._connection, study_id)
        if study is None:
            return KnownStudy(None, (), frozenset(), True)
        brought = (
            sa.select(sa.literal(1))
            .select_from(schema.import_study.join(schema.import_batch))
            .where(_PART.study_id == study_id, _PART.before.is_(None), _BATCH.undone_at_us.is_(None))
            .limit(1)
        )
        was_imported = study_id in self._written or self._connection.execute(brought).first() is not None
        in_use, contacts = sites_in_use(self._connection, study_id), contacts_of(self._connection, study_id)
        return KnownStudy(study, sites, in_use, was_imported, contacts)

    def write(self, known: KnownStudy, study: Study, sites: Sequence[Site]) -> None:
        """Replace a study by its new version.

        Raises
        ------
        InvalidInput
            See `sitematch.store.studies.catalogue.replace_study`.
        """
        self._touch()
        write_study(self._connection, study, sites)
        after_hash = _hash(study, sites)
        if study.study_id in self._written:
            # The file contains the study twice; the version before the first one is kept.
            self._flush()
            self._connection.execute(
                sa.update(schema.import_study)
                .where(_PART.import_id == self.import_id, _PART.study_id == study.study_id)
                .values(after_hash=after_hash)
            )
            return
        self._written.add(study.study_id)
        before = None if known.study is None else msgspec.json.encode((known.study, known.sites)).decode()
        self._parts[study.study_id] = {
            "import_id": self.import_id,
            "study_id": study.study_id,
            "before": before,
            "after_hash": after_hash,
        }
        if len(self._parts) >= 200:
            self._flush()

    def keep_contacts(self, known: KnownStudy, study_id: str, contacts: StudyContacts) -> StudyContacts:
        """Replace the contacts of a study, with or without a call of `write`; contacts not given are erased.

        Returns
        -------
        StudyContacts
            The stored contacts: only those of sites, and of a study, that take patients.
        """
        if contacts or known.contacts:
            store_contacts(self._connection, study_id, contacts)
        kept = contacts_of(self._connection, study_id) if contacts else NO_CONTACTS
        if kept != known.contacts:
            self._touch()  # the data in the servers' memory is out of date
        return kept

    def _touch(self) -> None:
        if not self._touched:
            touch(self._connection)
            self._touched = True

    def finish(self, *, at: datetime, origin: str, source: str, totals: ImportTotals) -> int | None:
        """Record the import; call it last.

        Returns
        -------
        int or None
            Its number; None if it wrote nothing and is not recorded.
        """
        if not self._written:
            return None
        self._flush()
        self._connection.execute(
            sa.update(schema.import_batch)
            .where(_BATCH.import_id == self.import_id)
            .values(at_us=to_us(at), origin=origin, source=source, totals=msgspec.json.encode(totals).decode())
        )
        return self.import_id

    def _flush(self) -> None:
        if not self._parts:
            return
        exists = sa.select(_BATCH.import_id).where(_BATCH.import_id == self.import_id)
        if self._connection.execute(exists).first() is None:
            self._connection.execute(
                sa.insert(schema.import_batch).values(
                    import_id=self.import_id, at_us=0, origin="", source="", totals="{}"
                )
            )
        self._connection.execute(sa.insert(schema.import_study), list(self._parts.values()))
        self._parts.clear()


@contextmanager
def importing(store: Store) -> Iterator[ImportTransaction]:
    """Open the transaction of an import: all of it is stored or, after an error, nothing.

    Yields
    ------
    ImportTransaction
        No other change of the catalogue can happen between its reads and its writes.

    Raises
    ------
    LedgerBusy, StorageFault
        See `Store.writing`.
    """
    with store.writing() as connection:
        # On SQLite the transaction already has the write lock, and FOR UPDATE is left out.
        connection.execute(sa.select(schema.catalogue.c.version).with_for_update()).one()
        yield ImportTransaction(connection, _last_id(connection) + 1)


@contextmanager
def inspecting(store: Store) -> Iterator[ImportTransaction]:
    """Open a read-only transaction to preview an import; `write` fails in it."""
    with store.reading() as connection:
        yield ImportTransaction(connection, _last_id(connection) + 1)


def list_imports(store: Store) -> tuple[ImportRecord, ...]:
    """Return the imports, latest first; imports that changed nothing are not recorded."""
    with store.reading() as connection:
        rows = connection.execute(sa.select(schema.import_batch).order_by(_BATCH.import_id.desc()))
        return tuple(_record(row) for row in rows)


def imported_studies(store: Store, origin: str) -> tuple[str, ...]:
    """Return the ids of the catalogue's studies from an origin, in order."""
    query = (
        sa.select(_PART.study_id)
        .select_from(schema.import_study.join(schema.import_batch))
        .where(_BATCH.origin == origin, _BATCH.undone_at_us.is_(None))
        .where(_PART.study_id.in_(sa.select(schema.study.c.study_id)))
        .distinct()
        .order_by(_PART.study_id)
    )
    with store.reading() as connection:
        return tuple(connection.execute(query).scalars())


def undo_import(store: Store, now: datetime, *, import_id: int | None = None) -> ImportRecord:
    """Undo the latest import that was not undone yet: restore the earlier version of every study.

    Parameters
    ----------
    store
        The database.
    now
        When (aware, UTC).
    import_id
        The expected import, if the caller has seen it before; None for whichever is the latest.

    Returns
    -------
    ImportRecord
        The import, now undone.

    Raises
    ------
    InvalidInput
        If there is none, or the latest one is not the expected one; if one of its studies was changed since, because
        undoing would lose the change; or if a site that it added has referrals. Nothing is changed then.
    LedgerBusy, StorageFault
        See `Store.writing`.
    """
    with store.writing() as connection:
        touch(connection)
        latest = sa.select(schema.import_batch).where(_BATCH.undone_at_us.is_(None)).order_by(_BATCH.import_id.desc())
        row = connection.execute(latest.limit(1)).one_or_none()
        if row is None:
            raise InvalidInput("There is no import to undo.", field="import")
        if import_id not in (None, row.import_id):
            raise InvalidInput(
                f"Only the latest import can be undone. That is {row.import_id}, not {import_id}. Nothing was undone.",
                field="import",
            )
        ids = connection.execute(sa.select(_PART.study_id).where(_PART.import_id == row.import_id)).scalars().all()
        for study_id in ids:
            _put_back(connection, row.import_id, study_id)
        connection.execute(
            sa.update(schema.import_batch).where(_BATCH.import_id == row.import_id).values(undone_at_us=to_us(now))
        )
        return replace(_record(row), undone_at=now)


def _put_back(connection: sa.Connection, import_id: int, study_id: str) -> None:
    part = connection.execute(
        sa.select(schema.import_study).where(_PART.import_id == import_id, _PART.study_id == study_id)
    ).one()
    study, sites = _read(connection, study_id)
    if study is None or _hash(study, sites) != part.after_hash:
        raise InvalidInput(
            f"Study {study_id} was changed after import {import_id}. Undoing would lose that. Nothing was undone.",
            field="study_id",
        )
    if part.before is not None:
        before, before_sites = _VERSION.decode(part.before)
        forget_recruiting(connection, sites, before_sites)
        write_study(connection, before, before_sites)
        return
    in_use = sorted(sites_in_use(connection, study_id))
    if in_use:
        raise InvalidInput(
            f"Site {in_use[0]}, which was added by import {import_id}, has referrals. Nothing was undone.",
            field="site_id",
        )
    forget_recruiting(connection, sites, ())
    connection.execute(sa.delete(schema.site).where(schema.site.c.study_id == study_id))
    connection.execute(sa.delete(schema.study).where(schema.study.c.study_id == study_id))


def _read(connection: sa.Connection, study_id: str) -> tuple[Study | None, tuple[Site, ...]]:
    row = connection.execute(sa.select(schema.study).where(schema.study.c.study_id == study_id)).one_or_none()
    if row is None:
        return None, ()
    rows = connection.execute(
        sa.select(schema.site).where(schema.site.c.study_id == study_id).order_by(schema.site.c.position)
    )
    return study_of(row), tuple(site_of(site) for site in rows)


def _last_id(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(_BATCH.import_id), 0))).scalar_one())


def _hash(study: Study, sites: Sequence[Site]) -> str:
    """Hash a version of a study. Empty fields of schemas 0010 and 0013 are left out, so older hashes stay valid."""
    facts = msgspec.to_builtins(study)
    if study.design == NO_DESIGN:
        del facts["design"]
    rows = [msgspec.to_builtins(site) for site in sites]
    for row in rows:
        for name in ("address", "opened_on"):
            if not row[name]:
                del row[name]
    return hashlib.sha256(msgspec.json.encode((facts, rows))).hexdigest()


def _record(row: sa.Row[Any]) -> ImportRecord:
    return ImportRecord(
        import_id=row.import_id,
        at=from_us(row.at_us),
        origin=row.origin,
        source=row.source,
        totals=_TOTALS.decode(row.totals),
        undone_at=None if row.undone_at_us is None else from_us(row.undone_at_us),
    )
