"""Personal contacts, stored separately from the catalogue and never in its earlier versions.

They are erased at every write of a study's sites (see `catalogue.write_study`), and stored afterwards only by an
import: central contacts without names, and persons and the contacts of sites if it asks for them. So none stays after
its site closes, and undoing an import restores none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from sitematch.domain.studies.contact import Contact, StudyContacts
from sitematch.domain.studies.study import TAKING_STATUSES
from sitematch.store import schema
from sitematch.store.engine import Store, in_batches

_FIELDS = ("name", "role", "phone", "email")
_OF_STUDY, _OF_SITE = schema.study_contact, schema.site_contact


def read_contacts(store: Store, study_id: str) -> StudyContacts:
    """Return a study's contacts; none if there is no such study.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        return contacts_of(connection, study_id)


def contacts_of(connection: sa.Connection, study_id: str) -> StudyContacts:
    """Return a study's contacts inside a transaction."""
    return contacts_of_studies(connection, (study_id,))[study_id]


def contacts_of_studies(connection: sa.Connection, study_ids: Collection[str]) -> dict[str, StudyContacts]:
    """Return the contacts of some studies by study_id, inside a transaction, including studies without any."""
    central: dict[str, list[Contact]] = defaultdict(list)
    own: dict[str, dict[str, list[Contact]]] = defaultdict(lambda: defaultdict(list))
    for part in in_batches(sorted(study_ids)):
        of_study = sa.select(_OF_STUDY).where(_OF_STUDY.c.study_id.in_(part)).order_by(_OF_STUDY.c.position)
        for row in connection.execute(of_study):
            central[row.study_id].append(_contact(row))
        of_site = (
            sa.select(schema.site.c.study_id, _OF_SITE)
            .select_from(_OF_SITE.join(schema.site))
            .where(schema.site.c.study_id.in_(part))
            .order_by(_OF_SITE.c.position)
        )
        for row in connection.execute(of_site):
            own[row.study_id][row.site_id].append(_contact(row))
    return {
        study_id: StudyContacts(
            central=tuple(central[study_id]),
            by_site={site_id: tuple(found) for site_id, found in own[study_id].items()},
        )
        for study_id in study_ids
    }


def store_contacts(connection: sa.Connection, study_id: str, contacts: StudyContacts) -> None:
    """Replace the contacts of a study, for the study and those of its sites that take patients.

    Parameters
    ----------
    connection
        Inside a write transaction, after the study and its sites were written.
    study_id
        The study.
    contacts
        Contacts of sites, or of a study, that take no patients are ignored.
    """
    erase_contacts(connection, study_id)
    if not contacts:
        return
    taking = [status.value for status in TAKING_STATUSES]
    open_study = sa.select(schema.study.c.study_id).where(
        schema.study.c.study_id == study_id, schema.study.c.status.in_(taking)
    )
    if contacts.central and connection.execute(open_study).first() is not None:
        _insert(connection, _OF_STUDY, [("study_id", study_id, contacts.central)])
    open_sites = sa.select(schema.site.c.site_id).where(
        schema.site.c.study_id == study_id, schema.site.c.status.in_(taking)
    )
    ids = set(connection.execute(open_sites).scalars())
    _insert(
        connection, _OF_SITE, [("site_id", site_id, own) for site_id, own in contacts.by_site.items() if site_id in ids]
    )


def erase_contacts(connection: sa.Connection, study_id: str) -> None:
    """Erase a study's contacts and those of its sites, inside a write transaction."""
    sites = sa.select(schema.site.c.site_id).where(schema.site.c.study_id == study_id)
    connection.execute(sa.delete(_OF_SITE).where(_OF_SITE.c.site_id.in_(sites)))
    connection.execute(sa.delete(_OF_STUDY).where(_OF_STUDY.c.study_id == study_id))


def _insert(connection: sa.Connection, table: sa.Table, owned: Collection[tuple[str, str, Sequence[Contact]]]) -> None:
    rows = [
        {owner: owner_id, "position": position, **{name: getattr(contact, name) for name in _FIELDS}}
        for owner, owner_id, contacts in owned
        for position, contact in enumerate(contacts)
    ]
    for part in in_batches(rows):
        connection.execute(sa.insert(table), part)


def _contact(row: sa.Row[Any]) -> Contact:
    return Contact(**{name: row._mapping[name] for name in _FIELDS})
