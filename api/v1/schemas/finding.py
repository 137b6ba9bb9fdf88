"""What requests may hold, and the answers that only HTTP gives; `exporters.wire.matches` holds the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from msgspec import Meta

from sitematch.domain.finding.policy import MAX_LIMIT, MAX_RADIUS_KM, MatchPolicy, Order
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
        description="Which study, as /v1/studies lists it. Left out: the one that this server matches.",
        examples=["NCT06064929"],
    ),
]

PAGE_SIZE = 100
"""Sites on one page of the list, unless asked otherwise."""


class LookUp(Wire, frozen=True, forbid_unknown_fields=True):
    """Where the person is, and what is asked of the sites. A null counts as left out."""

    postcode: Annotated[
        str | None, Meta(description="A postcode as a person types it, or a town's name.", examples=["33180"])
    ] = None
    town: Annotated[
        str | None,
        Meta(
            description="A town's name. Beside a postcode, each checks the other.",
            examples=["Springfield, IL"],
        ),
    ] = None
    latitude: Annotated[
        Annotated[float, Meta(ge=-90, le=90)] | None,
        Meta(description="Degrees north, -90 to 90, WGS84; with longitude, in place of a postcode."),
    ] = None
    longitude: Annotated[
        Annotated[float, Meta(ge=-180, le=180)] | None,
        Meta(description="Degrees east, -180 to 180, WGS84; only with latitude."),
    ] = None
    uncertainty_km: Annotated[
        Annotated[float, Meta(ge=0, le=MAX_RADIUS_KM)] | None,
        Meta(description="How far off the coordinates may be, in kilometres; 0 if left out."),
    ] = None
    country: Annotated[
        str | None,
        Meta(
            description="ISO 3166-1 code, or a name in English or the country's own language. Left out: "
            "the only country that has the postcode or town, if there is only one.",
            examples=["US"],
        ),
    ] = None
    order: Annotated[
        Order,
        Meta(
            description="best: distance in bands, within a band travel support, then spots. distance: plain distance."
        ),
    ] = Order.BEST
    limit: Annotated[
        int,
        Meta(ge=1, le=MAX_LIMIT, description=f"How many matches at most: a whole number, 1 to {MAX_LIMIT}."),
    ] = 5
    within_km: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Radius in kilometres, over 0; left out for no bound."),
    ] = None
    within_miles: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Radius in miles, over 0; in place of within_km."),
    ] = None
    min_travel: Annotated[
        TravelCertainty | None,
        Meta(
            description="Only sites whose travel support is at least as sure: COVERED, MAY_BE_COVERED, "
            "UNKNOWN or NOT_COVERED, surest first."
        ),
    ] = None
    only_country: Annotated[str | None, Meta(description="Only sites in this country.")] = None
    status: Annotated[
        tuple[RecruitmentStatus, ...] | None,
        Meta(description="Recruitment statuses that count as open; RECRUITING if left out."),
    ] = None
    unit: Annotated[Unit | None, Meta(description="km or miles, for texts; left out: as the place's country does.")] = (
        None
    )

    def policy(self) -> MatchPolicy:
        """Turn what is asked into a policy.

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
            min_travel=self.min_travel,
            only_country=self.only_country,
            status=self.status,
            unit=self.unit,
        )

    def point(self) -> Place | None:
        """Return the point that was given in place of a postcode or town; None if there is none.

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
                raise InvalidInput(
                    "uncertainty_km belongs to latitude and longitude; leave it out.", field="uncertainty_km"
                )
            return None
        if self.latitude is None or self.longitude is None:
            missing = "latitude" if self.latitude is None else "longitude"
            raise InvalidCoordinates(f"The {missing} is missing; give both or neither.", field=missing)
        if self.latitude == 0 and self.longitude == 0:
            raise InvalidCoordinates(
                "0, 0 is a point in the sea off West Africa: devices give it when they do not know where they are. "
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
    """A look-up in one study. A null counts as left out."""

    min_spots: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000)] | None,
        Meta(description="Only sites known to have so many spots left: a whole number, 1 or more."),
    ] = None
    prefer_country: Annotated[
        str | None, Meta(description="Sites of this country come first, all others after them.")
    ] = None
    study_id: StudyId = None

    def policy(self) -> MatchPolicy:
        """Turn what is asked into a policy; see `LookUp.policy`."""
        prefer_country = country_code(self.prefer_country, "prefer_country")
        return replace(super().policy(), min_spots=self.min_spots, prefer_country=prefer_country)


Words = Annotated[
    str,
    Meta(
        description="Words in any order, e.g. a condition; each must occur. Plurals, accents and capitals are all one.",
        examples=["lupus nephritis"],
        max_length=MAX_QUERY_LENGTH,
    ),
]


class ClinicsRequest(LookUp, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A look-up over all studies that take patients. A null counts as left out."""

    condition: Words


class PreferencesRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """What a visitor chose in the menu of a page; what is left out stays as it was."""

    lang: Annotated[str, Meta(description="Tag of one of the pages' languages.")] = ""
    theme: Annotated[str, Meta(description="auto, light or dark.")] = ""
    back: Annotated[str, Meta(description="Path of the page to go back to.")] = "/"


class SitesQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """Which sites to list."""

    country: Annotated[str | None, Meta(description="Only sites in this country.", examples=["US"])] = None
    status: Annotated[
        tuple[RecruitmentStatus, ...] | None,
        Meta(description="Only sites of these statuses; all if left out."),
    ] = None
    limit: Annotated[
        int, Meta(ge=1, le=MAX_LIMIT, description=f"How many at most: a whole number, 1 to {MAX_LIMIT}.")
    ] = PAGE_SIZE
    after: Annotated[str, Meta(description="The `next` of the page before.", max_length=200)] = ""
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
    """Which studies to list."""

    q: Words | None = None
    status: Annotated[
        tuple[RecruitmentStatus, ...] | None,
        Meta(description="Only studies of these statuses; all if left out."),
    ] = None
    limit: Annotated[
        int, Meta(ge=1, le=MAX_LIMIT, description=f"How many at most: a whole number, 1 to {MAX_LIMIT}.")
    ] = PAGE_SIZE
    after: Annotated[str, Meta(description="The `next` of the page before.", max_length=200)] = ""


class SiteQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """Of which study the site is."""

    study_id: StudyId = None


class NoQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """A request without parameters."""


class StudiesAnswer(Wire, frozen=True):
    """Some of the studies."""

    studies: tuple[StudyDetail, ...]
    next: Annotated[str | None, Meta(description="Send it as `after` for the next page; null on the last.")]


class SitesAnswer(Wire, frozen=True):
    """The study's sites, by site_id."""

    study: StudyAnswer
    sites: tuple[SiteAnswer, ...]
    next: Annotated[str | None, Meta(description="Send it as `after` for the next page; null on the last.")]
    attribution: Annotated[tuple[str, ...], Meta(description="Sources that must be named with the answer.")]


class SiteDetail(Wire, frozen=True):
    """One site with the spots left."""

    study: StudyAnswer
    site: SiteAnswer
    remaining: RemainingAnswer
    contacts: Annotated[
        tuple[ContactAnswer, ...],
        Meta(description="Whom to ask: the site's contacts, else the study's; only where patients are taken."),
    ]
    attribution: tuple[str, ...]


class PostcodeAnswer(Wire, frozen=True):
    """Where a postcode is."""

    place: PlaceAnswer
    attribution: Annotated[tuple[str, ...], Meta(description="Sources that must be named with the answer.")]


class Health(Wire, frozen=True):
    """The process is alive."""

    status: Literal["ok"]


class Readiness(Wire, frozen=True):
    """Look-ups can be answered."""

    status: Literal["ready"]
    study_id: str
    sites: Annotated[int, Meta(ge=0)]
    late: Annotated[
        tuple[str, ...],
        Meta(description="Background tasks that have not succeeded for too long; look-ups are right all the same."),
    ] = ()
