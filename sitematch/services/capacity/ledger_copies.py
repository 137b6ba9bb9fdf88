"""Verifying, exporting and importing the whole ledger, each with a permission check first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sitematch.domain.accounts.access import Actor, Permission, require
from sitematch.store.capacity.history import audit, portable
from sitematch.store.engine import Store


def verify_ledger(
    store: Store, actor: Actor, *, anchors: Mapping[str, tuple[int, str]] | None = None
) -> audit.Verification:
    """Recompute every hash, and all data derived from the events.

    See `sitematch.store.capacity.history.audit.verify`. Errors: those, and `NotAllowed` for who may not read the audit
    trail of every study.
    """
    require(actor, Permission.AUDIT_READ)
    return audit.verify(store, anchors=anchors)


def export_ledger(store: Store, actor: Actor) -> Iterator[bytes]:
    """Return the whole ledger as NDJSON; see `sitematch.store.capacity.history.portable.export_ledger`.

    Errors: those, and `NotAllowed` for who may not read the audit trail of every study.
    """
    require(actor, Permission.AUDIT_READ)
    return portable.export_ledger(store)


def import_ledger(store: Store, actor: Actor, lines: Iterable[bytes]) -> int:
    """Read an exported ledger into an empty one; see `sitematch.store.capacity.history.portable.import_ledger`.

    Errors: those, and `NotAllowed` without permission to set the caps and change the referrals of every study.
    """
    require(actor, Permission.CAPS_WRITE)
    require(actor, Permission.REFERRALS_WRITE)
    return portable.import_ledger(store, lines)
