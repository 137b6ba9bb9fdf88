"""Full-text search of studies: the same results on both databases, each with its own index.

A study is found if it has every word of the query. Both databases get words that `domain.studies.search_terms` has
normalised, and only return the studies that have them, so they find the same ones. sitematch also sets the order
instead of a database's relevance: what a study is about comes before what its summary mentions.
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
    """A page of the studies found.

    Parameters
    ----------
    studies
        First studies with every word in their title, conditions, keywords, interventions or ids; then studies with some
        words only in the summary or sponsor. Each part is sorted by study_id.
    after
        Where the next page begins; None on the last page.
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
    """Find studies by words, one page at a time.

    Parameters
    ----------
    store
        The database.
    words
        From `domain.studies.search_terms.query_words`; a study must have each. Without words, every study is found.
    statuses
        Only studies with one of these; empty for all.
    limit
        Maximum number.
    after
        `StudiesPage.after` of the page before; empty for the first.

    Raises
    ------
    InvalidInput
        If `after` does not come from a page.
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
    """Select the ids of studies whose title, conditions, keywords, interventions or ids may begin with some words.

    Parameters
    ----------
    dialect
        The database's.
    words
        At least one, from `sitematch.domain.studies.search_terms.plain_words`; the last may be incomplete.

    Returns
    -------
    Select
        The ids of every such study, and of others with these words elsewhere; the caller has to check them.
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
    """Return the database's condition that a text has every word, and one with the given beginning.

    Words contain only letters and digits, and are quoted.
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


# Exactly the expression of the indexes, or PostgreSQL would not use them.
_HEADING_VECTOR: sa.ColumnElement[object] = sa.literal_column(
    "array_to_tsvector(string_to_array(study_text.heading, ' '))"
)
_WORDS_VECTOR: sa.ColumnElement[object] = sa.literal_column(
    "(array_to_tsvector(string_to_array(study_text.heading, ' '))"
    " || array_to_tsvector(string_to_array(study_text.further, ' ')))"
)
