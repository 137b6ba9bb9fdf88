from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from sitematch.domain.accounts.access import Grant, Role
from sitematch.domain.webhooks.notice import NoticeKind
from sitematch.errors import NotReady, StorageFault
from sitematch.store import migrate, schema
from sitematch.store.accounts import accounts
from sitematch.store.capacity.history import audit
from sitematch.store.engine import Store, open_store
from sitematch.store.studies.catalogue import read_sites, read_study
from sitematch.store.webhooks import endpoints
from tests.store.builders import NOW, STUDY_ID, Coordinator


def test_program_needs_the_last_revision_there_is() -> None:
    assert migrate.revisions()[-1] == schema.SCHEMA_REVISION


def is_of_every_database(name: str | None, *_: object) -> bool:
    return not (name or "").startswith(schema.OF_ONE_DATABASE)


def test_migrations_build_what_the_code_describes(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store.reading() as connection:
        options = {"compare_server_default": True, "include_name": is_of_every_database}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, schema.metadata)

    assert differences == []


def test_every_revision_goes_up_down_and_up_again(empty_url: str) -> None:
    with open_store(empty_url, require_ready=False) as store:
        for revision in migrate.revisions():
            migrate.upgrade(store, revision)
            assert store.schema_revision() == revision
        for revision in reversed(("base", *migrate.revisions()[:-1])):
            migrate.downgrade(store, revision)
        with store.reading() as connection:
            left = sa.inspect(connection).get_table_names()
        migrate.upgrade(store)
        store.require_ready()

    assert left == ["alembic_version"]


def test_upgrading_twice_changes_nothing(store: Store) -> None:
    migrate.upgrade(store)

    store.require_ready()


def test_schema_of_a_later_program_is_left_alone(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(NotReady, match="9999"):
        migrate.upgrade(store)

    assert store.schema_revision() == "9999"


def test_going_down_and_up_keeps_what_the_earlier_schema_holds(store: Store) -> None:
    coordinator = Coordinator(store)
    coordinator.cap(3)
    coordinator.hold("r-1")
    account = accounts.create_account(store, email="ann@example.org", now=NOW)
    accounts.give(store, account_id=account.account_id, grant=Grant(role=Role.ADMINISTRATOR))
    endpoints.add_webhook(
        store, account.actor, url="https://example.org/", kinds=frozenset({NoticeKind.SITE_FILLED}), now=NOW
    )
    study, sites = read_study(store, STUDY_ID), read_sites(store, STUDY_ID)
    before = audit.verify(store)

    migrate.downgrade(store, "0003")
    migrate.upgrade(store)
    with_accounts = (accounts.list_accounts(store), endpoints.list_webhooks(store), audit.verify(store))
    migrate.downgrade(store, "0002")
    migrate.upgrade(store)
    with_ledger = (accounts.list_accounts(store), audit.verify(store), coordinator.site().remaining)
    migrate.downgrade(store, "0001")
    migrate.upgrade(store)
    with_catalogue = (audit.verify(store).events, read_study(store, STUDY_ID), read_sites(store, STUDY_ID))

    assert with_accounts == ((replace(account, grants=(Grant(role=Role.ADMINISTRATOR),)),), (), before)
    assert with_ledger == ((), before, 2)
    assert with_catalogue == (0, study, sites)
    assert coordinator.hold("r-1").seq == 1


def test_events_are_append_only_again_after_going_down_and_up(store: Store) -> None:
    migrate.downgrade(store, "0001")
    migrate.upgrade(store)
    coordinator = Coordinator(store)
    coordinator.hold("r-1")

    with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM event"))


def test_failed_migration_leaves_the_schema_as_it_was(empty_url: str) -> None:
    with open_store(empty_url, require_ready=False) as store:
        migrate.upgrade(store, "0001")
        with store.writing() as connection:
            # In the way of 0002, after it has made other tables.
            connection.execute(sa.text("CREATE TABLE idempotency (x INTEGER)"))

        with pytest.raises(StorageFault):
            migrate.upgrade(store)

        with store.reading() as connection:
            tables = set(sa.inspect(connection).get_table_names())
        assert store.schema_revision() == "0001"
        assert tables == {"alembic_version", "catalogue", "study", "site", "idempotency"}
