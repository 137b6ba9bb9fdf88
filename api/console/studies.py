"""The choice of the current study, among those in which the person has a role."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from msgspec import Meta

from api.backend import Backend
from api.console.page.context import ConsoleContext, page
from api.console.page.routes import Console, PageAccess
from api.http.reading import read_filters
from sitematch.exporters.wire.matches import Wire
from sitematch.services.studies import catalogue

SHOWN = 50
"""Number of studies on the page; the search finds the others."""


class StudiesPageQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The search for studies."""

    study: str | None = None
    q: Annotated[str, Meta(max_length=100)] = ""


def register(console: Console, backend: Backend) -> None:
    """Create the route."""

    @console.page("GET", "/studies", PageAccess.SIGNED_IN)
    def studies() -> Response:
        asked, context = read_filters(StudiesPageQuery), ConsoleContext(backend)
        found = catalogue.find_own_studies(context.store, context.actor, asked.q, limit=SHOWN + 1)
        return page("studies.html", asked=asked, studies=found[:SHOWN], has_more=len(found) > SHOWN)
