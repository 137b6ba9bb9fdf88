"""How many spots are left, and what they are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DrawnFrom(StrEnum):
    """The cap that decides how many spots remain."""

    SITE_CAP = "SITE_CAP"
    """The site's own spots."""
    SHARED_POOL = "SHARED_POOL"
    """Competitive enrolment: the spots are shared with other sites of the study."""
    UNKNOWN = "UNKNOWN"
    """No cap is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """Spots left at a site.

    Parameters
    ----------
    count
        0 is full; None is unknown, never 0.
    as_of
        When the count was true (aware, UTC); None if the source does not say.
    drawn_from
        What the spots are drawn from.
    """

    count: int | None
    as_of: datetime | None
    drawn_from: DrawnFrom = DrawnFrom.UNKNOWN

    @property
    def is_open(self) -> bool:
        """Whether a patient could be taken: spots left, or not known to be gone."""
        return self.count is None or self.count > 0
