"""The waiting list: the next referrals, and the open offers."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from msgspec import Meta

from api.backend import Backend
from api.console.page.context import ConsoleContext, page
from api.console.page.routes import Console
from api.http.reading import read_filters
from sitematch.domain.accounts.access import Permission
from sitematch.domain.capacity.states import SpotState
from sitematch.exporters.wire.matches import Wire
from sitematch.services.capacity import coordinating
from sitematch.services.studies import catalogue


class WaitingQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The action that was just done."""

    study: str | None = None
    done: Annotated[str, Meta(max_length=20)] = ""


def register(console: Console, backend: Backend) -> None:
    """Create the route."""

    @console.page("GET", "/waiting", Permission.REFERRALS_READ)
    def waiting_list() -> Response:
        asked, context = read_filters(WaitingQuery), ConsoleContext(backend)
        return page(
            "waiting.html",
            done=asked.done,
            entries=coordinating.waiting_list(context.store, context.actor, context.study_id),
            offers=coordinating.referrals(
                context.store, context.actor, context.study_id, context.now, states=(SpotState.OFFERED,)
            ),
            policy=coordinating.policy(context.store, context.actor, context.study_id),
            sites={site.site_id: site for site in catalogue.read_sites(context.store, context.study_id)},
        )
