"""Webhooks and their outbox.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of webhooks."""
    op.create_table(
        "webhook",
        sa.Column("webhook_id", sa.Text, nullable=False),
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("kinds", sa.Text, nullable=False),
        sa.Column("percent", sa.Integer),
        sa.Column("created_at_us", sa.BigInteger, nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("disabled_at_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("webhook_id", name="pk_webhook"),
    )
    op.create_table(
        "site_notice",
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("is_full", sa.Boolean, nullable=False),
        sa.Column("percent", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("study_id", "site_id", name="pk_site_notice"),
    )
    op.create_table(
        "outbox",
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_outbox"),
    )
    op.create_table(
        "delivery",
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("webhook_id", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at_us", sa.BigInteger),
        sa.Column("delivered_at_us", sa.BigInteger),
        sa.Column("failed_at_us", sa.BigInteger),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("message_id", "webhook_id", name="pk_delivery"),
        sa.ForeignKeyConstraint(["message_id"], ["outbox.message_id"], name="fk_delivery_message_id_outbox"),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.webhook_id"], name="fk_delivery_webhook_id_webhook"),
    )
    op.create_index("ix_delivery_due_at_us", "delivery", ["due_at_us"])


def downgrade() -> None:
    """Drop webhooks and undelivered messages."""
    for table in ("delivery", "outbox", "site_notice", "webhook"):
        op.drop_table(table)
