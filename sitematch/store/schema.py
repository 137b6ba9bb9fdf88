"""The tables, in SQLAlchemy Core.

The migrations in `sitematch/store/migrations` create them; a test compares the two. Times are whole microseconds since
1970-01-01 UTC (columns ``*_us``): SQLite has no type for times, and a hash over a row must not depend on how a database
prints them. Lists and small records are JSON text.
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
    false,
    text,
)

SCHEMA_REVISION = "0014"
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
"""One row: a random word from the creation of the database, and a number that every change increases."""

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
"""The words of each study (see `domain.studies.search_terms`), separated by spaces. The full-text index is the only
part that differs between the databases: on SQLite the FTS5 table ``study_words``, which triggers keep up to date, on
PostgreSQL the GIN indexes ``ix_study_text_heading`` and ``ix_study_text_words`` over a tsvector."""

OF_ONE_DATABASE = ("study_words", "ix_study_text_heading", "ix_study_text_words")
"""Name prefixes of objects that only the migrations describe, because only one database has them."""

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
    Column("opened_on", Date),
    Index("ix_site_study_id_position", "study_id", "position"),
    Index("ix_site_cell", "cell", "status", "study_id", "clinic"),
    Index("ix_site_clinic", "clinic"),
)

site_recruiting = Table(
    "site_recruiting",
    metadata,
    Column("study_id", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    Column("recruiting_on", Date, nullable=False),
    PrimaryKeyConstraint("study_id", "site_id"),
)
"""The day of the first record that called a site recruiting. Later versions of the catalogue keep it."""

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
"""Contacts of a study as a whole; see `sitematch.store.studies.contacts`."""

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
"""Contacts of a site."""

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
"""Every cap. The study's own row always exists: writes update it first, and it stores the end of the chain
(``version``, ``policy`` and the ``head_…`` columns are not used in the other rows)."""

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
"""The events, append-only: triggers refuse every change of a row."""

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
    Index(
        "ix_latest_event_expiry",
        *("study_id", "expires_at_us", "kind", "site_id", "country", "arm"),
        sqlite_where=text("expires_at_us IS NOT NULL"),
        postgresql_where=text("expires_at_us IS NOT NULL"),
    ),
)
"""The latest event of each referral: an index of `event` that databases cannot maintain. It is written with the event,
has no data of its own, and `audit.verify` compares it with the events."""

referral_count = Table(
    "referral_count",
    metadata,
    Column("study_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("arm", Text, nullable=False),
    Column("referrals", BigInteger, nullable=False),
    PrimaryKeyConstraint("study_id", "kind", "site_id", "country", "arm"),
    CheckConstraint("referrals >= 0", name="referrals"),
)
"""The number of rows of `latest_event` by site, arm (empty for none) and kind; see `store.capacity.counters`. Referrals
without a site are not counted."""

idempotency = Table(
    "idempotency",
    metadata,
    Column("key_hash", Text, primary_key=True),
    Column("body_hash", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("answer", Text, nullable=False),
    Index("ix_idempotency_at_us", "at_us"),
)
"""Answers of the last 24 hours, by a hash of the actor and the key."""

account = Table(
    "account",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("email", Text, nullable=False),
    Column("password_hash", Text),
    Column("created_at_us", BigInteger, nullable=False),
    Column("disabled_at_us", BigInteger),
    Column("must_change", Boolean, nullable=False, server_default=false()),
    Column("totp_secret", Text),
    Column("totp_step", BigInteger, nullable=False, server_default="0"),
    Index("ix_account_email", "email", unique=True),
)
"""Accounts of people who manage capacity; patients have no accounts. `must_change` is a password that somebody else
set; `totp_step` is the last 30 seconds whose code was used."""

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("code_hash", Text, nullable=False),
    PrimaryKeyConstraint("account_id", "code_hash"),
)
"""Codes that each replace the second factor once."""

known_device = Table(
    "known_device",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Index("ix_known_device_account_id", "account_id"),
)
"""Browsers in which somebody signed in to an account; failures elsewhere do not delay them."""

identity = Table(
    "identity",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    PrimaryKeyConstraint("issuer", "subject"),
    Index("ix_identity_account_id", "account_id"),
)
"""The OpenID Connect identities of accounts."""

account_grant = Table(
    "account_grant",
    metadata,
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("study_id", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    PrimaryKeyConstraint("account_id", "role", "study_id", "site_id"),
)
"""Roles and where they apply; an empty study or site means all of them."""

invitation = Table(
    "invitation",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
    Index("ix_invitation_account_id", "account_id"),
)
"""Invitations that were not used yet, with a hash of the code in the link."""

calendar = Table(
    "calendar",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("study_id", Text, nullable=False),
    Index("ix_calendar_account_id_study_id", "account_id", "study_id", unique=True),
)
"""Secret addresses of calendars, one for each account and study, with a hash of the code."""

account_change = Table(
    "account_change",
    metadata,
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("study_id", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    PrimaryKeyConstraint("account_id", "number"),
)
"""The history of accounts, from schema 0014 on; numbered from 1 for each account."""

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
    Column("seen_at_us", BigInteger),
    Index("ix_token_secret_hash", "secret_hash", unique=True),
    Index("ix_token_account_id", "account_id"),
)
"""API tokens and sessions of the console, with a hash of the secret."""

login_failure = Table(
    "login_failure",
    metadata,
    Column("email_hash", Text, primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("last_at_us", BigInteger, nullable=False),
)
"""Sign-in attempts since the last success, by a hash of the e-mail address, whether or not it has an account."""

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
"""Subscriptions to notices; an empty study means all studies. The secret is needed for signing, so it is stored
unhashed."""

site_notice = Table(
    "site_notice",
    metadata,
    Column("study_id", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    Column("is_full", Boolean, nullable=False),
    Column("percent", Integer, nullable=False),
    PrimaryKeyConstraint("study_id", "site_id"),
)
"""The state of a site at the last poll; a missing row is an empty site."""

outbox = Table(
    "outbox",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("study_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
)
"""The messages."""

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
"""The deliveries of each message to each webhook; a delivery without a due time is finished."""

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
"""The earlier version of each study that an import changed (JSON; NULL if it was new), and a hash of the new version.
Undoing restores the earlier version, unless the new one was changed since."""

demand = Table(
    "demand",
    metadata,
    Column("study_id", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("lookups", BigInteger, nullable=False),
    PrimaryKeyConstraint("study_id", "month", "region"),
)
"""Look-ups by coarse region and by the month in which they were stored (``2026-01``), in whole batches; nothing more
detailed is stored."""
