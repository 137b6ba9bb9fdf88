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
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

SCHEMA_REVISION = "0010"
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
    Column("keywords", Text, nullable=False, server_default="[]"),
    Column("design", Text, nullable=False, server_default="{}"),
)

study_text = Table(
    "study_text",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("study_id", Text, ForeignKey("study.study_id", ondelete="CASCADE"), nullable=False),
    Column("heading", Text, nullable=False),
    Column("further", Text, nullable=False),
    Index("ix_study_text_study_id", "study_id", unique=True),
)
"""The words of each study (see `domain.studies.search_terms`), parted by blanks. The full-text index is the one
thing that each database has in its own way: on SQLite the FTS5 table ``study_words``, which triggers keep in step, on
PostgreSQL the GIN indexes ``ix_study_text_heading`` and ``ix_study_text_words`` over a tsvector."""

OF_ONE_DATABASE = ("study_words", "ix_study_text_heading", "ix_study_text_words")
"""How the names begin of what only the migrations describe, because only one database has it."""

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
    Column("cell", Integer, nullable=False, server_default="-1"),
    Column("clinic", BigInteger, nullable=False, server_default="0"),
    Column("address", Text, nullable=False, server_default=text("''")),
    Index("ix_site_study_id_position", "study_id", "position"),
    Index("ix_site_cell", "cell", "status", "study_id", "clinic"),
    Index("ix_site_clinic", "clinic"),
)

study_contact = Table(
    "study_contact",
    metadata,
    Column("study_id", Text, ForeignKey("study.study_id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("email", Text, nullable=False),
    PrimaryKeyConstraint("study_id", "position"),
)
"""Whom to ask about a study as a whole; see `sitematch.store.studies.contacts`."""

site_contact = Table(
    "site_contact",
    metadata,
    Column("site_id", Text, ForeignKey("site.site_id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("email", Text, nullable=False),
    PrimaryKeyConstraint("site_id", "position"),
)
"""Whom to ask at a site."""

cap = Table(
    "cap",
    metadata,
    Column("study_id", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("spots", Integer),
    Column("is_closed", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("policy", Text, nullable=False),
    Column("head_seq", BigInteger, nullable=False),
    Column("head_hash", Text, nullable=False),
    Column("head_at_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("study_id", "level", "scope"),
    CheckConstraint("spots >= 0", name="spots"),
    CheckConstraint("level IN ('STUDY', 'COUNTRY', 'ARM', 'SITE')", name="level"),
)
"""Every cap. The study's own row is always there: writes touch it first, and it knows the end of the chain
(``version``, ``policy`` and the ``head_…`` columns mean nothing in the others)."""

event = Table(
    "event",
    metadata,
    Column("study_id", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("referral_id", Text),
    Column("site_id", Text),
    Column("country", Text),
    Column("arm", Text),
    Column("expires_at_us", BigInteger),
    Column("reason", Text),
    Column("detail", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("prev_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    PrimaryKeyConstraint("study_id", "seq"),
    Index("ix_event_referral_id_seq", "referral_id", "seq"),
)
"""What happened, append-only: triggers refuse every change of a row."""

latest_event = Table(
    "latest_event",
    metadata,
    Column("referral_id", Text, primary_key=True),
    Column("study_id", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("site_id", Text),
    Column("country", Text),
    Column("arm", Text),
    Column("expires_at_us", BigInteger),
    Index("ix_latest_event_counting", "study_id", "kind", "site_id", "country", "arm", "expires_at_us", "seq"),
    Index("ix_latest_event_study_id_seq", "study_id", "seq"),
    Index("ix_latest_event_study_id_site_id_seq", "study_id", "site_id", "seq"),
    Index("ix_latest_event_study_id_kind_seq", "study_id", "kind", "seq"),
)
"""Which event of each referral is the latest: an index of `event` that databases cannot keep. It is written
with the event, holds nothing of its own, and `audit.verify` compares it with the events."""

idempotency = Table(
    "idempotency",
    metadata,
    Column("key_hash", Text, primary_key=True),
    Column("body_hash", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("answer", Text, nullable=False),
    Index("ix_idempotency_at_us", "at_us"),
)
"""Answers given in the last 24 hours, by a hash of who asked and the key."""

account = Table(
    "account",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("email", Text, nullable=False),
    Column("password_hash", Text),
    Column("created_at_us", BigInteger, nullable=False),
    Column("disabled_at_us", BigInteger),
    Index("ix_account_email", "email", unique=True),
)
"""People who run the capacity; patients have no accounts."""

identity = Table(
    "identity",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    PrimaryKeyConstraint("issuer", "subject"),
    Index("ix_identity_account_id", "account_id"),
)
"""Who an account is to an OpenID Connect issuer."""

account_grant = Table(
    "account_grant",
    metadata,
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("study_id", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    PrimaryKeyConstraint("account_id", "role", "study_id", "site_id"),
)
"""Roles and where they hold; an empty study or site is every one."""

token = Table(
    "token",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("scopes", Text),
    Column("created_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
    Column("revoked_at_us", BigInteger),
    Index("ix_token_secret_hash", "secret_hash", unique=True),
    Index("ix_token_account_id", "account_id"),
)
"""API tokens and sessions of the console; of the secret only a hash is kept."""

login_failure = Table(
    "login_failure",
    metadata,
    Column("email_hash", Text, primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("last_at_us", BigInteger, nullable=False),
)
"""Attempts since the last success, by a hash of the e-mail that was tried, whether or not there is such an account."""

webhook = Table(
    "webhook",
    metadata,
    Column("webhook_id", Text, primary_key=True),
    Column("study_id", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("percent", Integer),
    Column("created_at_us", BigInteger, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("disabled_at_us", BigInteger),
)
"""Who wants to be told what; an empty study is every one. The secret signs, so it is kept as it is."""

site_notice = Table(
    "site_notice",
    metadata,
    Column("study_id", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    Column("is_full", Boolean, nullable=False),
    Column("percent", Integer, nullable=False),
    PrimaryKeyConstraint("study_id", "site_id"),
)
"""How a site stood when it was last looked at; no row is an empty site."""

outbox = Table(
    "outbox",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("study_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
)
"""What there is to tell."""

delivery = Table(
    "delivery",
    metadata,
    Column("message_id", Text, ForeignKey("outbox.message_id"), nullable=False),
    Column("webhook_id", Text, ForeignKey("webhook.webhook_id"), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at_us", BigInteger),
    Column("delivered_at_us", BigInteger),
    Column("failed_at_us", BigInteger),
    Column("last_error", Text, nullable=False),
    PrimaryKeyConstraint("message_id", "webhook_id"),
    Index("ix_delivery_due_at_us", "due_at_us"),
)
"""Each message to each who wants it; without a due instant it is done, one way or the other."""

import_batch = Table(
    "import_batch",
    metadata,
    Column("import_id", Integer, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
    Column("origin", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("totals", Text, nullable=False),
    Column("undone_at_us", BigInteger),
)
"""Imports that changed something, numbered from 1."""

import_study = Table(
    "import_study",
    metadata,
    Column("import_id", Integer, ForeignKey("import_batch.import_id", ondelete="CASCADE"), nullable=False),
    Column("study_id", Text, nullable=False),
    Column("before", Text),
    Column("after_hash", Text, nullable=False),
    PrimaryKeyConstraint("import_id", "study_id"),
    Index("ix_import_study_study_id", "study_id"),
)
"""What an import found of each study that it changed (JSON; NULL if it was new), and a hash of what it left: undoing
puts the one back, unless the other was changed since."""

demand = Table(
    "demand",
    metadata,
    Column("study_id", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("lookups", BigInteger, nullable=False),
    PrimaryKeyConstraint("study_id", "month", "region"),
)
"""Look-ups by coarse region and by the month in which they were written (``2026-01``), in whole batches; nothing finer
than that is kept anywhere."""
