"""``/v1/webhooks``: notices when a site is full, reopens or passes a percentage."""

from __future__ import annotations

import msgspec
from flask import Response

from api.access import KEY_HEADER, caller
from api.backend import Backend
from api.http import problems
from api.http.answers import respond
from api.http.negotiation import JSON
from api.http.operations import Documented, Operation
from api.http.reading import read_json, read_query
from api.idempotency import once
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
from sitematch.domain.accounts.access import Permission, require
from sitematch.services.webhooks import endpoints


def blueprint(backend: Backend) -> Documented:
    """Create the routes."""
    routes = Documented("webhooks")
    decoder = msgspec.json.Decoder(WebhookRequest)

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
        found = endpoints.list_webhooks(backend.store(), caller().actor)
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
        # Checked before the key is looked up, because a stored answer is only for actors who still have the permission.
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
        endpoints.disable_webhook(backend.store(), caller().actor, webhook_id=webhook_id, now=backend.now())
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
        found = endpoints.failed_deliveries(backend.store(), caller().actor)
        return respond(DeliveriesAnswer(deliveries=tuple(map(delivery_answer, found))))

    return routes
