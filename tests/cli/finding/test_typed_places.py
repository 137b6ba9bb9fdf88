"""What people type, from the command line: the languages come from the option or the locale."""

from __future__ import annotations

import json

import pytest

from sitematch.domain.place import Coordinates
from sitematch.gazetteer.nearness import rough_km
from tests.cli.conftest import Run
from tests.gazetteer.places import CASES

EXIT_OF = {"refused": 3, "region": 4, "ask": 4, "suggest": 2, "forces": 3, "use-location": 2}


@pytest.mark.parametrize("row", CASES, ids=lambda row: f"{row['text']} {row['country']} {row['language']}")
def test_every_typed_text_gives_what_it_must(run: Run, row: dict[str, str]) -> None:
    country = ("--country", row["country"]) if row["country"] else ()

    result = run("locate", row["text"], *country, "--languages", row["language"], "--format", "json")

    wanted, _, what = row["expect"].partition(":")
    if wanted == "place":
        assert result.exit_code == 0, result.stderr
        found = json.loads(result.stdout)["location"]
        point = Coordinates(latitude=found["latitude"], longitude=found["longitude"])
        right = Coordinates(latitude=float(row["latitude"]), longitude=float(row["longitude"]))
        assert rough_km(point, right) <= float(row["within_km"])
    elif wanted == "not-empty":
        assert "empty" not in result.stderr
    else:
        assert result.exit_code == EXIT_OF[wanted], result.stderr
        assert what in result.stderr


@pytest.mark.parametrize(
    ("variable", "value"), [("LANG", "de_AT.UTF-8"), ("LC_ALL", "de_AT"), ("LANGUAGE", "de_AT:en")]
)
def test_the_locale_says_where_a_person_probably_is(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    result = run("locate", "1010", "--format", "json")

    assert json.loads(result.stdout)["country"] == "AT"


def test_a_match_takes_the_languages_too(run: Run) -> None:
    result = run("match", "33180", "--languages", "en-US", "--format", "json")

    assert json.loads(result.stdout)["query"]["place"]["country"] == "US"
