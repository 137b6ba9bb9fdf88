"""``/v1/webhooks``: notices when a site is full, reopens or passes a percentage."""

from __future__ import annotations

import msgspec
from flask import Response

from api.access import KEY_HEADER, caller
from api.backend import Backend
from api.http import problems
from api.http.answers import respond, respond_checked
from api.http.negotiation import JSON
from api.http.operations import Documented, Operation
from api.http.reading import read_json, read_query
from api.idempotency import once
from api.v1.capacity import READS, WRITES
from api.v1.schemas.accounts import (
    DeliveriesAnswer,
    RedeliveryAnswer,
    WebhookAnswer,
    WebhookRequest,
    WebhooksAnswer,
    WebhookTestAnswer,
    delivery_answer,
    webhook_answer,
)
from api.v1.schemas.finding import NoQuery
from sitematch.domain.accounts.access import Permission, require
from sitematch.services.webhooks import endpoints


def _upkeep(summary: str, description: str, answer: type[msgspec.Struct]) -> Operation:
    """Describe a write on one webhook that takes no body."""
    return Operation(
        summary=summary,
        description=description,
        tag="Webhooks",
        path={"webhook_id": "The webhook's id."},
        answers={JSON: answer},
        problems=(
            *READS,
            problems.INVALID_INPUT,
            problems.IDEMPOTENCY_KEY_MISSING,
            problems.IDEMPOTENCY_CONFLICT,
            problems.NOT_FOUND,
        ),
        permission=Permission.WEBHOOKS_WRITE,
        headers=KEY_HEADER,
    )


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
            headers={"If-None-Match": "The ETag of your last answer."},
            is_conditional=True,
        ),
    )
    def list_webhooks() -> Response:
        read_query(NoQuery)
        found = endpoints.list_webhooks(backend.store(), caller().actor)
        return respond_checked(WebhooksAnswer(webhooks=tuple(map(webhook_answer, found))))

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
        "POST",
        "/v1/webhooks/<webhook_id>/test",
        _upkeep(
            "Send a test message",
            "Of kind webhook.test, without sites. It is delivered like any other message.",
            WebhookTestAnswer,
        ),
    )
    def send_test(webhook_id: str) -> Response:
        def act() -> WebhookTestAnswer:
            message_id = endpoints.send_test(backend.store(), caller().actor, webhook_id=webhook_id, now=backend.now())
            return WebhookTestAnswer(message_id=message_id)

        return respond(once(backend, "test_webhook", webhook_id, WebhookTestAnswer, act))

    @routes.serve(
        "POST",
        "/v1/webhooks/<webhook_id>/redelivery",
        _upkeep(
            "Send messages again",
            "Every message that was not delivered, also those that were given up.",
            RedeliveryAnswer,
        ),
    )
    def redeliver(webhook_id: str) -> Response:
        def act() -> RedeliveryAnswer:
            count = endpoints.redeliver(backend.store(), caller().actor, webhook_id=webhook_id, now=backend.now())
            return RedeliveryAnswer(messages=count)

        return respond(once(backend, "redeliver_webhook", webhook_id, RedeliveryAnswer, act))

    @routes.serve(
        "POST",
        "/v1/webhooks/<webhook_id>/secret",
        _upkeep(
            "Replace the signing secret",
            "The new secret is shown once and signs every message from now on.",
            WebhookAnswer,
        ),
    )
    def rotate_secret(webhook_id: str) -> Response:
        def act() -> WebhookAnswer:
            made = endpoints.rotate_secret(backend.store(), caller().actor, webhook_id=webhook_id)
            return webhook_answer(made.webhook, made.secret)

        return respond(once(backend, "rotate_webhook_secret", webhook_id, WebhookAnswer, act, masked="secret"))

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
            headers={"If-None-Match": "The ETag of your last answer."},
            is_conditional=True,
        ),
    )
    def list_failures() -> Response:
        read_query(NoQuery)
        found = endpoints.failed_deliveries(backend.store(), caller().actor)
        return respond_checked(DeliveriesAnswer(deliveries=tuple(map(delivery_answer, found))))

    return routes
