"""``import``, ``sync`` and ``studies``: importing trials and keeping them up to date with their registry."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from sitematch.cli.common import EXIT_DATA_FAULT, Commands, plain_errors, prepared_settings, say
from sitematch.cli.completion import complete_study
from sitematch.cli.studies.import_files import FILE_COMMANDS
from sitematch.cli.studies.import_options import (
    ALL,
    ALLOW_LEFT_OUT,
    CODES,
    CONTACTS,
    DRY_RUN,
    STATUS,
    STRICT,
    given_status,
)
from sitematch.cli.studies.import_printer import Printer, print_preview
from sitematch.domain.plurals import counted
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.errors import InvalidInput


@click.group("import", cls=Commands)
def import_group() -> None:
    """Import studies and sites, preview the changes, and undo them."""


for _command in FILE_COMMANDS:
    import_group.add_command(_command)


@import_group.command("ctgov", epilog=CODES)
@click.argument("sources", nargs=-1, metavar="[FILE|NCT…]...")
@click.option("--condition", default="", metavar="TEXT", help="Also fetch every study of this condition.")
@click.option("--recruiting", is_flag=True, help="With --condition: only studies that are recruiting.")
@click.option("--allow-older", is_flag=True, help="Accept records older than the stored version.")
@CONTACTS
@STATUS
@ALLOW_LEFT_OUT
@STRICT
@DRY_RUN
@ALL
@plain_errors
def ctgov(
    sources: tuple[str, ...],
    condition: str,
    recruiting: bool,
    allow_older: bool,
    contacts: bool,
    status: str | None,
    allow_left_out: bool,
    strict: bool,
    dry_run: bool,
    everything: bool,
) -> None:
    """Import from ClinicalTrials.gov: studies by number, or files.

    A file holds one study, a page, an array or NDJSON of thousands; it may be gzipped or the registry's zip archive.
    The classic XML and JSON, and the website's CSV download, are read too.
    The study's central phone and e-mail are stored while it takes patients. Names, and the contacts of sites, are
    stored only with --contacts.

    \b
    Examples:
      sitematch import ctgov NCT06064929 --dry-run
      sitematch import ctgov studies.ndjson.gz
      sitematch import ctgov --condition "lupus nephritis" --recruiting
    """
    from sitematch.services.studies.registry import Registry

    chosen = prepared_settings(datetime.now(UTC))
    printer = Printer(everything=everything)
    totals, import_id = Registry(chosen, say).import_studies(
        sources,
        condition=condition,
        recruiting_only=recruiting,
        contacts=contacts,
        now=datetime.now(UTC),
        watcher=printer,
        dry_run=dry_run,
        allow_older=allow_older,
        allow_left_out=allow_left_out,
        silent_status=given_status(status),
        strict=strict,
    )
    printer.close(totals, import_id, dry_run=dry_run, allow_left_out=allow_left_out)
    if totals.records_left_out and not totals.studies:
        sys.exit(EXIT_DATA_FAULT)


@import_group.command("csv", epilog=CODES)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--study",
    metavar="NCT…",
    shell_complete=complete_study,
    help="The study of all rows; not needed if the table has a column for it.",
)
@click.option("--title", default="", help="Create the study with this title if it does not exist.")
@click.option("--map", "pairs", multiple=True, metavar="FIELD=COLUMN", help="The column for a field; may be repeated.")
@click.option("--country", default="", help="The country of rows without a country, e.g. US.")
@click.option("--sheet", default="", help="Sheet of a workbook.  [default: the first]")
@click.option("--preview", is_flag=True, help="Show how the columns are read, without importing.")
@click.option("--complete", is_flag=True, help="For an exported table: close sites that are not in it.")
@STATUS
@ALLOW_LEFT_OUT
@STRICT
@DRY_RUN
@ALL
@plain_errors
def table(
    file: Path,
    study: str | None,
    title: str,
    pairs: tuple[str, ...],
    country: str,
    sheet: str,
    preview: bool,
    complete: bool,
    status: str | None,
    allow_left_out: bool,
    strict: bool,
    dry_run: bool,
    everything: bool,
) -> None:
    """Import sites from a CSV file, an Excel workbook or NDJSON, whatever the columns are called.

    FHIR Locations without a study (SMART Scheduling Links) and Open Referral's locations are read too.

    The table holds all sites of its study or studies: a site that it lacks is closed. Fields: study, title, facility,
    address, address_2, city, state, postcode, country, status, latitude, longitude.

    A site without a status keeps the one that it had, or has that of a study that takes nobody; otherwise it is UNKNOWN
    unless --status says what it is.

    A table from `sitematch export sites` (CSV, Excel or NDJSON) is recognised by its columns. Each
    site keeps its id and location, and sites that are not in the table stay unless --complete is given.

    \b
    Examples:
      sitematch import csv sites.xlsx --study NCT06064929 --preview
      sitematch import csv sites.csv --study NCT06064929 --map facility="Site name" --dry-run
      sitematch import csv sites.csv --study NCT06064929 --country US --status RECRUITING
      sitematch export sites --out mine.xlsx; sitematch import csv mine.xlsx --dry-run
    """
    from sitematch.importers.tables.own_table import is_own
    from sitematch.services.studies.site_tables import TableForm, import_own_table, import_table, preview_table

    given = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals:
            raise InvalidInput(f"--map {pair!r} has no '='. Write for example --map city=Town.", field="map")
        given[field.strip()] = column.strip()
    now = datetime.now(UTC)
    form = TableForm(columns=given, sheet=sheet, country=country.strip())
    if preview:
        print_preview(preview_table(file, form, now.date()))
        return
    printer = Printer(everything=everything)
    if not given and is_own(file, sheet):
        say(f"{file.name} was exported by sitematch: its sites keep their ids and locations.")
        totals, import_id = import_own_table(
            prepared_settings(now),
            file,
            study,
            sheet,
            is_whole=complete,
            now=now,
            watcher=printer,
            dry_run=dry_run,
            strict=strict,
        )
    else:
        totals, import_id = import_table(
            prepared_settings(now), file, None if study is None else study.strip(), form, title=title,
            now=now, watcher=printer, dry_run=dry_run, strict=strict,
            allow_left_out=allow_left_out, silent_status=given_status(status),
        )  # fmt: skip
    printer.close(totals, import_id, dry_run=dry_run, allow_left_out=allow_left_out)


@import_group.command("catalogue", epilog=CODES)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--allow-older", is_flag=True, help="Accept studies older than the stored version.")
@DRY_RUN
@ALL
@plain_errors
def catalogue(file: Path, allow_older: bool, dry_run: bool, everything: bool) -> None:
    """Import a file from `sitematch export catalogue`: studies with all their details and sites.

    A site of these studies that is not in the file is closed. Other studies do not change.

    \b
    Example:
      sitematch import catalogue catalogue.ndjson --dry-run
    """
    from sitematch.services.studies.other_sources import import_catalogue

    now = datetime.now(UTC)
    printer = Printer(everything=everything)
    totals, import_id = import_catalogue(
        prepared_settings(now), file, now=now, watcher=printer, dry_run=dry_run, allow_older=allow_older
    )
    printer.close(totals, import_id, dry_run=dry_run)


@import_group.command("undo", epilog=CODES)
@plain_errors
def undo() -> None:
    """Undo the latest import. Run it again to undo the one before.

    \b
    Example:
      sitematch import undo
    """
    from sitematch.services.studies.registry import undo_last

    chosen = prepared_settings(datetime.now(UTC))
    say(undo_last(chosen, datetime.now(UTC)))


@import_group.command("list", epilog=CODES)
@plain_errors
def list_() -> None:
    """List the imports that changed something, latest first.

    \b
    Example:
      sitematch import list
    """
    from sitematch.services.studies.registry import list_imports

    chosen = prepared_settings(datetime.now(UTC))
    found = list_imports(chosen)
    if not found:
        say("Nothing has been imported yet.")
    for record in found:
        t = record.totals
        undone = f", undone {record.undone_at:%Y-%m-%d %H:%M}" if record.undone_at else ""
        click.echo(
            f"{record.import_id}  {record.at:%Y-%m-%d %H:%M} UTC  {record.origin}  {record.source}: "
            f"{counted(t.studies_changed, 'study', 'studies')}; sites {t.added} added, {t.changed} changed, "
            f"{t.closed} closed, "
            f"{t.vanished} vanished{undone}"
        )


@click.command(epilog=CODES)
@CONTACTS
@ALLOW_LEFT_OUT
@DRY_RUN
@ALL
@plain_errors
def sync(contacts: bool, allow_left_out: bool, dry_run: bool, everything: bool) -> None:
    """Fetch all studies from ClinicalTrials.gov again and import the changes.

    \b
    Example:
      sitematch sync --dry-run
    """
    from sitematch.services.studies.registry import Registry

    chosen = prepared_settings(datetime.now(UTC))
    printer = Printer(everything=everything)
    totals, import_id = Registry(chosen, say).refresh(
        contacts=contacts, now=datetime.now(UTC), watcher=printer, dry_run=dry_run, allow_left_out=allow_left_out
    )
    printer.close(totals, import_id, dry_run=dry_run, allow_left_out=allow_left_out)


@click.command(epilog=CODES)
@click.option("--search", metavar="TEXT", help="Only studies that contain all these words.")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([status.value for status in RecruitmentStatus], case_sensitive=False),
    help="Only studies of this status; may be repeated.",
)
@click.option("--limit", "-n", type=click.IntRange(1), default=100, show_default=True, help="The most studies to list.")
@plain_errors
def studies(search: str | None, statuses: tuple[str, ...], limit: int) -> None:
    """List or search the studies in the catalogue.

    Studies with the words in the title or conditions come first, then those with them in the summary or sponsor.

    \b
    Examples:
      sitematch studies
      sitematch studies --search "lupus nephritis" --status RECRUITING
    """
    from sitematch.domain.studies.search_terms import query_words
    from sitematch.services.setup import open_store
    from sitematch.services.studies.catalogue import search_studies

    words = () if search is None else query_words(search, field="search")
    chosen = prepared_settings(datetime.now(UTC))
    with open_store(chosen.database_url) as store:
        page = search_studies(store, words, statuses=tuple(map(RecruitmentStatus, statuses)), limit=limit)
    for study in page.studies:
        mark = " (default)" if study.study_id == chosen.study_id else ""
        click.echo(f"{study.study_id}  {study.status.replace('_', ' ').lower()}  {study.title}{mark}")
    if page.after is not None:
        say(f"Only the first {limit} are shown. To see more, use --limit.")
    if not page.studies:
        say("No studies found.")
