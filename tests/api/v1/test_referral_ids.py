"""What a referral's id may be, and what asking for one that is in use tells."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.served_study import OTHER_SITE, OTHER_STUDY, SITE, ServedStudy


def told(response: Any) -> dict[str, Any]:
    """Return what an answer says, but for the name of this one occurrence and of its request."""
    return {key: value for key, value in response.json.items() if key not in ("instance", "request_id")}


def hold_in_other_study(service: ServedStudy, referral_id: str) -> None:
    made = service.ask(
        "POST",
        "/v1/referrals",
        {"site_id": "far", "study_id": OTHER_STUDY, "referral_id": referral_id},
        who="manager elsewhere",
    )
    assert made.status_code == 201


def wait(service: ServedStudy, referral_id: str, site_id: str, who: str) -> Any:
    return service.ask("POST", "/v1/waiting-list", {"referral_id": referral_id, "site_ids": [site_id]}, who=who)


def test_id_in_use_elsewhere_gets_the_same_answer_wherever_and_however_it_stands(service: ServedStudy) -> None:
    assert service.hold("held-there", OTHER_SITE).status_code == 201
    assert service.hold("enrolled-there", OTHER_SITE).status_code == 201
    assert service.move("enrolled-there", "screening").status_code == 200
    assert service.move("enrolled-there", "enrollment").status_code == 200
    assert service.hold("released-there", OTHER_SITE).status_code == 201
    assert service.move("released-there", "release").status_code == 200
    assert wait(service, "waits-there", OTHER_SITE, "coordinator elsewhere").status_code in (200, 201)
    hold_in_other_study(service, "other-study")

    answers = [
        answer
        for referral_id in ("held-there", "enrolled-there", "released-there", "waits-there", "other-study")
        for answer in (
            service.hold(referral_id, who="coordinator"),
            wait(service, referral_id, SITE, "coordinator"),
        )
    ]

    assert {answer.status_code for answer in answers} == {409}
    assert all(told(answer) == told(answers[0]) for answer in answers)
    assert told(answers[0])["type"] == "/problems/referral-id-taken"
    assert service.site()["held"] == 0


def test_own_id_that_is_in_use_is_told_with_its_state(service: ServedStudy) -> None:
    service.hold("r-1", who="coordinator")
    wait(service, "r-2", SITE, "coordinator")

    again = service.hold("r-1", who="coordinator")

    assert (again.status_code, again.json["type"]) == (409, "/problems/illegal-transition")
    assert "held" in again.json["detail"].lower()


def test_who_left_the_waiting_list_can_be_given_a_spot_by_the_same_site(service: ServedStudy) -> None:
    service.cap(0)
    wait(service, "r-1", SITE, "coordinator")
    assert service.move("r-1", "release", who="manager").status_code == 200
    service.cap(8)

    assert service.hold("r-1", who="coordinator").status_code == 201


def test_id_that_is_used_again_at_another_site_does_not_open_its_earlier_history(service: ServedStudy) -> None:
    service.hold("r-1", OTHER_SITE, who="manager")
    service.move("r-1", "release", who="manager")
    service.hold("r-1", SITE, who="manager")

    seen = service.ask("GET", "/v1/referrals/r-1/history", who="manager").json["events"]
    here = service.ask("GET", "/v1/referrals/r-1/history", who="coordinator").json["events"]

    assert [event["site_id"] for event in seen] == [OTHER_SITE, OTHER_SITE, SITE]
    assert [event["site_id"] for event in here] == [SITE]


@pytest.mark.parametrize(
    ("referral_id", "kind"),
    [
        ("1984-03-12", "a birth date"),
        ("12.03.1984", "a birth date"),
        ("3-12-1984", "a birth date"),
        ("site4-19840312", "a birth date"),
        ("12031984", "a birth date"),
        ("p_31.12.2001_a", "a birth date"),
        ("DOB-120384", "a birth date"),
        ("078-05-1120", "a social security number"),
        ("ssn-x", "a social security number"),
        ("943-476-5919", "an NHS number"),
        ("r:9434765919", "an NHS number"),
        ("MRN4711", "a medical record number"),
        ("mrn_4711", "a medical record number"),
        ("00481516", "a medical record number"),
        ("120384-1234", "a national identity number"),
        ("840312-1234", "a national identity number"),
    ],
)
def test_id_that_looks_like_a_persons_number_is_refused_with_what_it_looks_like(
    service: ServedStudy, referral_id: str, kind: str
) -> None:
    for refused in (service.hold(referral_id), wait(service, referral_id, SITE, "manager")):
        assert (refused.status_code, refused.json["field"]) == (400, "referral_id")
        assert f"looks like {kind}" in refused.json["detail"]


@pytest.mark.parametrize(
    "referral_id",
    ["r-1", "101-0042", "SITE12-000345", "2026-017", "A.7.3", "0042", "1234567", "v1.2.3", "mornington-4"],
)
def test_studys_own_numbers_are_taken(service: ServedStudy, referral_id: str) -> None:
    assert service.hold(referral_id).status_code == 201
