"""What people type, over HTTP and on the patient's page: the languages come from Accept-Language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from sitematch.config import data_file
from sitematch.domain.place import Coordinates
from sitematch.gazetteer.locate import Gazetteer
from sitematch.gazetteer.nearness import rough_km
from sitematch.importers.study_file import read_study
from sitematch.importers.tables.sites_csv import read_sites
from sitematch.services.finding.finder import Finder
from tests.api.builders import make_app
from tests.gazetteer.places import CASES

KIND_OF = {
    "refused": ("town-not-found", "postcode-not-found"),
    "region": ("region-given",),
    "ask": ("ambiguous-place",),
    "suggest": ("invalid-postcode",),
    "forces": ("forces-postcode",),
    "use-location": ("location-wanted",),
}
HEADING_OF = {
    "refused": "We cannot find a town with this name",
    "region": "Which town?",
    "ask": "Several (?:places|countries) have this",
    "suggest": "Not a valid postcode for",
    "forces": "This is a military postcode",
    "use-location": "Where are you?",
    "place": "clinics?, best first|No clinic can take",
    "not-empty": "",
}


@pytest.fixture(scope="module")
def real_client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    gazetteer = Gazetteer.open(data_file("gazetteer.sqlite"))
    finder = Finder(gazetteer, read_study(data_file("study.json")), read_sites(data_file("sites.csv")).sites)
    home: Path = tmp_path_factory.mktemp("home")
    return make_app(home, finder).test_client()


@pytest.mark.parametrize("row", CASES, ids=lambda row: f"{row['text']} {row['country']} {row['language']}")
def test_every_typed_text_gives_what_it_must(real_client: FlaskClient, row: dict[str, str]) -> None:
    asked = {"postcode": row["text"]} | ({"country": row["country"]} if row["country"] else {})
    headers = {"Accept-Language": row["language"]}

    answer = real_client.post("/v1/matches", json=asked, headers=headers)
    page = real_client.post("/", data={"place": row["text"], "country": row["country"], "lang": "en"}, headers=headers)

    wanted, _, what = row["expect"].partition(":")
    found = answer.get_json()
    if wanted == "place":
        assert answer.status_code == 200, found
        location = found["query"]["place"]["location"]
        point = Coordinates(latitude=location["latitude"], longitude=location["longitude"])
        right = Coordinates(latitude=float(row["latitude"]), longitude=float(row["longitude"]))
        assert rough_km(point, right) <= float(row["within_km"])
    elif wanted != "not-empty":
        assert found["type"].rpartition("/")[2] in KIND_OF[wanted], found
        assert what in str(found)
    assert re.search(HEADING_OF[wanted], page.text)


@pytest.mark.parametrize(("text", "country"), [("Springfield", "US"), ("Michigan", "US"), ("400001", "")])
def test_a_question_does_not_look_like_an_error(real_client: FlaskClient, text: str, country: str) -> None:
    page = real_client.post("/", data={"place": text, "country": country}, headers={"Accept-Language": "en"}).text

    assert 'class="notice fault"' in page
    choices = re.findall(r'name="choice" value="([^"]+)"', page)
    assert choices
    assert len(choices) == len(set(choices))
