"""``export``: sites, matches and capacity for other programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from sitematch.cli.capacity.capacity import as_of_option, as_utc
from sitematch.cli.common import (
    EXIT_AMBIGUOUS,
    EXIT_NO_MATCH,
    EXIT_NOT_FOUND,
    STORE,
    Commands,
    exit_codes,
    plain_errors,
    say,
    settings,
)
from sitematch.cli.completion import complete_country, complete_study
from sitematch.cli.context import open_context, study_option
from sitematch.cli.finding.look_up import ask, match_options
from sitematch.cli.output import open_output
from sitematch.domain.plurals import counted
from sitematch.errors import InvalidInput

if TYPE_CHECKING:
    from sitematch.exporters.wire.matches import Wire

_CODES = exit_codes(EXIT_NO_MATCH, EXIT_NOT_FOUND, EXIT_AMBIGUOUS, *STORE)

_FORMS = ("csv", "xlsx", "ndjson", "geojson", "gpkg", "parquet")
_BINARY = {"xlsx": "Excel", "gpkg": "GeoPackage", "parquet": "GeoParquet"}


def _file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--bom", is_flag=True, help="Start CSV with a byte-order mark, so that Excel reads it as UTF-8."),
        click.option("--out", "-o", type=click.Path(dir_okay=False, path_type=Path), help="[default: stdout]"),
        click.option("--format", "form", type=click.Choice(_FORMS), help="[default: from the file name, or csv]"),
    ):
        command = option(command)
    return command


@click.group("export", cls=Commands)
def export_group() -> None:
    """Write sites, matches or capacity to files for other programs.

    CSV, Excel, NDJSON, GeoPackage and GeoParquet have the same columns. Text that a spreadsheet would run as a formula
    is made safe. To import an exported CSV, Excel or NDJSON file again, use `sitematch import csv`.
    """


@export_group.command("sites", epilog=_CODES)
@click.option(
    "--study",
    "studies",
    multiple=True,
    metavar="NCT…",
    shell_complete=complete_study,
    help="Sites of this study; may be repeated.",
)
@click.option("--all", "every", is_flag=True, help="Sites of all studies.")
@click.option(
    "--country",
    "-c",
    metavar="COUNTRY",
    shell_complete=complete_country,
    help="Only sites in this country: name or ISO 3166-1 code.",
)
@_file_options
@plain_errors
def sites(
    studies: tuple[str, ...], every: bool, country: str | None, form: str | None, out: Path | None, bom: bool
) -> None:
    """Write the sites of the default study, of some studies or of all studies.

    \b
    Examples:
      sitematch export sites --format csv > sites.csv
      sitematch export sites --all --out sites.xlsx
      sitematch export sites --study NCT05843643 --out sites.geojson
    """
    from sitematch.services.exchange.exporting import all_sites
    from sitematch.services.finding.match_request import country_code

    if every and studies:
        raise InvalidInput("Give --study or --all, not both.", field="study")
    chosen, wanted = _form(form, out), country_code(country, "country")
    with open_context() as context:
        found = all_sites(context.store, None if every else studies or (context.study_id,), country=wanted)
        with open_output(out) as file:
            if chosen == "geojson":
                from sitematch.exporters.geojson import write_sites_geojson
                from sitematch.exporters.wire.matches import site_answer

                write_sites_geojson(file, map(site_answer, found), attribution=_attribution())
            else:
                from sitematch.exporters.tables.rows import SITE_HEADER, site_row

                _write(file, chosen, SITE_HEADER, map(site_row, found), "Sites", bom)


@export_group.command("matches", epilog=_CODES)
@match_options
@_file_options
@plain_errors
def matches(form: str | None, out: Path | None, bom: bool, **asked: Any) -> None:
    """Rank the study's sites like `sitematch match`, and write them to a file.

    Tables do not include the postcode or town that you gave; GeoJSON has it in `query`.

    \b
    Examples:
      sitematch export matches 33180 --country US --limit 50 --out near.xlsx
      sitematch export matches Hialeah --country US --format geojson
    """
    from sitematch.cli.common import EXIT_NO_MATCH

    chosen = _form(form, out)
    finder, result = ask(**asked)
    with open_output(out) as file:
        if chosen == "geojson":
            from sitematch.exporters.geojson import matches_geojson
            from sitematch.exporters.wire.matches import matches_answer

            _write_json(file, matches_geojson(matches_answer(result, finder.study, finder.attribution)))
        else:
            from sitematch.exporters.tables.rows import MATCH_HEADER, match_rows

            _write(file, chosen, MATCH_HEADER, match_rows(result, finder.study.notice), "Matches", bom)
    if not result.matches:
        sys.exit(EXIT_NO_MATCH)


@export_group.command("capacity", epilog=_CODES)
@study_option
@click.option("--arm", metavar="ARM", help="Also apply this arm's cap.")
@as_of_option
@_file_options
@plain_errors
def capacity(
    study: str | None, arm: str | None, as_of: str | None, form: str | None, out: Path | None, bom: bool
) -> None:
    """Write the spots of each site of a study.

    \b
    Example:
      sitematch export capacity --as-of 2026-01-31 --out january.xlsx
    """
    from sitematch.services.capacity import coordinating
    from sitematch.services.exchange.exporting import with_places

    chosen = _form(form, out)
    with open_context(study) as context:
        found = coordinating.capacity(
            context.store, context.actor, context.study_id, context.now, as_of=as_utc(as_of, context.now), arm=arm
        )
        rows = with_places(context.store, context.study_id, found)
    with open_output(out) as file:
        if chosen == "geojson":
            from sitematch.exporters.geojson import capacity_geojson

            _write_json(file, capacity_geojson(rows))
        else:
            from sitematch.exporters.tables.rows import CAPACITY_HEADER

            _write(file, chosen, CAPACITY_HEADER, rows, "Capacity", bom)


@export_group.command("catalogue", epilog=_CODES)
@click.option(
    "--study",
    "studies",
    multiple=True,
    metavar="NCT…",
    shell_complete=complete_study,
    help="Only this study; may be repeated.",
)
@click.option("--out", "-o", type=click.Path(dir_okay=False, path_type=Path), help="[default: stdout]")
@plain_errors
def catalogue(studies: tuple[str, ...], out: Path | None) -> None:
    """Write studies with all their details and sites as NDJSON, without loss.

    \b
    Example:
      sitematch export catalogue --out catalogue.ndjson
    """
    from sitematch.exporters.catalogue import write_catalogue
    from sitematch.services.exchange.exporting import all_studies

    with open_context() as context, open_output(out) as file:
        study_count, site_count = write_catalogue(file, all_studies(context.store, studies or None))
    say(f"{counted(study_count, 'study', 'studies')} with {counted(site_count, 'site')} exported.")


def _form(form: str | None, out: Path | None) -> str:
    """Return the output format; a workbook is not written to a terminal."""
    ending = "" if out is None else out.suffix[1:].lower()
    chosen = form or (ending if ending in _FORMS else "csv")
    if chosen in _BINARY and out is None and sys.stdout.isatty():
        raise InvalidInput(f"{_BINARY[chosen]} output needs --out FILE.", field="out")
    return chosen


def _write(file: IO[bytes], form: str, header: tuple[str, ...], rows: Iterable[Wire], title: str, bom: bool) -> None:
    from sitematch.exporters.tables.files import TableFormat, write_csv, write_table
    from sitematch.exporters.tables.rows import ROW_TYPES, cells

    if form in ("gpkg", "parquet") and not bom:
        from sitematch.exporters.tables.geo_files import write_geopackage, write_geoparquet

        if form == "gpkg":
            write_geopackage(file, ROW_TYPES[title], header, rows, title.lower())
        else:
            write_geoparquet(file, ROW_TYPES[title], header, rows)
        return
    if bom:
        if form != "csv":
            raise InvalidInput("--bom works only with CSV.", field="bom")
        write_csv(file, header, cells(rows, header), for_excel=True)
    else:
        write_table(file, TableFormat(form), header, cells(rows, header), title=title)


def _write_json(file: IO[bytes], answer: object) -> None:
    import msgspec

    file.write(msgspec.json.encode(answer) + b"\n")


def _attribution() -> tuple[str, ...]:
    from sitematch.gazetteer.locate import Gazetteer

    return tuple(source.attribution for source in Gazetteer.open(settings().gazetteer_path).sources())
