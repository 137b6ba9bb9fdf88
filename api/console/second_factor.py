"""``/console/sign-in/code`` and ``/console/account/second-factor``: codes of an authenticator app."""

from __future__ import annotations

import math
from typing import Annotated

from flask import Response, request
from markupsafe import Markup
from msgspec import Meta

from api.backend import Backend
from api.console.page import session
from api.console.page.context import go, local_path, page
from api.console.page.context import redirect as redirect_to
from api.console.page.forms import ConsoleForm
from api.console.page.routes import Console, PageAccess
from api.http.errors import problem_of
from api.http.reading import read_form
from api.pages.languages import gettext as _
from sitematch.errors import InvalidInput, LoginDelayed, LoginFailed
from sitematch.services.accounts import second_factor as factors


class CodeForm(ConsoleForm, frozen=True, kw_only=True):
    """The second step of a sign-in."""

    code: Annotated[str, Meta(max_length=40)] = ""
    next: Annotated[str, Meta(max_length=2000)] = ""


class FactorForm(ConsoleForm, frozen=True, kw_only=True):
    """Setting up or removing the own second factor."""

    password: Annotated[str, Meta(max_length=1024)] = ""
    secret: Annotated[str, Meta(max_length=64)] = ""
    code: Annotated[str, Meta(max_length=40)] = ""


def register(console: Console, backend: Backend) -> None:
    """Create the routes."""

    @console.page("GET", "/sign-in/code", PageAccess.PUBLIC)
    def code_page() -> Response:
        return page("code.html", fault="", following=local_path(request.args.get("next", "")) or "")

    @console.page("POST", "/sign-in/code", PageAccess.PUBLIC)
    def confirm_code() -> Response:
        asked = read_form(CodeForm)
        following = local_path(asked.next) or ""
        try:
            begun = factors.confirm(
                backend.store(), half_secret=session.read_cookie() or "", code=asked.code, now=backend.now()
            )
        except LoginDelayed as error:
            response = page("code.html", fault=error.message, following=following, status=429)
            response.headers["Retry-After"] = str(math.ceil(error.retry_after_s))
            return response
        except LoginFailed as error:
            return page("code.html", fault=error.message, following=following, status=401)
        response = redirect_to(following or "/console")
        session.begin(response, begun)
        return response

    @console.page("GET", "/account/second-factor", PageAccess.SIGNED_IN)
    def second_factor() -> Response:
        return _show(backend)

    @console.page("POST", "/account/second-factor", PageAccess.SIGNED_IN)
    def set_up_second_factor() -> Response:
        asked = read_form(FactorForm)
        secret = asked.secret.strip()
        try:
            codes = factors.set_up(
                backend.store(),
                session.current(),
                password=asked.password,
                secret=secret,
                code="".join(asked.code.split()),
                now=backend.now(),
            )
        except LoginDelayed as error:
            return _show(backend, error.message, secret=secret, status=429)
        except LoginFailed:
            return _show(backend, _("The current password is incorrect."), secret=secret, status=403)
        except InvalidInput as error:
            kept = "" if error.field == "secret" else secret
            return _show(backend, error.message, secret=kept, status=problem_of(error).status)
        return page("recovery_codes.html", codes=codes)

    @console.page("POST", "/account/second-factor/end", PageAccess.SIGNED_IN)
    def remove_second_factor() -> Response:
        asked = read_form(FactorForm)
        try:
            factors.remove_own(
                backend.store(), session.current(), password=asked.password, code=asked.code, now=backend.now()
            )
        except LoginDelayed as error:
            return _show(backend, error.message, status=429)
        except LoginFailed:
            return _show(backend, _("The password or the code is incorrect."), status=403)
        return go("account")


def _show(backend: Backend, fault: str = "", *, secret: str = "", status: int = 200) -> Response:
    account = session.current().account
    if account.has_totp:
        left = factors.count_own_recovery_codes(backend.store(), session.current())
        return page("second_factor.html", status=status, fault=fault, codes_left=left, secret="", picture="")
    chosen = secret or factors.new_secret()
    return page(
        "second_factor.html",
        status=status,
        fault=fault,
        codes_left=0,
        secret=chosen,
        picture=_picture(factors.app_address(chosen, account.email)),
    )


def _picture(text: str) -> Markup:
    """Return a QR code as SVG."""
    import segno

    drawn = segno.make(text, error="m", micro=False).svg_inline(scale=5, light="white", title=_("QR code for the app"))
    return Markup(drawn)  # noqa: S704 - drawn here, and the text is not in it
