"""The site catalogue: studies and their sites.

Reading never writes, and every change increases `catalogue_version`. So a server can cache data from the catalogue (an
index, pre-rendered answers) and check with one small read whether it is still valid.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import sqlalchemy as sa

from sitematch.domain.studies.search_terms import heading_words, summary_words
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study
from sitematch.errors import InvalidInput, StudyNotFound
from sitematch.store import schema
from sitematch.store.engine import Store
from sitematch.store.studies.contacts import erase_contacts
from sitematch.store.studies.recruiting_days import note_recruiting
from sitematch.store.studies.rows import site_of, site_values, study_of, study_values

_ROWS_A_STATEMENT = 1_000


def catalogue_version(store: Store) -> str:
    """Return a version that changes whenever the catalogue does; it is never used twice, not even after a restore.

    Parameters
    ----------
    store
        The database.

    Returns
    -------
    str
        E.g. ``"9f1c02ab.17"``; it can only be compared for equality.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        row = connection.execute(sa.select(schema.catalogue.c.epoch, schema.catalogue.c.version)).one()
    return f"{row.epoch}.{row.version}"


def list_studies(store: Store) -> tuple[Study, ...]:
    """Return every study, by `study_id`; empty if there is none."""
    with store.reading() as connection:
        rows = connection.execute(sa.select(schema.study).order_by(schema.study.c.study_id))
        return tuple(study_of(row) for row in rows)


def find_studies(
    store: Store, text: str, *, among: frozenset[str] | None = None, limit: int
) -> tuple[tuple[str, str], ...]:
    """Return ids and titles of studies that contain every word of a text, by id.

    Parameters
    ----------
    store
        The database.
    text
        Words, compared without case; empty finds all.
    among
        Only these studies; None for every study.
    limit
        How many at most.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    column = schema.study.c
    query = sa.select(column.study_id, column.title).order_by(column.study_id).limit(limit)
    if among is not None:
        query = query.where(column.study_id.in_(among))
    for word in text.split():
        query = query.where(
            column.study_id.icontains(word, autoescape=True) | column.title.icontains(word, autoescape=True)
        )
    with store.reading() as connection:
        return tuple((row.study_id, row.title) for row in connection.execute(query))


def read_study(store: Store, study_id: str) -> Study:
    """Return one study.

    Parameters
    ----------
    store
        The database.
    study_id
        As stored: ids are compared exactly.

    Raises
    ------
    StudyNotFound
        If there is none with that id.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        row = connection.execute(sa.select(schema.study).where(schema.study.c.study_id == study_id)).one_or_none()
    if row is None:
        raise StudyNotFound(f"There is no study {study_id!r} in the catalogue.", field="study_id")
    return study_of(row)


def read_sites(store: Store, study_id: str) -> tuple[Site, ...]:
    """Return a study's sites in their stored order; empty if it has none.

    Parameters
    ----------
    store
        The database.
    study_id
        The study.

    Raises
    ------
    StudyNotFound
        If there is no such study.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        rows = connection.execute(
            sa.select(schema.site).where(schema.site.c.study_id == study_id).order_by(schema.site.c.position)
        ).all()
    if not rows:
        read_study(store, study_id)
    return tuple(site_of(row) for row in rows)


def iter_sites(store: Store, study_ids: Collection[str] | None = None) -> Iterator[Site]:
    """Yield the sites of studies, by study and then in their stored order, with constant memory.

    One read transaction stays open during the iteration, so finish it quickly.

    Parameters
    ----------
    store
        The database.
    study_ids
        Only these studies, a few hundred at most; None for every study. An unknown study has no sites.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    query = sa.select(schema.site).order_by(schema.site.c.study_id, schema.site.c.position)
    if study_ids is not None:
        query = query.where(schema.site.c.study_id.in_(sorted(study_ids)))
    with store.reading() as connection:
        for row in connection.execution_options(yield_per=_ROWS_A_STATEMENT).execute(query):
            yield site_of(row)


def iter_studies(store: Store, study_ids: Collection[str] | None = None) -> Iterator[tuple[Study, tuple[Site, ...]]]:
    """Yield studies, by `study_id`, each with its sites in order; one read transaction, as in `iter_sites`.

    Parameters
    ----------
    store, study_ids
        See `iter_sites`.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    ids = sa.select(schema.study.c.study_id).order_by(schema.study.c.study_id)
    if study_ids is not None:
        ids = ids.where(schema.study.c.study_id.in_(sorted(study_ids)))
    with store.reading() as connection:
        for study_id in connection.execute(ids).scalars().all():
            row = connection.execute(sa.select(schema.study).where(schema.study.c.study_id == study_id)).one()
            sites = connection.execute(
                sa.select(schema.site).where(schema.site.c.study_id == study_id).order_by(schema.site.c.position)
            )
            yield study_of(row), tuple(map(site_of, sites))


def replace_study(store: Store, study: Study, sites: Sequence[Site]) -> None:
    """Replace one study and its sites in one transaction.

    Parameters
    ----------
    store
        The database.
    study
        The study.
    sites
        All of its sites, in the order to store.

    Raises
    ------
    InvalidInput
        If a site belongs to another study, two have the same id, or a site with referrals is missing.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    replace_studies(store, [(study, sites)])


def replace_studies(store: Store, studies: Iterable[tuple[Study, Sequence[Site]]]) -> int:
    """Write many studies in one transaction, with constant memory: all of them or, after an error, none.

    Parameters
    ----------
    store
        The database.
    studies
        Each study with all of its sites; may be a generator.

    Returns
    -------
    int
        The number of studies written. 0 changes nothing, not even `catalogue_version`.

    Raises
    ------
    InvalidInput
        If a site belongs to another study, two have the same id, or a site with referrals is missing.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    count = 0
    with store.writing() as connection:
        for study, sites in studies:
            if count == 0:
                touch(connection)
            write_study(connection, study, sites)
            count += 1
    return count


def remove_study(store: Store, study_id: str) -> None:
    """Remove a study and its sites from the catalogue.

    Raises
    ------
    StudyNotFound
        If there is no such study.
    InvalidInput
        If one of its sites has referrals.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    with store.writing() as connection:
        touch(connection)
        _require_kept(connection, study_id, set())
        connection.execute(sa.delete(schema.site).where(schema.site.c.study_id == study_id))
        if not connection.execute(sa.delete(schema.study).where(schema.study.c.study_id == study_id)).rowcount:
            raise StudyNotFound(f"There is no study {study_id!r} in the catalogue.", field="study_id")


def touch(connection: sa.Connection) -> None:
    """Increase the version, first in every change; on PostgreSQL the row's lock allows one change at a time."""
    connection.execute(sa.update(schema.catalogue).values(version=schema.catalogue.c.version + 1))


def sites_in_use(connection: sa.Connection, study_id: str) -> frozenset[str]:
    """Return the ids of a study's sites with referrals, in any state."""
    used = connection.execute(
        sa.select(schema.latest_event.c.site_id)
        .where(schema.latest_event.c.study_id == study_id, schema.latest_event.c.site_id.is_not(None))
        .distinct()
    )
    return frozenset(used.scalars())


def _require_kept(connection: sa.Connection, study_id: str, site_ids: set[str]) -> None:
    """Check that no site with referrals is missing, because its participants still count."""
    lost = sorted(sites_in_use(connection, study_id) - site_ids)
    if lost:
        raise InvalidInput(
            f"Site {lost[0]} of study {study_id} has referrals, so it cannot be removed. "
            "Keep it and give it a status that is closed to new patients.",
            field="site_id",
        )


def write_study(connection: sa.Connection, study: Study, sites: Sequence[Site]) -> None:
    """Write one study and its sites inside a transaction; see `replace_study`. Contacts of the study are erased."""
    values = study_values(study)
    known = connection.execute(
        sa.update(schema.study).where(schema.study.c.study_id == study.study_id).values(**values)
    )
    if known.rowcount:
        _require_kept(connection, study.study_id, {site.site_id for site in sites})
        erase_contacts(connection, study.study_id)
        connection.execute(sa.delete(schema.site).where(schema.site.c.study_id == study.study_id))
    else:
        connection.execute(sa.insert(schema.study).values(**values))
    _write_words(connection, study, is_new=not known.rowcount)
    rows = [site_values(position, site, study.study_id) for position, site in enumerate(sites)]
    try:
        for start in range(0, len(rows), _ROWS_A_STATEMENT):
            connection.execute(sa.insert(schema.site), rows[start : start + _ROWS_A_STATEMENT])
    except sa.exc.IntegrityError as error:
        raise InvalidInput(
            f"Another site already has the id of a site of study {study.study_id}.", field="site_id"
        ) from error
    note_recruiting(connection, study.study_id, sites)


def _write_words(connection: sa.Connection, study: Study, *, is_new: bool) -> None:
    table = schema.study_text
    words = {"heading": " ".join(heading_words(study)), "further": " ".join(summary_words(study))}
    if not is_new:
        connection.execute(sa.update(table).where(table.c.study_id == study.study_id).values(**words))
        return
    # Changes of the catalogue run one at a time (see `touch`), so two never use the same number.
    number = sa.select(sa.func.coalesce(sa.func.max(table.c.number), 0) + 1).scalar_subquery()
    connection.execute(sa.insert(table).values(number=number, study_id=study.study_id, **words))
