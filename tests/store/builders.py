"""Values to test with; every builder takes what the test cares about and fills in the rest."""

from __future__ import annotations

from datetime import date
from typing import Any

from sitematch.domain.site import Site
from sitematch.domain.study import RecruitmentStatus, Study

STUDY_ID = "NCT00000001"


def make_study(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "study_id": STUDY_ID,
        "title": "A study of lupus nephritis",
        "status": RecruitmentStatus.RECRUITING,
        "as_of_on": date(2026, 1, 2),
        "source": "made for tests",
    }
    return Study(**{**values, **changes})


def make_site(site_id: str = "site-1", **changes: Any) -> Site:
    values: dict[str, Any] = {
        "site_id": site_id,
        "study_id": STUDY_ID,
        "source_study": STUDY_ID,
        "facility": "General Hospital",
        "city": "Portland",
        "country": "US",
        "status": RecruitmentStatus.RECRUITING,
        "as_of_on": date(2026, 1, 2),
    }
    return Site(**{**values, **changes})
