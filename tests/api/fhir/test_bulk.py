"""The bulk publication: every line is valid, nothing is only for coordinators, and differences are complete."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from sitematch.domain.accounts.access import Actor, Caller
from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.spot import SpotPolicy
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.store.capacity import rules
from sitematch.store.studies.catalogue import replace_study
from tests.api.builders import NOW, SITES, STUDY_ID, make_site, make_study
from tests.api.fhir.test_routes import extension, path_of, values
from tests.api.served_study import OTHER_SITE, SITE, ServedStudy
from tests.fhir_r4 import validate

MANIFEST = "/fhir/$bulk-publish"
SITE_CAP = CapKey(level=CapLevel.SITE, scope=OTHER_SITE)
CHANGES = ["hold", "release", "lapse", "cap", "uncap", "close", "catalogue", "midnight"]
ALL_FILES = ["Location", "HealthcareService", "Schedule", "Slot"]


def manifest(service: ServedStudy, since: str | None = None, **how: Any) -> Any:
    response = service.client.get(MANIFEST, query_string={} if since is None else {"_since": since}, **how)
    assert response.status_code == 200, response.text
    service.check("GET", MANIFEST, response)
    return response.json


def lines(service: ServedStudy, url: str) -> list[Any]:
    response = service.client.get(path_of(url))
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/fhir+ndjson"
    # A server sends no more than the header says.
    assert int(response.headers.get("Content-Length", len(response.data))) == len(response.data)
    found = [json.loads(line) for line in response.text.splitlines()]
    for resource in found:
        validate(resource)
    return found


def published(service: ServedStudy, since: str | None = None) -> dict[str, dict[str, Any]]:
    """Fetch all files that a manifest names: resources by type and id."""
    return {
        output["type"]: {resource["id"]: resource for resource in lines(service, output["url"])}
        for output in manifest(service, since)["output"]
    }


def availability(schedule: Any) -> str:
    code: str = extension(schedule, "has-availability")["valueCode"]
    return code


def test_manifest_names_the_files_and_when_they_were_true(service: ServedStudy) -> None:
    found = manifest(service)

    assert [output["type"] for output in found["output"]] == ALL_FILES
    assert found["transactionTime"] == "2026-01-02T12:30:00Z"
    assert found["request"] == "http://localhost/fhir/$bulk-publish"
    assert found["error"] == []


def test_every_site_of_every_study_is_in_the_files(service: ServedStudy) -> None:
    found = published(service)

    everything = {*(site.site_id for site in SITES), "far"}
    assert found["Location"].keys() == everything
    assert found["HealthcareService"].keys() == everything
    assert found["Schedule"].keys() == everything
    assert found["Slot"].keys() == everything


def test_slots_refer_to_schedules_and_those_to_locations_that_are_published(service: ServedStudy) -> None:
    found = published(service)

    for slot in found["Slot"].values():
        schedule = found["Schedule"][slot["schedule"]["reference"].removeprefix("Schedule/")]
        assert schedule["actor"][0]["reference"].removeprefix("Location/") in found["Location"]
        assert schedule["actor"][1]["reference"].removeprefix("HealthcareService/") in found["HealthcareService"]


def test_own_spots_are_a_capacity_and_shared_ones_are_not(service: ServedStudy) -> None:
    service.cap(2, SITE_CAP)

    slots = published(service)["Slot"]

    own, shared = slots[OTHER_SITE], slots[SITE]
    assert extension(own, "slot-capacity")["valueInteger"] == 2
    assert not [one for one in shared["extension"] if one["url"].endswith("slot-capacity")]
    spots = values(extension(shared, "spots-left"))
    assert (spots["count"], spots["drawn-from"], shared["status"]) == (8, "SHARED_POOL", "free")


def test_slot_is_the_day_in_utc(service: ServedStudy) -> None:
    slot = published(service)["Slot"][SITE]

    assert (slot["start"], slot["end"]) == ("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")


@pytest.mark.parametrize(
    ("waiting_list", "code"),
    [(True, "waitlist"), (False, "no-capacity")],
)
def test_full_site_has_a_busy_slot_and_says_whether_one_can_wait(
    service: ServedStudy, waiting_list: bool, code: str
) -> None:
    caller = Caller(actor=Actor(actor_id="user:setup"), request_id="setup")
    policy = SpotPolicy(
        hold=timedelta(hours=48), offer=timedelta(hours=48), gives_back=frozenset(), waiting_list=waiting_list
    )
    rules.set_policy(service.store, caller, study_id=STUDY_ID, policy=policy, now=service.now)
    service.cap(1, SITE_CAP)
    service.hold("r-1", OTHER_SITE)

    found = published(service)

    status = values(extension(found["Schedule"][OTHER_SITE], "CapacityStatus"))
    assert availability(found["Schedule"][OTHER_SITE]) == "none"
    assert status["capacityStatus"]["coding"][0]["code"] == code
    assert found["Slot"][OTHER_SITE]["status"] == "busy"


def test_unknown_values_are_reported_as_unknown(service: ServedStudy) -> None:
    service.cap(None)

    found = published(service)

    assert availability(found["Schedule"][SITE]) == "unknown"
    assert not [one for one in found["Schedule"][SITE]["extension"] if "CapacityStatus" in one["url"]]
    slot = found["Slot"][SITE]
    assert "status" not in slot
    assert slot["_status"]["extension"][0]["valueCode"] == "unknown"


def test_closed_site_has_a_slot_that_says_so(service: ServedStudy) -> None:
    found = published(service)

    assert found["Slot"]["berlin-paused"]["status"] == "busy-unavailable"
    assert found["Schedule"]["berlin-paused"]["active"] is False


def test_nothing_that_is_the_coordinators_own_is_published(service: ServedStudy) -> None:
    service.cap(7, SITE_CAP)
    for number in range(3):
        service.hold(f"r-secret-{number}", OTHER_SITE)
    service.move("r-secret-0", "screening")
    service.move("r-secret-0", "enrollment")

    texts = [service.client.get(f"/fhir/bulk/{kind}.ndjson").text for kind in ALL_FILES]

    spots = values(extension(published(service)["Slot"][OTHER_SITE], "spots-left"))
    assert spots["count"] == 4
    for text in texts:
        assert "r-secret" not in text
        for word in ("held", "enrolled", "screening", '"cap"', "taken", "withdrawn"):
            assert word not in text.lower().replace("weeks", "")


class TestDifferences:
    def test_nothing_new_is_304(self, service: ServedStudy) -> None:
        urls = [MANIFEST, *(path_of(output["url"]) for output in manifest(service)["output"])]
        tags = {url: service.client.get(url).headers["ETag"] for url in urls}
        service.later(minutes=5)

        answers = [service.client.get(url, headers={"If-None-Match": tags[url]}) for url in urls]

        assert [(one.status_code, one.data) for one in answers] == [(304, b"")] * 5

    @pytest.mark.parametrize("change", CHANGES)
    def test_every_change_of_a_number_changes_the_tag(self, service: ServedStudy, change: str) -> None:
        service.ask(
            "POST",
            "/v1/referrals",
            {"site_id": SITE, "referral_id": "r-1", "hold_hours": 1 if change == "lapse" else 48},
        )
        before = self._tags(service)

        self._do(service, change)

        after = self._tags(service)
        changed = {kind for kind in ALL_FILES if before[kind] != after[kind]}
        expected = {"catalogue": set(ALL_FILES), "midnight": {"Slot"}}.get(change, set(ALL_FILES) - {"Location"})
        assert changed == expected

    @pytest.mark.parametrize("change", CHANGES)
    def test_copy_that_takes_differences_is_the_same_as_a_whole_one(self, service: ServedStudy, change: str) -> None:
        service.ask(
            "POST",
            "/v1/referrals",
            {"site_id": SITE, "referral_id": "r-1", "hold_hours": 1 if change == "lapse" else 48},
        )
        manifest(service)
        service.later(minutes=1)
        since = manifest(service)["transactionTime"]
        copy = published(service)
        service.later(minutes=1)

        self._do(service, change)
        for output in manifest(service, since)["output"]:
            fresh = {resource["id"]: resource for resource in lines(service, output["url"])}
            copy[output["type"]] = {**copy[output["type"]], **fresh} if "_since" in output["url"] else fresh

        whole = published(service)
        for kind in ALL_FILES:
            assert without_instants(copy[kind]) == without_instants(whole[kind])

    def test_only_sites_that_may_have_changed_are_sent(self, service: ServedStudy) -> None:
        service.cap(2, SITE_CAP)
        service.cap(None)
        manifest(service)
        service.later(minutes=1)
        since = manifest(service)["transactionTime"]
        service.later(minutes=1)

        service.hold("r-1", OTHER_SITE)
        found = published(service, since)

        assert set(found) == {"HealthcareService", "Schedule", "Slot"}
        assert {kind: set(resources) for kind, resources in found.items()} == {kind: {OTHER_SITE} for kind in found}

    def test_nothing_at_all_is_sent_when_nothing_happened(self, service: ServedStudy) -> None:
        manifest(service)
        service.later(minutes=1)
        since = manifest(service)["transactionTime"]

        assert {kind: len(resources) for kind, resources in published(service, since).items()} == {
            "HealthcareService": 0,
            "Schedule": 0,
            "Slot": 0,
        }

    def test_server_that_cannot_know_sends_everything(self, service: ServedStudy) -> None:
        long_ago = (NOW - timedelta(hours=1)).isoformat()

        assert set(published(service, long_ago)) == set(ALL_FILES)

    def test_since_that_is_in_the_future_or_invalid_is_refused(self, service: ServedStudy) -> None:
        for since in ("2999-01-01T00:00:00Z", "yesterday", "2026-01-01"):
            response = service.client.get(MANIFEST, query_string={"_since": since})

            assert response.status_code == 400
            validate(response.json)

    @staticmethod
    def _tags(service: ServedStudy) -> dict[str, str]:
        return {output["type"]: output["extension"]["version"] for output in manifest(service)["output"]}

    @staticmethod
    def _do(service: ServedStudy, change: str) -> None:
        if change == "hold":
            service.hold("r-2")
        elif change == "release":
            service.move("r-1", "release")
        elif change == "lapse":
            service.later(hours=2)
        elif change == "cap":
            service.cap(5)
        elif change == "uncap":
            service.cap(None)
        elif change == "close":
            service.ask("POST", "/v1/caps/closure", {"level": "SITE", "scope": SITE})
        elif change == "midnight":
            service.later(hours=12)
        else:
            closed = make_site(SITE, (25.79, -80.21), status=RecruitmentStatus.COMPLETED)
            replace_study(service.store, make_study(), [closed, *SITES[1:]])


def without_instants(resources: dict[str, Any]) -> Any:
    text = json.dumps(resources, sort_keys=True)
    for resource in resources.values():
        for one in resource.get("extension", ()):
            for part in one.get("extension", ()):
                if part["url"] == "as-of":
                    text = text.replace(part["valueDateTime"], "")
    return json.loads(text)


@pytest.mark.parametrize("url", [MANIFEST, "/fhir/bulk/Slot.ndjson"])
def test_format_that_is_not_offered_is_refused(service: ServedStudy, url: str) -> None:
    response = service.client.get(url, headers={"Accept": "text/csv"})

    assert response.status_code == 406
    validate(response.json)
