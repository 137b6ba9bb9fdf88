"""Access to pages of the console, checked before the view runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from flask import Response, abort, g, request, url_for

from api.access import require_anywhere
from api.backend import Backend
from api.console.page import session
from api.console.page.routes import SIGN_IN_AGAIN, PageAccess, PageRule
from api.http.reading import read_body
from api.pages.languages import ENGLISH, current_language, speak
from sitematch.domain.accounts.access import Caller, Role
from sitematch.errors import InvalidInput, LoginFailed, NotAllowed
from sitematch.services.accounts.sign_in import read_session

SIGNED_IN_WITHIN = timedelta(minutes=30)
"""How recent a sign-in must be for what gives or takes access: a screen that somebody left must not be enough."""

_BEFORE_THE_CHANGE = frozenset({"console.account", "console.change_password", "console.sign_out"})
"""What somebody may do with a password that somebody else set."""

_BEFORE_THE_SECOND_FACTOR = _BEFORE_THE_CHANGE | {"console.second_factor", "console.set_up_second_factor"}
"""What an administrator may do without a second factor where it is required."""

_FOREIGN_FORM = "Nothing was changed, because this form is from an earlier session. Reload the page."


def admit(backend: Backend, pages: Mapping[str, PageRule], endpoint: str, request_id: str) -> None:
    """Allow or refuse a request for a page of the console.

    Parameters
    ----------
    backend
        Has the database and the clock.
    pages
        The access rule of each endpoint.
    endpoint
        The requested endpoint.
    request_id
        The id of the request in the audit trail.

    Raises
    ------
    LoginFailed
        If the page needs a session and there is none.
    NotAllowed
        If the person has the permission nowhere, or the form was not sent by a page of this session.
    """
    g.wanted_language = current_language()
    speak(ENGLISH.tag)  # the console's only language so far; its pages say so if the browser prefers another
    page = pages.get(endpoint)
    if page is None:
        raise NotAllowed("You do not have permission to do this.", permission="none")
    if page.body_bytes is not None:
        request.max_content_length = page.body_bytes
    is_form = request.method == "POST"
    if is_form and not session.comes_from_our_page():
        raise NotAllowed(_FOREIGN_FORM, permission="none")
    if page.needs is PageAccess.PUBLIC:
        return
    secret = session.read_cookie()
    if secret is None:
        raise LoginFailed("You need to sign in.")
    # What a page loads by itself must not keep the session of somebody who has gone.
    is_use = request.headers.get("Sec-Fetch-Dest", "document") != "empty"
    idle = timedelta(minutes=backend.settings.session_idle_minutes)
    g.session = read_session(backend.store(), secret=secret, now=backend.now(), idle=idle, is_use=is_use)
    g.csrf = session.csrf_token(secret)
    g.caller = Caller(actor=g.session.account.actor, request_id=request_id)
    if g.session.account.must_change_password and endpoint not in _BEFORE_THE_CHANGE:
        if is_form:
            raise NotAllowed("Change your password first. Somebody else set it.", permission="none")
        abort(Response(status=303, headers={"Location": url_for("console.account")}))
    is_required = backend.settings.require_second_factor and any(
        grant.role is Role.ADMINISTRATOR for grant in g.session.account.grants
    )
    if is_required and not g.session.account.has_totp and endpoint not in _BEFORE_THE_SECOND_FACTOR:
        if is_form:
            raise NotAllowed("Set up your second factor first.", permission="none")
        abort(Response(status=303, headers={"Location": url_for("console.second_factor")}))
    if not isinstance(page.needs, PageAccess):
        require_anywhere(g.caller.actor, page.needs)
    if is_form:
        if page.is_sensitive and backend.now() - g.session.started_at > SIGNED_IN_WITHIN:
            raise LoginFailed(SIGN_IN_AGAIN)
        if page.body_bytes is None:
            read_body()
        if not session.is_csrf_token(request.form.get("csrf", ""), secret):
            raise NotAllowed(_FOREIGN_FORM, permission="none")
        key = request.form.get("key", "")
        if not key:
            raise InvalidInput("The form is incomplete. Reload the page and send the form again.", field="key")
        g.caller = replace(g.caller, idempotency_key=key)
