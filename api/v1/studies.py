"""``/v1/studies``: full-text search of the catalogue's studies."""

from __future__ import annotations

from flask import Response

from api.backend import Backend
from api.http import problems
from api.http.answers import encode, respond_cacheable
from api.http.negotiation import JSON
from api.http.operations import Documented, Operation
from api.http.reading import read_query
from api.v1.schemas.finding import NoQuery, StudiesAnswer, StudiesQuery
from sitematch.domain.studies.search_terms import query_words
from sitematch.domain.studies.study import tidy_study_id
from sitematch.exporters.wire.studies import StudyDetail, study_detail
from sitematch.services.studies.catalogue import read_study, search_studies

_PROBLEMS = (problems.INVALID_INPUT, problems.BUSY, problems.STORAGE_FAULT, problems.NOT_READY)


def blueprint(backend: Backend) -> Documented:
    """Create the routes."""
    routes = Documented("studies")

    @routes.serve(
        "GET",
        "/v1/studies",
        Operation(
            summary="List or search the studies",
            description="Studies with the words in the title or conditions come first, then those with them in the "
            "summary or sponsor; each ordered by study_id, in pages.",
            tag="Studies",
            query=StudiesQuery,
            answers={JSON: StudiesAnswer},
            problems=_PROBLEMS,
            example={"q": "lupus nephritis", "status": ["RECRUITING"]},
            headers={"If-None-Match": "The ETag of your last answer."},
            is_conditional=True,
        ),
    )
    def list_studies() -> Response:
        asked = read_query(StudiesQuery)
        words = () if asked.q is None else query_words(asked.q, field="q")
        page = search_studies(backend.store(), words, statuses=asked.status or (), limit=asked.limit, after=asked.after)
        answer = StudiesAnswer(studies=tuple(map(study_detail, page.studies)), next=page.after)
        return respond_cacheable(encode(answer))

    @routes.serve(
        "GET",
        "/v1/studies/<study_id>",
        Operation(
            summary="Get one study",
            tag="Studies",
            path={"study_id": "The study's id from /v1/studies."},
            query=NoQuery,
            answers={JSON: StudyDetail},
            problems=(*_PROBLEMS, problems.STUDY_NOT_FOUND),
            example={"study_id": "NCT06064929"},
            headers={"If-None-Match": "The ETag of your last answer."},
            is_conditional=True,
        ),
    )
    def show_study(study_id: str) -> Response:
        read_query(NoQuery)
        return respond_cacheable(encode(study_detail(read_study(backend.store(), tidy_study_id(study_id)))))

    return routes
