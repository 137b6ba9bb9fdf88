"""Search of studies by words, and of sites by place.

Revision ID: 0007
Revises: 0006
"""

import json
from datetime import date

import sqlalchemy as sa
from alembic import op

from sitematch.domain.finding.clinic import clinic_number
from sitematch.domain.grid_cells import cell_of
from sitematch.domain.place import Coordinates
from sitematch.domain.studies.search_terms import heading_words, summary_words
from sitematch.domain.studies.study import RecruitmentStatus, Study

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ROWS_AT_ONCE = 1_000

# The words are already split and normalised (domain.studies.search_terms), so the tokenizer must not change them:
# "ascii" splits at spaces and keeps every letter outside ASCII. Queries only need the column of a word.
_SQLITE = (
    """CREATE VIRTUAL TABLE study_words USING fts5(
           heading, further, content='study_text', content_rowid='number',
           tokenize='ascii', detail=column, columnsize=0)""",
    """CREATE TRIGGER study_text_insert AFTER INSERT ON study_text BEGIN
         INSERT INTO study_words (rowid, heading, further) VALUES (NEW.number, NEW.heading, NEW.further);
       END""",
    """CREATE TRIGGER study_text_delete AFTER DELETE ON study_text BEGIN
         INSERT INTO study_words (study_words, rowid, heading, further)
         VALUES ('delete', OLD.number, OLD.heading, OLD.further);
       END""",
    """CREATE TRIGGER study_text_update AFTER UPDATE ON study_text
       WHEN OLD.number <> NEW.number OR OLD.heading <> NEW.heading OR OLD.further <> NEW.further BEGIN
         INSERT INTO study_words (study_words, rowid, heading, further)
         VALUES ('delete', OLD.number, OLD.heading, OLD.further);
         INSERT INTO study_words (rowid, heading, further) VALUES (NEW.number, NEW.heading, NEW.further);
       END""",
)
_POSTGRES = (
    """CREATE INDEX ix_study_text_heading ON study_text
       USING gin (array_to_tsvector(string_to_array(heading, ' ')))""",
    """CREATE INDEX ix_study_text_words ON study_text
       USING gin ((array_to_tsvector(string_to_array(heading, ' ')) ||
                   array_to_tsvector(string_to_array(further, ' '))))""",
)


def upgrade() -> None:
    """Create the indexes of words and places, and fill both from the existing data."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column("study", sa.Column("keywords", sa.Text, nullable=False, server_default="[]"))
    op.create_table(
        "study_text",
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("heading", sa.Text, nullable=False),
        sa.Column("further", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_study_text"),
        sa.ForeignKeyConstraint(
            ["study_id"], ["study.study_id"], name="fk_study_text_study_id_study", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_study_text_study_id", "study_text", ["study_id"], unique=True)
    for statement in _SQLITE if is_sqlite else _POSTGRES:
        op.execute(statement)
    op.add_column("site", sa.Column("cell", sa.Integer, nullable=False, server_default="-1"))
    op.add_column("site", sa.Column("clinic", sa.BigInteger, nullable=False, server_default="0"))
    _fill()
    op.create_index("ix_site_cell", "site", ["cell", "status", "study_id", "clinic"])
    op.create_index("ix_site_clinic", "site", ["clinic"])


def _fill() -> None:
    """Derive the new data from the existing data, as later writes do."""
    connection = op.get_bind()
    number, last = 0, ""
    page = sa.text("SELECT * FROM study WHERE study_id > :last ORDER BY study_id LIMIT :rows")
    while rows := connection.execute(page, {"last": last, "rows": _ROWS_AT_ONCE}).mappings().all():
        connection.execute(
            sa.text("INSERT INTO study_text VALUES (:number, :study_id, :heading, :further)"),
            [_text(number + i, row) for i, row in enumerate(rows, start=1)],
        )
        number, last = number + len(rows), rows[-1]["study_id"]
    last = ""
    page = sa.text("SELECT * FROM site WHERE site_id > :last ORDER BY site_id LIMIT :rows")
    while rows := connection.execute(page, {"last": last, "rows": _ROWS_AT_ONCE}).mappings().all():
        connection.execute(
            sa.text("UPDATE site SET cell = :cell, clinic = :clinic WHERE site_id = :site_id"),
            [_derived(row) for row in rows],
        )
        last = rows[-1]["site_id"]


def _text(number: int, row: sa.RowMapping) -> dict[str, object]:
    study = Study(
        study_id=row["study_id"],
        title=row["title"],
        status=RecruitmentStatus.UNKNOWN,
        as_of_on=date.min,
        source="",
        summary=row["summary"],
        sponsor=row["sponsor"],
        other_ids=tuple(json.loads(row["other_ids"])),
        conditions=tuple(json.loads(row["conditions"])),
        interventions=tuple(json.loads(row["interventions"])),
    )
    return {
        "number": number,
        "study_id": study.study_id,
        "heading": " ".join(heading_words(study)),
        "further": " ".join(summary_words(study)),
    }


def _derived(row: sa.RowMapping) -> dict[str, object]:
    latitude, longitude = row["latitude_deg"], row["longitude_deg"]
    point = None if latitude is None else Coordinates(latitude=latitude, longitude=longitude)
    return {
        "site_id": row["site_id"],
        "cell": cell_of(point),
        "clinic": clinic_number(row["facility"], row["city"], row["country"], row["site_id"]),
    }


def downgrade() -> None:
    """Drop the indexes; studies and sites stay."""
    op.drop_index("ix_site_clinic", "site")
    op.drop_index("ix_site_cell", "site")
    op.drop_column("site", "clinic")
    op.drop_column("site", "cell")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE study_words")
    op.drop_table("study_text")
    op.drop_column("study", "keywords")
