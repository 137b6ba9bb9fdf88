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
"""The columns of ``sites.csv``, in order. `PLACE_COLUMNS` are optional, and other columns are ignored."""

PLACE_COLUMNS = ("location_country", "location_name", "location_postcode", "location_notes", "address", "opened_on")
"""More columns about a site's place; and its opening day; without them, the site's own columns are used and
the others are empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One place where a study recruits.

    Parameters
    ----------
    site_id
        sitematch's id, unique in the catalogue and the same after each import, e.g. ``"NCT06064929-us-33180-1"``.
    study_id
        The study it recruits for.
    source_study
        The registry record that the site's details come from. For a stand-in it differs from `study_id`.
    facility
        Name without the sponsor's tag.
    city, state, postcode
        As in the record, with the postcode in normal form; empty if missing.
    country
        ISO 3166-1 alpha-2.
    place
        Its location from our own gazetteer; None if it could not be located.
    status
        The site's own status, or the study's if the record has none (a flag says so).
    travel
        The site's travel support.
    time_reimbursement
        Plain words, e.g. ``"varies"``; empty if not said.
    spots
        The site's own spots; None shares the study's pool.
    as_of_on
        The date that the details describe.
    flags
        Notes about the record, in plain words, e.g. a postcode that contradicts the city.
    address
        Street and number, as in the record; empty if missing. It does not affect the location of the site.
    opened_on
        The day since which it has recruited, as in the record; None if the record has none.
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
    opened_on: date | None = None

    @property
    def is_stand_in(self) -> bool:
        """Whether the details come from a site of another study."""
        return self.source_study != self.study_id
