"""A blueprint whose routes carry their entry in the OpenAPI document: neither exists without the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Blueprint, Response
from msgspec import Struct

from api.http.negotiation import JSON, PROBLEM
from api.http.problems import Problem, ProblemKind
from sitematch.domain.accounts.access import Permission

View = Callable[..., Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What the document says of one route and method.

    Parameters
    ----------
    summary, description
        In plain English; the description may be empty.
    tag
        The group it is listed under.
    answers
        Type of the answer by media type; ``str`` for a page or a table, ``bytes`` for a workbook.
    path
        What each part of the address in angle brackets is.
    query
        Type of the query parameters, if there are any.
    body
        Type of the body, if there is one.
    body_type
        Media type of the body.
    problems
        Problem types that this operation itself can answer with.
    example
        A body or query, as JSON would hold it.
    permission
        What the caller's token must allow; None only where `api.access.PUBLIC` lets everybody in.
    status
        HTTP status of success; 204 has no body.
    headers
        Request headers that it reads: what each is, by name.
    refusal
        Media type and type of an answer that refuses.
    is_conditional
        Whether the answer carries an ETag, and 304 is sent to who has it already.
    is_question
        Whether a POST changes nothing, its body being too private or too long for an address: it needs no idempotency
        key, and nothing of it is kept.
    is_limited
        Whether a limit on the number of requests applies to it.
    """

    summary: str
    tag: str
    answers: dict[str, type]
    description: str = ""
    path: dict[str, str] = field(default_factory=dict)
    query: type[Struct] | None = None
    body: type[Struct] | None = None
    body_type: str = JSON
    problems: tuple[ProblemKind, ...] = ()
    example: dict[str, object] | None = None
    permission: Permission | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    refusal: tuple[str, type[Struct]] = (PROBLEM, Problem)
    is_conditional: bool = False
    is_question: bool = False
    is_limited: bool = True


class Documented(Blueprint):
    """A blueprint whose every route is documented."""

    def __init__(self, name: str) -> None:
        super().__init__(name, __name__)
        self.operations: dict[str, Operation] = {}

    def serve(self, method: str, rule: str, operation: Operation) -> Callable[[View], View]:
        """Register a view for one method of a route, with its entry in the document.

        Parameters
        ----------
        method
            ``"GET"``, ``"POST"``, ``"PUT"`` or ``"DELETE"``.
        rule
            Address in Flask's form, e.g. ``"/v1/sites/<site_id>"``.
        operation
            The entry.
        """

        def register(view: View) -> View:
            name = view.__name__
            self.operations[f"{self.name}.{name}"] = operation
            self.add_url_rule(rule, endpoint=name, view_func=view, methods=[method])
            return view

        return register
