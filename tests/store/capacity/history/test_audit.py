from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa

from sitematch.store import schema
from sitematch.store.capacity.history import audit
from sitematch.store.engine import Store
from tests.store.builders import STUDY, STUDY_ID, Coordinator, make_site, make_study, site_key


def busy_desk(store: Store) -> Coordinator:
    coordinator = Coordinator(store)
    coordinator.cap(2)
    coordinator.cap(5, site_key())
    coordinator.policy(hold=timedelta(hours=1))
    coordinator.hold("r-1")
    coordinator.hold("r-2")
    coordinator.wait("r-3")
    coordinator.screen("r-1")
    coordinator.release("r-2")
    coordinator.close(STUDY)
    other = Coordinator(store, study=make_study(study_id="NCT2"), sites=[make_site("o", study_id="NCT2")])
    other.hold("r-9", "o")
    return coordinator


@contextmanager
def as_intruder(store: Store) -> Iterator[sa.Connection]:
    """Return a connection without triggers, like that of somebody with full rights on the database."""
    with store.engine.begin() as connection:
        if store.dialect == "sqlite":
            for name in ("update", "delete", "replace"):
                connection.exec_driver_sql(f"DROP TRIGGER event_no_{name}")
        else:
            connection.exec_driver_sql("ALTER TABLE event DISABLE TRIGGER ALL")
        yield connection


def test_untouched_ledger_is_intact(store: Store) -> None:
    busy_desk(store)

    found = audit.verify(store)

    assert found.is_intact
    assert [(head.study_id, head.seq) for head in found.heads] == [(STUDY_ID, 10), ("NCT2", 1)]
    assert found.events == 11


def test_empty_ledger_is_intact(store: Store) -> None:
    found = audit.verify(store)

    assert (found.is_intact, found.events, found.heads) == (True, 0, ())


@pytest.mark.parametrize("column", [column.name for column in schema.event.columns if column.name != "study_id"])
def test_edit_of_any_column_is_found(store: Store, column: str) -> None:
    busy_desk(store)
    values = {"seq": 99, "at_us": 5, "expires_at_us": 7, "kind": "'RELEASED'"}

    with as_intruder(store) as connection:
        connection.exec_driver_sql(
            f"UPDATE event SET {column} = {values.get(column, repr('x'))} WHERE study_id = '{STUDY_ID}' AND seq = 4"
        )

    faults = audit.verify(store).faults
    assert faults
    assert {fault.study_id for fault in faults} == {STUDY_ID}


@pytest.mark.parametrize("seq", range(1, 11))
def test_deletion_of_any_event_is_found(store: Store, seq: int) -> None:
    busy_desk(store)

    with as_intruder(store) as connection:
        connection.execute(
            sa.delete(schema.event).where(schema.event.c.study_id == STUDY_ID, schema.event.c.seq == seq)
        )

    assert not audit.verify(store).is_intact


def test_reordering_is_found(store: Store) -> None:
    busy_desk(store)

    with as_intruder(store) as connection:
        for before, after in ((5, 100), (6, 5), (100, 6)):
            connection.execute(
                sa.update(schema.event)
                .where(schema.event.c.study_id == STUDY_ID, schema.event.c.seq == before)
                .values(seq=after)
            )

    (fault, *_) = audit.verify(store).faults
    assert (fault.study_id, fault.seq) == (STUDY_ID, 5)


def test_rewriting_the_whole_chain_is_found_by_an_anchor(store: Store) -> None:
    busy_desk(store)
    noted = {head.study_id: (head.seq, head.hash) for head in audit.verify(store).heads}
    with as_intruder(store) as connection:
        connection.execute(sa.delete(schema.event))
        connection.execute(sa.delete(schema.latest_event))
        connection.execute(sa.delete(schema.referral_count))
        connection.execute(sa.delete(schema.cap))
    coordinator = Coordinator(store)
    for number in range(12):
        coordinator.hold(f"forged-{number}")

    unaided = audit.verify(store)
    anchored = audit.verify(store, anchors=noted)

    assert unaided.is_intact
    assert [(fault.study_id, fault.seq) for fault in anchored.faults] == [(STUDY_ID, 10), ("NCT2", 1)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE latest_event SET kind = 'RELEASED' WHERE referral_id = 'r-1'",
        "DELETE FROM latest_event WHERE referral_id = 'r-1'",
        "UPDATE latest_event SET expires_at_us = 1 WHERE kind = 'HELD'",
        "UPDATE referral_count SET referrals = referrals + 1 WHERE kind = 'HELD'",
        "UPDATE referral_count SET arm = 'another'",
        "DELETE FROM referral_count WHERE kind = 'HELD'",
        "INSERT INTO referral_count VALUES ('NCT2', 'HELD', 'site-1', 'US', 'arm', 1)",
        "UPDATE cap SET spots = 100 WHERE level = 'STUDY'",
        "UPDATE cap SET is_closed = (1 = 0) WHERE level = 'STUDY'",
        "UPDATE cap SET policy = '' WHERE level = 'STUDY'",
        "DELETE FROM cap WHERE level = 'SITE'",
    ],
)
def test_tampering_with_what_is_derived_is_found(store: Store, statement: str) -> None:
    busy_desk(store)

    with store.engine.begin() as connection:
        connection.exec_driver_sql(statement)

    assert not audit.verify(store).is_intact


def test_ledger_has_no_column_for_a_name_a_postcode_or_a_birth_date() -> None:
    forbidden = (
        "name",
        "post",
        "zip",
        "birth",
        "dob",
        "mail",
        "phone",
        "address",
        "latitude",
        "longitude",
        "km",
        "note",
    )
    tables = [schema.cap, schema.event, schema.latest_event, schema.referral_count, schema.idempotency]

    found = [
        f"{table.name}.{column.name}"
        for table in tables
        for column in table.columns
        if any(word in column.name.lower() for word in forbidden)
    ]

    assert found == []
    # The catalogue holds what registries publish: nothing there is about a patient.
    catalogue = {"catalogue", "study", "study_text", "study_contact", "site", "site_contact", "site_recruiting"}
    catalogue |= {"import_batch", "import_study"}
    demand = {"demand"}
    staff = {"account", "identity", "account_grant", "token", "login_failure", "known_device", "recovery_code"}
    staff |= {"invitation", "calendar", "account_change"}
    webhooks = {"webhook", "site_notice", "outbox", "delivery"}
    assert set(schema.metadata.tables) - catalogue - demand - staff - webhooks == {table.name for table in tables}
