"""Error pages of the console: what happened, and what to do next."""

from __future__ import annotations

import math

from flask import Response, request, url_for

from api.backend import Backend
from api.console.page import session
from api.console.page.context import go, page
from api.console.page.routes import SIGN_IN_AGAIN, Console
from api.http.errors import problem_of
from api.pages.languages import gettext as _
from sitematch.errors import LoginFailed, SitematchError
from sitematch.services.accounts.sign_in import can_anybody_sign_in


def register(console: Console, backend: Backend) -> None:
    """Register handlers that show the library's errors as pages of the console."""

    @console.errorhandler(LoginFailed)
    def on_signed_out(error: LoginFailed) -> Response:
        if error.message == SIGN_IN_AGAIN:
            account_id = (request.view_args or {}).get("account_id")
            return sign_in_page(
                backend,
                _("This needs a sign-in of the last half hour, so nothing was changed. Sign in and try again."),
                following=url_for("console.people" if account_id is None else "console.person", account_id=account_id),
                status=401,
            )
        if request.method == "GET":
            asked = request.full_path.rstrip("?")
            return go("sign_in", next=None if asked == "/console" else asked)
        # A form is not processed after another sign-in: the person sees the page again and decides.
        return sign_in_page(
            backend,
            _("Your session has ended, so nothing was changed. Sign in and try again."),
            status=401,
        )

    @console.errorhandler(SitematchError)
    def on_ours(error: SitematchError) -> Response:
        return fault_page(error)


def fault_page(error: SitematchError) -> Response:
    """Show an error of the library as a separate page."""
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
    """Show the sign-in page, with a message about the last attempt or another reason."""
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
    """Return whether a proxy says that the browser used https; only a hint for the text of the page."""
    return request.headers.get("X-Forwarded-Proto", "") == "https"
