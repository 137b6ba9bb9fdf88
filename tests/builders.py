"""Small valid values, which tests change with keywords."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.domain.studies.travel import TravelCertainty, TravelSupport

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
STUDY_ID = "NCT00000001"


def make_point(latitude: float = 0.0, longitude: float = 0.0) -> Coordinates:
    return Coordinates(latitude=latitude, longitude=longitude)


def make_place(latitude: float = 0.0, longitude: float = 0.0, **changes: Any) -> Place:
    values: dict[str, Any] = {
        "coordinates": make_point(latitude, longitude),
        "precision": Precision.DISTRICT,
        "uncertainty_km": 0.0,
        "source": "test",
        "country": "DE",
        "name": "Somewhere",
        "postcode": "10115",
    }
    return Place(**(values | changes))


def make_site(site_id: str = "a", *, latitude: float | None = 0.0, longitude: float = 0.0, **changes: Any) -> Site:
    uncertainty_km = changes.pop("uncertainty_km", 0.0)
    country = changes.get("country", "DE")
    travel = changes.pop("certainty", TravelCertainty.UNKNOWN)
    values: dict[str, Any] = {
        "site_id": site_id,
        "study_id": STUDY_ID,
        "source_study": STUDY_ID,
        "facility": f"Clinic {site_id}",
        "city": "Town",
        "country": country,
        "status": RecruitmentStatus.RECRUITING,
        "as_of_on": date(2026, 1, 1),
        "travel": TravelSupport(certainty=travel),
        "place": None
        if latitude is None
        else make_place(latitude, longitude, uncertainty_km=uncertainty_km, country=country),
    }
    return Site(**(values | changes))


def make_study(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "study_id": STUDY_ID,
        "title": "A study",
        "status": RecruitmentStatus.RECRUITING,
        "as_of_on": date(2026, 1, 1),
        "source": "test",
    }
    return Study(**(values | changes))
