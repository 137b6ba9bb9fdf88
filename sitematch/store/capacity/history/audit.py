"""Verifying the ledger: no event was edited, deleted or moved, and derived data agrees with the events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.occupancy import CapRule
from sitematch.domain.capacity.states import SITE_KINDS, EventKind, standing
from sitematch.store.capacity.chain import GENESIS, seal
from sitematch.store.capacity.counters import counter_key
from sitematch.store.capacity.counting import apply_setting
from sitematch.store.engine import Store
from sitematch.store.instants import from_us
from sitematch.store.schema import cap, event, latest_event, referral_count

_ROWS_A_READ = 1_000
_LATEST_COLUMNS = ("study_id", "seq", "kind", "site_id", "country", "arm", "expires_at_us")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHead:
    """The end of a study's chain: stored elsewhere, it shows later whether the history was rewritten.

    Parameters
    ----------
    study_id, seq, hash
        The last event, and its hash.
    at
        When it happened (aware, UTC).
    """

    study_id: str
    seq: int
    hash: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFault:
    """One difference from the data that the program wrote.

    Parameters
    ----------
    study_id, seq
        Where; `seq` is 0 if it does not concern a single event.
    reason
        What is wrong, in plain words.
    """

    study_id: str
    seq: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The result of a check.

    Parameters
    ----------
    events
        The number of events read.
    heads
        The end of each study's chain, by study.
    faults
        The differences; empty if there are none.
    """

    events: int
    heads: tuple[ChainHead, ...]
    faults: tuple[LedgerFault, ...]

    @property
    def is_intact(self) -> bool:
        """Return whether there are no differences."""
        return not self.faults


def verify(store: Store, *, anchors: Mapping[str, tuple[int, str]] | None = None) -> Verification:
    """Recompute every hash and all data derived from the events, and compare.

    Parameters
    ----------
    store
        The database; it is read as of one time, and writes can continue.
    anchors
        For each study, the `seq` and hash of an event that were stored earlier, outside the database.

    Returns
    -------
    Verification
        At most one fault about the chain of each study (events after the first break cannot be trusted), and every
        fault about derived data.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.

    Notes
    -----
    An edit, a deletion, an insertion and a reordering break the chain; a deletion at its end contradicts the study's
    cap row. If somebody with write access to the database recomputes the whole chain, only an anchor reveals it.
    """
    check = _Check(anchors or {})
    query = sa.select(event).order_by(event.c.study_id, event.c.seq)
    with store.reading() as connection:
        for row in connection.execution_options(yield_per=_ROWS_A_READ).execute(query):
            check.take(dict(row._mapping))
        check.compare(connection)
    return Verification(
        events=check.events,
        heads=tuple(
            ChainHead(study_id=study_id, seq=row["seq"], hash=row["hash"], at=from_us(row["at_us"]))
            for study_id, row in sorted(check.last.items())
        ),
        faults=tuple(sorted(check.faults, key=lambda fault: (fault.study_id, fault.seq, fault.reason))),
    )


class _Check:
    def __init__(self, anchors: Mapping[str, tuple[int, str]]) -> None:
        self.anchors = anchors
        self.events = 0
        self.last: dict[str, dict[str, Any]] = {}
        self.faults: list[LedgerFault] = []
        self._broken: set[str] = set()
        self._latest: dict[str, tuple[Any, ...]] = {}
        self._rules: dict[str, dict[CapKey, CapRule]] = {}
        self._policies: dict[str, str] = {}

    def fault(self, study_id: str, seq: int, reason: str) -> None:
        self.faults.append(LedgerFault(study_id=study_id, seq=seq, reason=reason))

    def take(self, row: dict[str, Any]) -> None:
        self.events += 1
        study_id, seq = row["study_id"], row["seq"]
        if study_id not in self._broken:
            reason = self._break(row)
            if reason:
                self._broken.add(study_id)
                self.fault(study_id, seq, reason)
        anchor = self.anchors.get(study_id)
        if anchor is not None and seq == anchor[0] and row["hash"] != anchor[1]:
            self.fault(study_id, seq, "history was rewritten: this is not the event in the anchor")
        self.last[study_id] = row
        self._fold(row)

    def _break(self, row: dict[str, Any]) -> str | None:
        before = self.last.get(row["study_id"])
        expected = 1 if before is None else before["seq"] + 1
        if row["seq"] != expected:
            return f"event {expected} is missing before it"
        if row["prev_hash"] != (GENESIS if before is None else before["hash"]):
            return "its link to the previous event is broken: one of the two was replaced or moved"
        if row["hash"] != seal(row):
            return "it was edited: its hash does not match its content"
        if before is not None and row["at_us"] < before["at_us"]:
            return "it is older than the event before it"
        return None

    def _fold(self, row: dict[str, Any]) -> None:
        study_id, kind = row["study_id"], EventKind(row["kind"])
        if row["referral_id"] is not None:
            noted = {**row, "kind": standing(kind).value}
            self._latest[row["referral_id"]] = tuple(noted[name] for name in _LATEST_COLUMNS)
        elif kind is EventKind.POLICY_SET:
            self._policies[study_id] = row["detail"]
        elif kind not in SITE_KINDS:  # facts about sites are not rules
            apply_setting(self._rules.setdefault(study_id, {}), kind, row["detail"])

    def compare(self, connection: sa.Connection) -> None:
        """Compare the events with the derived data."""
        for study_id, (seq, _) in sorted(self.anchors.items()):
            if study_id not in self.last or self.last[study_id]["seq"] < seq:
                self.fault(study_id, seq, "the event in the anchor is missing")
        self._compare_counters(connection)
        self._compare_latest(connection)
        self._compare_caps(connection)

    def _compare_latest(self, connection: sa.Connection) -> None:
        for row in connection.execute(sa.select(latest_event)):
            noted = tuple(row._mapping[name] for name in _LATEST_COLUMNS)
            if self._latest.pop(row.referral_id, None) != noted:
                self.fault(row.study_id, row.seq, f"referral {row.referral_id}: its stored latest event is wrong")
        for referral_id, (study_id, seq, *_) in self._latest.items():
            self.fault(study_id, seq, f"referral {referral_id}: its latest event is not stored")

    def _compare_counters(self, connection: sa.Connection) -> None:
        counted: Counter[tuple[str, ...]] = Counter()
        for latest in self._latest.values():
            row = dict(zip(_LATEST_COLUMNS, latest, strict=True))
            if row["site_id"] is not None:
                counted[tuple(counter_key(row).values())] += 1
        for stored in connection.execute(sa.select(referral_count)):
            key = tuple(counter_key(stored._mapping).values())
            self._compare_counter(key, stored.referrals, counted.pop(key, 0))
        for key, referrals in counted.items():
            self._compare_counter(key, 0, referrals)

    def _compare_counter(self, key: tuple[str, ...], stored: int, counted: int) -> None:
        if stored != counted:
            study_id, kind, site_id, _, arm = key
            where = f"site {site_id}, arm {arm}" if arm else f"site {site_id}"
            self.fault(study_id, 0, f"{where}: {stored} referrals are counted as {kind}, but the events have {counted}")

    def _compare_caps(self, connection: sa.Connection) -> None:
        for row in connection.execute(sa.select(cap)):
            key = CapKey(level=CapLevel(row.level), scope=row.scope)
            rule = self._rules.get(row.study_id, {}).pop(key, CapRule(None))
            if rule != CapRule(row.spots, row.is_closed):
                self.fault(row.study_id, 0, f"cap {key}: it does not match the events")
            if key.level is CapLevel.STUDY:
                self._compare_head(row)
        for study_id, rules in self._rules.items():
            for key in rules:
                self.fault(study_id, 0, f"cap {key}: it is missing")

    def _compare_head(self, row: sa.Row[Any]) -> None:
        last = self.last.get(row.study_id)
        found = (0, GENESIS) if last is None else (last["seq"], last["hash"])
        if found != (row.head_seq, row.head_hash):
            self.fault(row.study_id, row.head_seq, f"the chain ends at event {found[0]}, not at event {row.head_seq}")
        if row.policy != self._policies.get(row.study_id, ""):
            self.fault(row.study_id, 0, "the policy does not match the events")
