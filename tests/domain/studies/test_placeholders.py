"""Headings in many languages are no names; the names of real clinics are."""

from __future__ import annotations

import pytest

from sitematch.domain.studies.identity import SiteIdentity, pair
from sitematch.domain.studies.placeholders import is_heading, is_placeholder

HEADINGS = [
    "Prüfzentrum", "PRUFZENTRUM", "Prüfstelle", "Investigational Site", "Research site", "Study Site", "Clinical Research Site",
    "Centro de investigación", "CENTRO DE INVESTIGACION", "Sitio de investigación", "Centre d'investigation", "Centre d’investigation",
    "Site investigateur", "Centro de pesquisa", "Centro di ricerca", "Onderzoekscentrum", "Ośrodek badawczy",
    "Centrum klinického hodnocení", "Vizsgálóhely", "Prövningsställe", "Forsøgssted", "Tutkimuskeskus", "Araştırma Merkezi",
    "Исследовательский центр", "Ερευνητικό κέντρο", "治験実施施設", "研究中心", "臨床試驗中心", "연구기관", "אתר מחקר", "موقع الدراسة",
    "Name not given",
]  # fmt: skip
NAMES = [
    "Charité", "UZ Brussel", "Wits Clinical Research Site", "Centro de Investigación Biomédica de La Rioja", "Prüfzentrum Köln",
    "Studienzentrum Bonn am Rhein", "Centro di Ricerca Sant'Anna", "Hospital 12 de Octubre", "国立がん研究センター中央病院",
    "北京协和医院", "Research Institute of Tokyo", "Site of Care Hospital", "Clinic",
]  # fmt: skip


@pytest.mark.parametrize("name", HEADINGS)
def test_a_heading_is_no_name(name: str) -> None:
    assert is_heading(name)
    assert is_placeholder(name)


@pytest.mark.parametrize("mark", ["12", "#12", "No. 12", "Nr 12", "- 0031", "(12)"])
@pytest.mark.parametrize("name", HEADINGS)
def test_a_number_makes_no_name_of_a_heading_but_tells_two_apart(name: str, mark: str) -> None:
    assert is_placeholder(f"{name} {mark}")
    assert not is_heading(f"{name} {mark}")


@pytest.mark.parametrize("name", NAMES)
def test_a_clinic_s_name_is_a_name(name: str) -> None:
    assert not is_heading(name)
    assert not is_placeholder(name)


@pytest.mark.parametrize("name", HEADINGS)
def test_a_site_keeps_its_id_when_its_heading_becomes_another(name: str) -> None:
    def at(facility: str) -> SiteIdentity:
        return SiteIdentity(facility, "Berlin", "10117", "DE")

    assert pair([at(name)], [at("Name not given")]) == {0: 0}
