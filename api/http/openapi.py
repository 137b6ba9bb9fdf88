"""The OpenAPI 3.1 document, generated once from the routes and from the types that read and shape the traffic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from werkzeug.routing import Map, Rule

from api.http import problems
from api.http.operations import Operation
from api.http.problems import Problem, ProblemKind
from sitematch import __version__
from sitematch.services.exchange.publishing import File

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_DESCRIPTION = """\
From a postcode in any country to a clinical trial's recruiting sites, ranked: the exact distance and how sure it is, \
travel support, spots left, each with reasons. It does not give medical advice or decide who is eligible.

Where a person is, is personal data: ask with POST, so that it stays out of addresses. No request is stored or logged.

Errors are RFC 9457 problem details; the `type` of each is stable and leads to a page that explains it."""
_BEARER = "token"
_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API token. Ask an administrator for one. Searches for patients do not need a token.",
}
_RATE_HEADERS = {
    "RateLimit-Policy": {
        "description": "The limit that applies: q requests in w seconds. It is not sent where no limit applies.",
        "schema": {"type": "string", "examples": ['"lookups";q=600;w=60']},
    },
    "RateLimit": {
        "description": "How many requests are left (r), and in how many seconds more are allowed (t).",
        "schema": {"type": "string", "examples": ['"lookups";r=598;t=41']},
    },
}
"""As in the IETF's draft "RateLimit header fields for HTTP"."""

_KEYS = ("Idempotency-Key",)
_TAGS = {
    "Matching": "From a place to the nearest recruiting sites.",
    "Studies": "The studies of the catalogue.",
    "Sites": "The sites of the studies.",
    "Postcodes": "Where a postcode is.",
    "Pages": "The pages for patients.",
    "Operation": "Whether the server works, and its figures.",
    "Capacity": "Spots: caps, and the numbers taken and left.",
    "Referrals": "Holding a spot for a person, and what becomes of it.",
    "Waiting list": "People who wait for a spot.",
    "Reports": "Reports and forecasts for coordinators.",
    "Accounts": "Accounts and tokens.",
    "Webhooks": "Messages to other systems.",
    "FHIR": "Sites, studies and spots as FHIR R4.",
    "Documents": "This document, and the kinds of problems.",
}
_IN_BRACKETS = re.compile(r"<(?:\w+:)?(\w+)>")


def build(url_map: Map, operations: Mapping[str, Operation]) -> Json:
    """Build the document.

    Parameters
    ----------
    url_map
        The app's routes.
    operations
        What is to be said of each, by endpoint; a route without an entry is not documented.
    """
    schemas = _Schemas(operations)
    paths: dict[str, Json] = {}
    for rule in sorted(url_map.iter_rules(), key=lambda rule: rule.rule):
        operation = operations.get(rule.endpoint)
        if operation is not None:
            (method,) = (name.lower() for name in rule.methods or () if name not in ("HEAD", "OPTIONS"))
            paths.setdefault(address(rule), {})[method] = _operation(rule, operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "sitematch",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "tags": [
            {"name": tag, "description": _TAGS[tag]}
            for tag in dict.fromkeys(operation.tag for operation in operations.values())
        ],
        "paths": paths,
        "components": {"schemas": schemas.components, "securitySchemes": {_BEARER: _SCHEME}},
    }


def address(rule: Rule) -> str:
    """Return a route's address in OpenAPI's form: ``/v1/sites/{site_id}``."""
    return _IN_BRACKETS.sub(r"{\1}", rule.rule)


class _Schemas:
    """The JSON Schemas of every type that is named by an operation."""

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        types: list[type] = [Problem]
        for operation in operations.values():
            types += [kind for kind in operation.answers.values() if kind not in (str, bytes)]
            types.append(operation.refusal[1])
            types += [kind for kind in (operation.query, operation.body) if kind is not None]
        self._types = list(dict.fromkeys(types))
        self._found, components = msgspec.json.schema_components(self._types, ref_template=_REF)
        self.components: Json = _with_items(components)
        # Those of query strings are spelled out as parameters, and only there.
        bodies = {operation.body for operation in operations.values()}
        for query in {operation.query for operation in operations.values()} - bodies - {None}:
            if query is not None:
                self._spelled_out(query)

    def of(self, kind: type) -> Json:
        """Return the schema of a type, by reference where it has a name."""
        if kind is bytes:
            return {"type": "string", "format": "binary"}
        return {"type": "string"} if kind is str else self._found[self._types.index(kind)]

    def properties(self, kind: type) -> Json:
        """Return the schemas of a type's fields."""
        found: Json = msgspec.json.schema_components([kind], ref_template=_REF)[1][kind.__name__]["properties"]
        return found

    def _spelled_out(self, query: type) -> None:
        del self.components[query.__name__]


def _with_items(schema: Any) -> Any:
    """Say what the items of a tuple are, instead of ``"items": false``, which generators and linters do not read.

    `maxItems` says already that there are no more items than `prefixItems` has.
    """
    if isinstance(schema, list):
        return [_with_items(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    whole = {name: _with_items(part) for name, part in schema.items()}
    if schema.get("items") is False and "maxItems" in schema:
        kinds: list[Any] = []
        for part in whole.get("prefixItems", ()):
            kinds += [part] if part not in kinds else []
        whole["items"] = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    return whole


def _operation(rule: Rule, operation: Operation, schemas: _Schemas) -> Json:
    described: Json = {
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": operation.summary,
        "tags": [operation.tag],
    }
    if operation.description:
        described["description"] = operation.description
    parameters = _parameters(rule, operation, schemas)
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        content: Json = {"schema": schemas.of(operation.body)}
        if operation.example is not None:
            content["example"] = operation.example
        described["requestBody"] = {"required": True, "content": {operation.body_type: content}}
    if operation.permission is not None:
        described["security"] = [{_BEARER: []}]
        needed = f"Needs a token with the scope `{operation.permission.value}` and a role that allows it."
        described["description"] = f"{operation.description} {needed}".lstrip()
    else:
        described["security"] = []
    described["responses"] = _responses(operation, schemas)
    return described


def _parameters(rule: Rule, operation: Operation, schemas: _Schemas) -> list[Json]:
    example = operation.example or {}
    parameters: list[Json] = []
    for name, meaning in operation.path.items():
        parameters.append(
            {"name": name, "in": "path", "required": True, "description": meaning, "schema": _part_of_path(rule, name)}
        )
    for name, schema in (schemas.properties(operation.query) if operation.query else {}).items():
        plain = _without_null(schema)
        parameters.append({"name": name, "in": "query", "description": plain.pop("description", ""), "schema": plain})
    for name, meaning in operation.headers.items():
        parameters.append(
            {
                "name": name,
                "in": "header",
                "required": name in _KEYS,
                "description": meaning,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            }
        )
    for parameter in parameters:
        if parameter["name"] in example:
            parameter["example"] = example[parameter["name"]]
    return parameters


def _part_of_path(rule: Rule, name: str) -> Json:
    """Return the schema of a part of an address."""
    if rule.rule.startswith("/problems/"):
        return {"type": "string", "enum": list(problems.KINDS)}
    if rule.rule.startswith("/fhir/bulk/"):
        return {"type": "string", "enum": [one.value for one in File]}
    if rule.rule.startswith("/fhir/"):
        return {"type": "string", "pattern": r"^[A-Za-z0-9.\-]{1,64}$"}
    # A part of an address is never empty, and ends at a slash.
    return {"type": "string", "minLength": 1, "pattern": "^[^/]+$"}


def _without_null(schema: Json) -> Json:
    """Leave null out, which a query string cannot hold: a parameter is there or it is not."""
    plain = {key: value for key, value in schema.items() if key != "default" or value is not None}
    choices = [choice for choice in plain.pop("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **plain}
    return {**plain, "anyOf": choices} if choices else plain


def _responses(operation: Operation, schemas: _Schemas) -> Json:
    content = {media_type: {"schema": schemas.of(kind)} for media_type, kind in operation.answers.items()}
    success: Json = {"description": "The answer.", "content": content} if content else {"description": "Done."}
    responses: Json = {str(operation.status): success}
    if operation.is_limited:
        success["headers"] = dict(_RATE_HEADERS)
    if operation.is_conditional:
        tag = {"description": "Changes when the content changes.", "schema": {"type": "string"}}
        success["headers"] = {**success.get("headers", {}), "ETag": tag}
        responses["304"] = {"description": "Not changed since the ETag in If-None-Match.", "headers": {"ETag": tag}}
    by_status: dict[int, list[ProblemKind]] = {}
    limits = (problems.TOO_MANY_REQUESTS,) if operation.is_limited else ()
    for kind in dict.fromkeys((*operation.problems, *limits, problems.INTERNAL_ERROR)):
        by_status.setdefault(kind.status.value, []).append(kind)
    for status, kinds in sorted(by_status.items()):
        responses[str(status)] = _problem_response(status, kinds, operation.refusal, schemas)
    return responses


def _problem_response(status: int, kinds: list[ProblemKind], refusal: tuple[str, type], schemas: _Schemas) -> Json:
    media_type, kind_of_answer = refusal
    response: Json = {
        "description": "\n".join(f"- `{kind.address}`: {kind.title}." for kind in kinds),
        "content": {media_type: {"schema": schemas.of(kind_of_answer)}},
    }
    if status in (429, 503):
        wait = {"description": "Seconds to wait before you try again.", "schema": {"type": "integer"}}
        response["headers"] = {"Retry-After": wait, **(_RATE_HEADERS if status == 429 else {})}
    if status == 401:
        scheme = {"description": "How to authenticate (RFC 6750).", "schema": {"type": "string"}}
        response["headers"] = {"WWW-Authenticate": scheme}
    return response
