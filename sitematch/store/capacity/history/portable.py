"""The whole ledger as NDJSON: one event per line, enough to rebuild everything else, on either database.

The first line names the format. Then the events follow, each with its hash, by study and position. The file is enough
to check the chain (see `sitematch.store.capacity.chain.seal`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.states import SITE_KINDS, EventKind
from sitematch.errors import DataFault, Fault
from sitematch.store.capacity.chain import GENESIS, seal
from sitematch.store.capacity.rules import apply_rule
from sitematch.store.capacity.writing import note_latest, open_study, read_policy
from sitematch.store.engine import Store
from sitematch.store.schema import cap, event

FORMAT = "sitematch-ledger/1"
"""The first line."""

_ROWS_A_READ = 1_000
_COLUMNS = tuple(column.name for column in event.columns)


def export_ledger(store: Store) -> Iterator[bytes]:
    """Yield the ledger line by line, as of one time, with constant memory; each line ends with a newline.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    yield msgspec.json.encode({"format": FORMAT}) + b"\n"
    query = sa.select(event).order_by(event.c.study_id, event.c.seq)
    with store.reading() as connection:
        for row in connection.execution_options(yield_per=_ROWS_A_READ).execute(query):
            yield msgspec.json.encode(dict(row._mapping)) + b"\n"


def import_ledger(store: Store, lines: Iterable[bytes]) -> int:
    """Write an exported ledger into a database whose ledger is empty, in one transaction.

    Parameters
    ----------
    store
        The database. Its catalogue is not changed; import the studies separately.
    lines
        The lines from `export_ledger`; blank lines are ignored.

    Returns
    -------
    int
        The number of events written.

    Raises
    ------
    DataFault
        If the ledger is not empty, or a line is malformed or does not follow the previous one; nothing is written.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    count = 0
    reader = _Reader()
    with store.writing() as connection:
        if connection.execute(sa.select(cap.c.study_id).limit(1)).first() is not None:
            raise _fault(0, "The database already has a ledger. Import into an empty database.")
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            row = reader.read(number, line)
            if row is not None:
                _write(connection, row, is_new_referral=reader.is_new_referral)
                count += 1
        if not reader.has_header:
            raise _fault(1, f"The first line must name the format {FORMAT!r}.")
        for row in reader.last.values():
            _note_head(connection, row)
    return count


class _Reader:
    """Checks each line against the ones before it."""

    def __init__(self) -> None:
        self.has_header = False
        self.is_new_referral = False
        self.last: dict[str, dict[str, Any]] = {}
        self._referrals: set[str] = set()

    def read(self, number: int, line: bytes) -> dict[str, Any] | None:
        try:
            row = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise _fault(number, f"The line is not JSON: {error}") from error
        if not self.has_header:
            if not isinstance(row, dict) or row.get("format") != FORMAT:
                raise _fault(number, f"The first line must name the format {FORMAT!r}.")
            self.has_header = True
            return None
        if not isinstance(row, dict) or set(row) != set(_COLUMNS):
            raise _fault(number, "The line is not a valid event in this format.")
        before = self.last.get(row["study_id"])
        follows = (1, GENESIS) if before is None else (before["seq"] + 1, before["hash"])
        if (row["seq"], row["prev_hash"]) != follows or row["hash"] != seal(row):
            raise _fault(
                number, f"Event {row['seq']} of {row['study_id']} was edited, or does not follow the event before it."
            )
        self.is_new_referral = row["referral_id"] is not None and row["referral_id"] not in self._referrals
        if self.is_new_referral:
            self._referrals.add(row["referral_id"])
        self.last[row["study_id"]] = row
        return row


def _write(connection: sa.Connection, row: dict[str, Any], *, is_new_referral: bool) -> None:
    if row["seq"] == 1:
        open_study(connection, row["study_id"])
    connection.execute(sa.insert(event), row)
    kind = EventKind(row["kind"])
    if row["referral_id"] is not None:
        note_latest(connection, row, is_new=is_new_referral)
    elif kind is EventKind.POLICY_SET:
        read_policy(row["detail"])
        connection.execute(
            sa.update(cap)
            .where(cap.c.study_id == row["study_id"], cap.c.level == "STUDY", cap.c.scope == "")
            .values(policy=row["detail"])
        )
    elif kind not in SITE_KINDS:  # travel support is in the catalogue, opening days are read from the events
        said = msgspec.json.decode(row["detail"])
        key = CapKey(level=CapLevel(said["level"]), scope=said["scope"])
        apply_rule(connection, row["study_id"], key, kind, said.get("spots"))


def _note_head(connection: sa.Connection, row: dict[str, Any]) -> None:
    connection.execute(
        sa.update(cap)
        .where(cap.c.study_id == row["study_id"], cap.c.level == "STUDY", cap.c.scope == "")
        .values(head_seq=row["seq"], head_hash=row["hash"], head_at_us=row["at_us"])
    )


def _fault(line: int, reason: str) -> DataFault:
    return DataFault(
        f"The ledger cannot be imported: {reason}",
        faults=[Fault(line=line, field="", value="", reason=reason)],
    )
