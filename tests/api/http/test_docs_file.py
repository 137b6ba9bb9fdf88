from __future__ import annotations

from pathlib import Path

from flask.testing import FlaskClient

from api.http.problems import Problem
from api.v1.schemas.finding import MatchRequest

TEXT = (Path(__file__).parents[3] / "docs" / "http.md").read_text(encoding="utf-8")


def test_every_route_is_in_the_guide(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json

    for path, methods in document["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in TEXT


def test_every_field_of_a_look_up_and_every_member_of_a_problem_is_in_the_guide() -> None:
    standard = {"title", "status"}
    for name in {*MatchRequest.__struct_fields__, *Problem.__struct_fields__} - standard:
        assert f"`{name}`" in TEXT
