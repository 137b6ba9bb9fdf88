"""``/v1/referrals`` and ``/v1/waiting-list``: the life of a spot."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from flask import Response, request

from api.access import KEY_HEADER, caller
from api.backend import Backend
from api.http import problems
from api.http.answers import respond
from api.http.negotiation import JSON
from api.http.operations import Documented, Operation
from api.http.reading import read_json, read_query
from api.v1.capacity import READS, WRITES
from api.v1.schemas.capacity import (
    HistoryAnswer,
    HoldRequest,
    NoBody,
    ReferralsAnswer,
    ReferralsQuery,
    ScreenFailureRequest,
    StudyQuery,
    WaitingListAnswer,
    WaitRequest,
    WithdrawalRequest,
)
from api.v1.schemas.finding import NoQuery
from sitematch.domain.accounts.access import Permission
from sitematch.domain.capacity.spot import Action
from sitematch.exporters.wire.capacity import ReferralAnswer, event_answer, referral_answer, waiting_answers
from sitematch.services.capacity import coordinating

_ONE = {"referral_id": "The referral's id."}
_TAKES = (*WRITES, problems.SITE_NOT_FOUND, problems.SITE_CLOSED, problems.ILLEGAL_TRANSITION)
_MOVES = (*WRITES, problems.REFERRAL_NOT_FOUND, problems.ILLEGAL_TRANSITION)


def blueprint(backend: Backend) -> Documented:
    """Make the routes."""
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
            problems=(*_TAKES, problems.NO_SPOTS_LEFT),
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
            description="The referrals that you can see, latest change first, in pages.",
            tag="Referrals",
            query=ReferralsQuery,
            answers={JSON: ReferralsAnswer},
            problems=READS,
            permission=Permission.REFERRALS_READ,
        ),
    )
    def list_referrals() -> Response:
        asked = read_query(ReferralsQuery)
        study_id = asked.study_id or backend.settings.study_id
        found = coordinating.referrals(
            backend.store(), caller().actor, study_id, backend.now(), site_id=asked.site_id, state=asked.state
        )
        wanted = [item for item in found if asked.before is None or item.seq < asked.before]
        shown = tuple(map(referral_answer, wanted[: asked.limit]))
        following = shown[-1].seq if len(wanted) > len(shown) else None
        return respond(ReferralsAnswer(study_id=study_id, referrals=shown, next=following))


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
        ),
    )
    def show(referral_id: str) -> Response:
        read_query(NoQuery)
        return respond(
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
        ),
    )
    def history(referral_id: str) -> Response:
        read_query(NoQuery)
        store, actor, now = backend.store(), caller().actor, backend.now()
        events = coordinating.history(store, actor, referral_id, now)
        found = coordinating.referral(store, actor, referral_id, now)
        return respond(HistoryAnswer(referral=referral_answer(found), events=tuple(map(event_answer, events))))


def _serve_moves(routes: Documented, backend: Backend) -> None:
    nothing = msgspec.json.Decoder(NoBody)
    failure = msgspec.json.Decoder(ScreenFailureRequest)
    leaving = msgspec.json.Decoder(WithdrawalRequest)

    def move(referral_id: str, action: Action, reason: str | None = None) -> Response:
        found = coordinating.move(
            backend.store(), caller(), action=action, referral_id=referral_id, now=backend.now(), reason=reason
        )
        return respond(referral_answer(found))

    def read_nothing() -> None:
        if request.get_data():
            read_json(nothing)

    def documented(summary: str, description: str = "", *, may_be_closed: bool = False, **body: object) -> Operation:
        return Operation(
            summary=summary,
            description=description,
            tag="Referrals",
            path=_ONE,
            answers={JSON: ReferralAnswer},
            problems=(*_MOVES, problems.SITE_CLOSED) if may_be_closed else _MOVES,
            permission=Permission.REFERRALS_WRITE,
            headers=KEY_HEADER,
            **body,  # type: ignore[arg-type]
        )

    @routes.serve(
        "POST",
        "/v1/referrals/<referral_id>/acceptance",
        documented("Turn an offer from the waiting list into a hold", may_be_closed=True),
    )
    def accept(referral_id: str) -> Response:
        read_nothing()
        return move(referral_id, Action.ACCEPT_OFFER)

    @routes.serve(
        "POST",
        "/v1/referrals/<referral_id>/screening",
        documented("Start screening", "The spot is kept until screening ends."),
    )
    def screen(referral_id: str) -> Response:
        read_nothing()
        return move(referral_id, Action.START_SCREENING)

    @routes.serve("POST", "/v1/referrals/<referral_id>/enrollment", documented("Enroll a screened referral"))
    def enroll(referral_id: str) -> Response:
        read_nothing()
        return move(referral_id, Action.ENROLL)

    @routes.serve(
        "POST",
        "/v1/referrals/<referral_id>/release",
        documented("Give the spot back, decline an offer, or stop waiting"),
    )
    def release(referral_id: str) -> Response:
        read_nothing()
        return move(referral_id, Action.RELEASE)

    @routes.serve(
        "POST",
        "/v1/referrals/<referral_id>/screen-failure",
        documented(
            "Record that screening failed",
            "The study's rules say whether the spot comes back.",
            body=ScreenFailureRequest,
            example={"reason": "LABORATORY"},
        ),
    )
    def fail(referral_id: str) -> Response:
        return move(referral_id, Action.SCREEN_FAILURE, read_json(failure).reason.value)

    @routes.serve(
        "POST",
        "/v1/referrals/<referral_id>/withdrawal",
        documented(
            "Record that a participant left",
            "The study's rules say whether the spot comes back.",
            body=WithdrawalRequest,
            example={"reason": "CONSENT_WITHDRAWN"},
        ),
    )
    def withdraw(referral_id: str) -> Response:
        return move(referral_id, Action.WITHDRAW, read_json(leaving).reason.value)


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
        ),
    )
    def list_waiting() -> Response:
        study_id = read_query(StudyQuery).study_id or backend.settings.study_id
        found = coordinating.waiting_list(backend.store(), caller().actor, study_id)
        return respond(WaitingListAnswer(study_id=study_id, entries=waiting_answers(found)))
