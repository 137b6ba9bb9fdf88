"""Paged lists of referrals.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add indexes to read a page of a study's, a site's or a state's referrals without the others."""
    op.create_index("ix_latest_event_study_id_seq", "latest_event", ["study_id", "seq"])
    op.create_index("ix_latest_event_study_id_site_id_seq", "latest_event", ["study_id", "site_id", "seq"])
    op.create_index("ix_latest_event_study_id_kind_seq", "latest_event", ["study_id", "kind", "seq"])


def downgrade() -> None:
    """Drop the indexes."""
    op.drop_index("ix_latest_event_study_id_kind_seq", "latest_event")
    op.drop_index("ix_latest_event_study_id_site_id_seq", "latest_event")
    op.drop_index("ix_latest_event_study_id_seq", "latest_event")
