"""Opening days of sites: what coordinators recorded, what the registry states, and what the catalogue first said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import msgspec
import sqlalchemy as sa

from sitematch.domain.accounts.access import Caller
from sitematch.domain.capacity.opening import Opening, OpeningSource
from sitematch.domain.capacity.states import EventKind
from sitematch.errors import InvalidInput, SiteNotFound
from sitematch.store import schema
from sitematch.store.capacity.writing import LedgerWrite, perform
from sitematch.store.engine import Store
from sitematch.store.idempotency import KeyedRequest
from sitematch.store.instants import from_us, to_us
from sitematch.store.schema import event
from sitematch.store.studies.recruiting_days import recruiting_days

_RECORDED = (
    sa.select(event.c.site_id, event.c.detail)
    .where(
        event.c.study_id == sa.bindparam("study_id"),
        event.c.at_us <= sa.bindparam("until_us"),
        event.c.kind == EventKind.OPENING_SET.value,
    )
    .order_by(event.c.seq)
)
_STATED = sa.select(schema.site.c.site_id, schema.site.c.opened_on).where(
    schema.site.c.study_id == sa.bindparam("study_id"), schema.site.c.opened_on.is_not(None)
)
_FIRST_HOLD = sa.select(sa.func.min(event.c.at_us)).where(
    event.c.study_id == sa.bindparam("study_id"),
    event.c.site_id == sa.bindparam("site_id"),
    event.c.kind == EventKind.HELD.value,
)


@dataclass(frozen=True, slots=True)
class RecordedOpening:
    """What a coordinator recorded: the day, or None if it was removed."""

    site_id: str
    opened_on: date | None


def set_opening(
    store: Store, caller: Caller, *, study_id: str, site_id: str, opened_on: date | None, now: datetime
) -> RecordedOpening:
    """Record the day on which a site opened or will open, in the study's chain.

    Parameters
    ----------
    store
        The database.
    caller
        Who asks.
    study_id, site_id
        The site.
    opened_on
        The day; None removes what was recorded.
    now
        The instant (aware).

    Raises
    ------
    InvalidInput
        If the site's first spot was taken before that day (UTC).
    SiteNotFound, StudyNotFound
        If there is none of that id, or the site is not the study's.
    IdempotencyConflict, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.capacity.ledger`.
    """
    detail = msgspec.json.encode({"opened_on": opened_on}).decode()

    def act(write: LedgerWrite) -> RecordedOpening:
        site = schema.site
        where = sa.and_(site.c.site_id == site_id, site.c.study_id == study_id)
        country = write.connection.execute(sa.select(site.c.country).where(where)).scalar_one_or_none()
        if country is None:
            raise SiteNotFound(f"Study {study_id} has no site {site_id!r}.", field="site_id")
        first_us = write.connection.execute(_FIRST_HOLD, {"study_id": study_id, "site_id": site_id}).scalar()
        if opened_on is not None and first_us is not None:
            require_before_first_spot(site_id, opened_on, from_us(first_us).astimezone(UTC).date())
        write.append(EventKind.OPENING_SET, site_id=site_id, country=country, detail=detail)
        return RecordedOpening(site_id, opened_on)

    operation = KeyedRequest("set_opening", (study_id, site_id, detail))
    return perform(store, caller, operation, now, RecordedOpening, act, study_id=study_id)


def opening_days(connection: sa.Connection, study_id: str, until: datetime) -> dict[str, Opening]:
    """Return what is known of each site's opening, by site_id; sites of which nothing is known are missing.

    A coordinator's day comes before the registry's, and that before the first record that called it recruiting.
    """
    where = {"study_id": study_id, "until_us": to_us(until)}
    days = {
        site_id: Opening(on=day, source=OpeningSource.CATALOGUE)
        for site_id, day in recruiting_days(connection, study_id).items()
    }
    for row in connection.execute(_STATED, {"study_id": study_id}):
        days[row.site_id] = Opening(on=row.opened_on, source=OpeningSource.REGISTRY)
    recorded = {row.site_id: row.detail for row in connection.execute(_RECORDED, where)}
    for site_id, detail in recorded.items():
        text = msgspec.json.decode(detail)["opened_on"]
        if text is not None:
            days[site_id] = Opening(on=date.fromisoformat(text), source=OpeningSource.COORDINATOR)
    return days


def read_opening(store: Store, study_id: str, site_id: str, now: datetime) -> Opening | None:
    """Return what is known of one site's opening; None if nothing is.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with store.reading() as connection:
        return opening_days(connection, study_id, now).get(site_id)


def require_before_first_spot(site_id: str, opened_on: date, first_used_on: date) -> None:
    """Check that a site opened no later than its first spot was taken.

    Raises
    ------
    InvalidInput
        If it did; the message has the day.
    """
    if opened_on > first_used_on:
        raise InvalidInput(
            f"Site {site_id} cannot have opened on {opened_on}: its first spot was taken on {first_used_on}. Give that "
            "day or an earlier one.",
            field="opened",
        )
