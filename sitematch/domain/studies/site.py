"""A recruiting site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sitematch.domain.place import Place
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.travel import TravelSupport

SITE_COLUMNS = (
    "site_id",
    "study_id",
    "source_study",
    "facility",
    "city",
    "state",
    "postcode",
    "country",
    "latitude",
    "longitude",
    "precision",
    "uncertainty_km",
    "location_source",
    "status",
    "travel_certainty",
    "travel_kinds",
    "time_reimbursement",
    "spots",
    "as_of",
    "flags",
)
"""The columns of ``sites.csv``, in order; a file may lack `PLACE_COLUMNS`, and others in it are ignored."""

PLACE_COLUMNS = ("location_country", "location_name", "location_postcode", "location_notes", "address")
"""What is known of a site's place besides; without them it is taken from the site's own columns, and the address is
empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One place where a study recruits.

    Parameters
    ----------
    site_id
        Ours, unique in the catalogue and stable over imports, e.g. ``"NCT06064929-us-33180-1"``.
    study_id
        The study it recruits for.
    source_study
        The registry record that the site's facts come from: another one than `study_id` for a stand-in.
    facility
        Name without the sponsor's tag.
    city, state, postcode
        As the record gives them, postcode in normal form; empty if missing.
    country
        ISO 3166-1 alpha-2.
    place
        Where it is, by our own gazetteer; None if it could not be placed.
    status
        The site's own status, or the study's where the record gives none (a flag says so).
    travel
        What the site pays of the way.
    time_reimbursement
        Plain words, e.g. ``"varies"``; empty if not said.
    spots
        The site's own spots; None shares the study's pool.
    as_of_on
        The day that the facts describe.
    flags
        What was noticed about the record, in plain words, e.g. a postcode that contradicts the city.
    address
        Street and number, as the record gives them; empty if missing. It does not decide where the site lies.
    """

    site_id: str
    study_id: str
    source_study: str
    facility: str
    city: str
    country: str
    status: RecruitmentStatus
    as_of_on: date
    state: str = ""
    postcode: str = ""
    place: Place | None = None
    travel: TravelSupport = TravelSupport()
    time_reimbursement: str = ""
    spots: int | None = None
    flags: tuple[str, ...] = ()
    address: str = ""

    @property
    def is_stand_in(self) -> bool:
        """Whether the facts are those of a site of another study."""
        return self.source_study != self.study_id
