"""The one map from errors to problems, and the handlers that send them: problem details, or a page."""

from __future__ import annotations

import logging
import math
import traceback
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from flask import Flask, Response, current_app, g, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from api.http import problems
from api.http.answers import respond
from api.http.negotiation import HTML, JSON, PROBLEM, best_media_type
from api.http.problems import Problem, ProblemKind, problem
from sitematch import errors

LOG = logging.getLogger("sitematch.api")

KIND_OF: dict[type[errors.SitematchError], ProblemKind] = {
    errors.SitematchError: problems.INTERNAL_ERROR,
    errors.InvalidInput: problems.INVALID_INPUT,
    errors.InvalidCoordinates: problems.INVALID_COORDINATES,
    errors.InvalidPostcode: problems.INVALID_POSTCODE,
    errors.UnknownCountry: problems.UNKNOWN_COUNTRY,
    errors.InvalidPolicy: problems.INVALID_POLICY,
    errors.OwnLocationWanted: problems.LOCATION_WANTED,
    errors.AmbiguousPlace: problems.AMBIGUOUS_PLACE,
    errors.OnlyRegionGiven: problems.REGION_GIVEN,
    errors.NotFound: problems.NOT_FOUND,
    errors.PostcodeNotFound: problems.POSTCODE_NOT_FOUND,
    errors.ForcesPostcode: problems.FORCES_POSTCODE,
    errors.TownNotFound: problems.TOWN_NOT_FOUND,
    errors.SiteNotFound: problems.SITE_NOT_FOUND,
    errors.StudyNotFound: problems.STUDY_NOT_FOUND,
    errors.ReferralNotFound: problems.REFERRAL_NOT_FOUND,
    errors.AccountNotFound: problems.ACCOUNT_NOT_FOUND,
    errors.LoginFailed: problems.NOT_SIGNED_IN,
    errors.LoginDelayed: problems.LOGIN_DELAYED,
    errors.CapacityError: problems.CAPACITY,
    errors.NoSpotsLeft: problems.NO_SPOTS_LEFT,
    errors.TooManyHolds: problems.TOO_MANY_HOLDS,
    errors.ExtensionTooLong: problems.EXTENSION_TOO_LONG,
    errors.SiteClosed: problems.SITE_CLOSED,
    errors.IllegalTransition: problems.ILLEGAL_TRANSITION,
    errors.ReferralIdTaken: problems.REFERRAL_ID_TAKEN,
    errors.IdempotencyConflict: problems.IDEMPOTENCY_CONFLICT,
    errors.NotAllowed: problems.NOT_ALLOWED,
    errors.OnlineUnavailable: problems.ONLINE_UNAVAILABLE,
    errors.DataFault: problems.DATA_FAULT,
    errors.NotReady: problems.NOT_READY,
    errors.LedgerBusy: problems.BUSY,
    errors.StorageFault: problems.STORAGE_FAULT,
}
"""Every error of the library; a test walks the tree."""

_KIND_OF_STATUS = {
    404: problems.NOT_FOUND,
    405: problems.METHOD_NOT_ALLOWED,
    406: problems.NOT_ACCEPTABLE,
    413: problems.TOO_LARGE,
    415: problems.UNSUPPORTED_MEDIA_TYPE,
}

_KEPT_HEADERS = frozenset({"Allow", "Content-Range"})
_MACHINES_ONLY = ("/v1/", "/openapi.json", "/healthz", "/readyz")
_RETRY_AFTER_S = 5
_RENDERERS = "sitematch.problem_renderers"

Renderer = Callable[[Problem], Response]
"""Shapes a problem for the clients of some addresses."""


class RequestRejected(Exception):
    """A request that HTTP's own rules refuse, with the problem to send.

    Parameters
    ----------
    sent
        The problem.
    retry_after_s
        For 429 and 503: how long to wait before the next attempt, in seconds.
    """

    def __init__(self, sent: Problem, *, retry_after_s: int = _RETRY_AFTER_S) -> None:
        super().__init__(sent.type)
        self.sent = sent
        self.retry_after_s = retry_after_s


def kind_of(error: errors.SitematchError) -> ProblemKind:
    """Return the kind of an error; a class that the map lacks takes that of its nearest base."""
    return next(KIND_OF[base] for base in type(error).__mro__ if base in KIND_OF)


def problem_of(error: errors.SitematchError) -> Problem:
    """Describe an error of the library to whoever caused it.

    Notes
    -----
    What went wrong on our side is not told: such a message may name a path or an address of ours. Its kind is
    logged; its message is not, since it may also repeat what a person typed.
    """
    kind = kind_of(error)
    if kind.status >= 500:
        if not isinstance(error, errors.NotReady):  # the backend says that once, not at every request
            LOG.error("%s %s", type(error).__name__, getattr(error, "kind", ""))
        return problem(kind, f"{kind.title}.")
    described = problem(
        kind,
        error.message,
        field=error.field,
        suggestions=getattr(error, "suggestions", ()),
        candidates=getattr(error, "candidates", ()),
    )
    return msgspec.structs.replace(described, **_facts(error))


def _facts(error: errors.SitematchError) -> dict[str, Any]:
    """Return what a machine needs of a refusal, beside its words."""
    if isinstance(error, errors.NoSpotsLeft):
        full = problems.FullCap(level=error.level, scope=error.scope, spots=error.spots, taken=error.taken)
        return {"full": full}
    if isinstance(error, errors.IllegalTransition):
        return {"state": error.state or "", "allowed": error.allowed}
    if isinstance(error, errors.NotAllowed):
        return {"permission": error.permission}
    return {}


def render_with(app: Flask, prefix: str, renderer: Renderer) -> None:
    """Give the addresses below a prefix a shape of their own for what goes wrong.

    Parameters
    ----------
    app
        The app.
    prefix
        A path without its last slash, e.g. ``"/fhir"``: it and all below it, whether or not there is such an address.
    renderer
        Shapes a problem; status and headers that all answers share are set afterwards.
    """
    app.extensions.setdefault(_RENDERERS, {})[prefix] = renderer


def register(app: Flask) -> None:
    """Make the app answer every error with a problem, or with a page where a page was asked for."""

    @app.errorhandler(errors.SitematchError)
    def on_ours(error: errors.SitematchError) -> Response:
        retry_after_s = math.ceil(getattr(error, "retry_after_s", _RETRY_AFTER_S))
        return _send(problem_of(error), retry_after_s=retry_after_s)

    @app.errorhandler(RequestRejected)
    def on_refused(error: RequestRejected) -> Response:
        return _send(error.sent, retry_after_s=error.retry_after_s)

    @app.errorhandler(HTTPException)
    def on_http(error: HTTPException) -> Response:
        if isinstance(error.response, Response):
            return error.response
        status = error.code or 500
        if status >= 500:
            return _send(_unexpected(error))
        kind = _KIND_OF_STATUS.get(status, problems.BAD_REQUEST)
        described = msgspec.structs.replace(problem(kind, _detail(error, kind)), status=status)
        kept = {name: value for name, value in error.get_headers() if name in _KEPT_HEADERS}
        return _send(described, headers=kept)

    @app.errorhandler(Exception)
    def on_unexpected(error: Exception) -> Response:
        return _send(_unexpected(error))


def _detail(error: HTTPException, kind: ProblemKind) -> str:
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(set(error.valid_methods or ()) - {"HEAD", "OPTIONS"}))
        return f"{request.method} is not allowed at {request.url_rule or 'this address'}; use {allowed}."
    return f"{kind.title}."


def log_unexpected(error: BaseException | None, instance: str) -> None:
    """Log where an unforeseen error arose, without its text, which may hold what a person typed.

    Parameters
    ----------
    error
        It and what it arose from.
    instance
        Names the occurrence.
    """
    lines = []
    while error is not None:
        lines.append(f"{type(error).__module__}.{type(error).__qualname__}\n")
        lines += traceback.format_tb(error.__traceback__)
        error = error.__cause__ or error.__context__
    LOG.error("Unexpected error %s\n%s", instance, "".join(lines))


def new_instance() -> str:
    """Return a name for one occurrence of an error."""
    return f"urn:uuid:{uuid.uuid4()}"


def _unexpected(error: BaseException) -> Problem:
    instance = new_instance()
    log_unexpected(error, instance)
    kind = problems.INTERNAL_ERROR
    return problem(kind, "An unexpected error occurred. It was logged.", instance=instance)


def _send(
    described: Problem, *, retry_after_s: int = _RETRY_AFTER_S, headers: Mapping[str, str] | None = None
) -> Response:
    described = msgspec.structs.replace(described, request_id=g.get("request_id", ""))
    renderer = _renderer()
    if renderer is not None:
        response = renderer(described)
    elif _wants_page():
        page = render_template("error.html", problem=described)
        response = Response(page, status=described.status, content_type=HTML)
    else:
        response = respond(described, PROBLEM, status=described.status)
    response.headers.update(headers or {})
    response.headers["Cache-Control"] = "no-store"
    if described.status in (429, 503):
        response.headers["Retry-After"] = str(retry_after_s)
    if described.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="sitematch"'
    return response


def _renderer() -> Renderer | None:
    known: dict[str, Renderer] = current_app.extensions.get(_RENDERERS, {})
    for prefix, renderer in known.items():
        if request.path == prefix or request.path.startswith(f"{prefix}/"):
            return renderer
    return None


def _wants_page() -> bool:
    if request.path.startswith(_MACHINES_ONLY):
        return False
    return best_media_type(request.headers.get("Accept", ""), (JSON, HTML.partition(";")[0])) != JSON
