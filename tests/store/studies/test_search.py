"""Full-text search of studies, with the same tests on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from benchmarks import databases
from sitematch.domain.studies.search_terms import heading_words, query_words, summary_words, words_of
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import InvalidInput
from sitematch.store import backup, migrate
from sitematch.store.engine import Store, open_store
from sitematch.store.studies.catalogue import remove_study, replace_studies, replace_study
from sitematch.store.studies.search import StudiesPage, matching_studies, search_studies
from tests.store.builders import make_site, make_study

RECRUITING = frozenset({RecruitmentStatus.RECRUITING})


def study(number: int, **texts: object) -> Study:
    return make_study(**{"study_id": f"NCT0000000{number}", "title": "A trial", **texts})


STUDIES = (
    study(1, title="Felzartamab in refractory lupus nephritis", other_ids=("HIB-202-101",)),
    study(2, title="Something else", summary="Not for people with lupus nephritis.", sponsor="A sponsor"),
    study(3, conditions=("Nephritis, Lupus",), status=RecruitmentStatus.COMPLETED),
    study(4, title="Lupus of the skin", keywords=("Sjögren's syndrome",), interventions=("Anti-BLyS",)),
    study(5, title="Tumors of the kidney", summary="About nephritis too.", conditions=("Skin Lupus",)),
    study(6, title="皮膚エリテマトーデス"),
)


@pytest.fixture
def filled(store: Store) -> Store:
    replace_studies(store, [(each, []) for each in STUDIES])
    return store


def found(store: Store, text: str, **how: object) -> list[int]:
    page = search_studies(store, query_words(text, field="q"), **how)  # type: ignore[arg-type]
    return [int(each.study_id[-1]) for each in page.studies]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lupus nephritis", [1, 3, 2, 5]),
        ("nephritis of the LUPUS!", [1, 3, 2, 5]),
        ("of", [4, 5]),
        ("lupus", [1, 3, 4, 5, 2]),
        ("nephritides", []),
        ("tumor", [5]),
        ("tumours", []),
        ("sjogrens", [4]),
        ("Sjögren’s", [4]),
        ("anti blys", [4]),
        ("HIB-202-101", [1]),
        ("nct00000003", [3]),
        ("a sponsor", [2]),
        ("皮膚エリテマトーデス", [6]),
        ("皮膚", []),
        ("lup", []),
    ],
)
def test_study_is_found_by_all_its_words_and_those_it_is_about_come_first(
    filled: Store, text: str, expected: list[int]
) -> None:
    assert found(filled, text) == expected


def test_a_condition_finds_what_a_study_is_about_and_not_what_its_summary_mentions(filled: Store) -> None:
    with filled.reading() as connection:
        recruiting = matching_studies(connection, ("lupus", "nephriti"), RECRUITING)
        any_status = matching_studies(connection, ("lupus", "nephriti"), frozenset(RecruitmentStatus))

    assert recruiting == {"NCT00000001"}
    assert any_status == {"NCT00000001", "NCT00000003"}


def test_statuses_narrow_the_studies(filled: Store) -> None:
    assert found(filled, "lupus", statuses=[RecruitmentStatus.COMPLETED]) == [3]
    assert search_studies(filled, (), statuses=[RecruitmentStatus.COMPLETED]).studies == (STUDIES[2],)


@pytest.mark.parametrize("words", [(), ("lupu",), ("lupus",), ("nephriti", "lupus")])
@pytest.mark.parametrize("limit", [1, 2, 3, 6])
def test_pages_give_every_study_once_in_the_same_order(filled: Store, words: tuple[str, ...], limit: int) -> None:
    whole = search_studies(filled, words).studies
    pages: list[StudiesPage] = [search_studies(filled, words, limit=limit)]
    while pages[-1].after is not None:
        pages.append(search_studies(filled, words, limit=limit, after=pages[-1].after))

    assert tuple(each for page in pages for each in page.studies) == whole
    assert all(len(page.studies) == limit for page in pages[:-1])
    assert all(page.studies for page in pages) or not whole


@pytest.mark.parametrize("after", ["x", "2:NCT00000001", "0:", "NCT00000001"])
def test_made_up_page_is_refused(filled: Store, after: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        search_studies(filled, ("lupus",), after=after)

    assert caught.value.field == "after"


def test_index_follows_every_change(filled: Store) -> None:
    replace_study(filled, study(1, title="Asthma"), [make_site(study_id="NCT00000001")])
    remove_study(filled, "NCT00000005")

    assert found(filled, "lupus nephritis") == [3, 2]
    assert found(filled, "asthma") == [1]
    replace_study(filled, study(1, title="Gout"), [])
    assert (found(filled, "asthma"), found(filled, "gout")) == ([], [1])


def test_restored_backup_finds_what_was_there(filled: Store, tmp_path: Path, empty_url: str) -> None:
    backup.back_up(filled, tmp_path / "backup.db")

    with open_store(empty_url, require_ready=False) as other:
        migrate.upgrade(other)
        backup.restore(other, tmp_path / "backup.db")

        assert found(other, "lupus") == [1, 3, 4, 5, 2]
        replace_study(other, study(7, title="More lupus"), [])
        assert found(other, "lupus") == [1, 3, 4, 5, 7, 2]


def test_database_of_the_former_version_is_filled_when_it_is_upgraded(filled: Store) -> None:
    migrate.downgrade(filled, "0006")
    migrate.upgrade(filled)

    assert found(filled, "lupus nephritis") == [1, 3, 2, 5]
    assert found(filled, "sjogrens") == []  # keywords came with this version


def test_each_database_answers_from_its_full_text_index(filled: Store) -> None:
    statements: list[tuple[str, object]] = []
    sa.event.listen(filled.engine, "before_cursor_execute", lambda *a: statements.append((a[2], a[3])))
    found(filled, "lupus")
    asked = [(sql, values) for sql, values in statements if sql.startswith("SELECT")]

    plans = []
    with filled.engine.connect() as connection:
        if filled.dialect == "postgresql":  # which reads so small a table as a whole unless it must not
            connection.exec_driver_sql("SET enable_seqscan = off")
        explain = "EXPLAIN" if filled.dialect == "postgresql" else "EXPLAIN QUERY PLAN"
        for sql, values in asked:
            plans.append("\n".join(str(row) for row in connection.exec_driver_sql(f"{explain} {sql}", values)))

    used = {"sqlite": ("VIRTUAL TABLE INDEX",) * 2, "postgresql": ("ix_study_text_heading", "ix_study_text_words")}
    assert len(plans) == 2
    assert all(name in plan for name, plan in zip(used[filled.dialect], plans, strict=True)), plans


texts = st.text(max_size=80) | st.sampled_from(
    [
        '"',
        "'",
        "\\",
        "AND",
        "NOT lupus",
        "heading:lupus",
        "lupus*",
        "^lupus",
        "NEAR(a b)",
        "a' & !'b",
        ":*",
        "\x00",
        "℡",
        "ﬁ",
    ]
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, ...]]:
    urls = [databases.ready_url(dialect, tmp_path_factory.mktemp("both")) for dialect in ("sqlite", "postgresql")]
    stores = tuple(map(open_store, urls))
    yield stores
    for opened, url in zip(stores, urls, strict=True):
        opened.close()
        databases.forget(url)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(title=texts, summary=texts, query=st.none() | texts)
@example(title="℡ lupus", summary="", query="tel")
@example(title="it's 5e3 0x1f 1.5 -2 a_b", summary="", query=None)
def test_any_text_is_found_by_any_of_its_own_words_on_both_databases_and_by_no_others(
    both: tuple[Store, ...], title: str, summary: str, query: str | None
) -> None:
    title, summary = (text.replace("\x00", "") for text in (title, summary))  # PostgreSQL keeps no NUL in a text
    made = make_study(title=title, summary=summary)
    asked = words_of(title + " " + summary if query is None else query)[:12]
    expected = set(asked) <= {*heading_words(made), *summary_words(made)}
    for opened in both:
        replace_study(opened, made, [])

        answers = [search_studies(opened, (word,)).studies == (made,) for word in dict.fromkeys(asked)]

        assert all(answers) == expected
        if asked:
            assert (search_studies(opened, tuple(dict.fromkeys(asked))).studies == (made,)) == expected


@given(text=st.text(st.characters(max_codepoint=127)))
def test_plain_text_is_read_as_any_other(text: str) -> None:
    assert words_of(text) == words_of(f"{text} é")[:-1]


@pytest.mark.parametrize("text", ["", "  ", "?!", "'", '"" *'])
def test_query_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        query_words(text, field="condition")

    assert caught.value.field == "condition"


def test_overlong_query_is_refused_unread() -> None:
    with pytest.raises(InvalidInput, match="200"):
        query_words("a" * 201, field="q")
