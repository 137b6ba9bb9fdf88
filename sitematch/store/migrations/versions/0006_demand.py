"""Counts of look-ups by coarse region and month.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of counts."""
    op.create_table(
        "demand",
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("month", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("lookups", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("study_id", "month", "region", name="pk_demand"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("demand")
