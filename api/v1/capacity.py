"""``/v1/capacity``, ``/v1/caps`` and ``/v1/policy``: the spots left, and the caps and rules behind them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import msgspec
from flask import Response, request

from api.access import KEY_HEADER, caller
from api.backend import Backend
from api.http import problems
from api.http.answers import encode, respond, respond_checked
from api.http.negotiation import GEOJSON, JSON, choose_media_type
from api.http.operations import Documented, Operation
from api.http.reading import read_json, read_query
from api.http.tables import TABULAR, respond_table
from api.v1.schemas.capacity import (
    CapacityAnswer,
    CapacityQuery,
    CapRequest,
    CapsAnswer,
    ClosureRequest,
    OpeningAnswer,
    OpeningRequest,
    PartRequest,
    PolicyRequest,
    StudyQuery,
)
from sitematch.domain.accounts.access import Permission
from sitematch.domain.capacity.caps import CapUsage
from sitematch.domain.capacity.spot import SpotPolicy
from sitematch.errors import SiteNotFound
from sitematch.exporters.geojson import CapacityCollection, capacity_geojson
from sitematch.exporters.tables.rows import CAPACITY_HEADER
from sitematch.exporters.wire.capacity import (
    CapAnswer,
    PolicyAnswer,
    SiteCapacityAnswer,
    cap_answer,
    policy_answer,
    site_capacity_answer,
)
from sitematch.services.capacity import coordinating, site_page
from sitematch.services.exchange.exporting import with_places
from sitematch.services.studies.catalogue import catalogue_version

READS = (
    problems.INVALID_INPUT,
    problems.NOT_SIGNED_IN,
    problems.NOT_ALLOWED,
    problems.STUDY_NOT_FOUND,
    problems.BUSY,
    problems.STORAGE_FAULT,
    problems.NOT_READY,
)
"""The error responses of a coordinator's read."""

WRITES = (
    *READS,
    problems.IDEMPOTENCY_KEY_MISSING,
    problems.IDEMPOTENCY_CONFLICT,
    problems.INVALID_JSON,
    problems.TOO_LARGE,
    problems.UNSUPPORTED_MEDIA_TYPE,
)
"""The error responses of a coordinator's write."""

_ANSWERS: dict[str, type] = {JSON: CapacityAnswer, GEOJSON: CapacityCollection, **TABULAR}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def blueprint(backend: Backend) -> Documented:
    """Create the routes."""
    routes = Documented("capacity")
    _serve_capacity(routes, backend)
    _serve_caps(routes, backend)
    _serve_openings(routes, backend)
    _serve_policy(routes, backend)
    return routes


def _serve_capacity(routes: Documented, backend: Backend) -> None:
    @routes.serve(
        "GET",
        "/v1/capacity",
        Operation(
            summary="Get the spots of every site",
            description="Use If-None-Match, or `since` to get only the changes. Once a minute is enough.",
            tag="Capacity",
            query=CapacityQuery,
            answers=_ANSWERS,
            problems=(*READS, problems.SITE_NOT_FOUND, problems.NOT_ACCEPTABLE),
            permission=Permission.CAPACITY_READ,
            headers={"If-None-Match": "The ETag of your last answer."},
            is_conditional=True,
        ),
    )
    def show() -> Response:
        media_type = choose_media_type(tuple(_ANSWERS))
        asked = read_query(CapacityQuery)
        study_id, store, now = asked.study_id or backend.settings.study_id, backend.store(), backend.now()
        version = catalogue_version(store)
        found = coordinating.capacity(
            store, caller().actor, study_id, now, as_of=asked.as_of, since=asked.since, arm=asked.arm
        )
        found = tuple(site for site in found if asked.site_id in (None, site.site_id))
        if asked.site_id is not None and not found and asked.since is None:
            raise SiteNotFound(f"{study_id} has no site {asked.site_id!r}.", field="site_id")
        sites = tuple(map(site_capacity_answer, found))
        if media_type == JSON:
            response = respond(
                CapacityAnswer(study_id=study_id, as_of=asked.as_of or now, catalogue=version, sites=sites)
            )
        elif media_type == GEOJSON:
            response = respond(capacity_geojson(with_places(store, study_id, found)), GEOJSON)
        else:
            rows = with_places(store, study_id, found)
            response = respond_table(media_type, "capacity", study_id, CAPACITY_HEADER, rows)
        response.headers["Vary"] = "Accept"
        # Weak, because two answers with the same numbers differ in their time of counting.
        response.set_etag(_etag(media_type, version, sites), weak=True)
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
        return response


def _etag(media_type: str, version: str, sites: tuple[SiteCapacityAnswer, ...]) -> str:
    return blake2b(encode([media_type, version, without_count_time(sites)]), digest_size=12).hexdigest()


def without_count_time(sites: tuple[SiteCapacityAnswer, ...]) -> list[SiteCapacityAnswer]:
    """Return the numbers without their time of counting, to detect whether any of them changed."""
    return [msgspec.structs.replace(site, as_of=_EPOCH) for site in sites]


def _serve_caps(routes: Documented, backend: Backend) -> None:
    cap_decoder = msgspec.json.Decoder(CapRequest)
    closure_decoder = msgspec.json.Decoder(ClosureRequest)
    part_decoder = msgspec.json.Decoder(PartRequest)
    changes_cap = (*WRITES, problems.SITE_NOT_FOUND)

    def change_part(change: Callable[..., CapUsage]) -> Response:
        asked = read_json(part_decoder)
        study_id = asked.study_id or backend.settings.study_id
        usage = change(backend.store(), caller(), study_id=study_id, key=asked.key(), now=backend.now())
        return respond(cap_answer(usage))

    @routes.serve(
        "GET",
        "/v1/caps",
        Operation(
            summary="List the caps and the spots taken under each",
            tag="Capacity",
            query=StudyQuery,
            answers={JSON: CapsAnswer},
            problems=READS,
            permission=Permission.CAPACITY_READ,
            headers={"If-None-Match": "The ETag of your last answer."},
            is_conditional=True,
        ),
    )
    def list_caps() -> Response:
        study_id = read_query(StudyQuery).study_id or backend.settings.study_id
        found = coordinating.caps(backend.store(), caller().actor, study_id, backend.now())
        answer = CapsAnswer(study_id=study_id, caps=tuple(map(cap_answer, found)))
        # Two answers with the same numbers differ in their time of counting.
        same = tuple(msgspec.structs.replace(cap, as_of=_EPOCH) for cap in answer.caps)
        return respond_checked(answer, same_as=msgspec.structs.replace(answer, caps=same))

    @routes.serve(
        "POST",
        "/v1/caps",
        Operation(
            summary="Set or remove a cap",
            description="A cap below the spots taken shows as over-enrolled, and no more spots are given.",
            tag="Capacity",
            body=CapRequest,
            answers={JSON: CapAnswer},
            problems=changes_cap,
            permission=Permission.CAPS_WRITE,
            headers=KEY_HEADER,
            example={"level": "SITE", "scope": "NCT06064929-001", "spots": 3},
        ),
    )
    def set_cap() -> Response:
        asked = read_json(cap_decoder)
        study_id = asked.study_id or backend.settings.study_id
        usage = coordinating.set_cap(
            backend.store(), caller(), study_id=study_id, key=asked.key(), spots=asked.spots, now=backend.now()
        )
        return respond(cap_answer(usage))

    @routes.serve(
        "POST",
        "/v1/caps/closure",
        Operation(
            summary="Close a part of the study to new patients",
            description="Referrals in progress continue; participants still count.",
            tag="Capacity",
            body=ClosureRequest,
            answers={JSON: CapAnswer},
            problems=changes_cap,
            permission=Permission.CAPS_WRITE,
            headers=KEY_HEADER,
            example={"level": "COUNTRY", "scope": "US", "reason": "SUPPLY"},
        ),
    )
    def close() -> Response:
        asked = read_json(closure_decoder)
        usage = coordinating.close(
            backend.store(),
            caller(),
            study_id=asked.study_id or backend.settings.study_id,
            key=asked.key(),
            now=backend.now(),
            reason=asked.reason,
            closed_on=asked.closed_on,
        )
        return respond(cap_answer(usage))

    @routes.serve(
        "POST",
        "/v1/caps/reopening",
        Operation(
            summary="Undo a closure",
            description="A site stays closed if its registry status is closed to new patients.",
            tag="Capacity",
            body=PartRequest,
            answers={JSON: CapAnswer},
            problems=changes_cap,
            permission=Permission.CAPS_WRITE,
            headers=KEY_HEADER,
            example={"level": "COUNTRY", "scope": "US"},
        ),
    )
    def reopen() -> Response:
        return change_part(coordinating.reopen)


def _serve_openings(routes: Documented, backend: Backend) -> None:
    decoder = msgspec.json.Decoder(OpeningRequest)

    @routes.serve(
        "PUT",
        "/v1/sites/<site_id>/opening",
        Operation(
            summary="Record the day on which a site opened or will open",
            description="The forecast counts the site's open time from that day. It cannot be after its first spot.",
            tag="Capacity",
            path={"site_id": "The site's id from /v1/sites."},
            body=OpeningRequest,
            answers={JSON: OpeningAnswer},
            problems=(*WRITES, problems.SITE_NOT_FOUND),
            permission=Permission.CAPS_WRITE,
            headers=KEY_HEADER,
            example={"opened_on": "2026-03-01"},
        ),
    )
    def set_opening(site_id: str) -> Response:
        asked = read_json(decoder)
        recorded = site_page.set_opening(
            backend.store(),
            caller(),
            study_id=asked.study_id or backend.settings.study_id,
            site_id=site_id,
            opened_on=asked.opened_on,
            now=backend.now(),
        )
        return respond(OpeningAnswer(site_id=recorded.site_id, opened_on=recorded.opened_on))


def _serve_policy(routes: Documented, backend: Backend) -> None:
    decoder = msgspec.json.Decoder(PolicyRequest)

    @routes.serve(
        "GET",
        "/v1/policy",
        Operation(
            summary="Get the study's rules for spots",
            tag="Capacity",
            query=StudyQuery,
            answers={JSON: PolicyAnswer},
            problems=READS,
            permission=Permission.CAPACITY_READ,
            headers={"If-None-Match": "The ETag of your last answer."},
            is_conditional=True,
        ),
    )
    def show_policy() -> Response:
        study_id = read_query(StudyQuery).study_id or backend.settings.study_id
        return respond_checked(policy_answer(coordinating.policy(backend.store(), caller().actor, study_id)))

    @routes.serve(
        "PUT",
        "/v1/policy",
        Operation(
            summary="Set the study's rules for spots",
            description="They also apply to current referrals, but existing holds keep their expiry time.",
            tag="Capacity",
            body=PolicyRequest,
            answers={JSON: PolicyAnswer},
            problems=(*WRITES, problems.INVALID_POLICY),
            permission=Permission.CAPS_WRITE,
            headers=KEY_HEADER,
            example={"hold_hours": 48, "offer_hours": 48, "gives_back": ["SCREEN_FAILED"], "waiting_list": True},
        ),
    )
    def set_policy() -> Response:
        asked = read_json(decoder)
        rules = SpotPolicy(
            hold=timedelta(hours=asked.hold_hours),
            offer=timedelta(hours=asked.offer_hours),
            gives_back=frozenset(asked.gives_back),
            waiting_list=asked.waiting_list,
            extension=timedelta(hours=asked.extension_hours),
            screening_window=None if asked.screening_days is None else timedelta(days=asked.screening_days),
            open_holds_per_site=asked.open_holds_per_site,
            open_holds_per_account=asked.open_holds_per_account,
        )
        study_id = asked.study_id or backend.settings.study_id
        done = coordinating.set_policy(backend.store(), caller(), study_id=study_id, policy=rules, now=backend.now())
        return respond(policy_answer(done))
