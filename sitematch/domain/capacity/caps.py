"""The number of spots left, and the caps that it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LimitedBy(StrEnum):
    """The kinds of cap that decide how many spots remain."""

    SITE_CAP = "SITE_CAP"
    """The site's own spots."""
    SHARED_POOL = "SHARED_POOL"
    """Competitive enrolment: the spots are shared with other sites of the study."""
    UNKNOWN = "UNKNOWN"
    """No cap is known."""


class Shortage(StrEnum):
    """Why no spot is free at a site, and at which level: the widest level that prevents it."""

    STUDY_NOT_RECRUITING = "STUDY_NOT_RECRUITING"
    """The study's registry status is closed to new patients."""
    STUDY_CLOSED = "STUDY_CLOSED"
    COUNTRY_CLOSED = "COUNTRY_CLOSED"
    ARM_CLOSED = "ARM_CLOSED"
    SITE_CLOSED = "SITE_CLOSED"
    """A coordinator closed this part."""
    STUDY_NO_SPOTS = "STUDY_NO_SPOTS"
    COUNTRY_NO_SPOTS = "COUNTRY_NO_SPOTS"
    ARM_NO_SPOTS = "ARM_NO_SPOTS"
    SITE_NO_SPOTS = "SITE_NO_SPOTS"
    """The cap is 0: this part never had spots."""
    STUDY_FULL = "STUDY_FULL"
    COUNTRY_FULL = "COUNTRY_FULL"
    ARM_FULL = "ARM_FULL"
    SITE_FULL = "SITE_FULL"
    """All spots of the cap are taken."""

    @property
    def level(self) -> CapLevel:
        """The part of the study that prevents it."""
        return CapLevel(self.value.partition("_")[0])

    @property
    def is_full(self) -> bool:
        """Whether spots exist but are taken, so that one may become free again."""
        return self.value.endswith("_FULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """Spots left at a site.

    Parameters
    ----------
    count
        0 is full; None is unknown, never 0.
    as_of
        The time of the count (aware, UTC); None if the source does not say.
    drawn_from
        The cap that the spots come from.
    shortage
        Why there are none; None if there are some, or if it is unknown.
    has_waiting_list
        Whether patients can wait for a spot at this site while it is full.
    """

    count: int | None
    as_of: datetime | None
    drawn_from: LimitedBy = LimitedBy.UNKNOWN
    shortage: Shortage | None = None
    has_waiting_list: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the site could take a patient: spots are left or their number is unknown."""
        return self.count is None or self.count > 0


class CapacityState(StrEnum):
    """What a site can offer now. The values are HL7 SDOH Clinical Care's "capacity status", and `UNKNOWN`."""

    CAPACITY = "capacity"
    """A spot can be taken."""
    WAITLIST = "waitlist"
    """Full; patients can wait for a spot."""
    NO_CAPACITY = "no-capacity"
    """Closed: no spot and no waiting list."""
    UNKNOWN = "unknown"
    """No cap is known; there may be a spot."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Public information about the spots of a site: the number left, and what that means.

    Parameters
    ----------
    remaining
        The number that matches show.
    state
        What the site can offer now.
    """

    remaining: Remaining
    state: CapacityState


class CapLevel(StrEnum):
    """The levels of caps, widest first."""

    STUDY = "STUDY"
    COUNTRY = "COUNTRY"
    ARM = "ARM"
    SITE = "SITE"


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """Properties of all caps of a level.

    Parameters
    ----------
    words
        The part of the study in words; the scope follows if there is one.
    site_attribute
        The attribute of a site that must equal the cap's scope for the cap to apply; None if the cap does not depend on
        the site.
    has_scope
        Whether a key has a scope.
    is_forecast
        Whether a forecast can use a different cap of this level.
    """

    words: str
    site_attribute: str | None
    has_scope: bool = True
    is_forecast: bool = True


CAP_LEVELS: Mapping[CapLevel, LevelFacts] = {
    CapLevel.STUDY: LevelFacts("the study", None, has_scope=False),
    CapLevel.COUNTRY: LevelFacts("country", "country"),
    CapLevel.ARM: LevelFacts("arm", None, is_forecast=False),
    CapLevel.SITE: LevelFacts("site", "site_id"),
}
"""Every level, widest first; the order of the members of `CapLevel` is the same."""

_RANK = {level: rank for rank, level in enumerate(CapLevel)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CapKey:
    """The part of a study that a cap covers.

    Parameters
    ----------
    level
        The kind of part.
    scope
        ISO 3166-1 alpha-2 country, arm id or site id; empty for the whole study.
    """

    level: CapLevel
    scope: str = ""

    def __str__(self) -> str:
        return f"{self.level.value} {self.scope}".rstrip()

    @property
    def order(self) -> tuple[int, str]:
        """Its position in a list: widest first, then by scope."""
        return _RANK[self.level], self.scope

    @property
    def words(self) -> str:
        """The part of the study in words, e.g. ``"country DE"``."""
        return f"{CAP_LEVELS[self.level].words} {self.scope}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCapacity:
    """The spots of one site at one time.

    Parameters
    ----------
    study_id, site_id, country
        Which site.
    cap
        The site's own cap; None if it only shares wider caps.
    offered, held, screening, enrolled
        Referrals in that state now: lapsed holds and offers are not counted.
    withdrawn, screen_failed
        Referrals that ended in these states, whether or not the study's policy releases their spots.
    taken
        Spots in use under the policy.
    remaining
        The smallest number over the caps that apply (site, country, study, and the arm if one was given); never
        negative; 0 for a closed site; None if no cap is known.
    binding
        The cap that `remaining` comes from: the narrowest of equally tight caps; None without a cap.
    over_enrolled
        The number by which the site's own cap is exceeded; 0 without a cap. A cap can be lowered below the spots taken.
    state
        What that means for a patient.
    is_open
        Whether the site, its country and the study take patients.
    as_of
        The time of all these numbers (aware, UTC).
    shortage
        Why no spot is free; None if one is, or if only the site's registry status prevents it.
    """

    study_id: str
    site_id: str
    country: str
    cap: int | None
    offered: int
    held: int
    screening: int
    enrolled: int
    withdrawn: int
    screen_failed: int
    taken: int
    remaining: int | None
    binding: CapKey | None
    over_enrolled: int
    state: CapacityState
    is_open: bool
    as_of: datetime
    shortage: Shortage | None = None

    @property
    def drawn_from(self) -> LimitedBy:
        """Return the cap that the spots come from, as matches show it."""
        if self.binding is None:
            return LimitedBy.UNKNOWN
        return LimitedBy.SITE_CAP if self.binding.level is CapLevel.SITE else LimitedBy.SHARED_POOL

    def as_remaining(self, as_of: datetime | None = None) -> Remaining:
        """Return the spots left in the form of a match, for the time at which they were read."""
        return Remaining(
            count=self.remaining,
            as_of=self.as_of if as_of is None else as_of,
            drawn_from=self.drawn_from,
            shortage=self.shortage,
            has_waiting_list=self.state is CapacityState.WAITLIST
            and self.shortage is not None
            and self.shortage.is_full,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CapUsage:
    """One cap and the spots taken under it at one time.

    Parameters
    ----------
    study_id, key
        The cap.
    spots
        Its limit; None if this part of the study has none.
    is_closed
        Whether this part is closed, regardless of spots left.
    taken
        Spots in use under it.
    remaining
        ``spots - taken``, never negative; None without a limit. Wider or narrower caps may allow fewer.
    over_enrolled
        ``taken - spots`` if positive, else 0.
    as_of
        The instant (aware, UTC).
    """

    study_id: str
    key: CapKey
    spots: int | None
    is_closed: bool
    taken: int
    remaining: int | None
    over_enrolled: int
    as_of: datetime
