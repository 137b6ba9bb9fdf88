"""An index of where sites are, for look-ups near a point over the whole catalogue.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_site_latitude_deg_longitude_deg", "site", ["latitude_deg", "longitude_deg"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_site_latitude_deg_longitude_deg", "site")
