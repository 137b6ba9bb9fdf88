"""The result of a match: ranked sites, left-out sites, and the reasons for both.

Values that each look-up creates by the dozen are frozen msgspec structs, which are created five times faster than
frozen dataclasses (docs/adr/0003).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import msgspec

from sitematch.domain.capacity.caps import Remaining
from sitematch.domain.finding.policy import MatchPolicy
from sitematch.domain.journey.estimate import Journey
from sitematch.domain.place import Place
from sitematch.domain.studies.site import Site
from sitematch.domain.units import Unit


class ReasonCode(StrEnum):
    """The reasons for a site's rank, or for leaving it out; `wording.explain` gives the text of each."""

    NEAREST = "NEAREST"
    SAME_BAND = "SAME_BAND"
    FARTHER = "FARTHER"
    AHEAD_BY_TRAVEL = "AHEAD_BY_TRAVEL"
    AHEAD_BY_SPOTS = "AHEAD_BY_SPOTS"
    AHEAD_BY_KNOWN_SPOTS = "AHEAD_BY_KNOWN_SPOTS"
    UNDECIDED = "UNDECIDED"
    OWN_COUNTRY = "OWN_COUNTRY"
    OTHER_COUNTRY = "OTHER_COUNTRY"
    OUTSIDE_RADIUS = "OUTSIDE_RADIUS"
    UNPLACED = "UNPLACED"
    TRAVEL_COVERED = "TRAVEL_COVERED"
    TRAVEL_MAY_BE_COVERED = "TRAVEL_MAY_BE_COVERED"
    TRAVEL_UNKNOWN = "TRAVEL_UNKNOWN"
    TRAVEL_NOT_COVERED = "TRAVEL_NOT_COVERED"
    SPOTS_AT_SITE = "SPOTS_AT_SITE"
    SPOTS_SHARED = "SPOTS_SHARED"
    SPOTS_UNKNOWN = "SPOTS_UNKNOWN"
    LIKELY_FULL = "LIKELY_FULL"
    QUICKER_THAN_AHEAD = "QUICKER_THAN_AHEAD"
    QUICKEST = "QUICKEST"
    SLOWER = "SLOWER"
    NO_MINUTES = "NO_MINUTES"
    OUTSIDE_MINUTES = "OUTSIDE_MINUTES"
    # Left out because:
    FULL = "FULL"
    CLOSED = "CLOSED"
    NO_SPOTS = "NO_SPOTS"
    STUDY_NOT_RECRUITING = "STUDY_NOT_RECRUITING"
    WAITING_LIST = "WAITING_LIST"
    TOO_FEW_SPOTS = "TOO_FEW_SPOTS"
    NOT_RECRUITING = "NOT_RECRUITING"
    TOO_FAR = "TOO_FAR"
    TOO_LONG = "TOO_LONG"
    TRAVEL_TOO_UNSURE = "TRAVEL_TOO_UNSURE"
    COUNTRY_NOT_ASKED = "COUNTRY_NOT_ASKED"
    NO_LOCATION = "NO_LOCATION"
    BEYOND_LIMIT = "BEYOND_LIMIT"


class Reason(msgspec.Struct, frozen=True, gc=False):
    """One reason with the facts that its text needs.

    Parameters
    ----------
    code
        The kind of reason.
    km
        A distance in kilometres, if the reason has one.
    count
        A number of spots or of minutes, or a rank, where the reason has one.
    subject
        A site's facility, a status, a country or the level of a cap (`CapLevel`), if the reason names one.
    on
        A day, if the reason has one.
    probability
        The probability, 0 to 1, if the reason is not certain.
    """

    code: ReasonCode
    km: float | None = None
    count: int | None = None
    subject: str = ""
    on: date | None = None
    probability: float | None = None


class Distance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A distance with its direction and uncertainty.

    Parameters
    ----------
    km
        WGS84 geodesic between the two best points, in kilometres.
    uncertainty_km
        The place's and the site's uncertainty combined as independent errors (root of the sum of squares).
    direction
        Compass point from the place to the site, one of sixteen.
    azimuth_deg
        The same in degrees clockwise from north, 0 to 360.
    """

    km: float
    uncertainty_km: float
    direction: str
    azimuth_deg: float


class SiteMatch(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One ranked site.

    Parameters
    ----------
    rank
        1 is first; ranks have no gaps.
    band
        Distance band, from 1; sites of one band are about equally far away. With order "distance", every band has one
        distance. The last band holds sites without a location.
    site
        The site.
    distance
        None if the site could not be placed.
    remaining
        Spots left, and the cap that they count against.
    reasons
        Why it stands where it stands, the most telling first.
    journey
        The way by car; None where nothing estimates it, or the site could not be placed.
    """

    rank: int
    band: int
    site: Site
    distance: Distance | None
    remaining: Remaining
    reasons: tuple[Reason, ...]
    journey: Journey | None = None


class Exclusion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A site that was left out although it is nearer, or although the list had room for it.

    Parameters
    ----------
    site
        The site.
    distance
        None if the site could not be placed.
    reasons
        Every reason why it was left out; never empty.
    """

    site: Site
    distance: Distance | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchResult:
    """The answer to one look-up.

    Parameters
    ----------
    place
        Where the person is, as sitematch understood it.
    policy
        The policy of the request.
    unit
        The unit of the reasons' texts.
    matches
        Best first; empty if no site can take a patient.
    excluded
        Nearest first, sites without a location last; at most `ranking.MAX_EXCLUDED`.
    excluded_more
        How many more were left out in the same way.
    outside_radius
        True when nothing lies within the radius or the minutes asked for, and the nearest site is shown anyway.
    answered_at
        The time for which the answer is valid (aware, UTC).
    """

    place: Place
    policy: MatchPolicy
    unit: Unit
    matches: tuple[SiteMatch, ...]
    excluded: tuple[Exclusion, ...]
    excluded_more: int
    outside_radius: bool
    answered_at: datetime
