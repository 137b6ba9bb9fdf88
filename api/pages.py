"""``/``: the first page. A form, the ranked list, and no script."""

from __future__ import annotations

import contextlib

from flask import Response, render_template

from api import problems
from api.answers import respond_cacheable
from api.backend import Backend
from api.errors import problem_of
from api.negotiate import HTML
from api.operations import Documented, Operation
from api.problems import Problem
from api.reading import read_form
from api.schemas import FormRequest
from sitematch.domain.policy import MatchPolicy
from sitematch.errors import NotReady, SitematchError
from sitematch.exporters.wire import MatchesAnswer, matches_answer
from sitematch.gazetteer.grammar import COUNTRIES
from sitematch.services.finder import Finder

_COUNTRIES = sorted((country.name, country.alpha_2) for country in COUNTRIES.values())
_NAMES = {code: country.name for code, country in COUNTRIES.items()}
_FORM = "application/x-www-form-urlencoded"


def blueprint(backend: Backend) -> Documented:
    """Make the routes."""
    routes = Documented("pages")

    @routes.serve("GET", "/", Operation(summary="Show the form to a person", tag="Pages", answers={"text/html": str}))
    def form() -> Response:
        return respond_cacheable(_page(backend, FormRequest()).encode(), HTML)

    # POST, so that the postcode stays out of addresses, histories and referrers. The form changes nothing and reads
    # no cookie: another site that sent it on a visitor's behalf would gain nothing, so it needs no CSRF token.
    @routes.serve(
        "POST",
        "/",
        Operation(
            summary="Show the ranked sites to a person",
            tag="Pages",
            body=FormRequest,
            body_type=_FORM,
            answers={"text/html": str},
            problems=(
                problems.INVALID_INPUT,
                problems.INVALID_POSTCODE,
                problems.UNKNOWN_COUNTRY,
                problems.AMBIGUOUS_PLACE,
                problems.POSTCODE_NOT_FOUND,
                problems.TOWN_NOT_FOUND,
                problems.TOO_LARGE,
                problems.NOT_READY,
            ),
            example={"country": "US", "place": "33180"},
        ),
    )
    def results() -> Response:
        asked, fault, answer = FormRequest(), None, None
        try:
            asked = read_form(FormRequest)
            answer = _find(backend, asked)
        except SitematchError as error:
            fault = problem_of(error)
            if fault.status >= 500:
                raise
        page = _page(backend, asked, fault=fault, answer=answer)
        response = Response(page, status=fault.status if fault else 200, content_type=HTML)
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes


def _find(backend: Backend, asked: FormRequest) -> MatchesAnswer:
    finder = backend.finder()
    found = finder.find(asked.place, asked.country or None, MatchPolicy(), backend.now())
    backend.count_demand(finder.study.study_id, found.place)
    return matches_answer(found, finder.study, finder.attribution)


def _page(
    backend: Backend, asked: FormRequest, *, fault: Problem | None = None, answer: MatchesAnswer | None = None
) -> str:
    finder: Finder | None = None
    with contextlib.suppress(NotReady):
        finder = backend.finder()
    return render_template(
        "find.html",
        countries=_COUNTRIES,
        country_names=_NAMES,
        asked=asked,
        fault=fault,
        answer=answer,
        study=finder and finder.study,
        attribution=finder.attribution if finder else (),
    )
