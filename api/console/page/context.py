"""The context of every page of the console: the current study, the person's permissions there, and its headers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from flask import Response, g, render_template, request, url_for

from api.backend import Backend
from api.console.page import session
from api.console.page.labels import WORDS
from api.console.page.routes import NAME, Console
from api.http.hosts import split_url
from api.http.negotiation import HTML
from sitematch.domain.accounts.access import Actor, Permission, granted_studies, may
from sitematch.domain.capacity.states import BY_POLICY, STATES
from sitematch.errors import NotReady, StudyNotFound
from sitematch.gazetteer.grammar import COUNTRIES

_COUNTRIES = {code: country.name for code, country in COUNTRIES.items()}


class ConsoleContext:
    """One request of a signed-in person: who, when, and in which study.

    Parameters
    ----------
    backend
        Has the database, the clock and the settings.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.store = backend.store()
        self.now: datetime = backend.now()
        self.caller = g.caller
        self.actor: Actor = g.caller.actor
        self.study_id = _study_in_view(backend, self.actor)

    def may(self, permission: Permission, site_id: str | None = None) -> bool:
        """Return whether the person has a permission in the study, or at a given site."""
        return may(self.actor, permission, study_id=self.study_id, site_id=site_id)

    def may_somewhere(self, permission: Permission) -> bool:
        """Return whether the person has a permission for at least one site of the study."""
        sites = {grant.site_id for grant in self.actor.grants if grant.study_id in (None, self.study_id)}
        return any(self.may(permission, site_id) for site_id in sites)


def register(console: Console, backend: Backend) -> None:
    """Add the common values to the console's templates, the study to its URLs, and the headers to its answers."""

    @console.context_processor
    def values() -> dict[str, Any]:
        known: dict[str, Any] = {
            "words": WORDS,
            "facts": {"states": STATES, "by_policy": sorted(BY_POLICY)},
            "country_names": _COUNTRIES,
            "P": Permission,
            "new_key": session.new_key,
            "wanted_language": g.wanted_language,
        }
        if "caller" not in g:
            return known
        known |= {"me": session.current().account, "csrf": g.csrf}
        try:
            context = ConsoleContext(backend)
        except (StudyNotFound, NotReady):
            return known  # the page of that error, which has no current study and so no menu
        return known | {
            "may": context.may,
            "may_somewhere": context.may_somewhere,
            "study_id": context.study_id,
            "default_study": _default_study(backend, context.actor),
            "now": context.now,
        }

    @console.app_template_filter("said")
    def said(detail: str) -> Any:
        return msgspec.json.decode(detail)

    @console.url_defaults
    def keep_study(endpoint: str, values: dict[str, Any]) -> None:
        # The URL names the current study, unless it is the one that is shown by default.
        if endpoint.startswith(f"{NAME}.") and "caller" in g and "study" not in values:
            study_id = request.args.get("study")
            if study_id:
                values["study"] = study_id

    @console.after_request
    def headers(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        # Browsers name the page that sent a form only if this is allowed: see `session.comes_from_our_page`.
        response.headers["Referrer-Policy"] = "same-origin"
        return response


def page(template: str, *, status: int = 200, **values: Any) -> Response:
    """Show a page of the console."""
    return Response(render_template(f"console/{template}", **values), status=status, content_type=HTML)


def redirect(address: str) -> Response:
    """Redirect the browser after a form, so that a reload does not send the form again."""
    return Response(status=303, headers={"Location": address})


def go(endpoint: str, **values: Any) -> Response:
    """Redirect the browser to a page of the console; see `redirect`."""
    return redirect(url_for(f"{NAME}.{endpoint}", **values))


def local_path(given: str) -> str | None:
    """Return a URL of the console to which a sign-in may redirect; None if it is anything else."""
    parts = split_url(given, "next")
    is_ours = not parts.scheme and not parts.netloc and (parts.path == "/console" or parts.path.startswith("/console/"))
    return given if is_ours and "\\" not in given and not any(ord(mark) < 32 for mark in given) else None


def _default_study(backend: Backend, actor: Actor) -> str:
    studies = granted_studies(actor)
    if studies is None or not studies or backend.settings.study_id in studies:
        return backend.settings.study_id
    return min(studies)


def _study_in_view(backend: Backend, actor: Actor) -> str:
    asked = request.args.get("study")
    if not asked:
        return _default_study(backend, actor)
    studies = granted_studies(actor)
    if studies is not None and asked not in studies:
        # As if it did not exist, so that guessing an id reveals nothing.
        raise StudyNotFound(f"You do not have a role in study {asked[:80]!r}.", field="study")
    return asked
