"""``data``: the source files of a catalogue."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from sitematch.cli.common import EXIT_DATA_FAULT, Commands, exit_codes, plain_errors, prepared_settings, say, settings
from sitematch.config import data_file
from sitematch.domain.plurals import counted

_CODES = exit_codes(EXIT_DATA_FAULT)

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group("data", cls=Commands)
def data_group() -> None:
    """Check, load and rebuild site files."""


@data_group.command("check", epilog=_CODES)
@click.argument("file", type=_FILE)
@plain_errors
def check(file: Path) -> None:
    """Check a site file and report each error with its line. Nothing is changed.

    \b
    Example:
      sitematch data check sites.csv
    """
    from sitematch.services.studies.sites_file import read_checked

    found = read_checked(file, settings(), keep_good_rows=False)
    say(f"{file.name}: {counted(len(found.sites), 'site')}, no errors.")


@data_group.command("load", epilog=_CODES)
@click.argument("file", type=_FILE)
@click.option("--keep-good-rows", is_flag=True, help="Load the valid rows and skip the others.")
@plain_errors
def load(file: Path, keep_good_rows: bool) -> None:
    """Replace a study's sites with those in a file. If the file has errors, nothing is changed.

    \b
    Example:
      sitematch data load sites.csv
    """
    from sitematch.services.studies.sites_file import load_sites

    now = datetime.now(UTC)
    chosen = prepared_settings(now)
    found = load_sites(file, chosen, now, keep_good_rows=keep_good_rows)
    for fault in found.faults:
        say(f"Left out: {fault}")
    say(f"Loaded {counted(len(found.sites), 'site')}; {counted(len(found.faults), 'error')}.")


@data_group.command("build-sites", epilog=_CODES)
@click.option("--facts", type=_FILE, default=lambda: data_file("stand-in-sites.csv"), help="The record's facts.")
@click.option("--out", type=_FILE, default=Path("data/sites.csv"), show_default=True)
@plain_errors
def build_sites(facts: Path, out: Path) -> None:
    """Rebuild the file of stand-in sites from the registry record and the gazetteer. The result is always identical.

    \b
    Example:
      sitematch data build-sites --out data/sites.csv
    """
    from sitematch.exporters.tables.files import csv_text
    from sitematch.exporters.tables.rows import STATED_SITE_HEADER, cells, site_row
    from sitematch.gazetteer.locate import Gazetteer
    from sitematch.importers.study_file import read_study
    from sitematch.services.studies.placing import build_stand_in_sites

    study = read_study(data_file("study.json"))
    sites = build_stand_in_sites(facts, study, Gazetteer.open(settings().gazetteer_path))
    table = csv_text(STATED_SITE_HEADER, cells(map(site_row, sites), STATED_SITE_HEADER), line_end="\n")
    out.write_text(table, encoding="utf-8", newline="")
    say(f"{out}: {counted(len(sites), 'site')}, {sum(site.place is None for site in sites)} without a location.")
