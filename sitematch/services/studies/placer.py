"""Sites from the locations of a record: named, placed by the gazetteer, and with a status that some source states."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from sitematch.domain.place import Coordinates
from sitematch.domain.studies.placeholders import is_heading
from sitematch.domain.studies.record import RecordLocation
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.status_origin import STATUS_ASSUMED, STATUS_INHERITED, STATUS_SILENT, TAKES_NOBODY
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import Fault, UnknownCountry
from sitematch.gazetteer.extent import Extents
from sitematch.gazetteer.locate import Gazetteer
from sitematch.services.studies.placing import Placed, place_site, read_country, read_us_parts

NO_NAME = "Name not given"
"""The name of a facility that has no name in the record."""

_PLACES_KEPT = 20_000


class Placer:
    """Turns locations into sites; repeated addresses are located only once.

    Parameters
    ----------
    gazetteer
        Source of coordinates.
    silent_status
        The status of sites without a status in any record; None leaves them UNKNOWN.
    """

    def __init__(self, gazetteer: Gazetteer, silent_status: RecruitmentStatus | None = None) -> None:
        self._gazetteer = gazetteer
        self._silent_status = silent_status
        self._extents = Extents(gazetteer.reader)
        self._place = lru_cache(maxsize=_PLACES_KEPT)(self._placed)

    def site(self, location: RecordLocation, study: Study) -> Site | Fault:
        """Create a site from a location; its id is still empty.

        Returns
        -------
        Site or Fault
            The fault says why the location cannot be used: its country is missing or unknown, or it has no town,
            postcode or point. A site that cannot be located is still a site.
        """
        flags = list(location.flags)
        try:
            country = read_country(location.country, flags)
        except UnknownCountry as error:
            return Fault(0, "country", location.country[:80], error.message, place=location.where)
        if not (location.city or location.postcode or location.point):
            return Fault(0, "city", "", "has no city, postcode or point", place=location.where)
        country, postcode = read_us_parts(country, location.state, location.postcode, flags)
        placed = self._place(location.city, location.state, postcode, country, location.point)
        city = location.city
        if not city:
            city = placed.place.name.partition(",")[0] if placed.place and placed.place.name else "Town not given"
            flags.append(f"The record gives no town. {city} comes from its postcode or point.")
        facility = location.facility
        if not facility:
            flags.append("The record does not name the site.")
        elif is_heading(facility):
            flags.append(f"The record does not name the site: it says only {facility[:60]!r}.")
            facility = ""
        status, told = self._status(location, study)
        flags += told
        place = placed.place
        return Site(
            site_id="",
            study_id=study.study_id,
            source_study=study.study_id,
            facility=facility or NO_NAME,
            address=location.address,
            city=city,
            state=location.state,
            postcode=placed.postcode,
            # A ZIP code of San Juan is in Puerto Rico, even under "United States".
            country=place.country if place is not None and place.postcode and place.country else country,
            place=None if place is None else replace(place, notes=()),
            status=status,
            as_of_on=study.as_of_on,
            flags=(*flags, *placed.flags),
            opened_on=location.opened_on,
        )

    def _status(self, location: RecordLocation, study: Study) -> tuple[RecruitmentStatus, tuple[str, ...]]:
        """Return the status of a location; a missing status never means that it takes patients."""
        if location.status is not None:
            return location.status, ()
        if study.status in TAKES_NOBODY:
            return study.status, (STATUS_INHERITED,)
        if self._silent_status is not None:
            return self._silent_status, (STATUS_ASSUMED,)
        return RecruitmentStatus.UNKNOWN, (STATUS_SILENT,)

    def _placed(self, city: str, state: str, postcode: str, country: str, point: Coordinates | None) -> Placed:
        return place_site(
            self._gazetteer,
            city=city,
            state=state,
            postcode=postcode,
            country=country,
            point=point,
            in_country=self._extents.may_contain,
        )
