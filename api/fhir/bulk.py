"""``/fhir/$bulk-publish``: sites and the spots left, for clients that keep a copy."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from flask import Response, request
from msgspec import Meta
from werkzeug.exceptions import NotFound

from api.backend import Backend
from api.fhir.routes import REFUSAL, choose_fhir, fhir_base
from api.http import problems
from api.http.answers import encode, respond_cacheable
from api.http.negotiation import FHIR, JSON, NDJSON, choose_media_type
from api.http.operations import Documented, Operation
from api.http.reading import read_query
from sitematch.exporters.fhir.types import Manifest, Output, OutputExtension
from sitematch.exporters.wire.matches import Instant, Wire
from sitematch.services.exchange.publishing import CatalogueWatch, File, State, files_since, publish, read_state

_READS = (problems.INVALID_INPUT, problems.NOT_ACCEPTABLE, problems.BUSY, problems.STORAGE_FAULT, problems.NOT_READY)
_MATCHED = {"If-None-Match": "The ETag of your last answer."}


class BulkQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The time since which changes are requested."""

    since: Annotated[
        Instant | None,
        Meta(description="The transactionTime of your last answer: lists only what may have changed since then."),
    ] = msgspec.field(default=None, name="_since")
    format: Annotated[str | None, Meta(description="json. The Accept header has the same effect.")] = msgspec.field(
        default=None, name="_format"
    )


class FileQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The time since which changes are requested."""

    since: Annotated[
        Instant | None, Meta(description="Leave out what has certainly not changed since then. The manifest sets this.")
    ] = msgspec.field(default=None, name="_since")


def blueprint(backend: Backend) -> Documented:
    """Create the routes."""
    routes = Documented("fhir_bulk")
    watch = CatalogueWatch()

    @routes.serve(
        "GET",
        "/fhir/$bulk-publish",
        Operation(
            summary="List the files of sites and spots left",
            description="Follows SMART Scheduling Links. Ask at most once a minute, with If-None-Match.",
            tag="FHIR",
            query=BulkQuery,
            answers={FHIR: Manifest, JSON: Manifest},
            problems=_READS,
            headers=_MATCHED,
            refusal=REFUSAL,
            is_conditional=True,
        ),
    )
    def manifest() -> Response:
        media_type = choose_fhir()
        since = read_query(BulkQuery).since
        base = fhir_base(backend)
        state = read_state(backend.store(), backend.now())
        output = tuple(_output(base, file, state, start) for file, start in files_since(watch, state, since).items())
        given = {} if since is None else {"_since": _instant(since)}
        answer = Manifest(
            transaction_time=state.now,
            request=_address(f"{base}/$bulk-publish", given),
            output=output,
            error=(),
        )
        without_count_time = msgspec.structs.replace(answer, transaction_time=datetime(1970, 1, 1, tzinfo=UTC))
        return respond_cacheable(encode(answer), media_type, vary=True, same_as=encode(without_count_time))

    @routes.serve(
        "GET",
        "/fhir/bulk/<kind>.ndjson",
        Operation(
            summary="Get one file of sites or spots left",
            description="One resource per line.",
            tag="FHIR",
            path={"kind": "Location, HealthcareService, Schedule or Slot."},
            query=FileQuery,
            answers={NDJSON: str},
            problems=(*_READS, problems.NOT_FOUND),
            headers=_MATCHED,
            refusal=REFUSAL,
            is_conditional=True,
            example={"kind": "Slot"},
        ),
    )
    def file(kind: str) -> Response:
        media_type = choose_media_type((NDJSON, "application/ndjson", "application/x-ndjson"))
        wanted = next((one for one in File if one.value == kind), None)
        if wanted is None:
            raise NotFound
        since = read_query(FileQuery).since
        store = backend.store()
        state = read_state(store, backend.now())
        files = files_since(watch, state, since)
        response = Response(content_type=media_type)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Vary"] = "Accept"
        response.set_etag(f"{state.version(wanted)}-{'' if since is None else _instant(since)}", weak=True)
        response.make_conditional(request)
        if response.status_code != 304 and wanted in files:
            lines = publish(store, wanted, state, files[wanted])
            # The first part is read before the answer begins, so that an unavailable database gives a 503.
            response.response = itertools.chain([next(lines, b"")], lines)
            # Set for the empty answer; the length of a stream is unknown.
            response.headers.pop("Content-Length", None)
        return response

    return routes


def _output(base: str, file: File, state: State, since: datetime | None) -> Output:
    given = {} if since is None else {"_since": _instant(since)}
    return Output(
        type=file.value,
        url=_address(f"{base}/bulk/{file.value}.ndjson", given),
        extension=OutputExtension(version=state.version(file)),
    )


def _address(address: str, given: dict[str, str]) -> str:
    return f"{address}?{urlencode(given)}" if given else address


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
