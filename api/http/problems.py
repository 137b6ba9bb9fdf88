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
        A short name for this kind of problem, the same every time.
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


class SuggestedCorrection(Wire, frozen=True):
    """A suggested correction, for the person to accept or not."""

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
    """Why a request failed (RFC 9457)."""

    type: Annotated[str, Meta(description="Stable address of this kind of problem; open it for an explanation.")]
    title: Annotated[str, Meta(description="A short name for this kind of problem, the same every time.")]
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: Annotated[str, Meta(description="What is wrong with this request.")]
    what_to_do: Annotated[str, Meta(description="What the caller can do about it.")]
    field: Annotated[str, Meta(description="The field that is wrong, if there is one.")] = ""
    suggestions: Annotated[tuple[SuggestedCorrection, ...], Meta(description="Suggested corrections, best first.")] = ()
    candidates: Annotated[
        tuple[SuggestedCorrection, ...], Meta(description="The places that match, for the person to choose from.")
    ] = ()
    full: Annotated[FullCap | None, Meta(description="The cap that is full; the widest if several are.")] = None
    state: Annotated[str, Meta(description="The referral's current state.")] = ""
    allowed: Annotated[tuple[str, ...], Meta(description="The actions that are possible in this state.")] = ()
    permission: Annotated[str, Meta(description="The permission that is missing.")] = ""
    instance: Annotated[str, Meta(description="Identifies this occurrence in the server's log.")] = ""
    request_id: Annotated[str, Meta(description="The id of the request, as in X-Request-Id and the server's log.")] = ""


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


def _offers(suggestions: tuple[Suggestion, ...]) -> tuple[SuggestedCorrection, ...]:
    return tuple(SuggestedCorrection(text=item.text, country=item.country, why=str(item.why)) for item in suggestions)


def _kind(slug: str, status: HTTPStatus, title: str, what_to_do: str) -> ProblemKind:
    return ProblemKind(slug=slug, status=status, title=title, what_to_do=what_to_do)


INVALID_INPUT = _kind(
    "invalid-input",
    HTTPStatus.BAD_REQUEST,
    "The request is invalid",
    "Correct the named field; /openapi.json lists every field with its type and range.",
)
INVALID_JSON = _kind(
    "invalid-json",
    HTTPStatus.BAD_REQUEST,
    "The body is not JSON",
    "Send one JSON object in UTF-8. JSON has no NaN or Infinity: to set no limit, leave the field out.",
)
INVALID_COORDINATES = _kind(
    "invalid-coordinates",
    HTTPStatus.BAD_REQUEST,
    "The coordinates are out of range",
    "Give both a latitude from -90 to 90 and a longitude from -180 to 180, in decimal degrees, or neither.",
)
INVALID_POSTCODE = _kind(
    "invalid-postcode",
    HTTPStatus.BAD_REQUEST,
    "This is not a valid postcode for the country",
    "Use a suggestion if it is right, correct the postcode or the country, or give a town.",
)
UNKNOWN_COUNTRY = _kind(
    "unknown-country",
    HTTPStatus.BAD_REQUEST,
    "Unknown country",
    "Give an ISO 3166-1 code such as US, or the country's name in English or its own language.",
)
INVALID_POLICY = _kind(
    "invalid-policy",
    HTTPStatus.BAD_REQUEST,
    "A radius, limit, order or filter is invalid",
    "Correct the named field, or leave it out to use the default.",
)
AMBIGUOUS_PLACE = _kind(
    "ambiguous-place",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "Several places match",
    "Ask the person to choose one of the candidates, then send the request again with its text and country.",
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
    "Page not found",
    "Check the address; /docs lists every address.",
)
POSTCODE_NOT_FOUND = _kind(
    "postcode-not-found",
    HTTPStatus.NOT_FOUND,
    "Postcode not found",
    "Check the postcode and the country, use one of the suggestions, or give a town.",
)
FORCES_POSTCODE = _kind(
    "forces-postcode",
    HTTPStatus.NOT_FOUND,
    "The postcode belongs to armed forces",
    "Military postcodes have no fixed place. Ask for a town.",
)
TOWN_NOT_FOUND = _kind(
    "town-not-found",
    HTTPStatus.NOT_FOUND,
    "Town not found",
    "Check the spelling and the country, name a larger town nearby, or give a postcode.",
)
SITE_NOT_FOUND = _kind(
    "site-not-found",
    HTTPStatus.NOT_FOUND,
    "The study has no site with this id",
    "GET /v1/sites lists the sites and their ids.",
)
STUDY_NOT_FOUND = _kind(
    "study-not-found",
    HTTPStatus.NOT_FOUND,
    "There is no study with this id",
    "Check the study's registry id, e.g. NCT06064929.",
)
REFERRAL_NOT_FOUND = _kind(
    "referral-not-found",
    HTTPStatus.NOT_FOUND,
    "There is no referral with this id",
    "Check the referral's id.",
)
ACCOUNT_NOT_FOUND = _kind(
    "account-not-found",
    HTTPStatus.NOT_FOUND,
    "There is no account with this id",
    "GET /v1/accounts lists the accounts and their ids.",
)
LOGIN_DELAYED = _kind(
    "login-delayed",
    HTTPStatus.TOO_MANY_REQUESTS,
    "Too many failed attempts",
    "Wait for the number of seconds in the Retry-After header, then try again.",
)
TOO_MANY_REQUESTS = _kind(
    "too-many-requests",
    HTTPStatus.TOO_MANY_REQUESTS,
    "Too many requests",
    "Wait for the number of seconds in the Retry-After header, then try again. Nothing was changed.",
)
CAPACITY = _kind(
    "capacity",
    HTTPStatus.CONFLICT,
    "The change is not possible",
    "The detail says why. Nothing was changed.",
)
NO_SPOTS_LEFT = _kind(
    "no-spots-left",
    HTTPStatus.CONFLICT,
    "No spots are left",
    "Choose another site or join the waiting list. Nothing was changed.",
)
TOO_MANY_HOLDS = _kind(
    "too-many-holds",
    HTTPStatus.CONFLICT,
    "Too many holds are open",
    "Move or release referrals that are held, or ask the study's manager to raise the limit. Nothing was changed.",
)
EXTENSION_TOO_LONG = _kind(
    "extension-too-long",
    HTTPStatus.CONFLICT,
    "The hold cannot be extended so far",
    "The detail says when it may lapse at the latest. Start screening or release it before then. Nothing was changed.",
)
SITE_CLOSED = _kind(
    "site-closed",
    HTTPStatus.CONFLICT,
    "The site, its country, the arm or the study is closed to new patients",
    "Choose another site. Nothing was changed.",
)
ILLEGAL_TRANSITION = _kind(
    "illegal-transition",
    HTTPStatus.CONFLICT,
    "The action is not possible in the referral's current state",
    "Get the referral again and choose one of the actions in the detail. Nothing was changed.",
)
REFERRAL_ID_TAKEN = _kind(
    "referral-id-taken",
    HTTPStatus.CONFLICT,
    "The referral id is already in use",
    "Use another id, or leave it out to get a random one. Nothing was changed.",
)
IDEMPOTENCY_CONFLICT = _kind(
    "idempotency-conflict",
    HTTPStatus.CONFLICT,
    "The idempotency key was used with another request",
    "Use a new key for a new request. Reuse a key only to repeat exactly the same request.",
)
NOT_SIGNED_IN = _kind(
    "not-signed-in",
    HTTPStatus.UNAUTHORIZED,
    "You are not signed in",
    "Send a valid token: Authorization: Bearer <token>. Ask an administrator for one.",
)
IDEMPOTENCY_KEY_MISSING = _kind(
    "idempotency-key-missing",
    HTTPStatus.BAD_REQUEST,
    "A write needs an idempotency key",
    "Send the header Idempotency-Key with a new random value. If no answer comes, send the same value again.",
)
NOT_ALLOWED = _kind(
    "not-allowed",
    HTTPStatus.FORBIDDEN,
    "You do not have permission to do this",
    "Ask an administrator for the permission named in the detail.",
)
ONLINE_UNAVAILABLE = _kind(
    "online-unavailable",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The online address search did not answer",
    "Try again after the number of seconds in the Retry-After header, or give a postcode or town instead.",
)
DATA_FAULT = _kind(
    "data-fault",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The data contain errors",
    "Correct the rows and send them again. Nothing was saved.",
)
METHOD_NOT_ALLOWED = _kind(
    "method-not-allowed",
    HTTPStatus.METHOD_NOT_ALLOWED,
    "This method is not allowed here",
    "Use one of the methods in the Allow header.",
)
NOT_ACCEPTABLE = _kind(
    "not-acceptable",
    HTTPStatus.NOT_ACCEPTABLE,
    "None of the media types you accept is available",
    "Accept application/json or, for places and sites, application/geo+json.",
)
NOT_SUPPORTED = _kind(
    "not-supported",
    HTTPStatus.NOT_IMPLEMENTED,
    "This interaction is not supported",
    "Do not ask again; the capability statement lists what is supported.",
)
TOO_LARGE = _kind(
    "too-large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "The request body is too large",
    "Send at most 64 kB, or 1 MB for a list.",
)
UNSUPPORTED_MEDIA_TYPE = _kind(
    "unsupported-media-type",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "The media type of the body is not supported",
    "Send JSON with the header Content-Type: application/json.",
)
BAD_REQUEST = _kind(
    "bad-request",
    HTTPStatus.BAD_REQUEST,
    "The request is not valid HTTP",
    "Check what your client sends; /docs shows examples.",
)
NOT_READY = _kind(
    "not-ready",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The service is not ready",
    "Try again after the number of seconds in the Retry-After header. Operators: the log says what is missing.",
)
BUSY = _kind(
    "busy",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The database is busy",
    "Nothing was written. Try again after the number of seconds in the Retry-After header.",
)
STORAGE_FAULT = _kind(
    "storage-fault",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The database is not available",
    "Try again after the number of seconds in the Retry-After header. Operators: the log says what failed.",
)
INTERNAL_ERROR = _kind(
    "internal-error",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Something went wrong",
    "Try again later. If it happens again, report it and quote the value of instance.",
)

KINDS: dict[str, ProblemKind] = {kind.slug: kind for kind in tuple(globals().values()) if isinstance(kind, ProblemKind)}
"""Every kind by its slug, in the order above."""
