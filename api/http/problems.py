"""What can go wrong over HTTP, as RFC 9457 problem details: a stable address documents each kind."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from msgspec import Meta

from sitematch.errors import Suggestion
from sitematch.exporters.wire.matches import Wire

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemKind:
    """A kind of problem.

    Parameters
    ----------
    slug
        Last part of its address, ``/problems/<slug>``. Never changed once published.
    status
        HTTP status that it is sent with.
    title
        The kind in a few words, the same every time.
    what_to_do
        What the caller can do about it.
    """

    slug: str
    status: HTTPStatus
    title: str
    what_to_do: str

    @property
    def address(self) -> str:
        """The `type` of the problem: an address relative to the server's root."""
        return f"/problems/{self.slug}"


class Offer(Wire, frozen=True):
    """Something that was perhaps meant: offered, never assumed."""

    text: Annotated[str, Meta(description="What to send instead.")]
    country: Annotated[str, Meta(description="ISO 3166-1 alpha-2.")]
    why: str


class FullCap(Wire, frozen=True):
    """The cap that is full."""

    level: Annotated[str, Meta(description="STUDY, COUNTRY, ARM or SITE.")]
    scope: Annotated[str, Meta(description="Which country, arm or site; empty for the study.")]
    spots: int
    taken: int


class Problem(Wire, frozen=True, omit_defaults=True):
    """Why a request could not be answered (RFC 9457)."""

    type: Annotated[str, Meta(description="Stable address of this kind; opening it explains it.")]
    title: Annotated[str, Meta(description="The kind in a few words, the same every time.")]
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: Annotated[str, Meta(description="What is wrong with this request.")]
    what_to_do: Annotated[str, Meta(description="What the caller can do about it.")]
    field: Annotated[str, Meta(description="The input at fault, where there is one.")] = ""
    suggestions: Annotated[tuple[Offer, ...], Meta(description="What was perhaps meant, best first.")] = ()
    candidates: Annotated[tuple[Offer, ...], Meta(description="What fits; one of them has to be chosen.")] = ()
    full: Annotated[FullCap | None, Meta(description="The cap that is full, the widest of several.")] = None
    state: Annotated[str, Meta(description="Where the referral stands.")] = ""
    allowed: Annotated[tuple[str, ...], Meta(description="What may be done with the referral instead.")] = ()
    permission: Annotated[str, Meta(description="What was needed.")] = ""
    instance: Annotated[str, Meta(description="Names this one occurrence in the server's log.")] = ""


def problem(
    kind: ProblemKind,
    detail: str,
    *,
    field: str | None = None,
    suggestions: tuple[Suggestion, ...] = (),
    candidates: tuple[Suggestion, ...] = (),
    instance: str = "",
) -> Problem:
    """Describe one occurrence of a kind of problem."""
    return Problem(
        type=kind.address,
        title=kind.title,
        status=kind.status.value,
        detail=detail,
        what_to_do=kind.what_to_do,
        field=field or "",
        suggestions=_offers(suggestions),
        candidates=_offers(candidates),
        instance=instance,
    )


def _offers(suggestions: tuple[Suggestion, ...]) -> tuple[Offer, ...]:
    return tuple(Offer(text=item.text, country=item.country, why=item.why) for item in suggestions)


def _kind(slug: str, status: HTTPStatus, title: str, what_to_do: str) -> ProblemKind:
    return ProblemKind(slug=slug, status=status, title=title, what_to_do=what_to_do)


INVALID_INPUT = _kind(
    "invalid-input",
    HTTPStatus.BAD_REQUEST,
    "The request cannot be understood",
    "Correct the named field; /openapi.json lists every field with its type and range.",
)
INVALID_JSON = _kind(
    "invalid-json",
    HTTPStatus.BAD_REQUEST,
    "The body is not JSON",
    "Send one JSON object in UTF-8. JSON has no NaN and no Infinity: leave a bound out instead.",
)
INVALID_COORDINATES = _kind(
    "invalid-coordinates",
    HTTPStatus.BAD_REQUEST,
    "The coordinates are not on the globe",
    "Give latitude from -90 to 90 and longitude from -180 to 180, in decimal degrees, both or neither.",
)
INVALID_POSTCODE = _kind(
    "invalid-postcode",
    HTTPStatus.BAD_REQUEST,
    "The text is not in the form of the country's postcodes",
    "Take a suggestion if it is what was meant, correct the postcode or the country, or give a town.",
)
UNKNOWN_COUNTRY = _kind(
    "unknown-country",
    HTTPStatus.BAD_REQUEST,
    "No country of that name is known",
    "Give an ISO 3166-1 code such as US, or the country's name in English or its own language.",
)
INVALID_POLICY = _kind(
    "invalid-policy",
    HTTPStatus.BAD_REQUEST,
    "A radius, limit, order or filter makes no sense",
    "Correct the named field, or leave it out to take its default.",
)
AMBIGUOUS_PLACE = _kind(
    "ambiguous-place",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "Several places fit",
    "Let the person choose one of the candidates, and ask again with its text and country.",
)
REGION_GIVEN = _kind(
    "region-given",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "A region or a country was given",
    "Ask for a town or a postcode in it; the candidates are its largest towns.",
)
LOCATION_WANTED = _kind(
    "location-wanted",
    HTTPStatus.BAD_REQUEST,
    "The person's own location is asked for",
    "Ask the person's device for it, and send latitude and longitude; or ask for a postcode or a town.",
)
NOT_FOUND = _kind(
    "not-found",
    HTTPStatus.NOT_FOUND,
    "There is nothing at this address",
    "Check the address; /docs lists all of them.",
)
POSTCODE_NOT_FOUND = _kind(
    "postcode-not-found",
    HTTPStatus.NOT_FOUND,
    "The postcode is well formed, but not known",
    "Check the postcode and the country, take one of the suggestions, or give a town.",
)
FORCES_POSTCODE = _kind(
    "forces-postcode",
    HTTPStatus.NOT_FOUND,
    "The postcode belongs to armed forces",
    "Their post lies in no one place: ask for a town.",
)
TOWN_NOT_FOUND = _kind(
    "town-not-found",
    HTTPStatus.NOT_FOUND,
    "No town of that name is known",
    "Check the spelling and the country, name a larger town nearby, or give a postcode.",
)
SITE_NOT_FOUND = _kind(
    "site-not-found",
    HTTPStatus.NOT_FOUND,
    "The study has no site of that id",
    "List the sites at /v1/sites for their ids.",
)
STUDY_NOT_FOUND = _kind(
    "study-not-found",
    HTTPStatus.NOT_FOUND,
    "No study of that id is known",
    "Check the study's registry id, e.g. NCT06064929.",
)
REFERRAL_NOT_FOUND = _kind(
    "referral-not-found",
    HTTPStatus.NOT_FOUND,
    "No referral has that id",
    "Check the referral's id.",
)
ACCOUNT_NOT_FOUND = _kind(
    "account-not-found",
    HTTPStatus.NOT_FOUND,
    "No account has that id",
    "List the accounts at /v1/accounts for their ids.",
)
LOGIN_DELAYED = _kind(
    "login-delayed",
    HTTPStatus.TOO_MANY_REQUESTS,
    "Too many attempts failed",
    "Wait for the seconds of the Retry-After header.",
)
CAPACITY = _kind(
    "capacity",
    HTTPStatus.CONFLICT,
    "The ledger says no",
    "Read the detail; nothing was changed.",
)
NO_SPOTS_LEFT = _kind(
    "no-spots-left",
    HTTPStatus.CONFLICT,
    "No spots are left",
    "Ask for another site, or join the waiting list; nothing was changed.",
)
SITE_CLOSED = _kind(
    "site-closed",
    HTTPStatus.CONFLICT,
    "The site, its country, the arm or the study takes nobody now",
    "Ask for another site; nothing was changed.",
)
ILLEGAL_TRANSITION = _kind(
    "illegal-transition",
    HTTPStatus.CONFLICT,
    "What was asked may not follow the referral's state",
    "Read the referral again, and do one of the things that the detail names; nothing was changed.",
)
IDEMPOTENCY_CONFLICT = _kind(
    "idempotency-conflict",
    HTTPStatus.CONFLICT,
    "The idempotency key was used with another request",
    "Send a new key with a new request, and the old key only with the very same request.",
)
NOT_SIGNED_IN = _kind(
    "not-signed-in",
    HTTPStatus.UNAUTHORIZED,
    "Who asks could not be told",
    "Send a token that is neither expired nor revoked: Authorization: Bearer <token>. Administrators make them.",
)
IDEMPOTENCY_KEY_MISSING = _kind(
    "idempotency-key-missing",
    HTTPStatus.BAD_REQUEST,
    "A write needs an idempotency key",
    "Send the header Idempotency-Key with a new random value; ask again with the same one if no answer comes.",
)
NOT_ALLOWED = _kind(
    "not-allowed",
    HTTPStatus.FORBIDDEN,
    "Who asks may not do this",
    "Ask an administrator for the permission that the detail names.",
)
ONLINE_UNAVAILABLE = _kind(
    "online-unavailable",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The configured online geocoder did not answer",
    "Ask again after the seconds of the Retry-After header, or give a postcode or a town instead of an address.",
)
DATA_FAULT = _kind(
    "data-fault",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The data break their rules",
    "Correct the rows and send them again; nothing was taken.",
)
METHOD_NOT_ALLOWED = _kind(
    "method-not-allowed",
    HTTPStatus.METHOD_NOT_ALLOWED,
    "The address does not serve this method",
    "Use a method of the Allow header.",
)
NOT_ACCEPTABLE = _kind(
    "not-acceptable",
    HTTPStatus.NOT_ACCEPTABLE,
    "No acceptable media type can be served",
    "Accept application/json or, where a place or site is answered, application/geo+json.",
)
TOO_LARGE = _kind(
    "too-large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "The request's body is too large",
    "Send at most 64 kB, or 1 MB where a list is asked for; a look-up needs less than one.",
)
UNSUPPORTED_MEDIA_TYPE = _kind(
    "unsupported-media-type",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "The body is of a media type that is not read here",
    "Send JSON with the header Content-Type: application/json.",
)
BAD_REQUEST = _kind(
    "bad-request",
    HTTPStatus.BAD_REQUEST,
    "The request breaks the rules of HTTP",
    "Check what the client sends; /docs shows examples.",
)
NOT_READY = _kind(
    "not-ready",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The service is not ready",
    "Ask again after the seconds of the Retry-After header. Operators: the log says what is missing.",
)
BUSY = _kind(
    "busy",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "Other writes were in the way",
    "Ask again after the seconds of the Retry-After header; nothing was written.",
)
STORAGE_FAULT = _kind(
    "storage-fault",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The database cannot be reached, read or written",
    "Ask again after the seconds of the Retry-After header. Operators: the log says what failed.",
)
INTERNAL_ERROR = _kind(
    "internal-error",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Something went wrong here",
    "Ask again later. If it stays, report it with the occurrence named under instance.",
)

KINDS: dict[str, ProblemKind] = {kind.slug: kind for kind in tuple(globals().values()) if isinstance(kind, ProblemKind)}
"""Every kind by its slug, in the order above."""
