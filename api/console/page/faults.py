"""What the console shows when something is refused or fails: what happened, and what to do next."""

from __future__ import annotations

import math

from flask import Response, request

from api.backend import Backend
from api.console.page import session
from api.console.page.context import go, page
from api.console.page.routes import Console
from api.http.errors import problem_of
from api.pages.languages import gettext as _
from sitematch.errors import LoginFailed, SitematchError
from sitematch.services.accounts.sign_in import can_anybody_sign_in


def register(console: Console, backend: Backend) -> None:
    """Show the library's errors as pages of the console."""

    @console.errorhandler(LoginFailed)
    def on_signed_out(_error: LoginFailed) -> Response:
        if request.method == "GET":
            asked = request.full_path.rstrip("?")
            return go("sign_in", next=None if asked == "/console" else asked)
        # What a form asks is not done by whoever signs in next: they see the page again and decide.
        return sign_in_page(
            backend,
            _("Your session has ended, so nothing was changed. Sign in and try again."),
            status=401,
        )

    @console.errorhandler(SitematchError)
    def on_ours(error: SitematchError) -> Response:
        return fault_page(error)


def fault_page(error: SitematchError) -> Response:
    """Show an error of the library as a page of its own."""
    described = problem_of(error)
    response = page("fault.html", status=described.status, problem=described)
    if described.status in (429, 503):
        response.headers["Retry-After"] = str(math.ceil(getattr(error, "retry_after_s", 5)))
    return response


def sign_in_page(
    backend: Backend,
    said: str = "",
    *,
    is_good: bool = False,
    email: str = "",
    following: str = "",
    status: int = 200,
) -> Response:
    """Show the way in, with what is to be said about the last attempt, or what else leads here."""
    return page(
        "sign_in.html",
        status=status,
        fault=said,
        is_good=is_good,
        email=email,
        following=following,
        somebody=can_anybody_sign_in(backend.store()),
        is_safe=session.is_on_this_machine() or session.is_over_https() or _came_over_https(),
    )


def _came_over_https() -> bool:
    """Whether a proxy says that the browser spoke https; a hint for what the page says, and nothing more."""
    return request.headers.get("X-Forwarded-Proto", "") == "https"
