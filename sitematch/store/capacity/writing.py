"""One write to a study's ledger: the lock, the idempotency key, the appended events, the end of the chain.

The first statement of every write is ``UPDATE cap SET version = version + 1`` on the study's row. It makes all writes
to one study wait for one another, in every process and on both databases, so counts that are read afterwards cannot
change before the commit. Each study has one such row, so there is no locking order and no deadlock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from sitematch.domain.accounts.access import Actor, Caller
from sitematch.domain.capacity.referral_id import personal_number
from sitematch.domain.capacity.spot import LedgerEvent, SpotPolicy
from sitematch.domain.capacity.states import EventKind, standing
from sitematch.domain.capacity.waiting_detail import WaitingDetail
from sitematch.errors import (
    InvalidInput,
    ReferralIdTaken,
    ReferralNotFound,
    SitematchError,
    StorageFault,
    StudyNotFound,
)
from sitematch.store import idempotency, schema
from sitematch.store.capacity.chain import GENESIS, event_row, seal
from sitematch.store.capacity.counters import count_in, count_out
from sitematch.store.engine import Store
from sitematch.store.guards import MAX_SKEW
from sitematch.store.idempotency import KeyedRequest
from sitematch.store.instants import from_us, to_us
from sitematch.store.schema import cap, event, latest_event

T = TypeVar("T")

WAIT_KINDS = (EventKind.WAITING.value, EventKind.WAIT_TRANSFERRED.value)
"""Events whose detail says what a referral waits for."""

_OPAQUE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")

_POLICY = msgspec.json.Decoder(SpotPolicy)

_TOUCH = (
    sa.update(cap)
    .where(cap.c.level == "STUDY", cap.c.scope == "")
    .values(version=cap.c.version + 1)
    .returning(cap.c.study_id, cap.c.policy, cap.c.head_seq, cap.c.head_hash, cap.c.head_at_us)
)
_TOUCH_STUDY = _TOUCH.where(cap.c.study_id == sa.bindparam("id"))
_TOUCH_REFERRAL = _TOUCH.where(
    cap.c.study_id
    == sa.select(latest_event.c.study_id).where(latest_event.c.referral_id == sa.bindparam("id")).scalar_subquery()
)
_STUDY_EXISTS = sa.select(schema.study.c.study_id).where(schema.study.c.study_id == sa.bindparam("id"))
_SET_HEAD = (
    sa.update(cap)
    .where(cap.c.study_id == sa.bindparam("id"), cap.c.level == "STUDY", cap.c.scope == "")
    .values(head_seq=sa.bindparam("seq"), head_hash=sa.bindparam("hash"), head_at_us=sa.bindparam("at_us"))
)
_LAST_WAIT = (
    sa.select(event.c.detail)
    .where(event.c.referral_id == sa.bindparam("referral_id"), event.c.kind.in_(WAIT_KINDS))
    .order_by(event.c.seq.desc())
    .limit(1)
)
_APPEND = sa.insert(event)
_FIRST = sa.insert(latest_event)
_NEXT = (
    sa.update(latest_event)
    .where(latest_event.c.referral_id == sa.bindparam("id"))
    .values(
        {
            column: sa.bindparam(f"new_{column}")
            for column in ("seq", "kind", "site_id", "country", "arm", "expires_at_us")
        }
    )
)


class LedgerWrite:
    """A study's ledger while a write has its lock.

    Parameters
    ----------
    connection
        Inside the write transaction.
    row
        The study's cap row after the update.
    caller, now
        Who writes, and when. Time never goes back within a study: if another server's clock is ahead by up to
        `MAX_SKEW`, the time of its last event is used instead. Otherwise a hold that lapsed on one server, which sold
        the spot, would be active again on another.

    Raises
    ------
    StorageFault
        If the last event is more than `MAX_SKEW` ahead.
    """

    def __init__(self, connection: sa.Connection, row: sa.Row[Any], caller: Caller, now: datetime) -> None:
        self.connection = connection
        self.study_id: str = row.study_id
        self.policy = read_policy(row.policy)
        self.caller = caller
        latest_at = from_us(row.head_at_us)
        if latest_at - now > MAX_SKEW:
            # One of the two clocks is wrong. With the ledger's, active holds would lapse and be sold; with this
            # machine's, holds that lapsed on another server, which sold the spots, would be active again.
            raise StorageFault(
                f"The ledger's last event is {(latest_at - now).total_seconds():.0f} seconds ahead of this machine's "
                "clock, so one of the clocks is wrong. Nothing is written until the ledger's time has come. Compare "
                "the clocks of all servers.",
                kind="CLOCK",
            )
        self.now = max(now, latest_at)
        self._seq: int = row.head_seq
        self._hash: str = row.head_hash
        self.has_appended = False

    def append(
        self,
        kind: EventKind,
        *,
        referral_id: str | None = None,
        is_new_referral: bool = False,
        site_id: str | None = None,
        country: str | None = None,
        arm: str | None = None,
        expires_at: datetime | None = None,
        reason: str | None = None,
        detail: str = "{}",
        actor: Actor | None = None,
    ) -> LedgerEvent:
        """Add an event to the chain, and record it as its referral's latest; by the caller unless an actor is given."""
        sealed = self._seal(
            LedgerEvent(
                study_id=self.study_id,
                seq=self._seq + 1,
                kind=kind,
                at=self.now,
                referral_id=referral_id,
                site_id=site_id,
                country=country,
                arm=arm,
                expires_at=expires_at,
                reason=reason,
                detail=detail,
                actor_id=(actor or self.caller.actor).actor_id,
                request_id=self.caller.request_id,
                prev_hash=self._hash,
                hash="",
            )
        )
        row = event_row(sealed)
        self.connection.execute(_APPEND, row)
        if referral_id is not None:
            note_latest(self.connection, row, is_new=is_new_referral)
        self._seq, self._hash, self.has_appended = sealed.seq, sealed.hash, True
        return sealed

    def follow(
        self,
        latest: sa.Row[Any],
        kind: EventKind,
        *,
        expires_at: datetime | None = None,
        reason: str | None = None,
        detail: str = "{}",
    ) -> LedgerEvent:
        """Add an event of a referral where it is, which `latest` (its row of `latest_event`) says."""
        return self.append(
            kind,
            referral_id=latest.referral_id,
            site_id=latest.site_id,
            country=latest.country,
            arm=latest.arm,
            expires_at=expires_at,
            reason=reason,
            detail=detail,
        )

    @staticmethod
    def _seal(event: LedgerEvent) -> LedgerEvent:
        return replace(event, hash=seal(event_row(event)))

    def finish(self) -> None:
        """Store the end of the chain, if it grew."""
        if self.has_appended:
            self.connection.execute(
                _SET_HEAD,
                {"id": self.study_id, "seq": self._seq, "hash": self._hash, "at_us": to_us(self.now)},
            )


def note_latest(connection: sa.Connection, row: dict[str, Any], *, is_new: bool) -> None:
    """Record a row of `event` as its referral's latest, by what it stands for, and change the counters of both."""
    row = {**row, "kind": standing(EventKind(row["kind"])).value}
    columns = ("seq", "kind", "site_id", "country", "arm", "expires_at_us")
    if is_new:
        values = {name: row[name] for name in ("referral_id", "study_id", *columns)}
        connection.execute(_FIRST, values)
    else:
        count_out(connection, row["referral_id"])
        connection.execute(_NEXT, {"id": row["referral_id"], **{f"new_{name}": row[name] for name in columns}})
    count_in(connection, row)


def read_policy(text: str) -> SpotPolicy:
    """Return the policy in a study's cap row; an empty text is the default."""
    return _POLICY.decode(text) if text else SpotPolicy()


def perform(
    store: Store,
    caller: Caller,
    operation: KeyedRequest,
    now: datetime,
    answer_type: type[T],
    act: Callable[[LedgerWrite], T],
    *,
    study_id: str | None = None,
    referral_id: str | None = None,
) -> T:
    """Run one write under the study's lock, or return the answer that the same request got before.

    Parameters
    ----------
    store
        The database.
    caller
        The actor, the request and the idempotency key.
    operation
        The request, for comparison with an earlier request with the same key.
    now
        The instant (aware).
    answer_type, act
        The function that writes, and the type of its answer. If `act` refuses, events that it appended before (offers
        to the waiting list) are kept, so it must not append anything of the refused request itself.
    study_id, referral_id
        Exactly one of them: the study, or a referral of the study.

    Raises
    ------
    StudyNotFound, ReferralNotFound
        If there is none of that id.
    IdempotencyConflict
        If the key was used with another request.
    SitematchError
        The refusals of `act`.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    key = idempotency.key_hash(caller)
    to_us(now)
    try:
        return _attempt(store, caller, operation, key, now, answer_type, act, study_id, referral_id)
    except sa.exc.IntegrityError:
        # Another study's write used the same key or the same new referral id meanwhile; now it is visible.
        try:
            return _attempt(store, caller, operation, key, now, answer_type, act, study_id, referral_id)
        except sa.exc.IntegrityError as error:
            raise StorageFault(
                "The change conflicts with what is in the database. Nothing was written.", kind="integrity"
            ) from error


def _attempt(
    store: Store,
    caller: Caller,
    operation: KeyedRequest,
    key: str | None,
    now: datetime,
    answer_type: type[T],
    act: Callable[[LedgerWrite], T],
    study_id: str | None,
    referral_id: str | None,
) -> T:
    with store.writing() as connection:
        row = _touch_study(connection, study_id) if study_id is not None else _touch_referral(connection, referral_id)
        write = LedgerWrite(connection, row, caller, now)
        if key is not None:
            before = idempotency.recall(connection, key, operation, write.now, answer_type)
            if before is not None:
                return before
        try:
            answer = act(write)
        except SitematchError as error:
            is_kept = key is not None and idempotency.is_kept(error)
            if not is_kept and not write.has_appended:
                raise
            write.finish()
            if key is not None and is_kept:
                idempotency.keep(connection, key, operation, write.now, error)
            refusal = error
        else:
            write.finish()
            if key is not None:
                idempotency.keep(connection, key, operation, write.now, answer)
            return answer
    raise refusal


def _touch_referral(connection: sa.Connection, referral_id: str | None) -> sa.Row[Any]:
    row = connection.execute(_TOUCH_REFERRAL, {"id": referral_id}).one_or_none()
    if row is None:
        raise ReferralNotFound(f"There is no referral {referral_id!r}.", field="referral_id")
    return row


def _touch_study(connection: sa.Connection, study_id: str) -> sa.Row[Any]:
    row = connection.execute(_TOUCH_STUDY, {"id": study_id}).one_or_none()
    if row is None:
        if connection.execute(_STUDY_EXISTS, {"id": study_id}).one_or_none() is None:
            raise StudyNotFound(f"There is no study {study_id!r} in the catalogue.", field="study_id")
        open_study(connection, study_id)
        row = connection.execute(_TOUCH_STUDY, {"id": study_id}).one()
    return row


def open_study(connection: sa.Connection, study_id: str) -> None:
    """Create the study's cap row, without a limit, unless it exists."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(
        insert(cap)
        .values(
            study_id=study_id,
            level="STUDY",
            scope="",
            spots=None,
            is_closed=False,
            version=0,
            policy="",
            head_seq=0,
            head_hash=GENESIS,
            head_at_us=0,
        )
        .on_conflict_do_nothing()
    )


def require_identifier(text: str, field: str) -> None:
    """Check that an id is valid: no spaces, no "@", nothing that a name or an address needs.

    Raises
    ------
    InvalidInput
        If not.
    """
    if not _OPAQUE_ID.fullmatch(text):
        raise InvalidInput(
            f"The {field} must be 1 to 64 letters, digits, '.', '_', ':' or '-', and start with a letter or "
            "digit. It must not identify the patient.",
            field=field,
        )


def require_referral_id(referral_id: str) -> None:
    """Check that a referral's id is opaque and does not look like a person's number or birth date.

    Raises
    ------
    InvalidInput
        If it is not, or does.
    """
    require_identifier(referral_id, "referral_id")
    if kind := personal_number(referral_id):
        raise InvalidInput(
            f"This referral id looks like {kind}. A referral id must not identify the patient. Use another one, or "
            "leave it out to get a random id.",
            field="referral_id",
        )


def anywhere(site_id: str | None) -> bool:
    """Allow every site of a study: for callers that are not restricted."""
    return True


def require_own_referral(write: LedgerWrite, latest: sa.Row[Any] | None, may_use: Callable[[str | None], bool]) -> None:
    """Check that an id that is in use stands where the caller may look.

    Parameters
    ----------
    write
        The write.
    latest
        The row of `latest_event` with the id; None if it is new.
    may_use
        Whether the caller may use referrals of a site of this study; None stands for the whole study.

    Raises
    ------
    ReferralIdTaken
        If it stands in another study, or at a site whose referrals the caller may not use. The error is the same for
        both, so that nobody learns where another site's patient is.
    """
    if latest is None:
        return
    sites: Sequence[str | None] = (latest.site_id,)
    if latest.site_id is None:
        detail = write.connection.execute(_LAST_WAIT, {"referral_id": latest.referral_id}).scalar_one_or_none()
        sites = (None,) if detail is None else WaitingDetail.of(detail).site_ids
    if latest.study_id != write.study_id or not any(may_use(site_id) for site_id in sites):
        raise ReferralIdTaken(
            "This referral id is already in use. Use another one, or leave it out to get a random id.",
            field="referral_id",
        )
