"""Searching the whole catalogue, with the same results on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from sitematch.domain.place import Precision
from sitematch.domain.studies.filters import SiteFilter, StudyFilter
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.text_match import Field, TextFit, TextTest
from sitematch.store.engine import Store
from sitematch.store.studies import directory
from sitematch.store.studies.catalogue import replace_studies
from tests.builders import make_place
from tests.store.builders import make_site, make_study

LONG = "x" * 70


@pytest.fixture
def filled(store: Store) -> Store:
    def site(site_id: str, study_id: str, at: tuple[float, float] | None = None, **changes: Any) -> Any:
        place = None if at is None else make_place(*at, precision=Precision.LOCALITY)
        return make_site(site_id, study_id=study_id, source_study=study_id, place=place, **changes)

    open_study = make_study(study_id="S1", other_ids=('a"b', "299LE101", "50%_"), conditions=("Lupus", "SLE"))
    closed_study = make_study(study_id="S2", status=RecruitmentStatus.COMPLETED)
    replace_studies(
        store,
        [
            (
                open_study,
                [
                    site("b", "S1", (10.0, 179.5), country="FJ"),
                    site("a", "S1", (-10.0, 0.0), status=RecruitmentStatus.SUSPENDED),
                ],
            ),
            (closed_study, [site("c", "S2", (0.0, 0.0)), site(LONG, "S2")]),
        ],
    )
    return store


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (SiteFilter(), ["a", "b", "c", LONG]),
        (SiteFilter(site_ids=frozenset({"a", "z"})), ["a"]),
        (SiteFilter(site_ids=frozenset()), []),
        (SiteFilter(study_ids=frozenset({"S1"})), ["a", "b"]),
        (SiteFilter(statuses=frozenset({RecruitmentStatus.SUSPENDED})), ["a"]),
        (SiteFilter(countries=frozenset({"FJ"})), ["b"]),
        (SiteFilter(takes_patients=True), ["b"]),
        (SiteFilter(takes_patients=False), ["a", "c", LONG]),
    ],
)
def test_sites_are_narrowed_by_every_part(filled: Store, where: SiteFilter, expected: list[str]) -> None:
    assert list(directory.site_ids(filled, where, limit=10)) == expected
    assert sorted(directory.fitting_site_ids(filled, where, ())) == expected
    assert directory.count_sites(filled, where) == len(expected)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (StudyFilter(), ["S1", "S2"]),
        (StudyFilter(study_ids=frozenset({"S2"})), ["S2"]),
        (StudyFilter(any_ids=(frozenset({"S2", "299LE101"}),)), ["S1", "S2"]),
        (StudyFilter(any_ids=(frozenset({"S1"}), frozenset({"299LE101"}))), ["S1"]),
        (StudyFilter(any_ids=(frozenset({"S2"}), frozenset({"299LE101"}))), []),
        (StudyFilter(any_ids=(frozenset({'a"b'}),)), ["S1"]),
        (StudyFilter(any_ids=(frozenset({"50%_"}),)), ["S1"]),
        (StudyFilter(any_ids=(frozenset({"299le101"}),)), []),
        (StudyFilter(any_ids=(frozenset({"299LE10"}),)), []),
        (StudyFilter(any_ids=(frozenset({"%"}),)), []),
        (StudyFilter(any_ids=(frozenset(),)), []),
        (StudyFilter(site_ids=frozenset({"c", "z"})), ["S2"]),
        (StudyFilter(statuses=frozenset({RecruitmentStatus.COMPLETED})), ["S2"]),
    ],
)
def test_studies_are_narrowed_by_every_part(filled: Store, where: StudyFilter, expected: list[str]) -> None:
    assert list(directory.study_ids(filled, where, limit=10)) == expected
    assert directory.count_studies(filled, where) == len(expected)


TEXTS = ["Hôpital Saint-Louis", "HOPITAL  SAINT LOUIS", "Children's Clinic", "CHILDREN’S CLINIC", "Étude", "Studies", "Study A",
         "The Dies", "肺癌の研究", 'A "b" c', "100%_x", "(Lupus) nephritis", "lupus", " ".join(f"w{n}" for n in range(30)), "x" * 70,
         "Größe", "ΑΘΗΝΑ", "back\\slash\nline"]  # fmt: skip
WANTED = [*TEXTS, "hopital saint", "saint", "opital", "childrens", "child", "dren's", "etud", "etude", "studi", "studie",
          "stud", "di", "die", "dies", "s", "肺癌", "b", "b c", "x", "lup", "lupu", "upus neph", "nephriti", "the",
          " ".join(f"w{n}" for n in range(25)), "grösse", "αθη", "slash", "nline", "---", "\"", "_", "%"]  # fmt: skip


@pytest.mark.parametrize("fit", list(TextFit))
@pytest.mark.parametrize(
    ("field", "table"),
    [(Field.FACILITY, "site"), (Field.CITY, "site"), (Field.TITLE, "study"), (Field.CONDITION, "study")],
)
def test_texts_that_fit_are_found_and_no_others(store: Store, field: Field, table: str, fit: TextFit) -> None:
    replace_studies(
        store,
        [
            (
                make_study(study_id=f"S{n:02}", title=text, conditions=("q", text)),
                [make_site(f"s{n:02}", study_id=f"S{n:02}", source_study=f"S{n:02}", facility=text, city=text)],
            )
            for n, text in enumerate(TEXTS)
        ],
    )
    prefix = "s" if table == "site" else "S"

    for wanted in (*((one,) for one in WANTED), ("hopital", "肺"), ("---", "study"), tuple(WANTED)):
        test = TextTest(field, wanted, fit)
        if table == "site":
            found = directory.fitting_site_ids(store, SiteFilter(), [test])
        else:
            found = directory.fitting_study_ids(store, StudyFilter(), [test])

        fits = test.check()
        assert sorted(found) == [f"{prefix}{n:02}" for n, text in enumerate(TEXTS) if fits([text])], wanted


def test_a_page_is_what_follows_an_id_or_precedes_one(filled: Store) -> None:
    def ids(**how: Any) -> tuple[str, ...]:
        return directory.site_ids(filled, SiteFilter(), **how)

    assert ids(limit=2) == ("a", "b")
    assert ids(after="b", limit=2) == ("c", LONG)
    assert ids(after="bb", limit=1) == ("c",)
    assert ids(before="c", limit=1) == ("b",)
    assert ids(before="c", limit=5) == ("a", "b")
    assert ids(limit=0) == ()


def test_things_are_read_whole_by_id_and_unknown_ones_left_out(filled: Store) -> None:
    assert {i: site.study_id for i, site in directory.sites_by_id(filled, ["a", "z", "c"]).items()} == {
        "a": "S1",
        "c": "S2",
    }
    assert directory.studies_by_id(filled, ["S1", "S9"]).keys() == {"S1"}
    assert directory.sites_of_studies(filled, ["S1", "S9"]) == {"S1": ("b", "a")}
    assert [(study.study_id, [site.site_id for site in sites]) for study, sites in
            directory.whole_studies(filled, ["S2", "S1"])] == [("S1", ["b", "a"]), ("S2", ["c", LONG])]  # fmt: skip
    assert directory.long_ids(filled, 69) == (LONG,)
    assert directory.long_ids(filled, 70) == ()
