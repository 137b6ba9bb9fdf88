"""``/fhir``: reading and searching sites, studies and spots left as FHIR R4 resources."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from flask import Response, request
from msgspec import Meta, Struct
from werkzeug.exceptions import NotAcceptable, UnsupportedMediaType

from api.backend import Backend
from api.fhir.params import ABOUT_STUDIES, PARAMETERS, SORTS
from api.fhir.query import Pairs, ParsedSearch, mark_text, read_search
from api.fhir.subset import read_subset
from api.http import problems
from api.http.answers import encode, respond, respond_cacheable, respond_checked
from api.http.negotiation import FHIR, JSON, best_media_type
from api.http.operations import Documented, Operation, View
from api.http.reading import read_body
from sitematch.errors import InvalidInput
from sitematch.exporters.fhir.bundle import found_entry, outcome_entry
from sitematch.exporters.fhir.capability import READ_AND_SEARCH, capability_statement
from sitematch.exporters.fhir.resources import without_count_time
from sitematch.exporters.fhir.types import (
    Bundle,
    CapabilityStatement,
    Entry,
    FhirLocation,
    FhirOrganization,
    FhirService,
    FhirStudy,
    Link,
    OperationOutcome,
    SearchParam,
    ServedResource,
)
from sitematch.exporters.wire.matches import Wire
from sitematch.services.exchange.fhir import (
    INCLUDES,
    REVERSE_INCLUDES,
    FoundResource,
    ResourceKind,
    join,
    read_resource,
    search,
)
from sitematch.services.studies.directory import DirectoryPage, IdFinder

TYPES: dict[ResourceKind, type[Struct]] = {
    ResourceKind.LOCATION: FhirLocation,
    ResourceKind.HEALTHCARE_SERVICE: FhirService,
    ResourceKind.RESEARCH_STUDY: FhirStudy,
    ResourceKind.ORGANIZATION: FhirOrganization,
}
REFUSAL = (FHIR, OperationOutcome)
FORM = "application/x-www-form-urlencoded"
_VERSION = re.compile(r";\s*fhirversion\s*=\s*\"?([\w.]*)", re.IGNORECASE)
_VERSIONS = frozenset({"4.0", "4.0.1"})
_FORMATS = frozenset({"json", "application/json", "application/fhir+json", "text/json"})
_READS = (problems.NOT_ACCEPTABLE, problems.BUSY, problems.STORAGE_FAULT, problems.NOT_READY)
_SEARCHES = (problems.INVALID_INPUT, problems.UNKNOWN_COUNTRY, *_READS)
_POSTS = (*_SEARCHES, problems.TOO_LARGE, problems.UNSUPPORTED_MEDIA_TYPE)
Relation = Literal["self", "first", "previous", "next"]
_IN_ADDRESS = f"Do not put a patient's coordinates into a URL: send the search with POST. {ABOUT_STUDIES}"
_PREFER = {"Prefer": "handling=strict rejects unsupported parameters; handling=lenient, the default, reports them."}
_COMMON = {
    "_count": "Results per page; more than 500 count as 500, and the default is 50.",
    "_sort": "Parameters to sort by, at most three, all forwards or all backwards: name or -name,-_id.",
    "_summary": "true, text, data, count or false: which elements to send.",
    "_elements": "Names of the elements to send, with commas between them.",
    "_include": "Linked resources to include.",
    "_revinclude": "Resources that refer to the results, to include.",
    "_format": "json. The Accept header has the same effect.",
}


class ReadQuery(Wire, frozen=True):
    """The elements of a resource to send."""

    summary: Annotated[Literal["true", "text", "data", "false"] | None, Meta(description="Which elements to send.")] = (
        msgspec.field(default=None, name="_summary")
    )
    elements: Annotated[str | None, Meta(description="Names of the elements to send, with commas between them.")] = (
        msgspec.field(default=None, name="_elements")
    )
    format: Annotated[str | None, Meta(description="json. The Accept header has the same effect.")] = msgspec.field(
        default=None, name="_format"
    )


def blueprint(backend: Backend) -> Documented:
    """Create the routes."""
    routes = Documented("fhir")
    _serve_metadata(routes, backend)
    for kind in ResourceKind:
        _serve_type(routes, backend, kind)
    return routes


def fhir_base(backend: Backend) -> str:
    """Return the URL of the FHIR service, for links."""
    return f"{backend.settings.public_url or request.url_root.rstrip('/')}/fhir"


def choose_fhir() -> str:
    """Choose the answer's media type by ``_format`` or, without it, by the Accept header.

    Raises
    ------
    werkzeug.exceptions.NotAcceptable
        If it is not JSON, or another version of FHIR is asked for (``fhirVersion=5.0``).
    """
    asked = request.values.get("_format")
    if asked is None:
        accept = request.headers.get("Accept", "")
        ranges = [part for part in accept.split(",") if not _is_other_version(part)]
        if accept.strip() and not ranges:
            raise NotAcceptable
        chosen = best_media_type(",".join(ranges), (FHIR, JSON))
        if chosen is None:
            raise NotAcceptable
        return chosen
    if _is_other_version(asked):
        raise NotAcceptable
    # An unescaped plus sign in a URL is a space.
    if asked.partition(";")[0].strip().replace(" ", "+").lower() not in _FORMATS:
        raise NotAcceptable
    return FHIR


def _is_other_version(media_range: str) -> bool:
    found = _VERSION.search(media_range)
    return found is not None and found[1] not in _VERSIONS


def _serve_metadata(routes: Documented, backend: Backend) -> None:
    @routes.serve(
        "GET",
        "/fhir/metadata",
        Operation(
            summary="Get the capability statement",
            tag="FHIR",
            answers={FHIR: CapabilityStatement, JSON: CapabilityStatement},
            problems=(problems.NOT_ACCEPTABLE,),
            headers={"If-None-Match": "The ETag of your last answer."},
            refusal=REFUSAL,
            is_conditional=True,
        ),
    )
    def metadata() -> Response:
        media_type = choose_fhir()
        statement = capability_statement(fhir_base(backend), [_served(kind) for kind in ResourceKind])
        return respond_cacheable(encode(statement), media_type, vary=True)


def _served(kind: ResourceKind) -> ServedResource:
    return ServedResource(
        type=kind.value,
        documentation=ABOUT_STUDIES if kind is ResourceKind.LOCATION else None,
        interaction=READ_AND_SEARCH,
        versioning="no-version",
        conditional_read="not-match",
        search_include=tuple(INCLUDES[kind]),
        search_rev_include=tuple(REVERSE_INCLUDES[kind]),
        search_param=tuple(
            SearchParam(name=one.name, type=one.type, definition=one.definition or None, documentation=one.about)
            for one in PARAMETERS[kind]
        ),
    )


def _serve_type(routes: Documented, backend: Backend, kind: ResourceKind) -> None:
    name, parameters = kind.value.lower(), _parameters(kind)
    bundle: dict[str, type] = {FHIR: Bundle, JSON: Bundle}

    def by_address() -> Response:
        return _search(backend, kind, list(request.args.items(multi=True)), is_form=False)

    def by_form() -> Response:
        read_body()  # cached by the request, which reads the form from it
        if request.mimetype not in ("", FORM):
            raise UnsupportedMediaType
        pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
        return _search(backend, kind, pairs, is_form=True)

    def read(id: str) -> Response:  # noqa: A002 - FHIR's own name for it
        media_type = choose_fhir()
        subset = read_subset(request.args.items(multi=True))
        found = read_resource(backend.store(), kind, id, backend.now())
        # Two answers with the same numbers differ in their time of counting.
        same = encode(subset.of(without_count_time(found)))
        return respond_cacheable(encode(subset.of(found)), media_type, vary=True, same_as=same)

    _register(
        routes,
        "GET",
        f"/fhir/{kind.value}",
        f"search_{name}",
        by_address,
        Operation(
            summary=f"Search for {kind.value}",
            description=_IN_ADDRESS if kind is ResourceKind.LOCATION else "",
            tag="FHIR",
            query=parameters,
            answers=bundle,
            problems=_SEARCHES,
            headers={**_PREFER, "If-None-Match": "The ETag of your last answer."},
            refusal=REFUSAL,
            is_conditional=True,
            example={"_count": 2},
        ),
    )
    _register(
        routes,
        "POST",
        f"/fhir/{kind.value}/_search",
        f"post_search_{name}",
        by_form,
        Operation(
            summary=f"Search for {kind.value} with a form",
            description="Keeps the search out of URLs, and so out of logs."
            + (f" {ABOUT_STUDIES}" if kind is ResourceKind.LOCATION else ""),
            tag="FHIR",
            body=parameters,
            body_type=FORM,
            answers=bundle,
            problems=_POSTS,
            headers=_PREFER,
            refusal=REFUSAL,
            example={"near": "25.96|-80.14|100|km"} if kind is ResourceKind.LOCATION else {"_count": 2},
        ),
    )
    _register(
        routes,
        "GET",
        f"/fhir/{kind.value}/<id>",
        f"read_{name}",
        read,
        Operation(
            summary=f"Read one {kind.value}",
            tag="FHIR",
            path={"id": "The resource in the same form as in searches."},
            query=ReadQuery,
            answers={FHIR: TYPES[kind], JSON: TYPES[kind]},
            problems=(problems.INVALID_INPUT, problems.NOT_FOUND, *_READS),
            headers={"If-None-Match": "The ETag of your last answer."},
            refusal=REFUSAL,
            is_conditional=True,
            example={"id": "NCT06064929" if kind is ResourceKind.RESEARCH_STUDY else "NCT06064929-001"},
        ),
    )


def _register(routes: Documented, method: str, rule: str, name: str, view: View, operation: Operation) -> None:
    view.__name__ = name
    routes.serve(method, rule, operation)(view)


def _parameters(kind: ResourceKind) -> type[Struct]:
    """Create a type that documents the parameters of a search; `read_search` reads them."""
    about = {one.name: one.about for one in PARAMETERS[kind]}
    fields: list[tuple[str, object, object]] = []
    for number, (name, text) in enumerate({**about, **_COMMON}.items()):
        kept = msgspec.field(default=None, name=name)
        fields.append((f"p{number}", Annotated[_type_of(kind, name) | None, Meta(description=text)], kept))
    return msgspec.defstruct(f"{kind.value}Search", fields, frozen=True, kw_only=True)


def _type_of(kind: ResourceKind, name: str) -> Any:
    """Return the type of a parameter, as narrow as it is checked."""
    if name == "_count":
        return Annotated[int, Meta(ge=0, lt=10**9)]
    if name == "_summary":
        return Literal["true", "text", "data", "count", "false"]
    included = {"_include": INCLUDES, "_revinclude": REVERSE_INCLUDES}.get(name)
    if included is not None and included[kind]:
        return Literal[tuple(included[kind])]
    number = r"[+\-]?(\d+\.?\d*|\.\d+)([eE][+\-]?\d+)?"
    sorts = "|".join(SORTS[kind])
    patterns = {
        "_sort": f"^(near|-?({sorts})(,-?({sorts}))*)$",
        "_elements": r"^[A-Za-z0-9.]+(\s*,\s*[A-Za-z0-9.]+)*$",
        "active": r"^([^|,]*\|)?(true|false)(,([^|,]*\|)?(true|false))*$",
        "near": rf"^\s*{number}\s*\|\s*{number}\s*(\|\s*(\+?(\d+\.?\d*|\.\d+)([eE][+\-]?\d+)?)?\s*(\|[^|,]*)?)?$",
    }
    if name in patterns:
        return Annotated[str, Meta(pattern=patterns[name])]
    return Annotated[str, Meta(min_length=1)]


def _search(backend: Backend, kind: ResourceKind, pairs: Pairs, *, is_form: bool) -> Response:
    media_type = choose_fhir()
    store = backend.store()
    strict = "handling=strict" in request.headers.get("Prefer", "").replace(" ", "").lower()
    asked = read_search(kind, pairs, IdFinder(store).find, strict=strict)
    has_point = asked.sites.near is not None
    if "near" in request.args and not backend.settings.get_matches:
        raise InvalidInput(
            "near is not allowed in a URL on this server. Send it with POST to Location/_search.", field="near"
        )
    page = search(store, kind, sites=asked.sites, studies=asked.studies, of_studies=asked.of_studies, turn=asked.turn)
    found = join(store, kind, page.marks, asked.included, backend.now())
    base = fhir_base(backend)
    entries = [_entry(base, one, asked) for one in found]
    told = _told(asked, page, is_hidden=has_point and is_form)
    answer = Bundle(
        type="searchset",
        total=page.total,
        link=_links(f"{base}/{kind.value}", asked, page, is_hidden=has_point and is_form),
        entry=(*entries, *told),
    )
    if is_form:
        response = respond(answer, media_type)
    else:
        # Two answers with the same numbers differ in their time of counting.
        same = [_entry(base, replace(one, resource=without_count_time(one.resource)), asked) for one in found]
        response = respond_checked(answer, media_type, same_as=msgspec.structs.replace(answer, entry=(*same, *told)))
    response.headers["Vary"] = "Accept, Prefer"
    return response


def _entry(base: str, one: FoundResource, asked: ParsedSearch) -> Entry:
    entry = found_entry(base, one.resource, is_match=one.is_match, km=one.km, unit=asked.unit)
    # _elements is about what was searched for; a summary is about everything.
    subset = asked.subset if one.is_match else replace(asked.subset, elements=None)
    return msgspec.structs.replace(entry, resource=subset.of(one.resource))


def _told(asked: ParsedSearch, page: DirectoryPage, *, is_hidden: bool) -> Sequence[Entry]:
    """Return the notes for the client in addition to the matches."""
    told = []
    if asked.ignored:
        names = ", ".join(asked.ignored)
        told.append(outcome_entry("warning", "not-supported", [f"Ignored because it is not supported: {names}."]))
    if is_hidden and page.marks and (page.has_previous or page.has_next):
        ways = []
        if page.has_next:
            ways.append(f"_after={mark_text(page.marks[-1])} for the next page")
        if page.has_previous:
            ways.append(f"_before={mark_text(page.marks[0])} for the previous one")
        text = f"There is no link, because it would contain the coordinates. Send the same form with {', '.join(ways)}."
        told.append(outcome_entry("information", "informational", [text]))
    return told


def _links(address: str, asked: ParsedSearch, page: DirectoryPage, *, is_hidden: bool) -> tuple[Link, ...]:
    """Return links to this page and its neighbours, but none with coordinates that a form kept out of URLs."""
    if is_hidden:
        return (Link(relation="self", url=f"{address}/_search"),)

    def link(relation: Relation, *more: tuple[str, str]) -> Link:
        query = urlencode([*asked.kept, ("_count", str(asked.turn.limit)), *more])
        return Link(relation=relation, url=f"{address}?{query}")

    turn = asked.turn
    here = [(f"_{name}", mark_text(mark)) for name, mark in (("after", turn.after), ("before", turn.before)) if mark]
    links = [link("self", *here)]
    if page.has_previous and page.marks:
        links += [link("first"), link("previous", ("_before", mark_text(page.marks[0])))]
    if page.has_next and page.marks:
        links.append(link("next", ("_after", mark_text(page.marks[-1]))))
    return tuple(links)
