"""``/v1/referrals`` and ``/v1/waiting-list``: the life of a spot."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from flask import Response, request

from api.access import KEY_HEADER, caller
from api.backend import Backend
from api.http import problems
from api.http.answers import respond, respond_checked
from api.http.negotiation import JSON
from api.http.operations import Documented, Operation
from api.http.reading import read_json, read_query
from api.v1.capacity import READS, WRITES
from api.v1.schemas.capacity import (
    EmptyRequest,
    HistoryAnswer,
    HoldRequest,
    ReferralsAnswer,
    ReferralsQuery,
    StudyQuery,
    WaitingListAnswer,
    WaitRequest,
    move_request,
)
from api.v1.schemas.finding import NoQuery
from sitematch.domain.accounts.access import Permission
from sitematch.domain.capacity.states import ACTIONS, MOVES, Action, ActionFacts, Needs
from sitematch.exporters.wire.capacity import ReferralAnswer, event_answer, referral_answer, waiting_answers
from sitematch.services.capacity import coordinating, referral_lists

_ONE = {"referral_id": "The referral's id."}
_TAKES = (*WRITES, problems.SITE_NOT_FOUND, problems.SITE_CLOSED, problems.ILLEGAL_TRANSITION)
_MOVES = (*WRITES, problems.REFERRAL_NOT_FOUND, problems.ILLEGAL_TRANSITION)
_PROBLEMS = {
    Action.EXTEND_HOLD: (problems.EXTENSION_TOO_LONG,),
    Action.TRANSFER: (
        *(problems.SITE_NOT_FOUND, problems.SITE_CLOSED),
        *(problems.NO_SPOTS_LEFT, problems.TOO_MANY_HOLDS),
    ),
    Action.CORRECT: (problems.NO_SPOTS_LEFT,),
}
"""Problems of single actions."""
_EXAMPLES: dict[Needs, dict[str, Any]] = {Needs.HOURS: {"hours": 24}, Needs.SITE: {"site_id": "NCT06064929-002"}}


def blueprint(backend: Backend) -> Documented:
    """Create the routes."""
    routes = Documented("referrals")
    _serve_holds(routes, backend)
    _serve_one(routes, backend)
    _serve_moves(routes, backend)
    _serve_waiting(routes, backend)
    return routes


def _serve_holds(routes: Documented, backend: Backend) -> None:
    decoder = msgspec.json.Decoder(HoldRequest)

    @routes.serve(
        "POST",
        "/v1/referrals",
        Operation(
            summary="Hold a spot for a referral",
            description="If two requests want the last spot, one gets it and the other is told which cap is full.",
            tag="Referrals",
            body=HoldRequest,
            answers={JSON: ReferralAnswer},
            problems=(*_TAKES, problems.NO_SPOTS_LEFT, problems.TOO_MANY_HOLDS),
            permission=Permission.REFERRALS_WRITE,
            status=201,
            headers=KEY_HEADER,
            example={"site_id": "NCT06064929-001", "referral_id": "r-2026-017"},
        ),
    )
    def hold() -> Response:
        asked = read_json(decoder)
        found = coordinating.hold(
            backend.store(),
            caller(),
            study_id=asked.study_id or backend.settings.study_id,
            site_id=asked.site_id,
            referral_id=asked.referral_id,
            now=backend.now(),
            arm=asked.arm,
            hold_for=None if asked.hold_hours is None else timedelta(hours=asked.hold_hours),
        )
        response = respond(referral_answer(found), status=201)
        response.headers["Location"] = f"/v1/referrals/{found.referral_id}"
        return response

    @routes.serve(
        "GET",
        "/v1/referrals",
        Operation(
            summary="List referrals",
            description="The referrals that you can see, in pages. A page that looked at 20,000 referrals ends there, "
            "even if it is not full; `searched_to` says how far it got.",
            tag="Referrals",
            query=ReferralsQuery,
            answers={JSON: ReferralsAnswer},
            problems=READS,
            permission=Permission.REFERRALS_READ,
            headers={"If-None-Match": "The ETag of your last answer."},
            is_conditional=True,
        ),
    )
    def list_referrals() -> Response:
        asked = read_query(ReferralsQuery)
        study_id = asked.study_id or backend.settings.study_id
        found = referral_lists.find(
            backend.store(),
            caller().actor,
            study_id,
            backend.now(),
            asked.wanted(),
            limit=asked.limit,
            cursor=asked.before,
        )
        shown = tuple(map(referral_answer, found.referrals))
        return respond_checked(
            ReferralsAnswer(study_id=study_id, referrals=shown, next=found.cursor, searched_to=found.searched_to)
        )


def _serve_one(routes: Documented, backend: Backend) -> None:
    @routes.serve(
        "GET",
        "/v1/referrals/<referral_id>",
        Operation(
            summary="Get the state of a referral",
            tag="Referrals",
            path=_ONE,
            query=NoQuery,
            answers={JSON: ReferralAnswer},
            problems=(*READS, problems.REFERRAL_NOT_FOUND),
            permission=Permission.REFERRALS_READ,
            headers={"If-None-Match": "The ETag of your last answer."},
            is_conditional=True,
        ),
    )
    def show(referral_id: str) -> Response:
        read_query(NoQuery)
        return respond_checked(
            referral_answer(coordinating.referral(backend.store(), caller().actor, referral_id, backend.now()))
        )

    @routes.serve(
        "GET",
        "/v1/referrals/<referral_id>/history",
        Operation(
            summary="Get the history of a referral",
            tag="Referrals",
            path=_ONE,
            query=NoQuery,
            answers={JSON: HistoryAnswer},
            problems=(*READS, problems.REFERRAL_NOT_FOUND),
            permission=Permission.AUDIT_READ,
            headers={"If-None-Match": "The ETag of your last answer."},
            is_conditional=True,
        ),
    )
    def history(referral_id: str) -> Response:
        read_query(NoQuery)
        store, actor, now = backend.store(), caller().actor, backend.now()
        events = coordinating.history(store, actor, referral_id, now)
        found = coordinating.referral(store, actor, referral_id, now)
        return respond_checked(HistoryAnswer(referral=referral_answer(found), events=tuple(map(event_answer, events))))


def _serve_moves(routes: Documented, backend: Backend) -> None:
    for action in MOVES:
        _serve_move(routes, backend, action, ACTIONS[action])


def _serve_move(routes: Documented, backend: Backend, action: Action, facts: ActionFacts) -> None:
    """Create the route of one action, from its row in the table of actions."""
    body = move_request(action)
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(EmptyRequest if body is None else body)
    has_to_have_body = body is not None and facts.needs is not Needs.HOURS
    summary, _, description = facts.text.rstrip(".").partition(". ")

    def move(referral_id: str) -> Response:
        # An action without a reason needs no body, and an extension has a default.
        asked = read_json(decoder) if has_to_have_body or request.get_data() else None
        reason = getattr(asked, "reason", None)
        found = coordinating.move(
            backend.store(),
            caller(),
            action=action,
            referral_id=referral_id,
            now=backend.now(),
            reason=None if reason is None else reason.value,
            hours=getattr(asked, "hours", None),
            site_id=getattr(asked, "site_id", None),
        )
        return respond(referral_answer(found))

    move.__name__ = action.value
    routes.serve(
        "POST",
        f"/v1/referrals/<referral_id>/{facts.path}",
        Operation(
            summary=summary,
            description=f"{description}." if description else "",
            tag="Referrals",
            path=_ONE,
            body=body,
            answers={JSON: ReferralAnswer},
            problems=(*_MOVES, *_PROBLEMS.get(action, (problems.SITE_CLOSED,) if facts.checks_open else ())),
            permission=Permission.REFERRALS_WRITE,
            headers=KEY_HEADER,
            example=_example(facts),
        ),
    )(move)


def _example(facts: ActionFacts) -> dict[str, Any] | None:
    if facts.reasons is not None:
        return {"reason": list(facts.reasons)[2].value}
    return None if facts.needs is None else _EXAMPLES[facts.needs]


def _serve_waiting(routes: Documented, backend: Backend) -> None:
    decoder = msgspec.json.Decoder(WaitRequest)

    @routes.serve(
        "POST",
        "/v1/waiting-list",
        Operation(
            summary="Wait for a spot",
            description="By priority, then by waiting time. A free spot is offered immediately, for a limited time.",
            tag="Waiting list",
            body=WaitRequest,
            answers={JSON: ReferralAnswer},
            problems=_TAKES,
            permission=Permission.WAITING_LIST_WRITE,
            status=201,
            headers=KEY_HEADER,
            example={"site_ids": ["NCT06064929-001", "NCT06064929-002"], "referral_id": "r-2026-018"},
        ),
    )
    def wait() -> Response:
        asked = read_json(decoder)
        found = coordinating.join_waiting_list(
            backend.store(),
            caller(),
            study_id=asked.study_id or backend.settings.study_id,
            site_ids=asked.site_ids,
            referral_id=asked.referral_id,
            now=backend.now(),
            priority=asked.priority,
            arm=asked.arm,
        )
        response = respond(referral_answer(found), status=201)
        response.headers["Location"] = f"/v1/referrals/{found.referral_id}"
        return response

    @routes.serve(
        "GET",
        "/v1/waiting-list",
        Operation(
            summary="List the waiting referrals, next first",
            tag="Waiting list",
            query=StudyQuery,
            answers={JSON: WaitingListAnswer},
            problems=READS,
            permission=Permission.REFERRALS_READ,
            headers={"If-None-Match": "The ETag of your last answer."},
            is_conditional=True,
        ),
    )
    def list_waiting() -> Response:
        study_id = read_query(StudyQuery).study_id or backend.settings.study_id
        found = coordinating.waiting_list(backend.store(), caller().actor, study_id)
        return respond_checked(WaitingListAnswer(study_id=study_id, entries=waiting_answers(found)))
