"""`import file`: every kind in one command, by the same rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.importers.test_file_kinds import FILES


def counted(output: str) -> str:
    return next(line for line in output.splitlines() if line.startswith("Status of the sites"))


@pytest.mark.parametrize(
    ("name", "sites"),
    [
        ("ctis.json", "1 stated, 0 inherited from the study, 0 given with --status, 0 kept from before, 2 unknown"),
        ("isrctn.xml", "0 stated, 1 inherited from the study, 0 given with --status, 0 kept from before, 2 unknown"),
        ("ictrp.xml", "0 stated, 0 inherited from the study, 0 given with --status, 0 kept from before, 0 unknown"),
        ("repec.xml", "0 stated, 0 inherited from the study, 0 given with --status, 0 kept from before, 0 unknown"),
        ("euctr.txt", "0 stated, 0 inherited from the study, 0 given with --status, 0 kept from before, 0 unknown"),
        (
            "ctgov-classic.xml",
            "1 stated, 1 inherited from the study, 0 given with --status, 0 kept from before, 0 unknown",
        ),
        (
            "ctgov-website.csv",
            "0 stated, 0 inherited from the study, 0 given with --status, 0 kept from before, 5 unknown",
        ),
        (
            "aact-facilities.txt",
            "2 stated, 0 inherited from the study, 0 given with --status, 0 kept from before, 1 unknown",
        ),
    ],
)
def test_a_file_is_recognised_and_imported(run: Run, name: str, sites: str) -> None:
    done = run("import", "file", str(FILES / name))

    assert done.exit_code == 0, done.output
    assert sites in counted(done.output)
    assert run("import", "file", str(FILES / name)).output.splitlines()[-1] == "Nothing changed."


def test_places_without_a_study_need_one_and_a_country(run: Run) -> None:
    path = str(FILES / "locations.ndjson")

    assert "--study" in run("import", "file", path).output
    assert "3 sites, 0 left out" not in run("import", "file", path, "--study", "FLU", "--title", "Flu").output
    done = run("import", "file", path, "--study", "FLU", "--title", "Flu", "--country", "US")

    assert done.exit_code == 0, done.output
    assert "3 locations: 3 sites, 0 left out. 0 sites could not be located" in done.output
    assert "2 unknown" in counted(done.output)


def test_streets_of_every_source_are_shown(run: Run) -> None:
    run("import", "file", str(FILES / "ctis.json"), str(FILES / "isrctn.xml"))

    assert "Charitéplatz 1" in run("sites", "--study", "2022-501234-11-00", "--format", "csv").output
    assert "Westminster Bridge Road" in run("sites", "--study", "ISRCTN61218504", "--format", "csv").output


def test_a_record_without_places_leaves_the_study_s_sites_as_they_are(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "sites.csv"
    table.write_text("Site,City,Country,Status\nKlinik,Berlin,DE,recruiting\n")
    run("import", "csv", str(table), "--study", "2010-019012-30", "--title", "A study")

    done = run("import", "file", str(FILES / "euctr.txt"))

    assert done.exit_code == 0, done.output
    assert "0 sites vanished" in done.output
    assert "Klinik" in run("sites", "--study", "2010-019012-30", "--format", "csv").output


def test_a_portal_s_copy_never_replaces_the_register_s_own_record(run: Run) -> None:
    done = run("import", "file", str(FILES / "ictrp.xml"))

    assert "study 'NCT06064929': is a copy; the catalogue has the study from" in done.output
    assert "A copy" not in run("studies").output


def test_a_file_of_no_kind_that_is_read_is_named(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "protocol.csv"
    path.write_bytes(b"%PDF-1.7 ...")

    done = run("import", "file", str(path))

    assert done.exit_code == 5
    assert "it looks like a PDF" in done.output


def test_a_table_that_sitematch_exported_keeps_its_ids(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    run("export", "sites", "--out", str(path))

    done = run("import", "file", str(path))

    assert done.exit_code == 0, done.output
    assert "Table of sitematch" in done.stderr
    assert done.stderr.splitlines()[-1] == "Nothing changed."


def test_an_exported_catalogue_is_named(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "catalogue.ndjson"
    run("export", "catalogue", "--out", str(path))

    assert "use `import catalogue`" in run("import", "file", str(path)).stderr
