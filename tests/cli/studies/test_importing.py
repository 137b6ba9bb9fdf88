"""``sitematch import``, ``sync`` and ``studies``, as a person runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sitematch.config import Settings
from sitematch.services.studies.registry import Registry
from tests.cli.conftest import Run
from tests.importers.records import STUDY_ID, make_location, make_record
from tests.importers.registry_server import FakeRegistry, running_registry
from tests.services.studies.importers import Memory


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRegistry]:
    with running_registry() as running:
        monkeypatch.setenv("SITEMATCH_CTGOV_URL", running.url)
        yield running


def write(folder: Path, *records: Any) -> str:
    path = folder / "studies.ndjson"
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return str(path)


KIEL = make_location()
HAMBURG = make_location(facility="Harbour Clinic", city="Hamburg", state=None, zip="20095", geoPoint=None)
LATER = {"overallStatus": "RECRUITING", "lastUpdatePostDateStruct": {"date": "2026-02-12"}}


def test_an_imported_study_can_be_listed_and_matched(run: Run, tmp_path: Path) -> None:
    result = run("import", "ctgov", write(tmp_path, make_record(KIEL, HAMBURG)))

    assert result.exit_code == 0, result.output
    assert f"{STUDY_ID}: new study, 2 added" in result.stdout
    assert "To undo it, run `sitematch import undo`" in result.stderr
    assert STUDY_ID in run("studies").stdout
    assert len(json.loads(run("sites", "--study", STUDY_ID.lower(), "--format", "json").stdout)) == 2
    answer = json.loads(run("match", "20095", "-c", "DE", "--study", STUDY_ID, "--format", "json").stdout)
    assert answer["matches"][0]["site"]["facility"] == "Harbour Clinic"
    assert answer["study"]["study_id"] == STUDY_ID


def test_the_default_study_stays_the_default(run: Run, tmp_path: Path) -> None:
    run("import", "ctgov", write(tmp_path, make_record(KIEL)))

    assert len(json.loads(run("sites", "--format", "json").stdout)) == 46


def test_a_dry_run_shows_the_differences_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    run("import", "ctgov", write(tmp_path, make_record(KIEL)))
    newer = write(tmp_path, make_record(KIEL | {"status": "COMPLETED"}, HAMBURG, statusModule=LATER))

    result = run("import", "ctgov", newer, "--dry-run")

    assert "status RECRUITING -> COMPLETED" in result.stdout
    assert "+ NCT00000001-002 Harbour Clinic, Hamburg, DE: added" in result.stdout
    assert "Dry run: nothing was changed." in result.stderr
    assert len(json.loads(run("sites", "--study", STUDY_ID, "--format", "json").stdout)) == 1


def test_an_import_is_listed_and_undone(run: Run, tmp_path: Path) -> None:
    run("import", "ctgov", write(tmp_path, make_record(KIEL)))

    assert "studies.ndjson: 1 study; sites 1 added" in run("import", "list").stdout
    assert "were restored" in run("import", "undo").stderr
    assert ", undone " in run("import", "list").stdout
    assert run("match", "24105", "-c", "DE", "--study", STUDY_ID).exit_code == 3
    assert run("import", "undo").exit_code == 2


def test_what_cannot_be_used_is_reported_with_its_place_field_and_value(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, make_record(KIEL, make_location(country="Atlantis")), {})

    result = run("import", "ctgov", path)

    assert f"Left out: {STUDY_ID}, location 2, country 'Atlantis': " in result.stderr
    assert "Left out: studies.ndjson, study 2" in result.stderr
    assert "2 locations: 1 site, 1 left out" in result.stderr
    assert run("import", "ctgov", path, "--strict").exit_code == 5


def test_a_contradiction_is_reported_with_what_was_believed(run: Run, tmp_path: Path) -> None:
    marietta = make_location(city="Marietta", state="Georgia", zip="20060", country="United States", geoPoint=None)

    result = run("import", "ctgov", write(tmp_path, make_record(marietta)))

    assert "20060 is in Washington" in result.stderr
    assert "We used the town" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("import", "ctgov"), 2, "Give a file, an NCT number"),
        (("import", "ctgov", "no-such-file.json"), 2, "no file"),
        (("match", "33180", "-c", "US", "--study", "NCT99999999"), 3, "NCT99999999"),
        (("sync",), 2, "No study has been imported"),
    ],
)
def test_wrong_words_are_answered_with_what_to_do(run: Run, arguments: tuple[str, ...], code: int, words: str) -> None:
    result = run(*arguments)

    assert result.exit_code == code, result.output
    assert words in result.stderr


def test_a_damaged_file_changes_nothing(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "half.json"
    path.write_text(json.dumps([make_record(KIEL)] * 2)[:-40], encoding="utf-8")

    result = run("import", "ctgov", str(path))

    assert result.exit_code == 5
    assert "is the file complete?" in result.stderr
    assert STUDY_ID not in run("studies").stdout


def test_studies_are_fetched_by_number_and_condition_and_refreshed(run: Run, registry: FakeRegistry) -> None:
    registry.put(
        make_record(KIEL),
        make_record(HAMBURG, nct_id="NCT00000002", conditionsModule={"conditions": ["Asthma"]}),
        make_record(
            nct_id="NCT00000003",
            conditionsModule={"conditions": ["Asthma"]},
            statusModule={"overallStatus": "COMPLETED"},
        ),
    )

    assert run("import", "ctgov", "nct00000001").exit_code == 0
    assert run("import", "ctgov", "--condition", "asthma", "--recruiting").exit_code == 0
    listed = run("studies").stdout
    assert "NCT00000001" in listed
    assert "NCT00000002" in listed
    assert "NCT00000003" not in listed

    registry.put(make_record(KIEL, HAMBURG, statusModule=LATER))
    del registry.studies["NCT00000002"]
    dry = run("sync", "--dry-run")
    assert "+ NCT00000001-002 Harbour Clinic" in dry.stdout
    assert "no longer has this study" in dry.stderr
    done = run("sync")
    assert done.exit_code == 0, done.output
    assert "Import 3 is done" in done.stderr
    assert "NCT00000002" in run("studies").stdout
    assert "Nothing changed." in run("sync").stderr


CSV = "Klinik,Ort,PLZ,Land,Notes\nHarbour Clinic,Hamburg,20095,Germany,x\nNo country,Kiel,24105,,\n"


def test_a_table_is_previewed_then_imported_and_the_default_study_can_be_filled_so(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "sites.csv"
    path.write_text(CSV, encoding="utf-8")

    preview = run("import", "csv", str(path), "--study", "NCT06064929", "--preview")
    assert "postcode   <- PLZ" in preview.stdout
    assert "not used: Notes" in preview.stdout
    done = run(
        "import", "csv", str(path), "--study", "NCT06064929", "--map", "facility=Klinik", "--status", "RECRUITING"
    )
    assert done.exit_code == 0, done.output
    assert "Left out: sites.csv, row 3, country" in done.stderr
    answer = json.loads(run("match", "20095", "-c", "DE", "--format", "json").stdout)
    assert [m["site"]["facility"] for m in answer["matches"]] == ["Harbour Clinic"]
    assert answer["matches"][0]["remaining"]["count"] == 8
    assert "stand-ins" not in answer["study"]["notice"]
    assert run("import", "undo").exit_code == 0
    assert len(json.loads(run("sites", "--format", "json").stdout)) == 46


def test_a_table_of_an_unknown_study_needs_its_title(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "sites.csv"
    path.write_text(CSV, encoding="utf-8")

    refused = run("import", "csv", str(path), "--study", "LOCAL-1")
    made = run("import", "csv", str(path), "--study", "LOCAL-1", "--title", "A local study", "--status", "RECRUITING")

    assert (refused.exit_code, made.exit_code) == (3, 0)
    assert "LOCAL-1  recruiting  A local study" in run("studies").stdout
    assert run("import", "csv", str(path), "--study", "LOCAL-1", "--map", "city").exit_code == 2


def test_a_fhir_bundle_and_the_ncis_trials_are_imported(run: Run, tmp_path: Path) -> None:
    bundle, trials = tmp_path / "bundle.json", tmp_path / "trials.json"
    location = {"resourceType": "Location", "id": "l", "name": "A", "address": {"city": "Kiel", "country": "DE"}}
    study = {"resourceType": "ResearchStudy", "id": "fhir-1", "status": "active", "site": [{"reference": "Location/l"}]}
    bundle.write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": study}, {"resource": location}]}))
    site = {"org_name": "B", "org_city": "Rochester", "org_state_or_province": "MN", "org_country": "United States"}
    trials.write_text(json.dumps({"data": [{"nct_id": "NCT00000009", "sites": [site]}]}))

    assert "fhir-1: new study, 1 added" in run("import", "fhir", str(bundle)).stdout
    assert len(json.loads(run("sites", "--study", "fhir-1", "--format", "json").stdout)) == 1
    assert "NCT00000009: new study, 1 added" in run("import", "nci", str(trials)).stdout
    assert run("import", "fhir").exit_code == 2
    assert run("import", "nci", str(bundle)).exit_code == 5


def test_an_unknown_number_is_not_found(run: Run, registry: FakeRegistry) -> None:
    result = run("import", "ctgov", "NCT99999999")

    assert result.exit_code == 3
    assert "no study NCT99999999" in result.stderr


ANN = {"name": "Ann Example", "role": "CONTACT", "email": "ann@example.org"}


def test_contacts_are_shown_only_after_an_import_that_asked_for_them(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, make_record({**KIEL, "contacts": [ANN]}))
    look_up = ("match", "20095", "-c", "DE", "--study", STUDY_ID)

    run("import", "ctgov", file)
    before = run(*look_up).stdout
    stored = run("import", "ctgov", file, "--contacts")
    after = run(*look_up)
    over_all = run("match", "20095", "-c", "DE", "--condition", "lupus")
    erased = run("import", "ctgov", file)

    assert "Ann" not in before
    assert "Contacts: 1 stored, 0 erased." in stored.stderr
    assert "Ask: Ann Example, ann@example.org" in after.stdout
    assert "Ask: Ann Example, ann@example.org" in over_all.stdout
    assert "0 stored, 1 erased" in erased.stderr
    assert "Ann" not in run(*look_up).stdout


@pytest.mark.parametrize("contacts", [False, True])
def test_download_that_broke_off_keeps_persons_only_if_they_were_asked_for(
    run: Run, registry: FakeRegistry, tmp_path: Path, contacts: bool
) -> None:
    run("studies")
    registry.put(make_record({**KIEL, "contacts": [ANN]}))

    def say(line: str) -> None:
        if line == "1 study so far.":
            raise KeyboardInterrupt

    importer = Registry(Settings.from_mapping(os.environ), say)
    with pytest.raises(KeyboardInterrupt):
        importer.import_studies([], condition="lupus", contacts=contacts, now=datetime.now(UTC), watcher=Memory())

    (kept,) = (tmp_path / "home" / "downloads").glob("*.ndjson")
    assert STUDY_ID in kept.read_text(encoding="utf-8")
    assert ("Ann Example" in kept.read_text(encoding="utf-8")) == contacts


def test_studies_are_found_by_their_words(run: Run, tmp_path: Path) -> None:
    run("import", "ctgov", write(tmp_path, make_record(KIEL), make_record(HAMBURG, nct_id="NCT00000002")))

    found = run("studies", "--search", "lupus nephritis", "--limit", "2")
    none = run("studies", "--search", "lupus", "--status", "COMPLETED")

    assert [line.split()[0] for line in found.stdout.splitlines()] == [STUDY_ID, "NCT00000002"]
    assert "Only the first 2 are shown." in found.stderr
    assert (none.stdout, none.stderr.strip().splitlines()[-1]) == ("", "No studies found.")
    assert run("studies", "--search", "?!").exit_code == 2


def test_clinics_of_all_studies_are_matched_by_a_condition(run: Run, tmp_path: Path) -> None:
    run("import", "ctgov", write(tmp_path, make_record(KIEL), make_record(KIEL, HAMBURG, nct_id="NCT00000002")))

    shown = run("match", "20095", "-c", "DE", "--condition", "lupus nephritis", "-n", "2")
    answer = json.loads(
        run("match", "20095", "-c", "DE", "--condition", "some lupus", "-n", "2", "--format", "json").stdout
    )

    assert shown.exit_code == 0, shown.output
    assert "Studies about 'lupus nephritis' that take patients: 3." in shown.stdout
    assert [clinic["facility"] for clinic in answer["clinics"]] == ["Harbour Clinic", "University Hospital"]
    assert [at["study"]["study_id"] for at in answer["clinics"][1]["studies"]] == [STUDY_ID, "NCT00000002"]
    assert answer["query"]["condition"] == "some lupus"
    assert run("match", "20095", "-c", "DE", "--condition", "asthma").exit_code == 1
    for options in (("--study", STUDY_ID), ("--format", "csv"), ("--min-spots", "2"), ("--prefer-country", "DE")):
        assert run("match", "20095", "-c", "DE", "--condition", "lupus", *options).exit_code == 2


@pytest.mark.parametrize("command", ["{} | true", "{} 2>&1 | true"])
def test_an_import_whose_reader_leaves_is_done_all_the_same(run: Run, tmp_path: Path, command: str) -> None:
    run("studies")  # makes the database, in the home of `run`
    # The reader is gone before the program has started.
    program = (
        f"'{Path(sys.executable).parent}/sitematch' import ctgov --all {write(tmp_path, make_record(KIEL, HAMBURG))}"
    )

    done = subprocess.run(["bash", "-o", "pipefail", "-c", command.format(program)], check=False)

    assert done.returncode == 0
    assert STUDY_ID in run("studies").stdout
    assert ": 1 study; sites 2 added" in run("import", "list").stdout
