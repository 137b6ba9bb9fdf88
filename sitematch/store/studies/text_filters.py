"""Database filters for text tests: which rows may pass. Databases do not compare accents, so sitematch checks those."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.studies.text_match import Field, TextFit, TextTest
from sitematch.store.schema import site, study
from sitematch.store.studies.search import studies_with_prefix

MOST_COMPARED = 5
"""With more patterns or tests, a database is slower than sitematch at comparing each row."""

_LONGEST_PATTERN = 1_000
_COLUMNS: dict[Field, tuple[sa.Column[str], ...]] = {
    Field.FACILITY: (site.c.facility,),
    Field.CITY: (site.c.city,),
    Field.STATE: (site.c.state,),
    Field.POSTCODE: (site.c.postcode,),
    Field.ADDRESS: (site.c.address, site.c.city, site.c.state, site.c.postcode, site.c.country),
    Field.TITLE: (study.c.title,),
    Field.CONDITION: (study.c.conditions,),
}
SITE_TEXTS = (
    site.c.facility, site.c.city, site.c.state, site.c.postcode, site.c.address, site.c.country,
)  # fmt: skip
"""The columns of a site that tests compare."""


def texts_of(field: Field) -> tuple[int, ...]:
    """Return the positions in `SITE_TEXTS` of the texts that a field of sites has."""
    return tuple(
        position for position, text in enumerate(SITE_TEXTS) if any(text is column for column in _COLUMNS[field])
    )


def may_pass(dialect: str, test: TextTest) -> sa.ColumnElement[bool]:
    """Return the condition for rows of `site` or `study` that may pass a test: all that do, and some that do not.

    Parameters
    ----------
    dialect
        The database's.
    test
        The test; its field determines the table.
    """
    return sa.or_(*(_may_pass(dialect, test, column) for column in _COLUMNS[test.field]))


def _may_pass(dialect: str, test: TextTest, column: sa.Column[str]) -> sa.ColumnElement[bool]:
    if test.fit is TextFit.EXACT:
        if test.field is Field.CONDITION:
            return sa.or_(sa.false(), *(list_contains(column, text) for text in test.wanted))
        return column.in_(test.wanted)
    if test.fit is TextFit.STARTS and test.field in (Field.TITLE, Field.CONDITION):
        return sa.or_(
            sa.false(), *(study.c.study_id.in_(studies_with_prefix(dialect, words)) for words in test.words())
        )
    # An ASCII text contains its words unchanged, except for capitals and apostrophes; any other text passes.
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
    """Return the condition that a JSON list of texts contains one; the quotes ensure a whole entry.

    Both databases compare exactly in REPLACE; SQLite's LIKE would not.
    """
    return sa.func.replace(column, msgspec.json.encode(text).decode(), "") != column
