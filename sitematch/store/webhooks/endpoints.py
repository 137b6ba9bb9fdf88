"""Webhooks: subscriptions and notices.

`notice_changes` compares the state of the sites with their state at the last poll, and writes a message for each
difference in the transaction that stores the new state. So no message is lost or written twice, even if a process dies,
and lapsed holds are detected like writes. Changes that revert between polls are not reported.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.accounts.access import Actor
from sitematch.domain.capacity.caps import SiteCapacity
from sitematch.domain.capacity.occupancy import StudyView
from sitematch.domain.webhooks.address import check_url
from sitematch.domain.webhooks.notice import NewWebhook, NoticeKind, Webhook
from sitematch.errors import InvalidInput, NotFound
from sitematch.store.capacity.counting import read_view
from sitematch.store.engine import Store
from sitematch.store.instants import to_us
from sitematch.store.schema import cap, delivery, outbox, site_notice, webhook


def add_webhook(
    store: Store,
    actor: Actor,
    *,
    url: str,
    kinds: frozenset[NoticeKind],
    now: datetime,
    study_id: str | None = None,
    percent: int | None = None,
) -> NewWebhook:
    """Subscribe to notices from now on.

    Parameters
    ----------
    store
        The database.
    actor
        Who asks.
    url
        ``https://…``, or ``http://…`` for a receiver in the own network.
    kinds
        The kinds of notices; at least one.
    now
        The instant (aware).
    study_id
        The study; None for every study.
    percent
        1 to 100, with `NoticeKind.SITE_PASSED_PERCENT` and only with it.

    Raises
    ------
    InvalidInput
        If the URL, the kinds or the percentage are invalid.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    check_url(url)
    if not kinds:
        raise InvalidInput("Choose at least one kind of notice.", field="kinds")
    if (NoticeKind.SITE_PASSED_PERCENT in kinds) != (percent is not None):
        raise InvalidInput("Give a percentage with site.passed-percent, and only with that notice.", field="percent")
    if percent is not None and not 1 <= percent <= 100:
        raise InvalidInput("The percentage must be from 1 to 100.", field="percent")
    secret = secrets.token_urlsafe(32)
    values = {
        "webhook_id": secrets.token_hex(8),
        "study_id": study_id or "",
        "url": url,
        "secret": secret,
        "kinds": msgspec.json.encode(sorted(kinds)).decode(),
        "percent": percent,
        "created_at_us": to_us(now),
        "actor_id": actor.actor_id,
        "disabled_at_us": None,
    }
    # Earlier changes are not reported to the new webhook: store the current state, and notify the existing webhooks.
    notice_changes(store, now)
    with store.writing() as connection:
        is_first = not _watchers(connection)
        connection.execute(sa.insert(webhook).values(**values))
        if is_first:
            for each in _studies(connection):
                _note_all(connection, read_view(connection, each, now), now)
        row = connection.execute(sa.select(webhook).where(webhook.c.webhook_id == values["webhook_id"])).one()
    return NewWebhook(webhook=_webhook(row), secret=secret)


def list_webhooks(store: Store) -> tuple[Webhook, ...]:
    """Return every webhook, oldest first."""
    query = sa.select(webhook).order_by(webhook.c.created_at_us, webhook.c.webhook_id)
    with store.reading() as connection:
        return tuple(_webhook(row) for row in connection.execute(query))


def disable_webhook(store: Store, *, webhook_id: str, now: datetime) -> None:
    """Remove a webhook, with its waiting messages.

    Raises
    ------
    NotFound
        If there is no such webhook.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    with store.writing() as connection:
        known = connection.execute(
            sa.update(webhook).where(webhook.c.webhook_id == webhook_id).values(disabled_at_us=to_us(now))
        )
        if not known.rowcount:
            raise NotFound("Webhook not found.", field="webhook_id")
        connection.execute(
            sa.update(delivery)
            .where(delivery.c.webhook_id == webhook_id, delivery.c.due_at_us.is_not(None))
            .values(due_at_us=None, failed_at_us=to_us(now), last_error="the webhook was disabled")
        )


def notice_changes(store: Store, now: datetime) -> int:
    """Poll the state of the sites, write the messages, and return their number.

    Run it every few seconds, in any number of processes. Without webhooks it reads one row.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    with store.reading() as connection:
        if not _watchers(connection):
            return 0
        changed = [
            study_id
            for study_id in _studies(connection)
            if _differences(connection, read_view(connection, study_id, now), now)
        ]
    return sum(_notice(store, study_id, now) for study_id in changed)


@dataclass(frozen=True, slots=True)
class _Change:
    site: SiteCapacity
    before: tuple[bool, int]
    after: tuple[bool, int]


def _notice(store: Store, study_id: str, now: datetime) -> int:
    with store.writing() as connection:
        # The study's lock: if two processes detect the same change, the second finds nothing left to report.
        connection.execute(
            sa.update(cap).where(cap.c.study_id == study_id, cap.c.level == "STUDY").values(version=cap.c.version + 1)
        )
        changes = _differences(connection, read_view(connection, study_id, now), now)
        for change in changes:
            _note(connection, change.site, change.after)
        watchers = [each for each in _watchers(connection) if each.study_id in (None, study_id)]
        return sum(
            _tell(connection, study_id, kind, percent, changes, watchers, now) for kind, percent in _asked(watchers)
        )


def _asked(watchers: Sequence[Webhook]) -> list[tuple[NoticeKind, int | None]]:
    percents = sorted({each.percent for each in watchers if each.percent is not None})
    return [
        (NoticeKind.SITE_FILLED, None),
        (NoticeKind.SITE_REOPENED, None),
        *((NoticeKind.SITE_PASSED_PERCENT, percent) for percent in percents),
    ]


def _tell(
    connection: sa.Connection,
    study_id: str,
    kind: NoticeKind,
    percent: int | None,
    changes: Sequence[_Change],
    watchers: Sequence[Webhook],
    now: datetime,
) -> int:
    sites = [change.site for change in changes if _is_about(change, kind, percent)]
    told = [each for each in watchers if kind in each.kinds and (percent is None or each.percent == percent)]
    if not sites or not told:
        return 0
    message_id = secrets.token_hex(16)
    body = {
        "id": message_id,
        "kind": kind.value,
        "at": now,
        "study_id": study_id,
        "percent": percent,
        "sites": [{"site_id": site.site_id, "remaining": site.remaining, "state": site.state} for site in sites],
    }
    connection.execute(
        sa.insert(outbox).values(
            message_id=message_id,
            at_us=to_us(now),
            study_id=study_id,
            kind=kind.value,
            body=msgspec.json.encode(body).decode(),
        )
    )
    rows = [
        {
            "message_id": message_id,
            "webhook_id": each.webhook_id,
            "attempts": 0,
            "due_at_us": to_us(now),
            "last_error": "",
        }
        for each in told
    ]
    connection.execute(sa.insert(delivery), rows)
    return 1


def _is_about(change: _Change, kind: NoticeKind, percent: int | None) -> bool:
    (was_full, before), (is_full, after) = change.before, change.after
    if kind is NoticeKind.SITE_FILLED:
        return is_full and not was_full
    if kind is NoticeKind.SITE_REOPENED:
        return was_full and not is_full
    return percent is not None and before < percent <= after


def _differences(connection: sa.Connection, view: StudyView, now: datetime) -> list[_Change]:
    query = sa.select(site_notice).where(site_notice.c.study_id == view.study_id)
    noted = {row.site_id: (row.is_full, row.percent) for row in connection.execute(query)}
    changes = []
    for site_capacity, after in _standing(view, now):
        before = noted.get(site_capacity.site_id, (False, 0))
        if before != after:
            changes.append(_Change(site_capacity, before, after))
    return changes


def _standing(view: StudyView, now: datetime) -> list[tuple[SiteCapacity, tuple[bool, int]]]:
    """Return for every site whether it is full, and the taken share of its tightest cap, in whole percent."""
    taken = view.taken(now)
    found = []
    for site_capacity in view.capacity(now):
        percent = 0
        if site_capacity.binding is not None:
            spots = view.caps[site_capacity.binding].spots or 0
            percent = min(100, 100 * taken[site_capacity.binding] // spots) if spots else 100
        found.append((site_capacity, (site_capacity.remaining == 0, percent)))
    return found


def _note_all(connection: sa.Connection, view: StudyView, now: datetime) -> None:
    for site_capacity, standing in _standing(view, now):
        _note(connection, site_capacity, standing)


def _note(connection: sa.Connection, site_capacity: SiteCapacity, standing: tuple[bool, int]) -> None:
    where = (site_notice.c.study_id == site_capacity.study_id, site_notice.c.site_id == site_capacity.site_id)
    values = {"is_full": standing[0], "percent": standing[1]}
    if not connection.execute(sa.update(site_notice).where(*where).values(**values)).rowcount:
        key = {"study_id": site_capacity.study_id, "site_id": site_capacity.site_id}
        connection.execute(sa.insert(site_notice).values(**key, **values))


def _studies(connection: sa.Connection) -> list[str]:
    query = sa.select(cap.c.study_id).where(cap.c.level == "STUDY", cap.c.head_seq > 0).order_by(cap.c.study_id)
    return list(connection.execute(query).scalars())


def _watchers(connection: sa.Connection) -> list[Webhook]:
    query = sa.select(webhook).where(webhook.c.disabled_at_us.is_(None)).order_by(webhook.c.webhook_id)
    return [_webhook(row) for row in connection.execute(query)]


def _webhook(row: sa.Row[Any]) -> Webhook:
    said = row._mapping
    return Webhook(
        webhook_id=said["webhook_id"],
        study_id=said["study_id"] or None,
        url=said["url"],
        kinds=frozenset(NoticeKind(kind) for kind in msgspec.json.decode(said["kinds"])),
        percent=said["percent"],
        is_disabled=said["disabled_at_us"] is not None,
    )
