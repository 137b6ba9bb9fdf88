"""Imports, and the earlier versions of their studies.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of imports."""
    op.create_table(
        "import_batch",
        sa.Column("import_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("totals", sa.Text, nullable=False),
        sa.Column("undone_at_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("import_id", name="pk_import_batch"),
    )
    op.create_table(
        "import_study",
        sa.Column("import_id", sa.Integer, nullable=False),
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after_hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("import_id", "study_id", name="pk_import_study"),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_batch.import_id"], name="fk_import_study_import_id_import_batch", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_import_study_study_id", "import_study", ["study_id"])


def downgrade() -> None:
    """Drop the tables; imported data stays."""
    op.drop_table("import_study")
    op.drop_table("import_batch")
