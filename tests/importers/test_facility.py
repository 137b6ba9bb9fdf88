"""Sponsors' tags are cut from facility names, and nothing else is."""

from __future__ import annotations

import pytest

from sitematch.importers.facility import clean_facility


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("UZ Brussel /ID# 253866", "UZ Brussel"),
        (
            "Arizona Arthritis & Rheumatology Associates, P.C. /ID# 254767",
            "Arizona Arthritis & Rheumatology Associates, P.C.",
        ),
        ("CHU de Nantes ( Site 2728)", "CHU de Nantes"),
        ("Clinic (Site 0012)", "Clinic"),
        ("Investigational Place ( Site #0104 )", "Investigational Place"),
        ("Centre  Hospitalier   de Luxembourg", "Centre Hospitalier de Luxembourg"),
        ("Wits Clinical Research Site", "Wits Clinical Research Site"),
        ("Hospital 12 de Octubre", "Hospital 12 de Octubre"),
        ("Clinic (North Site)", "Clinic (North Site)"),
        ("/ID# 254767", "/ID# 254767"),
    ],
)
def test_the_tag_goes_and_the_name_stays(name: str, clean: str) -> None:
    assert clean_facility(name) == clean
