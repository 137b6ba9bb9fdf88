"""The design of studies and the street addresses of sites.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns, empty; the next import of a study fills them."""
    op.add_column("study", sa.Column("design", sa.Text, nullable=False, server_default="{}"))
    op.add_column("site", sa.Column("address", sa.Text, nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    """Drop both columns; studies and sites stay."""
    op.drop_column("site", "address")
    op.drop_column("study", "design")
