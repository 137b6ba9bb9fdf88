"""``/openapi.json``, ``/docs`` and ``/problems``: the interface explained, from our own server alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Flask, Response, render_template
from werkzeug.exceptions import NotFound

from api.http import openapi, problems
from api.http.answers import encode, respond_cacheable
from api.http.negotiation import HTML, JSON
from api.http.operations import Documented, Operation
from api.http.problems import KINDS

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TypePart:
    """A part of a type in words; `link` names the schema that it leads to, if any."""

    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class DocsRow:
    """One field or parameter in a table."""

    name: str
    where: str
    type: tuple[TypePart, ...]
    note: str
    description: str


@dataclass(frozen=True, slots=True)
class DocsEntry:
    """One operation on the page."""

    anchor: str
    method: str
    path: str
    tag: str
    summary: str
    description: str
    rows: tuple[DocsRow, ...]
    example: str
    answers: tuple[tuple[str, tuple[TypePart, ...]], ...]
    problems: tuple[tuple[str, str], ...]


class Docs(Documented):
    """The documents, each built when it is first asked for, so that a server starts without them."""

    def __init__(self) -> None:
        super().__init__("docs")
        self._app: Flask | None = None
        self._operations: Mapping[str, Operation] = {}

    def describe(self, app: Flask, operations: Mapping[str, Operation]) -> None:
        """Say what the documents describe, once every route is known."""
        self._app, self._operations = app, operations

    @property
    def app(self) -> Flask:
        """The app that is described."""
        if self._app is None:
            raise RuntimeError("Call describe first.")
        return self._app

    @cached_property
    def document(self) -> Json:
        """The OpenAPI document."""
        return openapi.build(self.app.url_map, self._operations)

    @cached_property
    def document_bytes(self) -> bytes:
        """The same as JSON."""
        return encode(self.document)

    @cached_property
    def page_bytes(self) -> bytes:
        """The page for people: the same for everybody, whatever language the first reader's browser asks for."""
        with self.app.test_request_context("/docs"):
            page = render_template("docs.html", entries=_entries(self.document), schemas=_schemas(self.document))
        return page.encode()


def blueprint() -> Docs:
    """Make the routes."""
    routes = Docs()

    @routes.serve(
        "GET",
        "/openapi.json",
        Operation(summary="Get the OpenAPI document", tag="Documents", answers={JSON: dict}),
    )
    def document() -> Response:
        return respond_cacheable(routes.document_bytes)

    @routes.serve(
        "GET",
        "/docs",
        Operation(summary="Show the API documentation", tag="Documents", answers={"text/html": str}),
    )
    def page() -> Response:
        return respond_cacheable(routes.page_bytes, HTML)

    @routes.serve(
        "GET",
        "/problems",
        Operation(summary="List the problem types", tag="Documents", answers={"text/html": str}),
    )
    def kinds() -> Response:
        return respond_cacheable(render_template("problems.html", kinds=KINDS.values()).encode(), HTML)

    @routes.serve(
        "GET",
        "/problems/<slug>",
        Operation(
            summary="Show one problem type",
            tag="Documents",
            path={"slug": "The last part of the problem's type."},
            answers={"text/html": str},
            problems=(problems.NOT_FOUND,),
            example={"slug": "invalid-postcode"},
        ),
    )
    def kind(slug: str) -> Response:
        found = KINDS.get(slug)
        if found is None:
            raise NotFound
        return respond_cacheable(render_template("problem.html", kind=found).encode(), HTML)

    return routes


def _entries(document: Json) -> dict[str, list[DocsEntry]]:
    """Group the operations by tag, in the document's order."""
    groups: dict[str, list[DocsEntry]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            entry = _entry(document, path, method.upper(), operation)
            groups[entry.tag].append(entry)
    return groups


def _entry(document: Json, path: str, method: str, operation: Json) -> DocsEntry:
    rows = [
        _row(parameter["name"], parameter["schema"], parameter["in"], parameter.get("required", False), parameter)
        for parameter in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {})
    for content in body.values():
        schema = document["components"]["schemas"][content["schema"]["$ref"].rsplit("/", 1)[1]]
        rows += _rows(schema, "body")
    good = next(response for status, response in operation["responses"].items() if status[0] in "23")
    bad = [
        (line.split("`")[1], line.split("`: ")[1])
        for status, response in operation["responses"].items()
        if status[0] not in "23"
        for line in response["description"].splitlines()
    ]
    return DocsEntry(
        anchor=operation["operationId"],
        method=method,
        path=path,
        tag=operation["tags"][0],
        summary=operation["summary"],
        description=operation.get("description", ""),
        rows=tuple(rows),
        example=_example(path, method, operation),
        answers=tuple(
            (media_type, _type(content["schema"])) for media_type, content in good.get("content", {}).items()
        ),
        problems=tuple(bad),
    )


def _example(path: str, method: str, operation: Json) -> str:
    """Write a command that can be pasted into a shell."""
    address, query = path, []
    for parameter in operation.get("parameters", ()):
        if "example" not in parameter:
            continue
        if parameter["in"] == "path":
            address = address.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
        else:
            query.append(f"{parameter['name']}={parameter['example']}")
    url = f"http://127.0.0.1:8000{address}{'?' if query else ''}{'&'.join(query)}"
    words = ["curl"]
    if operation.get("security"):
        words.append('-H "Authorization: Bearer $TOKEN"')
    if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", ())):
        words.append('-H "Idempotency-Key: $(uuidgen)"')
    content = operation.get("requestBody", {}).get("content", {})
    if method not in ("GET", "POST") or (method == "POST" and not content):
        words.append(f"-X {method}")
    for media_type, described in content.items():
        example = described.get("example", {})
        if media_type == JSON:
            words.append(f"-H 'Content-Type: application/json' -d '{json.dumps(example)}'")
        else:
            words += [f"--data-urlencode '{name}={value}'" for name, value in example.items()]
    return " ".join([*words, f"'{url}'" if method == "GET" else url])


def _schemas(document: Json) -> dict[str, tuple[str, tuple[DocsRow, ...]]]:
    """Return description and rows of every schema; an enum has one row a value."""
    described = {}
    for name, schema in document["components"]["schemas"].items():
        if "enum" in schema:
            rows = tuple(DocsRow(str(value), "", (), "", "") for value in schema["enum"])
        else:
            rows = tuple(_rows(schema, ""))
        described[name] = (schema.get("description", ""), rows)
    return described


def _rows(schema: Json, where: str) -> list[DocsRow]:
    required = schema.get("required", ())
    return [_row(name, field, where, name in required, field) for name, field in schema.get("properties", {}).items()]


def _row(name: str, schema: Json, where: str, required: bool, described: Json) -> DocsRow:
    default = schema.get("default")
    note = "required" if required else "" if default in (None, "", []) else f"default {default}"
    return DocsRow(name, where, _type(schema), note, described.get("description", ""))


def _type(schema: Json) -> tuple[TypePart, ...]:
    """Put a JSON Schema into words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return (TypePart(name, name),)
    if "anyOf" in schema:
        pieces: list[TypePart] = []
        for choice in schema["anyOf"]:
            pieces += [*([TypePart(" or ")] if pieces else []), *_type(choice)]
        return tuple(pieces)
    if "enum" in schema:
        return (TypePart(" or ".join(f'"{value}"' for value in schema["enum"])),)
    kind = schema.get("type", "any")
    if kind == "array" and isinstance(schema.get("items"), dict):
        return (TypePart("list of "), *_type(schema["items"]))
    return (TypePart(f"{kind}{_range(schema)}"),)


def _range(schema: Json) -> str:
    bounds = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}"}
    found = [text.format(f"{schema[key]:,}".removesuffix(".0")) for key, text in bounds.items() if key in schema]
    return f" {' and '.join(found)}" if found else ""
