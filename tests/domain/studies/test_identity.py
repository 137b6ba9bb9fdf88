"""The same place keeps its id; another place never gets it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitematch.domain.studies.identity import SiteIdentity, pair, pair_with_left_out, similarity
from sitematch.domain.studies.placeholders import is_placeholder


def at(facility: str, city: str = "Lyon", postcode: str = "69003", country: str = "FR") -> SiteIdentity:
    return SiteIdentity(facility, city, postcode, country)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # Spellings that real records changed within a week.
        (at("Hôpital Foch"), at('HA"pital Foch')),
        (at('Hă"Pital Foch', "Suresnes", "92151"), at("Hăpital Foch", "Suresnes", "92151")),
        (at("First Affiliated Hospital", "Xi'an", "´710061", "CN"), at("First Affiliated Hospital", "Xi'an", "710061", "CN")),
        (at("CHU de Lyon"), at("CHU DE LYON")),
        (at("Clinic", postcode="86001-6269", country="US"), at("Clinic", postcode="86001", country="US")),
        (at("Clinic A.B.", "Marietta", "20060"), at("Clinic A.B.", "Marietta", "30060")),
        (at("Northwestern Memorial Hospital", "Chicago"), at("Northwestern Memorial Hospital", "Chigaco")),
        (at("University Hospital Cologne"), at("Cologne University Hospital")),
        (at("Capital Medical University, Tiantan"), at("Captial Medical University, Tiantan")),
        (at("Karolinska"), at("Karolinska University Hospital")),
        (at("Metro Oncology Research"), at("Metro Community Oncology Research")),
        (at("Local Institution - 0031"), at("Hospital of the Holy Cross")),
    ],
)  # fmt: skip
def test_a_place_is_the_same_under_another_spelling(old: SiteIdentity, new: SiteIdentity) -> None:
    assert pair([old], [new]) == {0: 0}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (at("Beijing Tiantan Hospital, Capital Medical University"), at("Beijing Chaoyang Hospital, Capital Medical University")),
        (at("Tianjin Medical University Eye Hospital"), at("Tianjin Medical University General Hospital")),
        (at("Severance Hospital, Yonsei"), at("Gangnam Severance Hospital, Yonsei", postcode="06273")),
        (at("Samsung Medical Center", postcode="1"), at("Asan Medical Center", postcode="2")),
        (at("Clinic North"), at("Clinic South")),
        (at("Lyon University Hospital"), at("Lyon Clinic")),
        (at("Centre Focus-1"), at("Centre Focus-2")),
        (at("Hospital of the Sacred Heart"), at("Hospital of the Sacred Heart", "Kiel", "24105", "DE")),
        (at("Research Site", postcode="1"), at("Research Site", postcode="2")),
        (at("GSK Investigational Site", postcode=""), at("Hospital of the Holy Cross", postcode="")),
        (at("Beijing Hospital"), at("Capital Medical University (CMU) - Beijing Tongren Hospital")),
    ],
)  # fmt: skip
def test_another_place_is_not(old: SiteIdentity, new: SiteIdentity) -> None:
    assert pair([old], [new]) == {}


def test_a_doubtful_pair_is_not_made() -> None:
    old = [at("Metro Oncology Research")]
    new = [at("Metro Community Oncology Research"), at("Metro Oncology Research Partners")]

    assert pair(old, new) == {}


def test_sites_that_nothing_tells_apart_are_paired_in_their_order() -> None:
    sites = [at("Research Site")] * 3

    assert pair(sites, [*sites, at("Research Site")]) == {0: 0, 1: 1, 2: 2}


def test_full_agreement_is_settled_before_likeness() -> None:
    old = [at("Metro Oncology Research"), at("Metro Community Oncology Research")]

    assert pair(old, [old[1]]) == {0: 1}


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("Research Site", True), ("GSK Investigational Site", True), ("Novartis Investigative Site", True),
        ("Local Institution - 0031", True), ("For additional information contact", False), ("Site 12", True),
        ("Wits Clinical Research Site", False), ("Hospital 12 de Octubre", False), ("", True),
    ],
)  # fmt: skip
def test_placeholders_are_known(name: str, hidden: bool) -> None:
    assert is_placeholder(name) is hidden


@pytest.mark.parametrize("words", ["Clinic of Saint Anne", "A", "北京医院"])
def test_a_name_is_wholly_like_itself(words: str) -> None:
    assert similarity(words, words) == 1.0


NAMES = st.sampled_from(
    ["Research Site", "Holy Cross Hospital", "Holy Cross Clinic", "Sacred Heart", "Eye Clinic", "Ège Clinic"]
)
SITES = st.lists(st.builds(at, NAMES, st.sampled_from(["Lyon", "Kiel"]), st.sampled_from(["", "1", "2"])), max_size=12)


@given(SITES, SITES)
def test_pairs_are_one_to_one_and_equal_sites_are_all_paired(old: list[SiteIdentity], new: list[SiteIdentity]) -> None:
    pairs = pair(old, new)

    assert len(set(pairs.values())) == len(pairs)
    for site in {*old, *new}:
        both = min(old.count(site), new.count(site))
        assert sum(new[i] == site == old[j] for i, j in pairs.items()) >= both


@given(SITES)
def test_the_same_record_again_pairs_every_site_with_itself(sites: list[SiteIdentity]) -> None:
    assert pair(sites, sites) == {i: i for i in range(len(sites))}


NAMES = ["Charité", "Hôpital Foch", "Research Site", "University Hospital Cologne", "Harbour Clinic"]
TOWNS = ["Lyon", "Kiel", "Boston"]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(TOWNS)), min_size=1, max_size=8), st.data())
def test_no_site_is_gone_while_a_row_names_it_however_little_of_the_row_is_left(
    sites: list[tuple[str, str]], data: st.DataObject
) -> None:
    old = [at(name, town) for name, town in sites]
    broken = data.draw(st.sets(st.integers(0, len(old) - 1), min_size=1))
    lost = data.draw(st.sampled_from(["country", "country and postcode", "country and town", "everything"]))

    def damaged(row: SiteIdentity) -> SiteIdentity:
        return {
            "country": at(row.facility, row.city, row.postcode, ""),
            "country and postcode": at(row.facility, row.city, "", ""),
            "country and town": at(row.facility, "", row.postcode, ""),
            "everything": at("", "", "", ""),
        }[lost]

    new = [site for position, site in enumerate(old) if position not in broken]
    pairs, held = pair_with_left_out(old, new, [damaged(old[position]) for position in sorted(broken)])

    assert set(pairs.values()) | held == set(range(len(old)))
    assert not set(pairs.values()) & held


def test_a_site_that_no_row_names_is_not_held_back() -> None:
    old = [at("Charité", "Berlin", "10117", "DE"), at("Harbour Clinic", "Hamburg", "20095", "DE")]

    assert pair_with_left_out(old, [], [at("Charité", "Berlin", "10117", "")]) == ({}, frozenset({0}))
    assert pair_with_left_out(old, [], [at("Elsewhere", "Kiel", "24105", "")]) == ({}, frozenset())


def test_a_row_that_cannot_be_used_does_not_lose_its_site_to_another_row() -> None:
    old = [at("Harbour Clinic", "Hamburg", "20095", "DE")]

    pairs, held = pair_with_left_out(
        old, [at("Harbour Clinic", "Hamburg", "20097", "DE")], [at("Harbour Clinic", "Hamburg", "20095", "")]
    )

    assert (pairs, held) == ({}, frozenset({0}))
