"""Finding studies by their words: one answer on both databases, each by its own full-text index.

A study is found if it has every word that is asked. Both databases get words that `domain.studies.search_terms` has
read, and only say which studies have them, so they find the same ones; the order is ours too, and not a database's idea
of relevance: what a study is about comes before what its summary mentions.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from sitematch.domain.studies.search_terms import compared, stem_of
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import InvalidInput
from sitematch.store import schema
from sitematch.store.engine import Store
from sitematch.store.studies.rows import study_of

_CURSOR = re.compile(r"([01]):(.{1,100})", re.DOTALL)
_WORDS_ASKED = 20
_STUDY, _TEXT = schema.study.c, schema.study_text.c


@dataclass(frozen=True, slots=True, kw_only=True)
class StudiesPage:
    """Some of the studies found.

    Parameters
    ----------
    studies
        First those that have every word in their title, conditions, keywords, interventions or ids; then those whose
        summary or sponsor has the rest of the words. Each part is by study_id.
    after
        Where the next page begins; None on the last.
    """

    studies: tuple[Study, ...]
    after: str | None


def search_studies(
    store: Store,
    words: Sequence[str],
    *,
    statuses: Collection[RecruitmentStatus] = (),
    limit: int = 100,
    after: str = "",
) -> StudiesPage:
    """Find studies by their words, a page at a time.

    Parameters
    ----------
    store
        The database.
    words
        As `domain.studies.search_terms.query_words` gives them; a study must have each. Empty finds every study.
    statuses
        Only studies with one of these; empty takes all.
    limit
        How many at most.
    after
        `StudiesPage.after` of the page before; empty for the first.

    Raises
    ------
    InvalidInput
        If `after` was not given by a page.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    part, last_id = _read_cursor(after)
    found: list[tuple[int, Study]] = []
    with store.reading() as connection:
        while part < (2 if words else 1) and len(found) <= limit:
            query = sa.select(schema.study).where(_STUDY.study_id > last_id).order_by(_STUDY.study_id)
            if statuses:
                query = query.where(_STUDY.status.in_([status.value for status in statuses]))
            if words:
                query = query.where(_STUDY.study_id.in_(_ids_with(connection.dialect.name, words, part)))
            rows = connection.execute(query.limit(limit + 1 - len(found)))
            found += [(part, study_of(row)) for row in rows]
            part, last_id = part + 1, ""
    shown = found[:limit]
    following = f"{shown[-1][0]}:{shown[-1][1].study_id}" if len(found) > limit else None
    return StudiesPage(studies=tuple(study for _, study in shown), after=following)


def matching_studies(
    connection: sa.Connection, words: Sequence[str], statuses: Collection[RecruitmentStatus]
) -> frozenset[str]:
    """Return the ids of the studies that are about some words; see `domain.studies.search_terms.heading_words`.

    Parameters
    ----------
    connection
        Inside a transaction.
    words
        At least one.
    statuses
        Only studies with one of these.
    """
    about = _has_words(connection.dialect.name, words, heading_only=True)
    query = (
        sa.select(_STUDY.study_id)
        .select_from(schema.study.join(schema.study_text))
        .where(about, _STUDY.status.in_([status.value for status in statuses]))
    )
    return frozenset(connection.execute(query).scalars())


def studies_with_prefix(dialect: str, words: Sequence[str]) -> sa.Select[tuple[str]]:
    """Select the ids of the studies whose title, conditions, keywords, interventions or ids may begin with some words.

    Parameters
    ----------
    dialect
        The database's.
    words
        At least one, as `sitematch.domain.studies.search_terms.plain_words` gives them; the last may go on.

    Returns
    -------
    Select
        Of every such study, and of others that have these words elsewhere: whoever asks has to look.
    """
    *whole, last = words[:_WORDS_ASKED]
    known = tuple(map(compared, whole))
    if len(words) > _WORDS_ASKED:
        return sa.select(_TEXT.study_id).where(_has_words(dialect, (*known, compared(last)), heading_only=True))
    return sa.select(_TEXT.study_id).where(_has_words(dialect, known, heading_only=True, beginning=stem_of(last)))


def _read_cursor(after: str) -> tuple[int, str]:
    if not after:
        return 0, ""
    found = _CURSOR.fullmatch(after)
    if found is None:
        raise InvalidInput(
            "after must be the `next` value of an earlier page. Leave it out for the first page.", field="after"
        )
    return int(found[1]), found[2]


def _ids_with(dialect: str, words: Sequence[str], part: int) -> sa.Select[tuple[str]]:
    in_heading = _has_words(dialect, words, heading_only=True)
    query = sa.select(_TEXT.study_id)
    if part == 0:
        return query.where(in_heading)
    return query.where(_has_words(dialect, words, heading_only=False), sa.not_(in_heading))


def _has_words(
    dialect: str, words: Sequence[str], *, heading_only: bool, beginning: str = ""
) -> sa.ColumnElement[bool]:
    """Say in the database's own way that a text has every word, and one that begins so.

    Words hold letters and digits alone, and are quoted.
    """
    if dialect == "sqlite":
        asked = " AND ".join([*(f'"{word}"' for word in words), *([f'"{beginning}" *'] if beginning else [])])
        query = sa.text("SELECT rowid FROM study_words WHERE study_words MATCH :asked")
        matching = query.bindparams(
            sa.bindparam("asked", f"heading : ({asked})" if heading_only else asked, unique=True)
        )
        return _TEXT.number.in_(matching)
    vector = _HEADING_VECTOR if heading_only else _WORDS_VECTOR
    asked = " & ".join([*(f"'{word}'" for word in words), *([f"'{beginning}':*"] if beginning else [])])
    return vector.op("@@", is_comparison=True)(sa.cast(asked, postgresql.TSQUERY))


# Letter by letter what the indexes are over, or PostgreSQL would not use them.
_HEADING_VECTOR: sa.ColumnElement[object] = sa.literal_column(
    "array_to_tsvector(string_to_array(study_text.heading, ' '))"
)
_WORDS_VECTOR: sa.ColumnElement[object] = sa.literal_column(
    "(array_to_tsvector(string_to_array(study_text.heading, ' '))"
    " || array_to_tsvector(string_to_array(study_text.further, ' ')))"
)
