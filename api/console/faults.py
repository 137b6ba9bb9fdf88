"""What the console shows when something is refused or fails: what happened, and what to do next."""

from __future__ import annotations

import math

from flask import Response, g, request
from flask_babel import gettext as _

from api.console.routes import Console
from api.console.view import go, page
from api.errors import problem_of
from sitematch.errors import LoginFailed, SitematchError


def register(console: Console) -> None:
    """Show the library's errors as pages of the console."""

    @console.errorhandler(LoginFailed)
    def on_signed_out(_error: LoginFailed) -> Response:
        if request.method == "GET":
            asked = request.full_path.rstrip("?")
            return go("sign_in", next=None if asked == "/console" else asked)
        # What a form asks is not done by whoever signs in next: they see the page again and decide.
        return sign_in_page(
            _("Your session has ended, so nothing was changed. Sign in, and do it once more."), status=401
        )

    @console.errorhandler(SitematchError)
    def on_ours(error: SitematchError) -> Response:
        return fault_page(error)


def fault_page(error: SitematchError) -> Response:
    """Show an error of the library as a page of its own."""
    described = problem_of(error)
    # Without somebody signed in, or in a study that is not there, the menu has nothing to lead to.
    has_menu = "caller" in g and described.type != "/problems/study-not-found"
    response = page("fault.html", status=described.status, problem=described, has_menu=has_menu)
    if described.status in (429, 503):
        response.headers["Retry-After"] = str(math.ceil(getattr(error, "retry_after_s", 5)))
    return response


def sign_in_page(fault: str = "", *, email: str = "", following: str = "", status: int = 200) -> Response:
    """Show the way in."""
    return page("sign_in.html", status=status, fault=fault, email=email, following=following)
