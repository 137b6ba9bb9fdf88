"""Personal contacts.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of contacts; they are empty until an import includes contacts."""
    for owner in ("study", "site"):
        key = f"{owner}_id"
        op.create_table(
            f"{owner}_contact",
            sa.Column(key, sa.Text, nullable=False),
            sa.Column("position", sa.Integer, nullable=False),
            sa.Column("name", sa.Text, nullable=False),
            sa.Column("role", sa.Text, nullable=False),
            sa.Column("phone", sa.Text, nullable=False),
            sa.Column("email", sa.Text, nullable=False),
            sa.PrimaryKeyConstraint(key, "position", name=f"pk_{owner}_contact"),
            sa.ForeignKeyConstraint(
                [key], [f"{owner}.{key}"], name=f"fk_{owner}_contact_{key}_{owner}", ondelete="CASCADE"
            ),
        )


def downgrade() -> None:
    """Drop the tables with all contacts."""
    op.drop_table("site_contact")
    op.drop_table("study_contact")
