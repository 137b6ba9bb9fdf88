"""What a database can say of a test of texts: which rows may pass it. It knows no accents, so we judge those."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.studies.text_match import Field, TextFit, TextTest
from sitematch.store.schema import site, study
from sitematch.store.studies.search import studies_with_prefix

MOST_COMPARED = 5
"""With more patterns or tests a database takes longer to compare each row than we do."""

_LONGEST_PATTERN = 1_000
_COLUMNS: dict[Field, sa.Column[str]] = {
    Field.FACILITY: site.c.facility,
    Field.CITY: site.c.city,
    Field.TITLE: study.c.title,
    Field.CONDITION: study.c.conditions,
}


def may_pass(dialect: str, test: TextTest) -> sa.ColumnElement[bool]:
    """Say which rows of `site` or `study` may pass a test: all that do, and some that do not.

    Parameters
    ----------
    dialect
        The database's.
    test
        The table is that of its field.
    """
    column = _COLUMNS[test.field]
    if test.fit is TextFit.EXACT:
        if test.field is Field.CONDITION:
            return sa.or_(sa.false(), *(list_contains(column, text) for text in test.wanted))
        return column.in_(test.wanted)
    if test.fit is TextFit.STARTS and test.field in (Field.TITLE, Field.CONDITION):
        return sa.or_(
            sa.false(), *(study.c.study_id.in_(studies_with_prefix(dialect, words)) for words in test.words())
        )
    # The words of a text in ASCII stand in it as they are, but for capitals and apostrophes; any other is let through.
    plain = sa.func.replace(column, "'", "")
    patterns = [f"%{'%'.join(words)[:_LONGEST_PATTERN]}%" for words in test.words()]
    if len(patterns) > MOST_COMPARED:
        return sa.true()
    likes = [plain.ilike(pattern) for pattern in patterns]
    return sa.or_(byte_length(dialect, column) > sa.func.length(column), *likes) if likes else sa.false()


def byte_length(dialect: str, column: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """Count the bytes of a text in UTF-8."""
    if dialect == "postgresql":
        return sa.func.octet_length(column)
    return sa.func.length(sa.cast(column, sa.LargeBinary))


def list_contains(column: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[bool]:
    """Say whether a JSON list of texts has one: between its quotes it is a whole one.

    Both databases compare exactly in REPLACE; SQLite's LIKE would not.
    """
    return sa.func.replace(column, msgspec.json.encode(text).decode(), "") != column
