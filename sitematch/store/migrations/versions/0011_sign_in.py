"""Passwords to change, second factors, devices that signed in before, and what sessions need to end when idle.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and tables; accounts and sessions stay as they are."""
    op.add_column("account", sa.Column("must_change", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("account", sa.Column("totp_secret", sa.Text))
    op.add_column("account", sa.Column("totp_step", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("token", sa.Column("seen_at_us", sa.BigInteger))
    op.create_table(
        "recovery_code",
        sa.Column("account_id", sa.Text, sa.ForeignKey("account.account_id"), nullable=False),
        sa.Column("code_hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "code_hash"),
    )
    op.create_table(
        "known_device",
        sa.Column("secret_hash", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, sa.ForeignKey("account.account_id"), nullable=False),
        sa.Column("created_at_us", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_known_device_account_id", "known_device", ["account_id"])


def downgrade() -> None:
    """Drop them; second factors and known devices are lost."""
    op.drop_index("ix_known_device_account_id", "known_device")
    op.drop_table("known_device")
    op.drop_table("recovery_code")
    op.drop_column("token", "seen_at_us")
    op.drop_column("account", "totp_step")
    op.drop_column("account", "totp_secret")
    op.drop_column("account", "must_change")
