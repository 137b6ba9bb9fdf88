"""The options of a match: how far, how many, in which order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.travel import TravelCertainty
from sitematch.domain.units import Unit
from sitematch.errors import InvalidPolicy

MAX_LIMIT = 500
"""Most matches in one answer; longer answers are slow and not useful."""

MAX_RADIUS_KM = 20_038.0
"""Just over half the length of the equator: no two points on the earth are farther apart."""

MAX_MINUTES = 10_000
"""A week at the wheel."""


class Order(StrEnum):
    """The order of matches."""

    BEST = "best"
    """Distance in bands; within a band travel support, then remaining spots, then distance."""
    DISTANCE = "distance"
    """Plain distance."""
    TIME = "time"
    """Minutes by car, the best guess; sites across the sea after all others, by distance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchPolicy:
    """The options of a match; the defaults are for patients.

    Parameters
    ----------
    order
        See `Order`.
    limit
        Maximum number of matches, 1 to 500.
    within_km
        Radius in kilometres, over 0; None is the whole world.
    max_minutes
        Most minutes by car one way, by the best guess, over 0 to 10,000; None is no limit. Sites across the sea are
        out.
    min_travel
        Only sites whose travel support is at least this certain, in the order of `TravelCertainty`; None allows all.
    min_spots
        Only sites that are known to have at least this many spots, at least 1; None also allows sites with an unknown
        number.
    country
        Only sites in this country (ISO 3166-1 alpha-2); None is every country.
    prefer_country
        Sites in this country come before all others; None for no preference.
    statuses
        Recruitment statuses that can take a patient now.
    unit
        The unit in the texts of reasons; None for the unit of the place's country.

    Raises
    ------
    InvalidPolicy
        If a value is out of its range; `.field` names it.
    """

    order: Order = Order.BEST
    limit: int = 5
    within_km: float | None = None
    max_minutes: float | None = None
    min_travel: TravelCertainty | None = None
    min_spots: int | None = None
    country: str | None = None
    prefer_country: str | None = None
    statuses: frozenset[RecruitmentStatus] = frozenset({RecruitmentStatus.RECRUITING})
    unit: Unit | None = None

    @property
    def asks_for_minutes(self) -> bool:
        """Whether the answer depends on times by car."""
        return self.order is Order.TIME or self.max_minutes is not None

    @property
    def is_bounded(self) -> bool:
        """Whether a site has to be within a radius or a time."""
        return self.within_km is not None or self.max_minutes is not None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_LIMIT:
            raise InvalidPolicy(f"limit is {self.limit}. Give a whole number from 1 to {MAX_LIMIT}.", field="limit")
        if self.within_km is not None and not (math.isfinite(self.within_km) and self.within_km > 0):
            raise InvalidPolicy(
                f"The radius is {self.within_km}. Give a number greater than 0, or leave it out for no limit.",
                field="within_km",
            )
        if self.max_minutes is not None and not 0 < self.max_minutes <= MAX_MINUTES:
            raise InvalidPolicy(
                f"max_minutes is {self.max_minutes}. Give a number greater than 0 and at most {MAX_MINUTES:,}, or "
                "leave it out for no limit.",
                field="max_minutes",
            )
        if self.min_spots is not None and self.min_spots < 1:
            raise InvalidPolicy(
                f"min_spots is {self.min_spots}. Give a whole number of at least 1, or leave it out.",
                field="min_spots",
            )
        if not self.statuses:
            raise InvalidPolicy("No status is allowed, so no site can match. Choose at least one.", field="status")
