"""Who asks, and whether they may: checked before any view runs. Everything is denied unless it is allowed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from flask import Flask, g, request

from api.backend import Backend
from api.http import problems
from api.http.errors import RequestRejected
from api.http.operations import Operation
from api.http.problems import problem
from api.http.request_log import believe_id
from sitematch.domain.accounts.access import GRANTED, Actor, Caller, Permission
from sitematch.errors import NotAllowed
from sitematch.services.accounts import sign_in

PUBLIC = frozenset(
    {
        *("matches", "match_batches", "clinics", "studies", "sites", "postcodes", "fhir", "fhir_bulk"),
        *("pages", "maps", "preferences", "health", "docs", "metrics", "static"),
    }
)
"""Blueprints that need no account: what patients use, and what explains the service. All others need a token."""

KEY_HEADER = {
    "Idempotency-Key": "A new random value for each write. For 24 hours, the same key and body get the same answer; "
    "another body is a conflict. If no spot is left or the database is busy, you can try again with the same key."
}
"""What the OpenAPI document says of the header that every write needs."""

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


Admission = Callable[[str, str], None]
"""Lets a request in, or raises why not: given its endpoint and the request's id."""


def register(
    app: Flask, backend: Backend, operations: Mapping[str, Operation], admissions: Mapping[str, Admission] | None = None
) -> None:
    """Check every request before its view runs.

    Parameters
    ----------
    app
        The app.
    backend
        Gives the database and the clock.
    operations
        What each endpoint needs.
    admissions
        By blueprint, who lets its requests in where that is not done by a token.
    """
    own_admissions = admissions or {}

    @app.before_request
    def allow() -> None:
        endpoint = request.endpoint
        blueprint = (endpoint or "").partition(".")[0]
        if endpoint is None or blueprint in PUBLIC:
            return  # no such address, or everybody's
        if blueprint in own_admissions:
            own_admissions[blueprint](endpoint, g.request_id)
            return
        actor = _authenticate(backend)
        believe_id()
        operation = operations.get(endpoint)
        if operation is None or operation.permission is None:
            raise NotAllowed("You do not have permission to do this.", permission="none")
        require_anywhere(actor, operation.permission)
        g.caller = Caller(actor=actor, request_id=g.request_id, idempotency_key=_key(operation))


def caller() -> Caller:
    """Return who makes this request."""
    return cast(Caller, g.caller)


def require_anywhere(actor: Actor, permission: Permission) -> None:
    """Check that an actor may do something somewhere; where, the services ask.

    Raises
    ------
    NotAllowed
        If not.
    """
    in_scope = actor.scopes is None or permission in actor.scopes
    if not in_scope or not any(permission in GRANTED[grant.role] for grant in actor.grants):
        raise NotAllowed(f"You do not have permission to do this: {permission.value}.", permission=permission.value)


def _authenticate(backend: Backend) -> Actor:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise RequestRejected(problem(problems.NOT_SIGNED_IN, "This needs a token: Authorization: Bearer <token>."))
    return sign_in.authenticate(backend.store(), secret=secret.strip(), now=backend.now())


def _key(operation: Operation) -> str | None:
    if request.method not in _WRITES or operation.is_question:
        return None
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        raise RequestRejected(
            problem(problems.IDEMPOTENCY_KEY_MISSING, "The header Idempotency-Key is missing or empty.")
        )
    return key
