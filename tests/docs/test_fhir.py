"""docs/fhir.md: every URL in it answers, and every extension and parameter in its tables exists."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from api.app import create_app
from api.fhir.params import PARAMETERS
from sitematch.config import Settings
from sitematch.domain import fhir as words
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.services.exchange.fhir import INCLUDES, REVERSE_INCLUDES
from sitematch.services.setup import prepare
from tests.api.builders import NOW

PAGE = (Path(__file__).parents[2] / "docs" / "fhir.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^curl -s '([^']+)'(?: -d '([^']+)')?", PAGE, re.MULTILINE)


@pytest.fixture
def client(tmp_path: Path, gazetteer_path: Path) -> FlaskClient:
    settings = Settings.from_mapping(
        {"SITEMATCH_HOME": str(tmp_path), "SITEMATCH_GAZETTEER": str(gazetteer_path), "SITEMATCH_NOTICES_EVERY_S": "0"}
    )
    prepare(settings, lambda _: None, NOW)
    return create_app(settings, clock=lambda: NOW).test_client()


def test_every_command_of_the_page_is_answered(client: FlaskClient) -> None:
    assert len(COMMANDS) == 9
    for url, form in COMMANDS:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}"
        if form:
            response = client.post(path, data=form, content_type="application/x-www-form-urlencoded")
        else:
            response = client.get(path)

        assert response.status_code == 200, (url, response.text)
        assert response.mimetype.startswith("application/fhir+")
        if response.json and response.json.get("type") == "searchset":
            assert response.json["total"] > 0, url


def test_every_extension_of_ours_is_in_the_table_and_no_other() -> None:
    ours = {
        value.removeprefix("urn:sitematch:fhir:")
        for value in vars(words).values()
        if isinstance(value, str) and re.fullmatch(r"urn:sitematch:fhir:.+", value)
    }
    table = PAGE.partition("## Our extensions")[2].partition("##")[0]

    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == ours


def test_every_parameter_and_include_is_on_the_page() -> None:
    for kind, parameters in PARAMETERS.items():
        (row,) = re.findall(rf"^\| `{kind.value}` \| (`_id`.*) \|$", PAGE, re.MULTILINE)
        named = re.findall(r"`([^`]+)`", row)
        assert [name for name in named if not name.startswith("_has")] == [one.name for one in parameters]
    for text in {text for known in (INCLUDES, REVERSE_INCLUDES) for some in known.values() for text in some}:
        assert f"`{text}`" in PAGE


def test_every_status_is_in_the_table_as_it_is_written() -> None:
    rows = re.findall(r"^\| ([A-Z_, ]+) \| ([a-z -]+)[a-z -]*,? ?[a-z -]*\| ([a-z]+) \|$", PAGE, re.MULTILINE)
    said = {name: (study.strip(), place) for names, study, place in rows for name in names.split(", ")}

    for status in RecruitmentStatus:
        study, place = words.STUDY_STATUS.get(status, "none"), words.LOCATION_STATUS.get(status, "none")
        assert said[status.value] == (study, place)
