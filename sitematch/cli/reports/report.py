"""``report``: reports for coordinators, on the terminal or as a file."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sitematch.cli.common import EXIT_NOT_FOUND, STORE, Commands, console, exit_codes, format_option, plain_errors, say
from sitematch.cli.completion import complete_country, complete_site
from sitematch.cli.context import open_context, study_option
from sitematch.cli.output import open_output
from sitematch.domain.time_zones import read_instant, zone_named
from sitematch.errors import InvalidInput

if TYPE_CHECKING:
    from sitematch.reports.document import Report

_CODES = exit_codes(EXIT_NOT_FOUND, *STORE)

_PIPED_COLUMNS = 250
"""Wide enough for every table; a file or a pager has no width of its own."""


@click.group("report", cls=Commands)
def report_group() -> None:
    """Create reports on capacity, referrals, enrolment, coverage and demand."""


def out_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--out``."""
    return click.option(
        "--out",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="File to write.  [default: standard output]",
    )(command)


def time_zone_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--time-zone``."""
    return click.option(
        "--time-zone",
        default="UTC",
        show_default=True,
        metavar="ZONE",
        help="Time zone of dates and times (IANA name), e.g. Europe/Berlin.",
    )(command)


def document_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--format``, ``--out`` and ``--table``, the output options of a report."""
    command = click.option("--table", metavar="NAME", help="With --format csv: only this table.")(command)
    return format_option("table", "json", "csv", "xlsx", "html", "pdf", "zip")(out_option(command))


def report_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every report takes."""
    for option in (
        document_options,
        click.option("--site", metavar="SITE", shell_complete=complete_site, help="Only this site."),
        click.option(
            "--country",
            metavar="COUNTRY",
            shell_complete=complete_country,
            help="Only sites in this country: name or ISO 3166-1 code.",
        ),
        time_zone_option,
        click.option(
            "--as-of",
            metavar="TIME",
            help="Show the state at this time: 2026-01-31T12:00, or 2026-01-31 for the end of the day.",
        ),
        study_option,
    ):
        command = option(command)
    return command


@report_group.command("capacity", epilog=_CODES)
@report_options
@plain_errors
def capacity(**asked: Any) -> None:
    """Report spots taken and left in the study, its countries, arms and sites.

    \b
    Examples:
      sitematch report capacity
      sitematch report capacity --as-of 2026-01-31 --time-zone Europe/Berlin --format pdf --out january.pdf
      sitematch report capacity --country Germany --format csv
    """
    from sitematch.services.reports import reporting

    run_report(reporting.capacity_report, asked)


@report_group.command("funnel", epilog=_CODES)
@report_options
@plain_errors
def funnel(**asked: Any) -> None:
    """Report how far referrals got, how long each step took, and why screening failed, by month and site.

    \b
    Examples:
      sitematch report funnel --time-zone Europe/Berlin
      sitematch report funnel --format csv --table screen-failures
    """
    from sitematch.services.reports import reporting

    run_report(reporting.funnel_report, asked)


def run_report(make: Callable[..., Report], asked: dict[str, Any]) -> None:
    """Create the requested report, and print it or write the file."""
    form, out, table = asked["form"], asked["out"], asked["table"]
    check_format(form, out, table)
    zone, country = zone_named(asked["time_zone"]), asked["country"]
    if country is not None:
        from sitematch.gazetteer.grammar import parse_country

        country = parse_country(country)
    with open_context(asked["study"]) as context:
        report = make(
            context.store,
            context.actor,
            context.study_id,
            context.now,
            as_of=None if asked["as_of"] is None else read_instant(asked["as_of"], zone, context.now),
            time_zone=zone.key,
            country=country,
            site_id=asked["site"],
        )
    write_report(report, form, out, table)


def check_format(form: str, out: Path | None, table: str | None) -> None:
    """Refuse what cannot be written, before anything is worked out."""
    if form in ("xlsx", "pdf", "zip") and out is None:
        raise InvalidInput(f"{form} output needs --out FILE.", field="out")
    if table is not None and form != "csv":
        raise InvalidInput("--table works only with --format csv.", field="table")


def write_report(report: Report, form: str, out: Path | None, table: str | None) -> None:
    """Print a report or write it into a file."""
    if form == "table":
        written = _printed(report, out)
    else:
        from sitematch.reports.render import Format, render

        written = render(report, Format(form), table=table)
    if out is None:
        click.echo(written, nl=False)
    else:
        with open_output(out) as file:
            file.write(written)
        say(f"Wrote {out}.")
    if form == "csv" and table is None:
        from sitematch.reports.render.as_csv import omitted

        if others := omitted(report):
            say(f"Not in this file: {', '.join(others)}. Use --table NAME, or --format zip for all tables.")


def _printed(report: Report, out: Path | None) -> bytes:
    """Print a report for a terminal, directly to the terminal if there is one."""
    from sitematch.exporters.tables.terminal import PlainConsole
    from sitematch.reports.render.as_terminal import print_report

    if out is None:
        print_report(report, console(piped_columns=_PIPED_COLUMNS))
        return b""
    page = io.StringIO()
    print_report(report, PlainConsole(file=page, width=_PIPED_COLUMNS, highlight=False))
    return page.getvalue().encode()
