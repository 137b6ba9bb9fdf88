"""The tables, as SQLAlchemy Core sees them.

The migrations in `sitematch/store/migrations` build them; a test compares the two, so neither can drift.
Instants are whole microseconds since 1970-01-01 UTC (columns ``*_us``): SQLite has no type for an instant,
and a hash over a row must not depend on how a database prints one. Lists and small records are JSON text.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

SCHEMA_REVISION = "0001"
"""The migration that this program needs; the last one in `migrations/versions`."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

catalogue = Table(
    "catalogue",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
"""One row: a random word chosen when the database was built, and a number that every change raises."""

study = Table(
    "study",
    metadata,
    Column("study_id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("as_of_on", Date, nullable=False),
    Column("source", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("sponsor", Text, nullable=False),
    Column("other_ids", Text, nullable=False),
    Column("conditions", Text, nullable=False),
    Column("interventions", Text, nullable=False),
    Column("phases", Text, nullable=False),
    Column("pool_spots", Integer),
    Column("travel_certainty", Text, nullable=False),
    Column("travel_kinds", Text, nullable=False),
    Column("time_reimbursement", Text, nullable=False),
    Column("age_min_years", Integer),
    Column("age_max_years", Integer),
    Column("sex", Text, nullable=False),
    Column("timeline", Text, nullable=False),
    Column("has_placebo", Boolean),
    Column("who", Text, nullable=False),
    Column("who_not", Text, nullable=False),
    Column("notice", Text, nullable=False),
    Column("history", Text, nullable=False),
)

site = Table(
    "site",
    metadata,
    Column("site_id", Text, primary_key=True),
    Column("study_id", Text, ForeignKey("study.study_id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("source_study", Text, nullable=False),
    Column("facility", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("postcode", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("as_of_on", Date, nullable=False),
    Column("latitude_deg", Float(53)),
    Column("longitude_deg", Float(53)),
    Column("precision", Text),
    Column("uncertainty_km", Float(53)),
    Column("place_source", Text),
    Column("place_country", Text),
    Column("place_name", Text),
    Column("place_postcode", Text),
    Column("place_notes", Text),
    Column("travel_certainty", Text, nullable=False),
    Column("travel_kinds", Text, nullable=False),
    Column("time_reimbursement", Text, nullable=False),
    Column("spots", Integer),
    Column("flags", Text, nullable=False),
    Index("ix_site_study_id_position", "study_id", "position"),
)
