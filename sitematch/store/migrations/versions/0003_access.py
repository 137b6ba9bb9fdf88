"""Accounts, roles, tokens.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of accounts; there is no default account and no default password."""
    op.create_table(
        "account",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("created_at_us", sa.BigInteger, nullable=False),
        sa.Column("disabled_at_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("account_id", name="pk_account"),
    )
    op.create_index("ix_account_email", "account", ["email"], unique=True)
    op.create_table(
        "identity",
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_identity"),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name="fk_identity_account_id_account"),
    )
    op.create_index("ix_identity_account_id", "identity", ["account_id"])
    op.create_table(
        "account_grant",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("site_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "role", "study_id", "site_id", name="pk_account_grant"),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name="fk_account_grant_account_id_account"),
    )
    op.create_table(
        "token",
        sa.Column("token_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text),
        sa.Column("created_at_us", sa.BigInteger, nullable=False),
        sa.Column("expires_at_us", sa.BigInteger, nullable=False),
        sa.Column("revoked_at_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("token_id", name="pk_token"),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name="fk_token_account_id_account"),
    )
    op.create_index("ix_token_secret_hash", "token", ["secret_hash"], unique=True)
    op.create_index("ix_token_account_id", "token", ["account_id"])
    op.create_table(
        "login_failure",
        sa.Column("email_hash", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("last_at_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("email_hash", name="pk_login_failure"),
    )


def downgrade() -> None:
    """Drop all tables of accounts and tokens."""
    for table in ("login_failure", "token", "account_grant", "identity", "account"):
        op.drop_table(table)
