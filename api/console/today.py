"""``/console``: what needs the person today, most urgent first, each with its action in place."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from msgspec import Meta

from api.backend import Backend
from api.console.page.context import ConsoleContext, go, page
from api.console.page.forms import ConsoleForm
from api.console.page.routes import Console
from api.http.reading import read_filters, read_form
from sitematch.domain.accounts.access import Permission
from sitematch.domain.capacity.states import Action
from sitematch.exporters.wire.matches import Wire
from sitematch.services.capacity.today import today
from sitematch.services.webhooks import endpoints


class TodayQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The action that was just done, and to which referral."""

    study: str | None = None
    done: Annotated[str, Meta(max_length=20)] = ""
    id: Annotated[str, Meta(max_length=64)] = ""


class RedeliverForm(ConsoleForm, frozen=True, kw_only=True):
    """The receiver to send failed messages to again."""

    webhook_id: Annotated[str, Meta(max_length=100)] = ""


def register(console: Console, backend: Backend) -> None:
    """Create the routes."""

    @console.page("GET", "", Permission.REFERRALS_READ)
    def today_page() -> Response:
        asked, context = read_filters(TodayQuery), ConsoleContext(backend)
        found = today(context.store, context.actor, context.study_id, context.now)
        failed = (
            endpoints.failed_deliveries(context.store, context.actor) if context.may(Permission.WEBHOOKS_WRITE) else ()
        )
        given_up = [item for item in failed if item.next_at is None]
        return page(
            "today.html",
            found=found,
            failed={item.webhook_id: item for item in given_up},
            failures=len(given_up),
            count=found.count + bool(given_up),
            study=found.study,
            sites=found.sites,
            done=asked.done if asked.done in set(Action) | {"sent"} else "",
            done_id=asked.id,
        )

    @console.page("POST", "/deliveries/again", Permission.WEBHOOKS_WRITE)
    def redeliver() -> Response:
        asked, context = read_form(RedeliverForm), ConsoleContext(backend)
        endpoints.redeliver(context.store, context.actor, webhook_id=asked.webhook_id, now=context.now)
        return go("today_page", done="sent")
