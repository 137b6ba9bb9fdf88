"""Clinics: places where several studies may recruit, each with its own site.

Records of different studies are not linked, so a clinic is recognised by what they write. Its sites agree in name, town
and country (only letters and digits are compared). One postcode is equal to the other or is its beginning, so a missing
postcode or a ZIP+4 makes no difference. The sites are at most half a degree apart, unlike two towns with the same name.
A placeholder name ("Research Site") only agrees with itself.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from sitematch.domain.capacity.caps import Remaining
from sitematch.domain.finding.match import Distance, Reason
from sitematch.domain.finding.policy import MatchPolicy
from sitematch.domain.place import Place
from sitematch.domain.studies.contact import Contact
from sitematch.domain.studies.identity import compact
from sitematch.domain.studies.placeholders import is_placeholder
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study
from sitematch.domain.units import Unit

_APART_DEG = 0.5


@dataclass(frozen=True, slots=True)
class Clinic:
    """One clinic with its sites.

    Parameters
    ----------
    sites
        At least one, by study_id and site_id.
    """

    sites: tuple[Site, ...]

    @property
    def site(self) -> Site:
        """The site that represents the clinic: the one with the most precise location; among equals, the first."""
        return min(self.sites, key=lambda site: math.inf if site.place is None else site.place.uncertainty_km)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyAtClinic:
    """A study that recruits at a clinic.

    Parameters
    ----------
    study
        The study.
    site
        Its site there.
    remaining
        Spots left there; never zero.
    contacts
        The people to contact, if they are stored.
    """

    study: Study
    site: Site
    remaining: Remaining
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicMatch:
    """One ranked clinic.

    Parameters
    ----------
    rank, band, distance
        See `sitematch.domain.finding.match.SiteMatch`.
    site
        The site that represents the clinic: the one with the most precise location.
    studies
        The studies that recruit there: travel support first, then remaining spots (more first, unknown last), then
        study_id.
    reasons
        The reasons for its rank, the most important first. Spots and travel support are those of the studies.
    """

    rank: int
    band: int
    site: Site
    distance: Distance | None
    studies: tuple[StudyAtClinic, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicResult:
    """The answer to a look-up over many studies.

    Parameters
    ----------
    condition
        The search text, as it was typed.
    studies_found
        The number of studies about the condition that take patients.
    place, policy, unit, outside_radius, answered_at
        See `sitematch.domain.finding.match.MatchResult`.
    clinics
        Best first; empty when none can take a patient.
    """

    condition: str
    studies_found: int
    place: Place
    policy: MatchPolicy
    unit: Unit
    clinics: tuple[ClinicMatch, ...]
    outside_radius: bool
    answered_at: datetime


def clinic_number(facility: str, city: str, country: str, site_id: str) -> int:
    """Return a number that all sites of one clinic share, and hardly any other site, as a key for look-ups.

    Parameters
    ----------
    facility, city, country, site_id
        The site's values. `site_id` is used only if the name is a placeholder.

    Returns
    -------
    int
        -2**63 to 2**63 - 1. `clinics_of` separates different clinics with the same number.
    """
    digest = blake2b("\x00".join(_key(facility, city, country, site_id)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def clinics_of(sites: Iterable[Site]) -> tuple[Clinic, ...]:
    """Group sites that belong to the same clinic.

    Parameters
    ----------
    sites
        In any order. A clinic is complete only if all sites with its number are among them.

    Returns
    -------
    tuple of Clinic
        Each site is in exactly one of them. A site that fits several clinics stays alone. The order does not depend on
        the order of the sites.
    """
    by_key: dict[Hashable, list[Site]] = defaultdict(list)
    for site in sorted(sites, key=lambda site: (-len(site.postcode), site.study_id, site.site_id)):
        by_key[_key(site.facility, site.city, site.country, site.site_id)].append(site)
    clinics: list[Clinic] = []
    for alike in by_key.values():
        groups: list[list[Site]] = []
        for site in alike:
            fitting = [group for group in groups if _may_be_one(group[0], site)]
            if len(fitting) == 1:
                fitting[0].append(site)
            else:
                groups.append([site])
        for group in groups:
            group.sort(key=lambda site: (site.study_id, site.site_id))
            clinics.append(Clinic(tuple(group)))
    return tuple(sorted(clinics, key=lambda clinic: clinic.sites[0].site_id))


def _key(facility: str, city: str, country: str, site_id: str) -> tuple[str, ...]:
    return (site_id,) if is_placeholder(facility) else (compact(facility), compact(city), country)


def _may_be_one(one: Site, other: Site) -> bool:
    """Return whether two sites can be the same clinic; `one` has the longer postcode."""
    if not compact(one.postcode).startswith(compact(other.postcode)):
        return False
    if one.place is None or other.place is None:
        return True
    a, b = one.place.coordinates, other.place.coordinates
    east_deg = (a.longitude - b.longitude + 180) % 360 - 180
    return math.hypot(a.latitude - b.latitude, east_deg * math.cos(math.radians(a.latitude))) <= _APART_DEG
