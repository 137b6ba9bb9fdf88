"""Idempotency keys: the same request gets the same answer for 24 hours, another request gets a conflict.

The answer is stored in the transaction that produced it, so an interrupted request either happened, with its answer
stored, or did not happen at all. Successes and refusals caused by the request itself are stored. Other failures (no
spot left, a closed site, a busy database) are not, because a later attempt may succeed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from sitematch.domain.accounts.access import Caller
from sitematch.errors import (
    IdempotencyConflict,
    IllegalTransition,
    InvalidInput,
    SitematchError,
    SiteNotFound,
)
from sitematch.store.engine import Store
from sitematch.store.instants import to_us
from sitematch.store.schema import idempotency

KEPT_FOR = timedelta(hours=24)
"""How long an answer is stored."""

_MAX_KEY_LENGTH = 255

_FIND = sa.select(idempotency).where(idempotency.c.key_hash == sa.bindparam("key"))
_DROP = sa.delete(idempotency).where(idempotency.c.key_hash == sa.bindparam("key"))
_KEEP = sa.insert(idempotency)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request in a form that can be compared with an earlier one.

    Parameters
    ----------
    name
        The function's name.
    body
        Its arguments, in JSON types, without `now` and the request's id.
    """

    name: str
    body: tuple[Any, ...]

    @property
    def body_hash(self) -> str:
        """SHA-256 over name and arguments, in hexadecimal."""
        return hashlib.sha256(msgspec.json.encode([self.name, *self.body])).hexdigest()


def key_hash(caller: Caller) -> str | None:
    """Return the hash under which an answer is stored, different for each actor; None without a key.

    Raises
    ------
    InvalidInput
        If the key is empty or longer than 255 characters.
    """
    key = caller.idempotency_key
    if key is None:
        return None
    if not 0 < len(key) <= _MAX_KEY_LENGTH:
        raise InvalidInput(f"An idempotency key must have 1 to {_MAX_KEY_LENGTH} characters.", field="idempotency_key")
    return hashlib.sha256(msgspec.json.encode([caller.actor.actor_id, key])).hexdigest()


def recall(
    connection: sa.Connection, key: str, operation: KeyedRequest, now: datetime, answer_type: type[T]
) -> T | None:
    """Return the earlier answer, or None if there is none from the last 24 hours.

    Raises
    ------
    IdempotencyConflict
        If the key was used with another request.
    SitematchError
        If the earlier answer was a refusal: the same one again.
    """
    row = connection.execute(_FIND, {"key": key}).one_or_none()
    if row is None:
        return None
    if row.at_us <= to_us(now - KEPT_FOR):
        connection.execute(_DROP, {"key": key})
        return None
    if row.body_hash != operation.body_hash:
        raise IdempotencyConflict("This idempotency key was used with another request. Use a new one.")
    kept = msgspec.json.decode(row.answer)
    if "refusal" in kept:
        raise _refusal(kept["refusal"])
    return msgspec.convert(kept["answer"], answer_type)


def keep(connection: sa.Connection, key: str, operation: KeyedRequest, now: datetime, answer: object) -> None:
    """Store an answer, or a refusal that `is_kept`, in the caller's transaction."""
    kept = {"refusal": _facts(answer)} if isinstance(answer, SitematchError) else {"answer": answer}
    connection.execute(
        _KEEP,
        {
            "key_hash": key,
            "body_hash": operation.body_hash,
            "at_us": to_us(now),
            "answer": msgspec.json.encode(kept).decode(),
        },
    )


def is_first(connection: sa.Connection, name: str, now: datetime) -> bool:
    """Whether a write of this name is the first within 24 hours; its name is kept in the caller's transaction."""
    insert = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(idempotency)
    values = {"key_hash": name, "body_hash": "", "at_us": to_us(now), "answer": "{}"}
    statement = insert.values(values).on_conflict_do_nothing().returning(idempotency.c.key_hash)
    return connection.execute(statement).one_or_none() is not None


def is_kept(error: SitematchError) -> bool:
    """Return whether a refusal is caused by the request itself and so is stored."""
    return isinstance(error, IllegalTransition | SiteNotFound)


def forget_old(store: Store, now: datetime) -> int:
    """Delete answers older than 24 hours and return their number.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    with store.writing() as connection:
        return connection.execute(sa.delete(idempotency).where(idempotency.c.at_us <= to_us(now - KEPT_FOR))).rowcount


def _facts(error: SitematchError) -> dict[str, Any]:
    facts: dict[str, Any] = {"type": type(error).__name__, "message": error.message}
    if isinstance(error, IllegalTransition):
        facts |= {"state": error.state, "action": error.action, "allowed": error.allowed}
    return facts


def _refusal(facts: dict[str, Any]) -> SitematchError:
    if facts["type"] == "IllegalTransition":
        return IllegalTransition(
            facts["message"], state=facts["state"], action=facts["action"], allowed=facts["allowed"]
        )
    return SiteNotFound(facts["message"], field="site_id")
