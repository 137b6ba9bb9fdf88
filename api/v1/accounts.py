"""``/v1/accounts`` and ``/v1/tokens``: accounts and their tokens, for administrators."""

from __future__ import annotations

from datetime import timedelta

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
    AccountsAnswer,
    TokenAnswer,
    TokenRequest,
    TokensAnswer,
    TokensQuery,
    account_answer,
    token_answer,
)
from api.v1.schemas.finding import NoQuery
from sitematch.domain.accounts.access import Permission
from sitematch.services.accounts import accounts, tokens


def blueprint(backend: Backend) -> Documented:
    """Create the routes."""
    routes = Documented("accounts")
    decoder = msgspec.json.Decoder(TokenRequest)

    @routes.serve(
        "GET",
        "/v1/accounts",
        Operation(
            summary="List the accounts and their roles",
            tag="Accounts",
            query=NoQuery,
            answers={JSON: AccountsAnswer},
            problems=READS,
            permission=Permission.ACCOUNTS_WRITE,
            headers={"If-None-Match": "The ETag of your last answer."},
            is_conditional=True,
        ),
    )
    def list_accounts() -> Response:
        read_query(NoQuery)
        found = accounts.list_accounts(backend.store(), caller().actor)
        return respond_checked(AccountsAnswer(accounts=tuple(map(account_answer, found))))

    @routes.serve(
        "GET",
        "/v1/tokens",
        Operation(
            summary="List an account's tokens",
            tag="Accounts",
            query=TokensQuery,
            answers={JSON: TokensAnswer},
            problems=(*READS, problems.ACCOUNT_NOT_FOUND),
            permission=Permission.ACCOUNTS_WRITE,
            headers={"If-None-Match": "The ETag of your last answer."},
            is_conditional=True,
        ),
    )
    def list_tokens() -> Response:
        asked = read_query(TokensQuery)
        found = tokens.list_tokens(backend.store(), caller().actor, asked.account_id)
        return respond_checked(TokensAnswer(tokens=tuple(map(token_answer, found))))

    @routes.serve(
        "POST",
        "/v1/tokens",
        Operation(
            summary="Create a token",
            description="The secret is shown once. The token has its account's permissions, limited to its scopes.",
            tag="Accounts",
            body=TokenRequest,
            answers={JSON: TokenAnswer},
            problems=(*WRITES, problems.ACCOUNT_NOT_FOUND),
            permission=Permission.ACCOUNTS_WRITE,
            status=201,
            headers=KEY_HEADER,
            example={
                "account_id": "5f0c91ab2d3e4f60",
                "label": "the hospital's booking system",
                "scopes": ["referrals:write"],
            },
        ),
    )
    def make_token() -> Response:
        asked = read_json(decoder)

        def make() -> TokenAnswer:
            now = backend.now()
            made = tokens.create_token(
                backend.store(),
                caller().actor,
                account_id=asked.account_id,
                label=asked.label,
                scopes=frozenset(asked.scopes),
                expires_at=now + timedelta(days=asked.days),
                now=now,
            )
            return token_answer(made.token, made.secret)

        return respond(once(backend, "make_token", asked, TokenAnswer, make, masked="secret"), status=201)

    @routes.serve(
        "DELETE",
        "/v1/tokens/<token_id>",
        Operation(
            summary="Revoke a token",
            description="It stops working immediately and permanently. Nothing happens if it is already revoked.",
            tag="Accounts",
            path={"token_id": "The token's id, not its secret."},
            answers={},
            problems=(*READS, problems.IDEMPOTENCY_KEY_MISSING),
            permission=Permission.ACCOUNTS_WRITE,
            status=204,
            headers=KEY_HEADER,
        ),
    )
    def revoke_token(token_id: str) -> Response:
        tokens.revoke_token(backend.store(), caller().actor, token_id=token_id, now=backend.now())
        return Response(status=204)

    return routes
