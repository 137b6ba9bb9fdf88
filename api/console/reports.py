"""Reports of the study in view, as far as this server makes them."""

from __future__ import annotations

from flask import Response, current_app

from api.backend import Backend
from api.console.routes import Console
from api.console.view import Desk, page
from sitematch.domain.access import Permission


def register(console: Console, backend: Backend) -> None:
    """Make the route."""

    @console.page("GET", "/reports", Permission.REPORTS_READ)
    def reports() -> Response:
        served = {rule.rule for rule in current_app.url_map.iter_rules() if rule.rule.startswith("/v1/reports/")}
        return page("reports.html", served=sorted(served), desk_study=Desk(backend).study_id)
