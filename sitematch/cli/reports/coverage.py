"""``report coverage`` and ``report catchments``: the distances of people from the sites that can take them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sitematch.cli.common import (
    EXIT_AMBIGUOUS,
    EXIT_NOT_FOUND,
    STORE,
    exit_codes,
    format_option,
    plain_errors,
    print_json,
    say,
    settings,
)
from sitematch.cli.completion import complete_country, complete_study
from sitematch.cli.context import cli_caller, study_option
from sitematch.cli.finding.look_up import finder_of
from sitematch.cli.reports.report import check_format, document_options, out_option, time_zone_option, write_report
from sitematch.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sitematch.domain.studies.site import Site

_CODES = exit_codes(EXIT_NOT_FOUND, EXIT_AMBIGUOUS, *STORE)

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("coverage", epilog=_CODES)
@click.option(
    "--postcodes", type=_FILE, required=True, metavar="FILE", help="CSV file with a header and one row for each person."
)
@click.option("--column", default="postcode", show_default=True, metavar="NAME", help="The column with the postcodes.")
@click.option(
    "--country",
    "-c",
    metavar="COUNTRY",
    shell_complete=complete_country,
    help="Country of the postcodes: name or ISO 3166-1 code.",
)
@click.option("--country-column", metavar="NAME", help="The column with the countries, if rows have different ones.")
@click.option(
    "--people-column", metavar="NAME", help="The column with the number of people in each row.  [default: 1 each]"
)
@click.option(
    "--within-km",
    "limits_km",
    type=float,
    multiple=True,
    metavar="KM",
    help="A distance in kilometres to report; may be repeated.  [default: 50, 100, 200]",
)
@click.option(
    "--candidates", type=_FILE, metavar="FILE", help="Sites that could be opened, in the format of sites.csv."
)
@click.option(
    "--candidate-study",
    metavar="STUDY",
    shell_complete=complete_study,
    help="Another study whose sites could be opened.",
)
@time_zone_option
@study_option
@document_options
@plain_errors
def coverage(**asked: Any) -> None:
    """Report how many people on a list live near a site that can take them now, with the uncertainty.

    The report also shows which site would reduce the median distance most if it opened: the study's own sites that are
    closed or full, and those of --candidates or --candidate-study. No postcode is shown or stored.

    \b
    Examples:
      sitematch report coverage --postcodes patients.csv --column zip --country US
      sitematch report coverage --postcodes regions.csv --people-column people --country DE --within-km 75
      sitematch report coverage --postcodes patients.csv --country US --candidate-study NCT05843643 --format html
    """
    from sitematch.services.reports.coverage import LIMITS_KM, coverage_report
    from sitematch.services.reports.postcode_lists import read_postcode_list

    check_format(asked["form"], asked["out"], asked["table"])
    people = read_postcode_list(
        asked["postcodes"],
        column=asked["column"],
        country=asked["country"],
        country_column=asked["country_column"],
        people_column=asked["people_column"],
    )
    finder = finder_of(asked["study"])
    report = coverage_report(
        finder,
        cli_caller().actor,
        people,
        datetime.now(UTC),
        time_zone=asked["time_zone"],
        limits_km=asked["limits_km"] or LIMITS_KM,
        more_candidates=_candidates(asked["candidates"], asked["candidate_study"]),
    )
    write_report(report, asked["form"], asked["out"], asked["table"])


@click.command("catchments", epilog=_CODES)
@click.option("--radius-km", type=float, metavar="KM", help="Also draw the circle of this radius around each site.")
@study_option
@format_option("geojson")
@out_option
@plain_errors
def catchments(radius_km: float | None, study: str | None, form: str, out: Path | None) -> None:
    """Write the catchment area of each open site as GeoJSON: the area that is nearer to it than to any other open site.

    \b
    Examples:
      sitematch report catchments > catchments.geojson
      sitematch report catchments --radius-km 100 --out catchments.geojson
    """
    import msgspec

    from sitematch.services.reports.catchments import draw_catchments

    drawn = draw_catchments(finder_of(study), cli_caller().actor, datetime.now(UTC), radius_km=radius_km)
    if out is None:
        print_json(drawn)
    else:
        out.write_bytes(msgspec.json.encode(drawn))
        say(f"Wrote {out}.")


def _candidates(path: Path | None, study_id: str | None) -> Sequence[Site]:
    if path is not None and study_id is not None:
        raise InvalidInput("Give --candidates or --candidate-study, not both.", field="candidates")
    if path is not None:
        from sitematch.services.studies.sites_file import read_checked

        return read_checked(path, settings(), keep_good_rows=False).sites
    if study_id is not None:
        return finder_of(study_id).sites
    return ()
