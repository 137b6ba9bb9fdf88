"""Invitations, calendars, and the history of accounts.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; earlier changes of accounts are not known."""
    op.create_table(
        "invitation",
        sa.Column("secret_hash", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, sa.ForeignKey("account.account_id"), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_invitation_account_id", "invitation", ["account_id"])
    op.create_table(
        "calendar",
        sa.Column("secret_hash", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, sa.ForeignKey("account.account_id"), nullable=False),
        sa.Column("study_id", sa.Text, nullable=False),
    )
    op.create_index("ix_calendar_account_id_study_id", "calendar", ["account_id", "study_id"], unique=True)
    op.create_table(
        "account_change",
        sa.Column("account_id", sa.Text, sa.ForeignKey("account.account_id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("site_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "number", name="pk_account_change"),
    )


def downgrade() -> None:
    """Drop them; open invitations, addresses of calendars and the history of accounts are lost."""
    op.drop_table("account_change")
    op.drop_index("ix_calendar_account_id_study_id", "calendar")
    op.drop_table("calendar")
    op.drop_index("ix_invitation_account_id", "invitation")
    op.drop_table("invitation")
