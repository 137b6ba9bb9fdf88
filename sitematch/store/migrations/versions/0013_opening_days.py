"""Opening days of sites: from the registry, and the day of the first record that called a site recruiting.

Revision ID: 0013
Revises: 0012
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; sites that recruit now are dated by their record, and not after the start of the study's ledger."""
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
    # A record may be younger than the ledger; the sites were there when it began.
    connection = op.get_bind()
    for study_id, first_us in connection.execute(sa.text("SELECT study_id, MIN(at_us) FROM event GROUP BY study_id")):
        day = datetime.fromtimestamp(first_us / 1_000_000, UTC).date()
        connection.execute(
            sa.text("UPDATE site_recruiting SET recruiting_on = :day WHERE study_id = :study AND recruiting_on > :day"),
            {"day": day.isoformat() if connection.dialect.name == "sqlite" else day, "study": study_id},
        )


def downgrade() -> None:
    """Drop both; the sites stay."""
    op.drop_table("site_recruiting")
    op.drop_column("site", "opened_on")
