"""The plan: sites and caps from now on, and what-if changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, tzinfo

from sitematch.domain.capacity.caps import CAP_LEVELS, CapKey, CapLevel
from sitematch.domain.capacity.opening import TOLD, Opening
from sitematch.domain.capacity.recruitment import Recruitment, SiteRecruitment
from sitematch.errors import InvalidInput, SiteNotFound

DAY = timedelta(days=1)
STUDY = CapKey(level=CapLevel.STUDY)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteAhead:
    """A site from now on.

    Parameters
    ----------
    site_id, country
        The site; the country of an assumed site may be empty.
    enrolled, open_days
        Its enrolments and its open time, in whole days.
    age_days
        How long ago it opened; 0 if it has not.
    starts_in_days
        When it starts to take new patients: 0 is now; None is never.
    spots
        Spots that participants leave under its own cap; None without a cap.
    finishing
        Referrals in progress at a site that is closed to new patients: some will still enrol. 0 at other sites, whose
        rate includes them.
    opening
        Since when it counts as open, and why; None if it was never open.
    """

    site_id: str
    country: str
    enrolled: int
    open_days: int
    starts_in_days: float | None
    spots: int | None = None
    finishing: int = 0
    opening: Opening | None = None
    age_days: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A study from now on.

    Parameters
    ----------
    sites
        Every site, each id once.
    spots
        Spots left under the study's own cap; None without a cap.
    country_spots
        Spots left under the countries' caps; a country without a cap is missing.
    completion
        The probability that a referral in progress enrols: the two parameters of a beta distribution.
    """

    sites: tuple[SiteAhead, ...]
    spots: int | None = None
    country_spots: Mapping[str, int] = field(default_factory=dict)
    completion: tuple[float, float] = (0.5, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """A what-if change; omitted parts stay the same.

    Parameters
    ----------
    add_sites
        The number of additional sites.
    opening
        The day from which they take patients; None for at once.
    close
        Sites that are closed to new patients.
    caps
        New limits by part of the study; None removes one. Caps of arms cannot be changed, because they are not
        modelled.
    """

    add_sites: int = 0
    opening: date | None = None
    close: tuple[str, ...] = ()
    caps: Mapping[CapKey, int | None] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        """Return whether it changes nothing."""
        return not (self.add_sites or self.close or self.caps)


MAX_ADDED = 200
"""Maximum number of added sites."""


def plan(recruitment: Recruitment, opened: Mapping[str, date], zone: tzinfo) -> Plan:
    """Return the current plan.

    Parameters
    ----------
    recruitment
        The recruitment so far.
    opened
        Opening days of sites that do not take patients yet, in addition to those that are recorded; sites that already
        take patients are ignored.
    zone
        The time zone of the days.

    Raises
    ------
    SiteNotFound
        If a site in `opened` does not belong to the study.
    """
    require_sites(recruitment, opened)
    sites = []
    for site in recruitment.sites:
        starts: float | None = 0.0 if site.takes_patients else None
        opens_on = opened.get(site.site_id)
        if opens_on is None and site.opening is not None and site.opening.source in TOLD:
            # A recorded day that is past says nothing about a site that is closed since.
            opens_on = site.opening.on if days_until(recruitment.as_of, site.opening.on, zone) > 0 else None
        if starts is None and opens_on is not None:
            starts = days_until(recruitment.as_of, opens_on, zone)
        sites.append(
            SiteAhead(
                site_id=site.site_id,
                country=site.country,
                enrolled=site.enrolled,
                # A site with enrolments was open for at least a part of a day.
                open_days=max(round(site.open_for / DAY), 1 if site.enrolled else 0),
                starts_in_days=starts,
                spots=recruitment.spots_left(CapKey(level=CapLevel.SITE, scope=site.site_id)),
                finishing=site.held + site.screening if starts is None else 0,
                opening=site.opening,
                age_days=age_days(site, recruitment.as_of),
            )
        )
    countries = {key.scope: recruitment.spots_left(key) for key in recruitment.caps if key.level is CapLevel.COUNTRY}
    return Plan(
        sites=tuple(sites),
        spots=recruitment.spots_left(STUDY),
        country_spots={country: spots for country, spots in sorted(countries.items()) if spots is not None},
        completion=completion(recruitment),
    )


def age_days(site: SiteRecruitment, now: datetime) -> float:
    """Return how long ago a site opened, in days; 0 if it was never open."""
    if not site.open_spans:
        return 0.0
    began = (now - site.open_spans[0][0]) / DAY
    if site.opening is None:
        return began
    return max(began, float((now.date() - site.opening.on).days))


def completion(recruitment: Recruitment) -> tuple[float, float]:
    """Return the beta distribution of the share of holds that end in an enrolment, with Jeffreys' prior.

    Holds without an outcome are left out.
    """
    decided = recruitment.holds - recruitment.under_way
    return recruitment.enrolled + 0.5, max(0, decided - recruitment.enrolled) + 0.5


def changed(base: Plan, recruitment: Recruitment, change: WhatIf, zone: tzinfo) -> Plan:
    """Return a changed plan.

    Raises
    ------
    SiteNotFound
        If one of its sites does not belong to the study.
    InvalidInput
        If it adds fewer than 0 or more than `MAX_ADDED` sites, a cap is negative, or an arm's cap is changed.
    """
    if not 0 <= change.add_sites <= MAX_ADDED:
        raise InvalidInput(f"Between 0 and {MAX_ADDED} sites can be added.", field="add_sites")
    own = {key.scope: spots for key, spots in change.caps.items() if key.level is CapLevel.SITE}
    require_sites(recruitment, (*change.close, *own))
    under_way = {site.site_id: site.held + site.screening for site in recruitment.sites}
    left: dict[CapKey, int | None] = {}
    for key, cap in change.caps.items():
        if not CAP_LEVELS[key.level].is_forecast:
            raise InvalidInput("Caps of arms are not forecast; change that of the study, a country or a site.")
        if cap is not None and cap < 0:
            raise InvalidInput("A cap is 0 or more.", field="cap")
        left[key] = None if cap is None else max(0, cap - recruitment.participants.get(key, 0))
    sites = []
    for site in base.sites:
        if site.site_id in own:
            site = replace(site, spots=left[CapKey(level=CapLevel.SITE, scope=site.site_id)])
        if site.site_id in change.close and site.starts_in_days is not None:
            site = replace(site, starts_in_days=None, finishing=under_way[site.site_id])
        sites.append(site)
    starts = 0.0 if change.opening is None else days_until(recruitment.as_of, change.opening, zone)
    for number in range(1, change.add_sites + 1):
        sites.append(
            SiteAhead(site_id=f"added site {number}", country="", enrolled=0, open_days=0, starts_in_days=starts)
        )
    countries = dict(base.country_spots)
    for key, spots in left.items():
        if key.level is CapLevel.COUNTRY:
            countries.pop(key.scope, None)
            if spots is not None:
                countries[key.scope] = spots
    return replace(
        base, sites=tuple(sites), spots=left.get(STUDY, base.spots), country_spots=dict(sorted(countries.items()))
    )


def days_until(now: datetime, day: date, zone: tzinfo) -> float:
    """Return the days from a time to the start of a day; 0 if that is past."""
    return max(0.0, (datetime.combine(day, time(), zone) - now) / DAY)


def require_sites(recruitment: Recruitment, site_ids: Mapping[str, object] | tuple[str, ...]) -> None:
    """Check that all given sites belong to the study.

    Raises
    ------
    SiteNotFound
        If not; the error names the first one.
    """
    known = {site.site_id for site in recruitment.sites}
    for site_id in site_ids:
        if site_id not in known:
            raise SiteNotFound(f"{recruitment.study_id} has no site {site_id!r}.", field="site")
