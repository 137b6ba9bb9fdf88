"""Opening days of sites: from the registry, and the day of the first record that called a site recruiting.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; sites that recruit now are dated by the version of the catalogue that is there."""
    op.add_column("site", sa.Column("opened_on", sa.Date))
    op.create_table(
        "site_recruiting",
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("recruiting_on", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("study_id", "site_id", name="pk_site_recruiting"),
    )
    op.execute(
        "INSERT INTO site_recruiting (study_id, site_id, recruiting_on) "
        "SELECT study_id, site_id, as_of_on FROM site "
        "WHERE status IN ('RECRUITING', 'ENROLLING_BY_INVITATION', 'AVAILABLE')"
    )


def downgrade() -> None:
    """Drop both; the sites stay."""
    op.drop_table("site_recruiting")
    op.drop_column("site", "opened_on")
