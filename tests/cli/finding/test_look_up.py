"""``sitematch match``, ``locate`` and ``sites``, as a person runs them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_match_prints_ranked_sites_with_reasons_and_the_stand_in_notice(run: Run) -> None:
    result = run("match", "33180", "--country", "US")

    assert result.exit_code == 0
    assert result.stdout.index("Arthritis & Rheumatic Disease Specialties") < result.stdout.index("Marietta")
    assert "The nearest site that can take a patient now." in result.stdout
    assert "stand-ins" in result.stdout
    assert "CC BY 4.0" in result.stdout


def test_json_is_an_object_with_query_matches_and_excluded(run: Run) -> None:
    result = run("match", "33180", "--country", "US", "--limit", "3", "--format", "json")

    answer = json.loads(result.stdout)
    assert {"query", "matches", "excluded"} <= answer.keys()
    assert answer["query"]["place"]["location"].keys() >= {"latitude", "longitude", "precision", "uncertainty_km"}
    assert [match["rank"] for match in answer["matches"]] == [1, 2, 3]
    assert answer["matches"][0]["site"]["stand_in"] is True
    assert answer["study"]["notice"]


def test_csv_has_one_row_a_site_and_not_the_persons_place(run: Run) -> None:
    result = run("match", "90210", "--country", "US", "--format", "csv")

    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert "90210" not in result.stdout


@pytest.mark.parametrize("command", [("match", "33180", "-c", "US"), ("sites",)])
def test_geojson_is_a_feature_collection_with_longitude_first(run: Run, command: tuple[str, ...]) -> None:
    answer = json.loads(run(*command, "--format", "geojson").stdout)

    assert answer["type"] == "FeatureCollection"
    aventura = next(f for f in answer["features"] if "Aventura" in json.dumps(f))
    assert aventura["geometry"]["coordinates"] == pytest.approx([-80.14, 25.96], abs=0.02)


def test_locate_says_where_and_how_sure(run: Run) -> None:
    result = run("locate", "33180", "--country", "US")

    assert result.exit_code == 0
    assert "33180, Miami, Florida, US: known to within" in result.stdout


def test_sites_can_be_listed_by_country(run: Run) -> None:
    answer = json.loads(run("sites", "--country", "Germany", "--format", "json").stdout)

    assert [site["city"] for site in answer] == ["Kiel"]


def test_miles_in_give_the_same_sites_as_kilometres_in(run: Run) -> None:
    miles = json.loads(run("match", "33180", "-c", "US", "--within-miles", "700", "--format", "json").stdout)
    km = json.loads(run("match", "33180", "-c", "US", "--within-km", "1126.54", "--format", "json").stdout)

    assert [m["site"]["site_id"] for m in miles["matches"]] == [m["site"]["site_id"] for m in km["matches"]]
    assert len(miles["matches"]) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("match", "", "-c", "US"), 2, "Error:"),
        (("match", "9" * 10_000, "-c", "US"), 2, "Error:"),
        (("match", "33180", "-c", "Atlantis"), 2, "Atlantis"),
        (("match", "33180", "-c", "US", "-n", "0"), 2, "limit is 0"),
        (("match", "33180", "-c", "US", "-n", "-1"), 2, "limit is -1"),
        (("match", "33180", "-c", "US", "-n", "1000000000"), 2, "from 1 to 500"),
        (("match", "33180", "-c", "US", "-n", "abc"), 2, "abc"),
        (("match", "33180", "-c", "US", "--within-km", "nan"), 2, "radius"),
        (("match", "33180", "-c", "US", "--within-km", "inf"), 2, "radius"),
        (("match", "33180", "-c", "US", "--within-km", "-5"), 2, "radius"),
        (("match", "33180", "-c", "US", "--within-km", "5", "--within-miles", "3"), 2, "not both"),
        (("match", "4102", "-c", "US"), 2, "04102"),
        (("match", "00000", "-c", "US"), 3, "00000"),
        (("locate", "Xyzzyville", "-c", "US"), 3, "Xyzzyville"),
        (("locate", "Springfield", "-c", "US"), 4, "Illinois"),
    ],
)
def test_bad_input_ends_with_its_exit_code_and_says_what_to_do(
    run: Run, arguments: tuple[str, ...], code: int, words: str
) -> None:
    result = run(*arguments)

    assert result.exit_code == code, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert len(result.stderr) < 2_000


@pytest.mark.parametrize("typed", ["３３１８０", " 33180 ", "33180-1234", "33 180"])
def test_codes_as_people_type_them_are_understood(run: Run, typed: str) -> None:
    answer = json.loads(run("locate", typed, "-c", "US", "--format", "json").stdout)

    assert answer["postcode"] == "33180"


def test_no_match_at_all_has_an_exit_code_of_its_own(run: Run) -> None:
    result = run("match", "33180", "-c", "US", "--min-spots", "9")

    assert result.exit_code == 1
    assert "No site can take a patient now." in result.stdout
    assert "Fewer spots than you asked for: only 8 spots left." in result.stdout


@pytest.mark.parametrize(
    "command",
    ["match", "locate", "sites", "serve", "completion", "db upgrade", "data check", "data load", "data build-sites",
     "gazetteer build", "gazetteer audit", "gazetteer verify", "gazetteer update", "import ctgov", "import csv", "import fhir", "import nci", "import undo", "import list", "sync",
     "studies"],
)  # fmt: skip
def test_every_command_has_help_with_an_example(run: Run, command: str) -> None:
    result = run(*command.split(), "--help")

    assert result.exit_code == 0
    assert "sitematch " + command in result.stdout.split("Options:")[0] or command == "db upgrade"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion_is_printed(run: Run, shell: str) -> None:
    result = run("completion", shell)

    assert "_SITEMATCH_COMPLETE" in result.stdout


def test_a_missing_gazetteer_is_said_with_the_command_that_builds_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEMATCH_GAZETTEER", "/nowhere/gazetteer.sqlite")

    result = run("match", "33180", "-c", "US")

    assert result.exit_code == 6
    assert "sitematch gazetteer build" in result.stderr


def test_a_file_is_located_row_by_row_and_nothing_is_lost(run: Run, tmp_path: Path) -> None:
    batch, out = tmp_path / "in.csv", tmp_path / "out.csv"
    batch.write_text("id,postcode,country\na,33180,US\nb,00000,US\nc,260-8712,JP\n", encoding="utf-8")

    result = run("locate", "--batch", str(batch), "-o", str(out))

    assert result.exit_code == 0
    assert "2 of 3 rows located" in result.stderr
    located = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    rejected = list(csv.DictReader((tmp_path / "out.rejects.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["id"] for row in located] == ["a", "c"]
    assert [row["id"] for row in rejected] == ["b"]
    assert "00000" in rejected[0]["reason"]


@pytest.mark.parametrize("arguments", [(), ("33180", "--batch", "x.csv", "-o", "y.csv"), ("--batch", "x.csv")])
def test_locate_wants_a_place_or_a_file(run: Run, arguments: tuple[str, ...]) -> None:
    result = run("locate", *arguments)

    assert result.exit_code == 2
    assert "Error:" in result.stderr


def test_the_audit_names_countries_repairs_and_licences(run: Run) -> None:
    result = run("gazetteer", "audit")

    assert result.exit_code == 0
    assert "CC" in result.stdout
    for country in ("US", "GB", "TW", "IL"):
        assert f"\n| {country} |" in result.stdout
