"""Requests of look-ups, and the answers that only HTTP has; `exporters.wire.matches` has the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from msgspec import Meta

from sitematch.domain.finding.policy import MAX_LIMIT, MAX_MINUTES, MAX_RADIUS_KM, MatchPolicy, Order
from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.domain.studies.search_terms import MAX_QUERY_LENGTH
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.travel import TravelCertainty
from sitematch.domain.units import Unit
from sitematch.errors import InvalidCoordinates, InvalidInput
from sitematch.exporters.wire.matches import ContactAnswer, PlaceAnswer, RemainingAnswer, SiteAnswer, StudyAnswer, Wire
from sitematch.exporters.wire.studies import StudyDetail
from sitematch.services.finding.match_request import country_code, match_policy

StudyId = Annotated[
    str | None,
    Meta(
        description="The study's id from /v1/studies. The default is this server's default study.",
        examples=["NCT06064929"],
    ),
]

PAGE_SIZE = 100
"""Default number of sites on one page of the list."""


class LookUp(Wire, frozen=True, forbid_unknown_fields=True):
    """Where the person is, and the options of the look-up. A null is the same as a missing field."""

    postcode: Annotated[
        str | None, Meta(description="A postcode as a person types it, or a town's name.", examples=["33180"])
    ] = None
    town: Annotated[
        str | None,
        Meta(
            description="A town's name. With a postcode, the two are checked against each other.",
            examples=["Springfield, IL"],
        ),
    ] = None
    latitude: Annotated[
        Annotated[float, Meta(ge=-90, le=90)] | None,
        Meta(description="Degrees north, -90 to 90, WGS84; with longitude, instead of a postcode."),
    ] = None
    longitude: Annotated[
        Annotated[float, Meta(ge=-180, le=180)] | None,
        Meta(description="Degrees east, -180 to 180, WGS84; only with latitude."),
    ] = None
    uncertainty_km: Annotated[
        Annotated[float, Meta(ge=0, le=MAX_RADIUS_KM)] | None,
        Meta(description="The uncertainty of the coordinates in kilometres; the default is 0."),
    ] = None
    country: Annotated[
        str | None,
        Meta(
            description="ISO 3166-1 code, or a name in English or the country's own language. Not needed "
            "if only one country has the postcode or town.",
            examples=["US"],
        ),
    ] = None
    order: Annotated[
        Order,
        Meta(
            description="best: distance in bands, within a band travel support, then spots. distance: plain distance. "
            "time: minutes by car, in one study."
        ),
    ] = Order.BEST
    limit: Annotated[
        int,
        Meta(ge=1, le=MAX_LIMIT, description=f"The most matches to return: a whole number, 1 to {MAX_LIMIT}."),
    ] = 5
    within_km: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Radius in kilometres, greater than 0; the default is no limit."),
    ] = None
    within_miles: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Radius in miles, greater than 0; instead of within_km."),
    ] = None
    max_minutes: Annotated[
        Annotated[float, Meta(gt=0, le=MAX_MINUTES)] | None,
        Meta(description="The most minutes by car, one way, in one study; the default is no limit."),
    ] = None
    min_travel: Annotated[
        TravelCertainty | None,
        Meta(
            description="Only sites with at least this travel support: COVERED, MAY_BE_COVERED, "
            "UNKNOWN or NOT_COVERED, most certain first."
        ),
    ] = None
    only_country: Annotated[str | None, Meta(description="Only sites in this country.")] = None
    status: Annotated[
        tuple[RecruitmentStatus, ...] | None,
        Meta(description="Recruitment statuses that count as open; the default is RECRUITING."),
    ] = None
    unit: Annotated[
        Unit | None, Meta(description="km or miles, for texts; the default is the usual unit of the place's country.")
    ] = None

    def policy(self) -> MatchPolicy:
        """Return the policy of the request.

        Raises
        ------
        InvalidPolicy, UnknownCountry
            `.field` names the field of the request.
        """
        return match_policy(
            order=self.order,
            limit=self.limit,
            within_km=self.within_km,
            within_miles=self.within_miles,
            max_minutes=self.max_minutes,
            min_travel=self.min_travel,
            only_country=self.only_country,
            status=self.status,
            unit=self.unit,
        )

    def point(self) -> Place | None:
        """Return the point that was given instead of a postcode or town; None if there is none.

        Raises
        ------
        InvalidCoordinates
            If only one of the two is given.
        InvalidInput
            If a postcode or town is given as well, or an uncertainty without a point.
        UnknownCountry
            If the country is not known.
        """
        if self.latitude is None and self.longitude is None:
            if self.uncertainty_km is not None:
                raise InvalidInput("Use uncertainty_km only with latitude and longitude.", field="uncertainty_km")
            return None
        if self.latitude is None or self.longitude is None:
            missing = "latitude" if self.latitude is None else "longitude"
            raise InvalidCoordinates(f"The {missing} is missing. Give both or neither.", field=missing)
        if self.latitude == 0 and self.longitude == 0:
            raise InvalidCoordinates(
                "0, 0 is a point in the sea off West Africa. Devices send it when they do not know their location. "
                "Give a postcode or a town instead.",
                field="latitude",
            )
        if self.postcode is not None or self.town is not None:
            extra = "town" if self.postcode is None else "postcode"
            raise InvalidInput(f"Give coordinates or a {extra}, not both.", field=extra)
        return Place(
            coordinates=Coordinates(latitude=self.latitude, longitude=self.longitude),
            precision=Precision.ADDRESS,
            uncertainty_km=self.uncertainty_km or 0.0,
            source="as given",
            country=country_code(self.country, "country") or "",
        )


class MatchRequest(LookUp, frozen=True, forbid_unknown_fields=True):
    """A look-up in one study. A null is the same as a missing field."""

    min_spots: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000)] | None,
        Meta(description="Only sites known to have at least this many spots left: a whole number, 1 or more."),
    ] = None
    prefer_country: Annotated[str | None, Meta(description="Sites in this country come first.")] = None
    study_id: StudyId = None

    def policy(self) -> MatchPolicy:
        """Return the policy of the request; see `LookUp.policy`."""
        prefer_country = country_code(self.prefer_country, "prefer_country")
        return replace(super().policy(), min_spots=self.min_spots, prefer_country=prefer_country)


Words = Annotated[
    str,
    Meta(
        description="Words in any order, such as a condition. All must occur. Plurals, accents and case do not matter.",
        examples=["lupus nephritis"],
        max_length=MAX_QUERY_LENGTH,
    ),
]


class ClinicsRequest(LookUp, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A look-up over all studies that take patients. A null is the same as a missing field."""

    condition: Words


class PreferencesRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """A visitor's choices in the menu of a page; missing ones do not change."""

    lang: Annotated[str, Meta(description="Language tag of one of the pages' languages.")] = ""
    theme: Annotated[str, Meta(description="auto, light or dark.")] = ""
    back: Annotated[str, Meta(description="Path of the page to go back to.")] = "/"


class SitesQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The sites to list."""

    country: Annotated[str | None, Meta(description="Only sites in this country.", examples=["US"])] = None
    status: Annotated[
        tuple[RecruitmentStatus, ...] | None,
        Meta(description="Only sites with these statuses; the default is all."),
    ] = None
    limit: Annotated[
        int, Meta(ge=1, le=MAX_LIMIT, description=f"The most results to return: a whole number, 1 to {MAX_LIMIT}.")
    ] = PAGE_SIZE
    after: Annotated[str, Meta(description="The The `next` value of the page before.", max_length=200)] = ""
    study_id: StudyId = None

    def country_code(self) -> str | None:
        """Return the country's code; None for all.

        Raises
        ------
        UnknownCountry
            If the country is not known.
        """
        return country_code(self.country, "country")


class StudiesQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The studies to list."""

    q: Words | None = None
    status: Annotated[
        tuple[RecruitmentStatus, ...] | None,
        Meta(description="Only studies with these statuses; the default is all."),
    ] = None
    limit: Annotated[
        int, Meta(ge=1, le=MAX_LIMIT, description=f"The most results to return: a whole number, 1 to {MAX_LIMIT}.")
    ] = PAGE_SIZE
    after: Annotated[str, Meta(description="The The `next` value of the page before.", max_length=200)] = ""


class SiteQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The study of the site."""

    study_id: StudyId = None


class NoQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """A request without parameters."""


class StudiesAnswer(Wire, frozen=True):
    """A page of studies."""

    studies: tuple[StudyDetail, ...]
    next: Annotated[str | None, Meta(description="Send it as `after` for the next page; null on the last.")]


class SitesAnswer(Wire, frozen=True):
    """The study's sites, by site_id."""

    study: StudyAnswer
    sites: tuple[SiteAnswer, ...]
    next: Annotated[str | None, Meta(description="Send it as `after` for the next page; null on the last.")]
    attribution: Annotated[tuple[str, ...], Meta(description="Sources to credit when you show the answer.")]


class SiteDetail(Wire, frozen=True):
    """One site with the spots left."""

    study: StudyAnswer
    site: SiteAnswer
    remaining: RemainingAnswer
    contacts: Annotated[
        tuple[ContactAnswer, ...],
        Meta(description="Contacts: the site's, or else the study's; only if the site takes patients."),
    ]
    attribution: tuple[str, ...]


class PostcodeAnswer(Wire, frozen=True):
    """Where a postcode is."""

    place: PlaceAnswer
    attribution: Annotated[tuple[str, ...], Meta(description="Sources to credit when you show the answer.")]


class Health(Wire, frozen=True):
    """The process is running."""

    status: Literal["ok"]


class Readiness(Wire, frozen=True):
    """Look-ups can be answered."""

    status: Literal["ready"]
    study_id: str
    sites: Annotated[int, Meta(ge=0)]
    late: Annotated[
        tuple[str, ...],
        Meta(description="Background tasks that are late. Searches are still correct."),
    ] = ()
