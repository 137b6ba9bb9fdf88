"""``/v1/webhooks``: who is told when a site fills, reopens or passes a percentage."""

from __future__ import annotations

import msgspec
from flask import Response

from api.access import KEY_HEADER, caller
from api.backend import Backend
from api.http import problems
from api.http.answers import respond
from api.http.idempotency import once
from api.http.negotiation import JSON
from api.http.operations import Documented, Operation
from api.http.reading import read_json, read_query
from api.v1.capacity import READS, WRITES
from api.v1.schemas.accounts import (
    DeliveriesAnswer,
    WebhookAnswer,
    WebhookRequest,
    WebhooksAnswer,
    delivery_answer,
    webhook_answer,
)
from api.v1.schemas.finding import NoQuery
from sitematch.domain.accounts.access import Permission, may, require
from sitematch.errors import NotFound
from sitematch.store.webhooks import endpoints, outbox


def blueprint(backend: Backend) -> Documented:
    """Make the routes."""
    routes = Documented("webhooks")
    decoder = msgspec.json.Decoder(WebhookRequest)

    def is_mine(study_id: str | None) -> bool:
        return may(caller().actor, Permission.WEBHOOKS_WRITE, study_id=study_id)

    @routes.serve(
        "GET",
        "/v1/webhooks",
        Operation(
            summary="List webhooks",
            description="The webhooks of the studies that you manage. Secrets are not shown again.",
            tag="Webhooks",
            query=NoQuery,
            answers={JSON: WebhooksAnswer},
            problems=READS,
            permission=Permission.WEBHOOKS_WRITE,
        ),
    )
    def list_webhooks() -> Response:
        read_query(NoQuery)
        found = [item for item in endpoints.list_webhooks(backend.store()) if is_mine(item.study_id)]
        return respond(WebhooksAnswer(webhooks=tuple(map(webhook_answer, found))))

    @routes.serve(
        "POST",
        "/v1/webhooks",
        Operation(
            summary="Add a webhook",
            description="Messages are signed (Sitematch-Signature) with the secret in this answer, which is shown "
            "once. A message is sent again with growing pauses until the receiver answers 2xx.",
            tag="Webhooks",
            body=WebhookRequest,
            answers={JSON: WebhookAnswer},
            problems=WRITES,
            permission=Permission.WEBHOOKS_WRITE,
            status=201,
            headers=KEY_HEADER,
            example={"url": "https://ctms.example.org/sitematch", "kinds": ["site.filled", "site.reopened"]},
        ),
    )
    def add_webhook() -> Response:
        asked = read_json(decoder)
        require(caller().actor, Permission.WEBHOOKS_WRITE, study_id=asked.study_id)

        def add() -> WebhookAnswer:
            made = endpoints.add_webhook(
                backend.store(),
                caller().actor,
                url=asked.url,
                kinds=frozenset(asked.kinds),
                now=backend.now(),
                study_id=asked.study_id,
                percent=asked.percent,
            )
            return webhook_answer(made.webhook, made.secret)

        return respond(once(backend, "add_webhook", asked, WebhookAnswer, add, masked="secret"), status=201)

    @routes.serve(
        "DELETE",
        "/v1/webhooks/<webhook_id>",
        Operation(
            summary="Disable a webhook",
            description="Waiting messages are not sent.",
            tag="Webhooks",
            path={"webhook_id": "The webhook's id."},
            answers={},
            problems=(*READS, problems.IDEMPOTENCY_KEY_MISSING, problems.NOT_FOUND),
            permission=Permission.WEBHOOKS_WRITE,
            status=204,
            headers=KEY_HEADER,
        ),
    )
    def disable_webhook(webhook_id: str) -> Response:
        known = {item.webhook_id: item for item in endpoints.list_webhooks(backend.store())}
        if webhook_id not in known or not is_mine(known[webhook_id].study_id):
            raise NotFound("Webhook not found.", field="webhook_id")
        endpoints.disable_webhook(backend.store(), webhook_id=webhook_id, now=backend.now())
        return Response(status=204)

    @routes.serve(
        "GET",
        "/v1/webhooks/failures",
        Operation(
            summary="List the messages that were not delivered",
            tag="Webhooks",
            query=NoQuery,
            answers={JSON: DeliveriesAnswer},
            problems=READS,
            permission=Permission.WEBHOOKS_WRITE,
        ),
    )
    def list_failures() -> Response:
        read_query(NoQuery)
        mine = {item.webhook_id for item in endpoints.list_webhooks(backend.store()) if is_mine(item.study_id)}
        found = [item for item in outbox.failed_deliveries(backend.store()) if item.webhook_id in mine]
        return respond(DeliveriesAnswer(deliveries=tuple(map(delivery_answer, found))))

    return routes
