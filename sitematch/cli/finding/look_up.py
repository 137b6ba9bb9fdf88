"""``match``, ``locate`` and ``sites``: look-ups by patients and coordinators."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sitematch.cli.common import (
    EXIT_AMBIGUOUS,
    EXIT_DATA_FAULT,
    EXIT_NO_MATCH,
    EXIT_NOT_FOUND,
    EXIT_NOT_READY,
    STORE,
    Commands,
    console,
    exit_codes,
    format_option,
    languages_option,
    plain_errors,
    preferred_languages,
    print_json,
    say,
    settings,
)
from sitematch.cli.completion import complete_country, complete_study
from sitematch.cli.studies.fixing import fix
from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.studies.study import RecruitmentStatus, tidy_study_id
from sitematch.domain.studies.travel import TravelCertainty
from sitematch.domain.units import Unit, unit_for
from sitematch.errors import InvalidInput

if TYPE_CHECKING:
    from sitematch.domain.finding.match import MatchResult
    from sitematch.gazetteer.locate import Gazetteer
    from sitematch.services.finding.finder import Finder

_STUDY = click.option(
    "--study",
    metavar="NCT…",
    shell_complete=complete_study,
    help="The study's id; `sitematch studies` lists them.  [default: SITEMATCH_STUDY]",
)
_COUNTRY_HELP = "Name or ISO 3166-1 code, e.g. US, Germany. Needed only if several countries have the postcode."


class PlaceCommand(click.Command):
    """A command with one place as its argument, which explains quoting if there are two words."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            # click has no class for it.
            if not error.message.startswith("Got unexpected extra argument"):
                raise
            named = f"sitematch {ctx.info_name}"
            raise click.UsageError(
                f"{error.message}. Name the country with --country: {named} 33180 --country US. "
                f'Put a place of several words into quotes: {named} "Saint Louis".',
                ctx,
            ) from error


_PLACE_OPTIONS = (
    click.argument("place"),
    click.option("--country", "-c", metavar="COUNTRY", shell_complete=complete_country, help=_COUNTRY_HELP),
    click.option("--town", metavar="TOWN", help="The postcode's town, to check that they match."),
)
_POLICY_OPTIONS = (
    languages_option,
    click.option("--order", type=click.Choice([order.value for order in Order]), default="best", show_default=True),
    click.option("--limit", "-n", type=int, default=5, show_default=True, help="The most sites to show, 1 to 500."),
    click.option("--within-km", type=float, metavar="KM", help="Radius in kilometres."),
    click.option("--within-miles", type=float, metavar="MILES", help="Radius in miles."),
    click.option("--max-minutes", type=float, metavar="MINUTES", help="The most minutes by car, one way."),
    click.option(
        "--travel",
        type=click.Choice([certainty.value for certainty in TravelCertainty], case_sensitive=False),
        help="Only sites with at least this travel support.",
    ),
    click.option("--min-spots", type=int, metavar="N", help="Only sites known to have this many spots left."),
    click.option(
        "--only-country", metavar="COUNTRY", shell_complete=complete_country, help="Only sites in this country."
    ),
    click.option(
        "--prefer-country",
        metavar="COUNTRY",
        shell_complete=complete_country,
        help="List sites in this country first.",
    ),
    click.option(
        "--status",
        "statuses",
        multiple=True,
        type=click.Choice([status.value for status in RecruitmentStatus], case_sensitive=False),
        help="Recruitment status to include; may be repeated.  [default: RECRUITING]",
    ),
    click.option(
        "--unit", type=click.Choice([unit.value for unit in Unit]), help="[default: the country's usual unit]"
    ),
    _STUDY,
)


def match_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the place and all options of a match; `ask` takes them."""
    for option in reversed((*_PLACE_OPTIONS, *_POLICY_OPTIONS)):
        command = option(command)
    return command


def policy_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a match without the place: the languages, those of `read_policy`, and the study."""
    for option in reversed(_POLICY_OPTIONS):
        command = option(command)
    return command


def read_policy(
    *,
    order: str,
    limit: int,
    within_km: float | None,
    within_miles: float | None,
    max_minutes: float | None,
    travel: str | None,
    min_spots: int | None,
    only_country: str | None,
    prefer_country: str | None,
    statuses: tuple[str, ...],
    unit: str | None,
) -> MatchPolicy:
    """Return the policy for the options of `policy_options`."""
    from sitematch.services.finding.match_request import match_policy

    return match_policy(
        order=Order(order),
        limit=limit,
        within_km=within_km,
        within_miles=within_miles,
        max_minutes=max_minutes,
        min_travel=None if travel is None else TravelCertainty(travel),
        min_spots=min_spots,
        only_country=only_country,
        prefer_country=prefer_country,
        status=tuple(map(RecruitmentStatus, statuses)) or None,
        unit=None if unit is None else Unit(unit),
    )


def ask(
    *, place: str, country: str | None, town: str | None, languages: str | None, study: str | None, **wanted: Any
) -> tuple[Finder, MatchResult]:
    """Rank the sites of a study with the options of `match_options`."""
    policy = read_policy(**wanted)
    finder = finder_of(study)
    return finder, finder.find(
        place, country, policy, datetime.now(UTC), town=town, languages=preferred_languages(languages)
    )


@click.command(cls=PlaceCommand, epilog=exit_codes(EXIT_NO_MATCH, EXIT_NOT_FOUND, EXIT_AMBIGUOUS, *STORE))
@match_options
@click.option(
    "--condition",
    metavar="TEXT",
    help="Search all recruiting studies about this condition: one row for each clinic.",
)
@format_option("table", "json", "geojson", "csv")
@plain_errors
def match(condition: str | None, form: str, **asked: Any) -> None:
    """Rank a study's sites by distance from a postcode or town, or search all studies about a condition.

    `sitematch export matches` writes them to a file.

    \b
    Examples:
      sitematch match 33180 --country US
      sitematch match "Springfield, IL" --country US --limit 3
      sitematch match 10117 --country EE --within-km 300 --format json
      sitematch match 33180 --country US --order time --max-minutes 90
      sitematch match 33180 --country US --condition "lupus nephritis"
    """
    from sitematch.exporters.wire.matches import matches_answer

    if condition is not None:
        _match_condition(condition, form, **asked)
        return
    finder, result = ask(**asked)
    answer = matches_answer(result, finder.study, finder.attribution, finder.contacts)
    if form == "json":
        print_json(answer)
    elif form == "geojson":
        from sitematch.exporters.geojson import matches_geojson

        print_json(matches_geojson(answer))
    elif form == "csv":
        from sitematch.exporters.tables.files import csv_text
        from sitematch.exporters.tables.rows import MATCH_HEADER, cells, match_rows

        click.echo(csv_text(MATCH_HEADER, cells(match_rows(result, finder.study.notice), MATCH_HEADER)), nl=False)
    else:
        from sitematch.exporters.tables.terminal import print_matches

        print_matches(answer, console())
    if not answer.matches:
        sys.exit(EXIT_NO_MATCH)


def _match_condition(
    condition: str,
    form: str,
    *,
    place: str,
    country: str | None,
    town: str | None,
    languages: str | None,
    study: str | None,
    **wanted: Any,
) -> None:
    """Rank the clinics of all studies about a condition."""
    from sitematch.exporters.wire.clinics import clinics_answer
    from sitematch.services.finding.opening import open_clinics
    from sitematch.services.setup import prepared_to_read

    if study is not None:
        raise InvalidInput("Give --study or --condition, not both.", field="study")
    if form not in ("table", "json"):
        raise InvalidInput(f"With --condition the format must be table or json, not {form}.", field="format")
    policy = read_policy(**wanted)
    now = datetime.now(UTC)
    with prepared_to_read(settings(), say, now) as chosen, open_clinics(chosen, now) as finder:
        result = finder.find(
            condition, place, country, policy, now, town=town, languages=preferred_languages(languages)
        )
        answer = clinics_answer(result, finder.attribution)
    if form == "json":
        print_json(answer)
    else:
        from sitematch.exporters.tables.clinics_table import print_clinics

        print_clinics(answer, console())
    if not answer.clinics:
        sys.exit(EXIT_NO_MATCH)


@click.command(cls=PlaceCommand, epilog=exit_codes(EXIT_NOT_FOUND, EXIT_AMBIGUOUS, EXIT_DATA_FAULT, EXIT_NOT_READY))
@click.argument("place", required=False)
@click.option("--country", "-c", metavar="COUNTRY", shell_complete=complete_country, help=_COUNTRY_HELP)
@click.option("--town", metavar="TOWN", help="The postcode's town, to check that they match.")
@languages_option
@click.option("--batch", type=click.Path(dir_okay=False, path_type=Path), help="Locate every row of this CSV file.")
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --batch: the file for rows that were located.",
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --batch: the file for rows that were not located, with reasons.  [default: next to --out]",
)
@format_option("table", "json")
@plain_errors
def locate(
    place: str | None,
    country: str | None,
    town: str | None,
    languages: str | None,
    batch: Path | None,
    out: Path | None,
    rejects: Path | None,
    form: str,
) -> None:
    """Show where a postcode or town is, and how precise that is.

    \b
    Examples:
      sitematch locate 33180 --country US
      sitematch locate "〒260-8712" --country JP
      sitematch locate Köln --country DE --format json
      sitematch locate --batch patients.csv -o located.csv
    """
    from sitematch.exporters.wire.matches import place_answer
    from sitematch.gazetteer.locate import Gazetteer

    gazetteer = Gazetteer.open(settings().gazetteer_path)
    if batch is not None:
        if place is not None or town is not None or out is None:
            raise InvalidInput("--batch needs --out, and no place in the command.", field="batch")
        _locate_batch(gazetteer, batch, out, rejects or out.with_suffix(".rejects.csv"), country)
        return
    if place is None and town is None:
        raise InvalidInput("Give a postcode or a town, or --batch with a file.", field="place")
    found = gazetteer.locate(place or "", country, town=town, languages=preferred_languages(languages))
    answer = place_answer(found, unit_for(found.country))
    if form == "json":
        print_json(answer)
    else:
        from sitematch.exporters.tables.terminal import print_place

        print_place(answer, tuple(source.attribution for source in gazetteer.sources()), console())


def _locate_batch(gazetteer: Gazetteer, batch: Path, out: Path, rejects: Path, country: str | None) -> None:
    """Locate a file with a progress bar on stderr; rows that cannot be located go to the rejects."""
    from rich.console import Console
    from rich.progress import Progress

    from sitematch.gazetteer.batch_csv import locate_batch

    if not batch.is_file():
        raise InvalidInput(f"There is no file {batch}: name a CSV file with a header.", field="batch")
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Locating", total=None)
        summary = locate_batch(
            gazetteer,
            batch,
            out,
            rejects,
            country=country,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    say(f"{out}: {summary.located} of {summary.rows} rows located, {summary.with_notes} of them with notes.")
    say(f"{rejects}: {summary.rejected} rows not located, with reasons.")


@click.group(cls=Commands, invoke_without_command=True, epilog=exit_codes(EXIT_NOT_FOUND, *STORE))
@click.option("--country", "-c", metavar="COUNTRY", shell_complete=complete_country, help="Only sites in this country.")
@_STUDY
@format_option("table", "json", "geojson", "csv")
@click.pass_context
@plain_errors
def sites(context: click.Context, country: str | None, study: str | None, form: str) -> None:
    """List the study's sites; `sites fix` lists those that could not be placed.

    \b
    Examples:
      sitematch sites --country US
      sitematch sites --format csv > sites.csv
    """
    if context.invoked_subcommand is not None:
        return
    from sitematch.exporters.wire.matches import site_answer
    from sitematch.services.finding.match_request import country_code

    wanted = country_code(country, "country")
    finder = finder_of(study)
    found = [site for site in finder.sites if wanted in (None, site.country)]
    answers = [site_answer(site) for site in found]
    if form == "json":
        print_json(answers)
    elif form == "geojson":
        from sitematch.exporters.geojson import sites_geojson

        print_json(sites_geojson(answers))
    elif form == "csv":
        from sitematch.exporters.tables.files import csv_text
        from sitematch.exporters.tables.rows import SITE_HEADER, cells, site_row

        click.echo(csv_text(SITE_HEADER, cells(map(site_row, found), SITE_HEADER)), nl=False)
    else:
        from sitematch.exporters.tables.terminal import print_sites

        print_sites(answers, finder.study.notice, console())


sites.add_command(fix)


def finder_of(study_id: str | None = None) -> Finder:
    """Open the finder; in a new installation, the database is created at its first use."""
    from sitematch.services.finding.opening import open_finder
    from sitematch.services.setup import prepared_to_read

    now = datetime.now(UTC)
    with prepared_to_read(settings(), say, now) as chosen:
        if study_id is not None:
            chosen = replace(chosen, study_id=tidy_study_id(study_id))
        return open_finder(chosen, now)
