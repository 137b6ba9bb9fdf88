"""Which sites can take a patient now, and why the others cannot, with the same rules as a match."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sitematch.domain.finding.policy import MatchPolicy
from sitematch.domain.place import Place
from sitematch.domain.reports.coverage import NotOpen
from sitematch.domain.studies.site import Site
from sitematch.services.finding.finder import Finder


@dataclass(frozen=True, slots=True, kw_only=True)
class SitesByOpenness:
    """A study's sites at a given time, each in one of three groups, by site_id.

    Parameters
    ----------
    open
        Those that can take a patient and have a location.
    not_open
        Those that cannot, but have a location, with the reason.
    unplaced
        Those without a location, for which no distance can be measured.
    """

    open: tuple[Site, ...]
    not_open: tuple[tuple[Site, NotOpen], ...]
    unplaced: tuple[Site, ...]


def sites_now(finder: Finder, now: datetime) -> SitesByOpenness:
    """Group a study's sites by whether they can take a patient at a given time (aware)."""
    statuses = MatchPolicy().statuses
    taking, others, unplaced = [], [], []
    for site in finder.sites:
        if site.place is None:
            unplaced.append(site)
        elif site.status not in statuses:
            others.append((site, NotOpen.NOT_RECRUITING))
        elif not finder.remaining(site, now).is_open:
            others.append((site, NotOpen.FULL))
        else:
            taking.append(site)
    return SitesByOpenness(open=tuple(taking), not_open=tuple(others), unplaced=tuple(unplaced))


def place_of(site: Site) -> Place:
    """Return the place of a site that has one."""
    assert site.place is not None  # `sites_now` separates sites without one
    return site.place
