"""The FHIR service: valid resources, errors as OperationOutcome, and page links that return all sites once."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sitematch.domain.studies.record import StudyRecord
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.geo.geodesic import distance_km
from sitematch.importers.fhir.bundle import read_file
from sitematch.services.finding.finder import Finder
from sitematch.store.studies.catalogue import replace_study
from tests.api.builders import NOW, SITES, STUDY_ID, make_app, make_site, make_study
from tests.api.served_study import ServedStudy
from tests.builders import make_point
from tests.fhir_r4 import validate

FHIR = "application/fhir+json"
MIAMI = (25.9597, -80.1403)
ALL_IDS = sorted(site.site_id for site in SITES)
BY_DISTANCE = ["miami-full", "miami", "portland", "berlin-paused", "berlin", "apia", "suva"]


def ask(client: FlaskClient, url: str, status: int = 200, **how: Any) -> Any:
    """Send a request, and validate the answer against R4."""
    method = how.pop("method", "POST" if "data" in how else "GET")
    response = client.open(url, method=method, **how)
    assert response.status_code == status, response.text
    assert response.mimetype == FHIR
    validate(response.json)
    return response.json


def ids(bundle: Any, mode: str = "match") -> list[str]:
    return [e["resource"]["id"] for e in bundle.get("entry", ()) if e["search"]["mode"] == mode]


def link(bundle: Any, relation: str) -> str | None:
    (url,) = [one["url"] for one in bundle["link"] if one["relation"] == relation] or [None]
    return url


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def pages(client: FlaskClient, url: str) -> Iterator[Any]:
    following: str | None = url
    while following is not None:
        page = ask(client, path_of(following))
        yield page
        following = link(page, "next")


def extension(element: Any, name: str) -> Any:
    (found,) = [one for one in element["extension"] if one["url"].endswith(name)]
    return found


def values(complex_extension: Any) -> dict[str, Any]:
    return {
        part["url"]: next(value for key, value in part.items() if key != "url")
        for part in complex_extension["extension"]
    }


class TestReading:
    @pytest.mark.parametrize("kind", ["Location", "HealthcareService", "Organization"])
    def test_every_site_is_a_valid_resource_of_each_type(self, client: FlaskClient, kind: str) -> None:
        for site in SITES:
            found = ask(client, f"/fhir/{kind}/{site.site_id}")

            assert (found["resourceType"], found["id"]) == (kind, site.site_id)

    def test_location_says_where_it_is_how_surely_and_that_it_is_a_stand_in(self, client: FlaskClient) -> None:
        found = ask(client, "/fhir/Location/berlin-paused")

        assert found["position"] == {"longitude": 13.38, "latitude": 52.53}
        accuracy = values(extension(found, "position-accuracy"))
        assert (accuracy["precision"], accuracy["uncertainty"]["value"]) == ("LOCALITY", 4.0)
        assert (found["status"], extension(found, "recruitment-status")["valueCode"]) == ("suspended", "SUSPENDED")
        stand_in = values(extension(found, "stand-in"))
        assert stand_in["facts-of"]["value"] == "NCT00000002"
        assert stand_in["notice"] == "The sites are stand-ins."
        assert "NCT00000002" in found["description"]

    def test_site_without_a_place_has_no_position(self, client: FlaskClient) -> None:
        found = ask(client, "/fhir/Location/nowhere")

        assert "position" not in found

    def test_study_names_all_its_sites_in_the_records_order(self, client: FlaskClient) -> None:
        found = ask(client, f"/fhir/ResearchStudy/{STUDY_ID}")

        assert [one["reference"] for one in found["site"]] == [f"Location/{site.site_id}" for site in SITES]
        assert found["status"] == "active"

    @pytest.mark.parametrize(
        ("site_id", "active", "code", "count", "drawn_from"),
        [
            ("portland", True, "capacity", 2, "SITE_CAP"),
            ("miami", True, "capacity", 8, "SHARED_POOL"),
            ("miami-full", True, "no-capacity", 0, "SITE_CAP"),
            ("berlin-paused", False, "no-capacity", None, "UNKNOWN"),
        ],
    )
    def test_service_tells_the_spots_left_but_no_other_count(
        self, client: FlaskClient, site_id: str, active: bool, code: str, count: int | None, drawn_from: str
    ) -> None:
        found = ask(client, f"/fhir/HealthcareService/{site_id}")

        spots = values(extension(found, "spots-left"))
        status = values(extension(found, "SDOHCC-ExtensionHealthcareServiceCapacityStatus"))
        assert found["active"] is active
        assert status["capacityStatus"]["coding"][0]["code"] == code
        assert (spots.get("count"), spots["drawn-from"]) == (count, drawn_from)
        assert set(spots) <= {"count", "drawn-from", "as-of"}

    def test_spots_follow_the_ledger(self, service: ServedStudy) -> None:
        service.hold("r-1")

        found = ask(service.client, "/fhir/HealthcareService/miami")

        spots = values(extension(found, "spots-left"))
        assert spots["count"] == 7
        assert spots["as-of"] == "2026-01-02T12:30:00Z"

    def test_unchanged_resource_is_not_sent_again(self, service: ServedStudy) -> None:
        client = service.client
        first = client.get("/fhir/HealthcareService/miami")
        seen = {"If-None-Match": first.headers["ETag"]}

        service.later(minutes=5)
        same = client.get("/fhir/HealthcareService/miami", headers=seen)
        service.hold("r-1")
        other = client.get("/fhir/HealthcareService/miami", headers=seen)

        assert (same.status_code, same.data) == (304, b"")
        assert other.status_code == 200

    @pytest.mark.parametrize("resource_id", ["none", "a_b", "..", "a.4", "x" * 65, "%00", "NCT00000001"])
    def test_what_is_not_there_is_404(self, client: FlaskClient, resource_id: str) -> None:
        found = ask(client, f"/fhir/Location/{resource_id}", 404)

        assert found["issue"][0]["code"] == "not-found"


class TestSearching:
    def test_pages_walk_every_site_once_by_id(self, client: FlaskClient) -> None:
        walked = list(pages(client, "/fhir/Location?_count=3"))

        assert [site_id for page in walked for site_id in ids(page)] == ALL_IDS
        assert [page["total"] for page in walked] == [8, 8, 8]

    def test_pages_walk_every_placed_site_once_by_distance(self, client: FlaskClient) -> None:
        walked = list(pages(client, f"/fhir/Location?near={MIAMI[0]}|{MIAMI[1]}&_count=2"))

        assert [site_id for page in walked for site_id in ids(page)] == BY_DISTANCE
        assert {page["total"] for page in walked} == {7}

    @pytest.mark.parametrize("query", ["_count=3", "_count=3&name=hospital", "_count=3&near=25.9|-80.1"])
    def test_previous_leads_back_over_the_same_pages(self, client: FlaskClient, query: str) -> None:
        forward = [ids(page) for page in pages(client, f"/fhir/Location?{query}")]
        last = list(pages(client, f"/fhir/Location?{query}"))[-1]

        back, page = [ids(last)], last
        while previous := link(page, "previous"):
            page = ask(client, path_of(previous))
            back.append(ids(page))

        # From the end, pages may be split differently; their content and order are the same.
        assert [i for some in reversed(back) for i in some] == [i for some in forward for i in some]
        assert link(page, "previous") is None

    def test_walk_goes_on_where_it_was_when_sites_come_and_go(self, tmp_path: Path, service: ServedStudy) -> None:
        first = ask(service.client, "/fhir/Location?_count=3")
        following = link(first, "next")
        kept = [site for site in SITES if site.site_id not in ids(first)]

        replace_study(service.store, make_study(), [make_site("aaa", None), *kept])
        assert following is not None
        second = ask(service.client, path_of(following))

        everything = sorted([*(site.site_id for site in kept), "far"])
        assert ids(second) == everything[:3]

    def test_distance_is_the_geodesic_in_the_unit_asked(self, client: FlaskClient) -> None:
        found = ask(client, f"/fhir/Location?near={MIAMI[0]}|{MIAMI[1]}|10|[mi_i]")

        (entry,) = found["entry"]
        distance = extension(entry["search"], "location-distance")["valueDistance"]
        km = distance_km(make_point(*MIAMI), make_point(25.90, -80.15))
        assert entry["resource"]["id"] == "miami-full"
        assert distance["code"] == "[mi_i]"
        assert distance["value"] == pytest.approx(km / 1.609344, abs=0.001)

    def test_distance_without_a_unit_is_in_kilometres(self, client: FlaskClient) -> None:
        assert ids(ask(client, f"/fhir/Location?near={MIAMI[0]}|{MIAMI[1]}|6.7")) == ["miami-full"]
        assert ids(ask(client, f"/fhir/Location?near={MIAMI[0]}|{MIAMI[1]}|6.6|")) == []
        assert ids(ask(client, f"/fhir/Location?near={MIAMI[0]}|{MIAMI[1]}|6700|m")) == ["miami-full"]

    def test_as_many_values_as_are_taken_are_answered(self, client: FlaskClient) -> None:
        for query in (f"identifier={','.join(map(str, range(200)))}", "&".join(["identifier=a"] * 200)):
            assert ask(client, f"/fhir/ResearchStudy?{query}")["total"] == 0

    def test_server_says_which_distance_it_chose(self, client: FlaskClient) -> None:
        found = ask(client, "/fhir/Location?near=0|0")

        assert "near=0.0%7C0.0%7C20004.0%7Ckm" in (link(found, "self") or "")

    @pytest.mark.parametrize(
        ("near", "expected"),
        [
            ("-16|180|1000", ["suva", "apia"]),
            ("-16|-180|1000", ["suva", "apia"]),
            ("-16|179.9|1000|km", ["suva", "apia"]),
            ("90|0|4200", ["berlin-paused", "berlin"]),
            ("90|123|5200", ["berlin-paused", "berlin", "portland"]),
            ("-90|-45|9000", ["suva", "apia"]),
        ],
    )
    def test_nearest_are_found_across_the_antimeridian_and_at_the_poles(
        self, client: FlaskClient, near: str, expected: list[str]
    ) -> None:
        assert ids(ask(client, f"/fhir/Location?near={near}")) == expected

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("_id=miami,suva", ["miami", "suva"]),
            ("_id=miami&_id=suva", []),
            ("identifier=urn:sitematch:site|miami", ["miami"]),
            ("identifier=http://example.org|miami", []),
            ("name=HOSPITAL-m", ["miami", "miami-full"]),
            ("name:contains=full", ["miami-full"]),
            ("name:exact=Hospital suva", ["suva"]),
            ("name:exact=hospital suva", []),
            ("name=hospital s,hospital a", ["apia", "suva"]),
            ("name=hospital&name:contains=uva", ["suva"]),
            ("address-city=berl", ["berlin", "berlin-paused"]),
            ("address-country=Deutschland", ["berlin", "berlin-paused"]),
            ("address-country=DE,FJ", ["berlin", "berlin-paused", "suva"]),
            ("status=suspended", ["berlin-paused"]),
            ("status=http://hl7.org/fhir/location-status|suspended", ["berlin-paused"]),
            ("status=suspended&address-country=US", []),
            ("organization=Organization/suva", ["suva"]),
            ("organization=http://elsewhere.example/fhir/Organization/suva", ["suva"]),
            (f"_has:ResearchStudy:site:_id={STUDY_ID}&address-country=FJ", ["suva"]),
            ("_has:ResearchStudy:site:title=another", []),
            (f"_has:ResearchStudy:site:status=active&near={MIAMI[0]}|{MIAMI[1]}|10", ["miami-full"]),
        ],
    )
    def test_locations_are_narrowed(self, client: FlaskClient, query: str, expected: list[str]) -> None:
        found = ask(client, f"/fhir/Location?{query}", headers={"Prefer": "handling=strict"})

        assert ids(found) == expected
        assert found["total"] == len(expected)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("active=true", sorted(set(ALL_IDS) - {"berlin-paused"})),
            ("active=false", ["berlin-paused"]),
            ("active=true,false", ALL_IDS),
            ("active=true&active=false", []),
            ("location=Location/suva", ["suva"]),
            ("location=suva,apia", ["apia", "suva"]),
            ("organization=Organization/suva&active=true", ["suva"]),
        ],
    )
    def test_services_are_narrowed(self, client: FlaskClient, query: str, expected: list[str]) -> None:
        assert ids(ask(client, f"/fhir/HealthcareService?{query}")) == expected

    @pytest.mark.parametrize(
        ("query", "is_found"),
        [
            (f"_id={STUDY_ID}", True),
            (f"identifier=http://clinicaltrials.gov|{STUDY_ID}", True),
            ("identifier=299LE101", True),
            ("identifier=299le101", False),
            ("identifier=299LE", False),
            (f"identifier=299LE101&identifier={STUDY_ID}", True),
            (f"identifier=299LE101&identifier={STUDY_ID[:-1]}", False),
            ("status=active", True),
            ("status=completed", False),
            ("title=a study of lupus", True),
            ("title=lupus", False),
            ("title:contains=lupus", True),
            ("condition=lupus neph", True),
            ("condition:contains=nephritis", True),
            ("condition=asthma", False),
            ("site=Location/suva", True),
            ("site=none", False),
        ],
    )
    def test_studies_are_narrowed(self, service: ServedStudy, query: str, is_found: bool) -> None:
        study = make_study(conditions=("Lupus Nephritis", "SLE"), other_ids=("299LE101", "x"))
        replace_study(service.store, study, SITES)

        found = ids(ask(service.client, f"/fhir/ResearchStudy?{query}"))

        assert (STUDY_ID in found) is is_found

    def test_every_study_of_the_catalogue_is_searched(self, service: ServedStudy) -> None:
        assert "far" in ids(ask(service.client, "/fhir/Location"))
        assert len(ids(ask(service.client, "/fhir/ResearchStudy"))) == 2

    def test_what_refers_and_what_is_referred_to_comes_along_once(self, client: FlaskClient) -> None:
        query = (
            "_id=miami,suva&_include=Location:organization&_revinclude=ResearchStudy:site"
            "&_revinclude=HealthcareService:location"
        )

        found = ask(client, f"/fhir/Location?{query}")

        included = [e["fullUrl"].split("/fhir/")[1] for e in found["entry"] if e["search"]["mode"] == "include"]
        assert sorted(included) == [
            "HealthcareService/miami",
            "HealthcareService/suva",
            "Organization/miami",
            "Organization/suva",
            f"ResearchStudy/{STUDY_ID}",
        ]
        assert found["total"] == 2

    def test_study_brings_its_sites_along(self, client: FlaskClient) -> None:
        found = ask(client, "/fhir/ResearchStudy?_include=ResearchStudy:site")

        assert sorted(ids(found, "include")) == ALL_IDS

    def test_count_of_nothing_gives_the_total_alone(self, client: FlaskClient) -> None:
        for query in ("_count=0", "_summary=count", f"near={MIAMI[0]}|{MIAMI[1]}&_count=0"):
            found = ask(client, f"/fhir/Location?{query}")

            assert found["total"] == (7 if "near" in query else 8)
            assert "entry" not in found

    def test_study_without_a_known_status_says_why(self, service: ServedStudy) -> None:
        replace_study(service.store, make_study(status=RecruitmentStatus.UNKNOWN), SITES)

        found = ask(service.client, f"/fhir/ResearchStudy/{STUDY_ID}")

        assert "status" not in found
        assert found["_status"]["extension"][0]["valueCode"] == "unknown"


def test_bundle_of_a_study_is_what_the_importer_reads(service: ServedStudy, tmp_path: Path) -> None:
    own = [replace(site, source_study=STUDY_ID) for site in SITES]
    replace_study(service.store, make_study(), own)
    path = tmp_path / "study.json"

    path.write_bytes(service.client.get(f"/fhir/ResearchStudy?_id={STUDY_ID}&_include=ResearchStudy:site").data)
    (record,) = read_file(path, NOW.date())

    assert isinstance(record, StudyRecord)
    assert [(at.facility, at.status) for at in record.locations] == [(site.facility, site.status) for site in own]
    assert record.faults == ()


class TestPrivacy:
    def test_form_keeps_the_coordinates_out_of_every_link(self, client: FlaskClient) -> None:
        seen: list[str] = []
        form = {"near": f"{MIAMI[0]}|{MIAMI[1]}", "_count": "3"}
        for _ in range(3):
            page = ask(client, "/fhir/Location/_search", data=form)
            seen += ids(page)
            assert [one["relation"] for one in page["link"]] == ["self"]
            assert str(MIAMI[0]) not in str(page["link"])
            text = next(
                e["resource"]["issue"][0]["diagnostics"] for e in page["entry"] if e["search"]["mode"] == "outcome"
            )
            if "_after=" in text:
                form["_after"] = text.partition("_after=")[2].partition(" for")[0]

        assert seen == BY_DISTANCE

    def test_nothing_of_a_search_is_logged(
        self, tmp_path: Path, finder: Finder, database: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        shutil.copy(database, tmp_path / "sitematch.db")
        client = make_app(tmp_path, finder, access_log=True).test_client()
        access = logging.getLogger("sitematch.access")
        access.addHandler(caplog.handler)
        try:
            with caplog.at_level(logging.INFO, logger="sitematch.access"):
                client.get("/fhir/Location?near=12.345|67.891")
                client.get("/fhir/Location?near=12.345|67.891|far")
                client.post("/fhir/Location/_search", data={"near": "12.345|67.891"})
        finally:
            access.removeHandler(caplog.handler)

        assert "/fhir/" in caplog.text
        assert "12.345" not in caplog.text

    def test_operator_can_keep_coordinates_out_of_addresses(
        self, tmp_path: Path, finder: Finder, database: Path
    ) -> None:
        shutil.copy(database, tmp_path / "sitematch.db")
        client = make_app(tmp_path, finder, get_matches=False).test_client()

        for how in ({"method": "GET", "url": "/fhir/Location"}, {"method": "POST", "url": "/fhir/Location/_search"}):
            refused = ask(client, f"{how['url']}?near=1|2", 400, method=how["method"])
            assert "_search" in refused["issue"][0]["diagnostics"]
        assert ids(ask(client, "/fhir/Location/_search", data={"near": "26|-80|50"})) == ["miami-full", "miami"]

    def test_answer_is_not_cached(self, client: FlaskClient) -> None:
        assert client.get("/fhir/Location?near=1|2").headers["Cache-Control"] == "no-store"


class TestErrors:
    @pytest.mark.parametrize(
        ("url", "how", "status", "code"),
        [
            ("/fhir/Patient", {}, 404, "not-found"),
            ("/fhir", {}, 404, "not-found"),
            ("/fhir/Patient/", {}, 404, "not-found"),
            ("/fhir/Location", {"method": "PUT"}, 405, "not-supported"),
            ("/fhir/Location/miami", {"method": "DELETE"}, 405, "not-supported"),
            ("/fhir/Location", {"headers": {"Accept": "application/fhir+xml"}}, 406, "not-supported"),
            ("/fhir/Location?_format=xml", {}, 406, "not-supported"),
            ("/fhir/Location?_format=application/fhir%2Bjson;fhirVersion=5.0", {}, 406, "not-supported"),
            ("/fhir/metadata", {"headers": {"Accept": "application/fhir+json; fhirVersion=5.0"}}, 406, "not-supported"),
            (
                "/fhir/Location/miami",
                {"headers": {"Accept": 'application/json;fhirVersion="3.0"'}},
                406,
                "not-supported",
            ),
            ("/fhir/_history", {}, 501, "not-supported"),
            ("/fhir/Location/_history", {}, 501, "not-supported"),
            ("/fhir/Location/miami/_history", {}, 501, "not-supported"),
            ("/fhir/Location/miami/_history/1", {}, 501, "not-supported"),
            ("/fhir/Patient/_history", {}, 404, "not-found"),
            ("/fhir/.well-known/smart-configuration", {}, 404, "not-found"),
            ("/fhir/Location/miami?_summary=most", {}, 400, "invalid"),
            ("/fhir/Location/miami?_elements=", {}, 400, "invalid"),
            ("/fhir/Location?_summary=most", {}, 400, "invalid"),
            ("/fhir/Location?_elements=a.b!", {}, 400, "invalid"),
            ("/fhir/Location?_sort=name,-status", {}, 400, "invalid"),
            ("/fhir/Location?_sort=name&near=1|2", {}, 400, "invalid"),
            ("/fhir/Location?_sort=name&_after=miami", {}, 400, "invalid"),
            ("/fhir/Location?_sort=name&_after=WyJhIl0", {}, 400, "invalid"),
            ("/fhir/Location?_sort=colour", {"headers": {"Prefer": "handling=strict"}}, 400, "invalid"),
            ("/fhir/Location?_count=x", {}, 400, "invalid"),
            ("/fhir/Location?_count=-1", {}, 400, "invalid"),
            ("/fhir/Location?name:fuzzy=x", {}, 400, "invalid"),
            ("/fhir/Location?name=", {}, 400, "invalid"),
            ("/fhir/Location?name=a,,b", {}, 400, "invalid"),
            ("/fhir/Location?status=open", {}, 400, "invalid"),
            ("/fhir/Location?address-country=Atlantis", {}, 400, "invalid"),
            ("/fhir/Location?organization=Patient/1", {}, 400, "invalid"),
            ("/fhir/Location?name=%00", {}, 400, "invalid"),
            ("/fhir/Location?near=1|2&near=3|4", {}, 400, "invalid"),
            ("/fhir/Location?near=1|2,3|4", {}, 400, "invalid"),
            ("/fhir/Location?near=95|2", {}, 400, "invalid"),
            ("/fhir/Location?near=1|2|3|leagues", {}, 400, "invalid"),
            ("/fhir/Location?near=1|2|-3", {}, 400, "invalid"),
            ("/fhir/Location?near=nan|2", {}, 400, "invalid"),
            ("/fhir/Location?near=1|2|1e999", {}, 400, "invalid"),
            ("/fhir/Location?near=1|2&_after=miami", {}, 400, "invalid"),
            ("/fhir/Location?_after=a&_before=b", {}, 400, "invalid"),
            (f"/fhir/Location?{'&'.join(['name=a'] * 11)}", {}, 400, "invalid"),
            (f"/fhir/Location?name:contains={','.join('abcdefghijk')}", {}, 400, "invalid"),
            (f"/fhir/Location?{'&'.join(['_id=a'] * 201)}", {}, 400, "invalid"),
            ("/fhir/Location?foo=1", {"headers": {"Prefer": "handling=strict"}}, 400, "invalid"),
            ("/fhir/Location?_include=Location:endpoint", {"headers": {"Prefer": "handling=strict"}}, 400, "invalid"),
            ("/fhir/HealthcareService?active=perhaps", {}, 400, "invalid"),
            (f"/fhir/ResearchStudy?identifier={'a,' * 200}a", {}, 400, "invalid"),
            (f"/fhir/Location?{'name=a&' * 201}", {}, 400, "invalid"),
            ("/fhir/Location/_search", {"data": b"x" * 70_000}, 413, "too-long"),
            ("/fhir/Location/_search", {"data": b"{}", "content_type": "application/json"}, 415, "not-supported"),
        ],
    )
    def test_every_refusal_is_an_operation_outcome(
        self, client: FlaskClient, url: str, how: dict[str, Any], status: int, code: str
    ) -> None:
        found = ask(client, url, status, **how)

        assert found["resourceType"] == "OperationOutcome"
        assert (found["issue"][0]["severity"], found["issue"][0]["code"]) == ("error", code)
        assert found["issue"][0]["diagnostics"]

    def test_unknown_parameters_are_left_out_and_said(self, client: FlaskClient) -> None:
        found = ask(client, "/fhir/Location?_id=miami&colour=blue&_sort=length")

        assert ids(found) == ["miami"]
        (outcome,) = [e["resource"] for e in found["entry"] if e["search"]["mode"] == "outcome"]
        assert "colour, _sort" in outcome["issue"][0]["diagnostics"]
        assert "colour" not in (link(found, "self") or "")

    def test_missing_database_is_503_with_when_to_come_again(self, tmp_path: Path, finder: Finder) -> None:
        client = make_app(tmp_path, finder).test_client()

        response: TestResponse = client.get("/fhir/Location")

        validate(response.json)
        assert (response.status_code, response.json["issue"][0]["code"]) == (503, "transient")
        assert response.headers["Retry-After"]
        assert str(tmp_path) not in response.text

    @pytest.mark.parametrize("accept", ["", "*/*", "application/fhir+json", "text/html, */*;q=0.1", "application/*"])
    def test_fhir_json_is_sent_to_clients_that_accept_it(self, client: FlaskClient, accept: str) -> None:
        ask(client, "/fhir/Location", headers={"Accept": accept})

    def test_plain_json_is_sent_to_clients_that_accept_nothing_else(self, client: FlaskClient) -> None:
        response = client.get("/fhir/Location", headers={"Accept": "application/json"})

        assert (response.status_code, response.mimetype) == (200, "application/json")

    @pytest.mark.parametrize("text", ["json", "application/fhir+json", "application%2Ffhir%2Bjson", "text/json"])
    def test_format_overrides_the_accept_header(self, client: FlaskClient, text: str) -> None:
        ask(client, f"/fhir/Location?_format={text}", headers={"Accept": "text/html"})


class TestCapability:
    def test_statement_is_valid_and_lists_what_is_served(self, client: FlaskClient) -> None:
        found = ask(client, "/fhir/metadata")

        assert found["fhirVersion"] == "4.0.1"
        served = {one["type"]: one for one in found["rest"][0]["resource"]}
        assert set(served) == {"Location", "HealthcareService", "ResearchStudy", "Organization"}
        assert "near" in {one["name"] for one in served["Location"]["searchParam"]}

    def test_every_listed_parameter_and_include_is_served(self, client: FlaskClient) -> None:
        examples = {"near": "1|2", "status": "active", "active": "true", "address-country": "US"}
        for one in ask(client, "/fhir/metadata")["rest"][0]["resource"]:
            queries = [f"{p['name']}={examples.get(p['name'], 'x')}" for p in one["searchParam"]]
            queries += [f"_include={text}" for text in one.get("searchInclude", ())]
            queries += [f"_revinclude={text}" for text in one.get("searchRevInclude", ())]
            for query in queries:
                ask(client, f"/fhir/{one['type']}?{query}", headers={"Prefer": "handling=strict"})

    def test_links_begin_with_the_address_that_the_operator_names(
        self, tmp_path: Path, finder: Finder, database: Path
    ) -> None:
        shutil.copy(database, tmp_path / "sitematch.db")
        client = make_app(tmp_path, finder, public_url="https://sites.example.org").test_client()

        found = ask(client, "/fhir/Location?_id=miami")

        assert found["entry"][0]["fullUrl"] == "https://sites.example.org/fhir/Location/miami"
        assert (link(found, "self") or "").startswith("https://sites.example.org/fhir/Location?")
