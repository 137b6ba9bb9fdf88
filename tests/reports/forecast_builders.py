"""Sites and plans to forecast; every builder takes what the test cares about and fills in the rest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.opening import Opening, OpeningSource
from sitematch.domain.capacity.recruitment import Recruitment, SiteRecruitment
from sitematch.reports.forecast.plan import Plan, SiteAhead
from sitematch.reports.forecast.rates import RateModel

MODEL = RateModel(1.5, 100.0)
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
STUDY = CapKey(level=CapLevel.STUDY)


def make_site(site_id: str = "a", **changes: Any) -> SiteAhead:
    values: dict[str, Any] = {
        "site_id": site_id,
        "country": "US",
        "enrolled": 2,
        "open_days": 60,
        "starts_in_days": 0.0,
    }
    return SiteAhead(**{**values, **changes})


def make_plan(*sites: SiteAhead, **changes: Any) -> Plan:
    return Plan(sites=sites or (make_site(),), **changes)


def site_key(site_id: str) -> CapKey:
    return CapKey(level=CapLevel.SITE, scope=site_id)


def make_recruited(site_id: str = "a", **changes: Any) -> SiteRecruitment:
    values: dict[str, Any] = {
        "site_id": site_id,
        "country": "US",
        "enrolled": 4,
        "participants": 4,
        "held": 0,
        "screening": 0,
        "takes_patients": True,
        "was_used": True,
    }
    values.update(changes)
    # Open until now without a break, and enrolling at even distances, unless the test says otherwise.
    open_for = values.pop("open_for", timedelta(days=100))
    values.setdefault("open_spans", ((NOW - open_for, NOW),) if open_for else ())
    values.setdefault("opening", Opening(on=(NOW - open_for).date(), source=OpeningSource.LEDGER))
    count = values["enrolled"]
    values.setdefault("enrolled_at", tuple(NOW - open_for * ((count - n - 0.5) / count) for n in range(count)))
    return SiteRecruitment(**values)


def make_recruitment(*sites: SiteRecruitment, caps: Mapping[CapKey, int] | None = None, **changes: Any) -> Recruitment:
    found = sites or tuple(
        make_recruited(name, enrolled=n, participants=n) for name, n in (("a", 2), ("b", 4), ("c", 6))
    )
    participants: dict[CapKey, int] = {STUDY: sum(site.participants for site in found)}
    for site in found:
        participants[site_key(site.site_id)] = site.participants
        country = CapKey(level=CapLevel.COUNTRY, scope=site.country)
        participants[country] = participants.get(country, 0) + site.participants
    enrolled = sum(site.enrolled for site in found)
    values: dict[str, Any] = {
        "study_id": "NCT00000001",
        "as_of": NOW,
        "since": NOW - timedelta(days=100),
        "sites": found,
        "caps": caps or {},
        "participants": participants,
        "holds": 3 * enrolled,
        "screened": 2 * enrolled,
        "screen_failed": enrolled // 2,
        "enrolled_on": ((NOW.date() - timedelta(days=30), enrolled),) if enrolled else (),
    }
    return Recruitment(**{**values, **changes})
