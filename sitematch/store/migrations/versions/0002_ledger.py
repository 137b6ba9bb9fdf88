"""The capacity ledger.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SQLITE_GUARDS = (
    """CREATE TRIGGER event_no_update BEFORE UPDATE ON event
       BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
    """CREATE TRIGGER event_no_delete BEFORE DELETE ON event
       BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
    # INSERT OR REPLACE deletes without firing the trigger above on a connection without recursive_triggers.
    """CREATE TRIGGER event_no_replace BEFORE INSERT ON event
       WHEN EXISTS (SELECT 1 FROM event WHERE study_id = NEW.study_id AND seq = NEW.seq)
       BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
)
_POSTGRES_GUARDS = (
    """CREATE FUNCTION sitematch_append_only() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'events are append-only'; END $$""",
    """CREATE TRIGGER event_no_change BEFORE UPDATE OR DELETE ON event
       FOR EACH ROW EXECUTE FUNCTION sitematch_append_only()""",
    """CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON event
       FOR EACH STATEMENT EXECUTE FUNCTION sitematch_append_only()""",
)


def upgrade() -> None:
    """Create the ledger's tables, and the triggers that prevent changes of events."""
    op.create_table(
        "cap",
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("spots", sa.Integer),
        sa.Column("is_closed", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("head_seq", sa.BigInteger, nullable=False),
        sa.Column("head_hash", sa.Text, nullable=False),
        sa.Column("head_at_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("study_id", "level", "scope", name="pk_cap"),
        sa.CheckConstraint("spots >= 0", name="ck_cap_spots"),
        sa.CheckConstraint("level IN ('STUDY', 'COUNTRY', 'ARM', 'SITE')", name="ck_cap_level"),
        # Every write updates the study's row; with free space on its page, PostgreSQL can do this in place.
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "event",
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("referral_id", sa.Text),
        sa.Column("site_id", sa.Text),
        sa.Column("country", sa.Text),
        sa.Column("arm", sa.Text),
        sa.Column("expires_at_us", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("prev_hash", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("study_id", "seq", name="pk_event"),
    )
    op.create_index("ix_event_referral_id_seq", "event", ["referral_id", "seq"])
    op.create_table(
        "latest_event",
        sa.Column("referral_id", sa.Text, nullable=False),
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("site_id", sa.Text),
        sa.Column("country", sa.Text),
        sa.Column("arm", sa.Text),
        sa.Column("expires_at_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("referral_id", name="pk_latest_event"),
    )
    op.create_index(
        "ix_latest_event_counting",
        "latest_event",
        ["study_id", "kind", "site_id", "country", "arm", "expires_at_us", "seq"],
    )
    op.create_table(
        "idempotency",
        sa.Column("key_hash", sa.Text, nullable=False),
        sa.Column("body_hash", sa.Text, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_at_us", "idempotency", ["at_us"])
    guards = _SQLITE_GUARDS if op.get_bind().dialect.name == "sqlite" else _POSTGRES_GUARDS
    for guard in guards:
        op.execute(guard)


def downgrade() -> None:
    """Drop the ledger with all events."""
    for table in ("idempotency", "latest_event", "event", "cap"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION sitematch_append_only()")
