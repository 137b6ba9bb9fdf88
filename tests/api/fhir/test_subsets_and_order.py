"""FHIR's `_elements`, `_summary` and `_sort`, addresses, and units of `near`: honoured on every page."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from sitematch.geo.geodesic import distance_km
from sitematch.store.studies.catalogue import replace_study
from tests.api.builders import SITES, STUDY_ID, make_site, make_study
from tests.api.fhir.test_routes import ALL_IDS, MIAMI, ask, ids, link, pages, path_of
from tests.api.served_study import ServedStudy
from tests.builders import make_point

STRICT = {"Prefer": "handling=strict"}
KINDS = ["Location", "HealthcareService", "ResearchStudy", "Organization"]


def resources(bundle: Any) -> list[Any]:
    return [entry["resource"] for entry in bundle["entry"]]


class TestSubsets:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(
        "query", ["_summary=true", "_summary=text", "_elements=name", "_elements=identifier,title"]
    )
    def test_a_part_is_valid_says_that_it_is_one_and_is_the_same_when_read(
        self, client: FlaskClient, kind: str, query: str
    ) -> None:
        found = resources(ask(client, f"/fhir/{kind}?{query}&_count=3", headers=STRICT))

        for part in found:
            whole = ask(client, f"/fhir/{kind}/{part['id']}")
            assert part.keys() - {"meta"} < whole.keys() - {"meta"} or part == whole
            if part != whole:
                assert part["meta"]["tag"][-1]["code"] == "SUBSETTED"
            assert {name: part[name] for name in part if name != "meta"} == {
                name: whole[name] for name in part if name != "meta"
            }
            assert ask(client, f"/fhir/{kind}/{part['id']}?{query}") == part

    def test_elements_are_those_asked_for_and_the_mandatory_ones(self, client: FlaskClient) -> None:
        (found,) = resources(ask(client, "/fhir/Location?_id=miami&_elements=name,address", headers=STRICT))

        assert found.keys() == {"resourceType", "id", "meta", "status", "name", "address", "description"}
        assert "stand-in" in found["description"]

    def test_summary_of_a_study_leaves_out_its_description_and_keeps_its_sponsor(self, client: FlaskClient) -> None:
        (found,) = resources(ask(client, "/fhir/ResearchStudy?_summary=true", headers=STRICT))

        assert "site" in found
        assert "extension" not in found
        assert ("sponsor" in found) == ("contained" in found)

    @pytest.mark.parametrize("query", ["_summary=false", "_summary=data"])
    def test_everything_is_everything(self, client: FlaskClient, query: str) -> None:
        assert ask(client, f"/fhir/Location/miami?{query}") == ask(client, "/fhir/Location/miami")

    def test_elements_are_about_what_was_searched_for(self, client: FlaskClient) -> None:
        found = ask(client, "/fhir/Location?_id=miami&_elements=name&_include=Location:organization")
        (included,) = [e["resource"] for e in found["entry"] if e["search"]["mode"] == "include"]

        assert included == ask(client, "/fhir/Organization/miami")

    def test_links_keep_the_part(self, client: FlaskClient) -> None:
        found = list(pages(client, "/fhir/Location?_elements=name&_summary=data&_count=3"))

        assert [one["id"] for page in found for one in resources(page)] == ALL_IDS
        assert {frozenset(one) for page in found for one in resources(page)} == {
            # A stand-in says in every part that nobody must travel there.
            frozenset({"resourceType", "id", "meta", "status", "name", "description"}),
        }

    def test_part_has_another_etag_than_the_whole(self, client: FlaskClient) -> None:
        whole, part = (client.get(f"/fhir/Location/miami{query}") for query in ("", "?_elements=name"))

        assert whole.headers["ETag"] != part.headers["ETag"]
        again = client.get("/fhir/Location/miami?_elements=name", headers={"If-None-Match": part.headers["ETag"]})
        assert again.status_code == 304


VALUES = {
    "_id": lambda site: (site.site_id,),
    "name": lambda site: (site.facility,),
    "address-city": lambda site: (site.city,),
    "address-country": lambda site: (site.country,),
    "address-country,address-city": lambda site: (site.country, site.city),
    "status": lambda site: (site.status.value,),
}


class TestOrder:
    @pytest.mark.parametrize("text", ["", "name:contains=hospital"])
    @pytest.mark.parametrize("sign", ["", "-"])
    @pytest.mark.parametrize("names", VALUES)
    def test_every_page_follows_the_order_and_leads_back(
        self, client: FlaskClient, names: str, sign: str, text: str
    ) -> None:
        sort = ",".join(f"{sign}{name}" for name in names.split(","))
        ordered = sorted(SITES, key=lambda site: (*VALUES[names](site), site.site_id), reverse=sign == "-")

        walked = list(pages(client, f"/fhir/Location?_sort={sort}&_count=3&{text}"))

        assert [one for page in walked for one in ids(page)] == [site.site_id for site in ordered]
        assert {page["total"] for page in walked} == {len(SITES)}
        back = link(walked[-1], "previous")
        assert back is not None
        assert ids(ask(client, path_of(back))) == ids(walked[-2])
        assert link(walked[0], "previous") is None

    def test_the_order_is_that_of_code_points_in_both_databases(self, service: ServedStudy) -> None:
        names = ["Zentrum", "zentrum", "Ärzte", "arzt", "Arzt", "10", "9", "Éa"]
        sites = [make_site(f"s{number}", (1.0, 1.0), facility=name) for number, name in enumerate(names)]
        replace_study(service.store, make_study(), sites)

        found = resources(
            ask(
                service.client,
                "/fhir/Location?_sort=name&address-city=somewhere&name:exact=" + ",".join(names),
                headers=STRICT,
            )
        )

        assert [one["name"] for one in found] == sorted(names)

    def test_near_is_the_order_by_distance(self, client: FlaskClient) -> None:
        near = f"near={MIAMI[0]}|{MIAMI[1]}"

        assert ids(ask(client, f"/fhir/Location?{near}&_sort=near", headers=STRICT)) == ids(
            ask(client, f"/fhir/Location?{near}")
        )

    def test_studies_are_ordered_by_title(self, service: ServedStudy) -> None:
        found = ask(service.client, "/fhir/ResearchStudy?_sort=-title", headers=STRICT)
        titles = [one["title"] for one in resources(found)]

        assert titles == sorted(titles, reverse=True)
        assert STUDY_ID in ids(found)


@pytest.fixture
def addressed(service: ServedStudy) -> FlaskClient:
    sites = [
        make_site(
            "a", (1.0, 1.0), city="Boston", state="MA", postcode="02118", address="1 Example Street", country="US"
        ),
        make_site("b", (1.0, 1.0), city="Example", state="Ohio", postcode="45220", address="", country="US"),
        make_site("c", (1.0, 1.0), city="Köln", state="", postcode="50937", address="Straße 1", country="DE"),
    ]
    replace_study(service.store, make_study(), sites)
    return service.client


@pytest.mark.parametrize("kind", ["Location", "Organization"])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("address=example", ["b"]),
        ("address:contains=example", ["a", "b"]),
        ("address=1 exam", ["a"]),
        ("address=koln", ["c"]),
        ("address=strasse", ["c"]),
        ("address=de", ["c"]),
        ("address=US&_id=a,b,c", ["a", "b"]),
        ("address=50937,45220", ["b", "c"]),
        ("address:exact=Ohio", ["b"]),
        ("address:exact=ohio", []),
        ("address-state=ma", ["a"]),
        ("address-state=oh", ["b"]),
        ("address-postalcode=0211", ["a"]),
        ("address-postalcode:exact=50937", ["c"]),
        ("address-postalcode=118", []),
        ("address=boston&address-state=ohio", []),
        ("address=boston&near=1|1|10", ["a"]),
    ],
)
def test_addresses_are_searched(addressed: FlaskClient, kind: str, query: str, expected: list[str]) -> None:
    if kind == "Organization" and "near" in query:
        query = query.partition("&")[0]
    assert ids(ask(addressed, f"/fhir/{kind}?{query}", headers=STRICT)) == expected


@pytest.mark.parametrize(
    ("unit", "km", "code"),
    [
        ("mi", 1.609344, "[mi_i]"),
        ("[mi_us]", 6336 / 3937, "[mi_us]"),
        ("[mi_i]", 1.609344, "[mi_i]"),
        ("ft", 0.0003048, "[ft_i]"),
    ],
)
def test_units_of_near(client: FlaskClient, unit: str, km: float, code: str) -> None:
    found = ask(client, f"/fhir/Location?near={MIAMI[0]}|{MIAMI[1]}|{50 / km}|{unit}", headers=STRICT)
    first = found["entry"][0]
    (distance,) = [one["valueDistance"] for one in first["search"]["extension"]]
    position = first["resource"]["position"]

    exact = distance_km(make_point(*MIAMI), make_point(position["latitude"], position["longitude"]))
    assert distance["code"] == code
    assert distance["value"] * km == pytest.approx(exact, abs=0.002)


@pytest.mark.parametrize("tail", ["", "|", "||", "||mi", "||km", "||leagues", "||[mi_us]"])
def test_without_a_distance_any_unit_is_taken(client: FlaskClient, tail: str) -> None:
    found = ask(client, f"/fhir/Location?near={MIAMI[0]}|{MIAMI[1]}{tail}", headers=STRICT)

    assert len(ids(found)) == len(SITES) - 1
