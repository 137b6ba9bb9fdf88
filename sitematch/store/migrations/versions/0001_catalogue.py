"""The site catalogue.

Revision ID: 0001
Revises:
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the catalogue's tables and its version."""
    version = op.create_table(
        "catalogue",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue"),
        sa.CheckConstraint("id = 1", name="ck_catalogue_one_row"),
    )
    op.bulk_insert(version, [{"id": 1, "epoch": secrets.token_hex(4), "version": 0}])
    op.create_table(
        "study",
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("as_of_on", sa.Date, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("sponsor", sa.Text, nullable=False),
        sa.Column("other_ids", sa.Text, nullable=False),
        sa.Column("conditions", sa.Text, nullable=False),
        sa.Column("interventions", sa.Text, nullable=False),
        sa.Column("phases", sa.Text, nullable=False),
        sa.Column("pool_spots", sa.Integer),
        sa.Column("travel_certainty", sa.Text, nullable=False),
        sa.Column("travel_kinds", sa.Text, nullable=False),
        sa.Column("time_reimbursement", sa.Text, nullable=False),
        sa.Column("age_min_years", sa.Integer),
        sa.Column("age_max_years", sa.Integer),
        sa.Column("sex", sa.Text, nullable=False),
        sa.Column("timeline", sa.Text, nullable=False),
        sa.Column("has_placebo", sa.Boolean),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("who_not", sa.Text, nullable=False),
        sa.Column("notice", sa.Text, nullable=False),
        sa.Column("history", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("study_id", name="pk_study"),
    )
    op.create_table(
        "site",
        sa.Column("site_id", sa.Text, nullable=False),
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("source_study", sa.Text, nullable=False),
        sa.Column("facility", sa.Text, nullable=False),
        sa.Column("city", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("postcode", sa.Text, nullable=False),
        sa.Column("country", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("as_of_on", sa.Date, nullable=False),
        sa.Column("latitude_deg", sa.Float(53)),
        sa.Column("longitude_deg", sa.Float(53)),
        sa.Column("precision", sa.Text),
        sa.Column("uncertainty_km", sa.Float(53)),
        sa.Column("place_source", sa.Text),
        sa.Column("place_country", sa.Text),
        sa.Column("place_name", sa.Text),
        sa.Column("place_postcode", sa.Text),
        sa.Column("place_notes", sa.Text),
        sa.Column("travel_certainty", sa.Text, nullable=False),
        sa.Column("travel_kinds", sa.Text, nullable=False),
        sa.Column("time_reimbursement", sa.Text, nullable=False),
        sa.Column("spots", sa.Integer),
        sa.Column("flags", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("site_id", name="pk_site"),
        sa.ForeignKeyConstraint(["study_id"], ["study.study_id"], name="fk_site_study_id_study", ondelete="CASCADE"),
    )
    op.create_index("ix_site_study_id_position", "site", ["study_id", "position"])


def downgrade() -> None:
    """Drop the catalogue."""
    op.drop_table("site")
    op.drop_table("study")
    op.drop_table("catalogue")
