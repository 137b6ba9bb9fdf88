"""Counters of referrals, and an index of what has not lapsed.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both, and count the referrals that are there."""
    op.create_table(
        "referral_count",
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("country", sa.Text, nullable=False),
        sa.Column("arm", sa.Text, nullable=False),
        sa.Column("referrals", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("study_id", "kind", "site_id", "country", "arm", name="pk_referral_count"),
        sa.CheckConstraint("referrals >= 0", name="ck_referral_count_referrals"),
    )
    op.execute(
        "INSERT INTO referral_count (study_id, kind, site_id, country, arm, referrals) "
        "SELECT study_id, kind, site_id, country, COALESCE(arm, ''), COUNT(*) FROM latest_event "
        "WHERE site_id IS NOT NULL GROUP BY study_id, kind, site_id, country, COALESCE(arm, '')"
    )
    op.create_index(
        "ix_latest_event_expiry",
        "latest_event",
        ["study_id", "expires_at_us", "kind", "site_id", "country", "arm"],
        sqlite_where=sa.text("expires_at_us IS NOT NULL"),
        postgresql_where=sa.text("expires_at_us IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop both; the latest events stay."""
    op.drop_index("ix_latest_event_expiry", "latest_event")
    op.drop_table("referral_count")
