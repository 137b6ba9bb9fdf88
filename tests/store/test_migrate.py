from __future__ import annotations

import pytest
import sqlalchemy as sa

from sitematch.errors import NotReady
from sitematch.store import migrate, schema
from sitematch.store.engine import Store, open_store


def test_program_needs_the_last_revision_there_is() -> None:
    assert migrate.revisions()[-1] == schema.SCHEMA_REVISION


def test_migrations_build_what_the_code_describes(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
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
