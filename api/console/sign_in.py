"""``/console/sign-in`` and ``/console/sign-out``, and the person's own account."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Annotated

from flask import Response, g, request
from flask_babel import format_timedelta
from msgspec import Meta

from api.backend import Backend
from api.console.page import session
from api.console.page.context import go, local_path, page
from api.console.page.context import redirect as redirect_to
from api.console.page.faults import sign_in_page
from api.console.page.forms import ConsoleForm
from api.console.page.routes import Console, PageAccess
from api.http.errors import problem_of
from api.http.reading import read_form
from api.pages.languages import gettext as _
from sitematch.errors import InvalidInput, LoginDelayed, LoginFailed
from sitematch.services.accounts import sign_in as signing


class SignInForm(ConsoleForm, frozen=True, kw_only=True):
    """The sign-in form."""

    email: Annotated[str, Meta(max_length=254)] = ""
    password: Annotated[str, Meta(max_length=1024)] = ""
    next: Annotated[str, Meta(max_length=2000)] = ""


class PasswordForm(ConsoleForm, frozen=True, kw_only=True):
    """A new password."""

    password: Annotated[str, Meta(max_length=1024)] = ""
    new_password: Annotated[str, Meta(max_length=1024)] = ""


def register(console: Console, backend: Backend) -> None:
    """Create the routes."""

    @console.page("GET", "/sign-in", PageAccess.PUBLIC)
    def sign_in() -> Response:
        following = local_path(request.args.get("next", "")) or ""
        return sign_in_page(backend, following=following)

    @console.page("POST", "/sign-in", PageAccess.PUBLIC)
    def begin_session() -> Response:
        asked = read_form(SignInForm)
        following = local_path(asked.next) or ""
        if not session.is_over_https() and not session.is_on_this_machine():
            fault = _("Sign-in needs HTTPS. Open this page with https:// and sign in there.")
            return sign_in_page(backend, fault, email=asked.email, following=following, status=403)
        store, now = backend.store(), backend.now()
        try:
            begun = signing.sign_in(
                store,
                email=asked.email,
                password=asked.password,
                now=now,
                replaced_secret=session.read_cookie(),
                device=session.read_device(),
            )
        except LoginDelayed as error:
            wait = format_timedelta(timedelta(seconds=math.ceil(error.retry_after_s)), threshold=1.5)
            fault = _("Too many failed attempts. Wait %(wait)s before you try again.", wait=wait)
            response = sign_in_page(backend, fault, email=asked.email, following=following, status=429)
            response.headers["Retry-After"] = str(math.ceil(error.retry_after_s))
            return response
        except LoginFailed:
            fault = _("Incorrect e-mail or password. Check both, or ask an administrator for a new password.")
            return sign_in_page(backend, fault, email=asked.email, following=following, status=401)
        if begun.needs_code:
            response = go("code_page", study=None, next=following or None)
            session.set_cookie(response, begun.session.secret)
            return response
        response = redirect_to(following or "/console")
        session.begin(response, begun)
        return response

    @console.page("POST", "/sign-out", PageAccess.SIGNED_IN)
    def sign_out() -> Response:
        signing.sign_out(backend.store(), session.current(), backend.now())
        response = go("sign_in", study=None)
        session.clear_cookie(response)
        return response

    @console.page("GET", "/account", PageAccess.SIGNED_IN)
    def account() -> Response:
        return _account_page(backend)

    @console.page("POST", "/account/password", PageAccess.SIGNED_IN)
    def change_password() -> Response:
        asked = read_form(PasswordForm)
        me = session.current().account
        try:
            signing.change_password(
                backend.store(),
                session.current(),
                password=asked.password,
                new_password=asked.new_password,
                now=backend.now(),
                device=session.read_device(),
            )
        except LoginDelayed as error:
            return _account_page(backend, error.message, status=429)
        except LoginFailed:
            return _account_page(backend, _("The current password is incorrect."), status=403)
        except InvalidInput as error:
            return _account_page(backend, error.message, status=problem_of(error).status)
        g.pop("caller")  # the session has ended with the old password
        response = sign_in_page(
            backend, _("Your password was changed. Sign in with the new password."), is_good=True, email=me.email
        )
        session.clear_cookie(response)
        return response

    @console.page("POST", "/account/sessions/end", PageAccess.SIGNED_IN)
    def end_other_sessions() -> Response:
        signing.end_other_sessions(backend.store(), session.current(), backend.now())
        return go("account")


def _account_page(backend: Backend, fault: str = "", *, status: int = 200) -> Response:
    idle = timedelta(minutes=backend.settings.session_idle_minutes)
    open_sessions = signing.list_own_sessions(backend.store(), session.current(), backend.now(), idle)
    return page("account.html", fault=fault, session=g.session, open_sessions=open_sessions, status=status)
