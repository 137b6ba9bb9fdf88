"""Travel support that coordinators set, written to the catalogue and to the study's chain."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa

from sitematch.domain.accounts.access import Caller
from sitematch.domain.capacity.states import EventKind
from sitematch.domain.studies.travel import MAX_REIMBURSEMENT, TravelCertainty, TravelKind, TravelSupport
from sitematch.errors import InvalidInput, SiteNotFound
from sitematch.store import schema
from sitematch.store.capacity.writing import LedgerWrite, perform
from sitematch.store.engine import Store
from sitematch.store.idempotency import KeyedRequest
from sitematch.store.studies.catalogue import touch


def set_travel(
    store: Store,
    caller: Caller,
    *,
    study_id: str,
    site_id: str,
    travel: TravelSupport,
    time_reimbursement: str,
    now: datetime,
) -> TravelSupport:
    """Set a site's travel support; imports keep it, because registries do not have it.

    Parameters
    ----------
    store
        The database.
    caller
        Who asks.
    study_id, site_id
        The site.
    travel
        What is paid, and how certain that is; the kinds are stored in the order of `TravelKind`, each once.
    time_reimbursement
        In plain words, at most 200 characters; empty if not stated.
    now
        The instant (aware).

    Returns
    -------
    TravelSupport
        The stored value.

    Raises
    ------
    InvalidInput
        If the text is too long, or kinds are given although travel is not covered.
    SiteNotFound, StudyNotFound
        If there is none of that id, or the site is not the study's.
    IdempotencyConflict, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.capacity.ledger`.
    """
    text = " ".join(time_reimbursement.split())
    if len(text) > MAX_REIMBURSEMENT:
        raise InvalidInput(
            f"Describe how time is reimbursed, in at most {MAX_REIMBURSEMENT} characters.", field="time_reimbursement"
        )
    if travel.kinds and travel.certainty is TravelCertainty.NOT_COVERED:
        raise InvalidInput("Leave out the kinds of travel support if travel is not covered.", field="kinds")
    kept = TravelSupport(certainty=travel.certainty, kinds=tuple(kind for kind in TravelKind if kind in travel.kinds))
    said = {"certainty": kept.certainty, "kinds": kept.kinds, "time_reimbursement": text}
    detail = msgspec.json.encode(said).decode()

    def act(write: LedgerWrite) -> TravelSupport:
        site = schema.site
        where = sa.and_(site.c.site_id == site_id, site.c.study_id == study_id)
        country = write.connection.execute(sa.select(site.c.country).where(where)).scalar_one_or_none()
        if country is None:
            raise SiteNotFound(f"Study {study_id} has no site {site_id!r}.", field="site_id")
        touch(write.connection)
        write.connection.execute(
            sa.update(site)
            .where(where)
            .values(
                travel_certainty=kept.certainty.value,
                travel_kinds=msgspec.json.encode(kept.kinds).decode(),
                time_reimbursement=text,
            )
        )
        write.append(EventKind.TRAVEL_SET, site_id=site_id, country=country, detail=detail)
        return kept

    operation = KeyedRequest("set_travel", (study_id, site_id, detail))
    return perform(store, caller, operation, now, TravelSupport, act, study_id=study_id)
