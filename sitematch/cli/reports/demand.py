"""``report demand``: the regions of look-ups, and where no site is open for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from sitematch.cli.common import EXIT_NOT_FOUND, STORE, exit_codes, plain_errors, settings
from sitematch.cli.context import open_context, study_option
from sitematch.cli.finding.look_up import finder_of
from sitematch.cli.reports.report import check_format, document_options, time_zone_option, write_report

_CODES = exit_codes(EXIT_NOT_FOUND, *STORE)


@click.command("demand", epilog=_CODES)
@click.option("--months", type=int, default=12, show_default=True, help="How many full months to report.")
@click.option(
    "--within-km",
    type=float,
    default=100.0,
    show_default=True,
    metavar="KM",
    help="A site within this distance is within reach, in kilometres.",
)
@time_zone_option
@study_option
@document_options
@plain_errors
def demand(**asked: Any) -> None:
    """Report the regions that searches came from, and the regions with no open site within reach.

    Searches are counted only if SITEMATCH_COUNT_DEMAND=1 is set. docs/demand.md explains what is stored.

    \b
    Examples:
      sitematch report demand
      sitematch report demand --months 3 --within-km 200 --format csv --table without-supply
    """
    from sitematch.services.reports.demand import report_demand

    check_format(asked["form"], asked["out"], asked["table"])
    finder = finder_of(asked["study"])
    with open_context(finder.study.study_id) as context:
        report = report_demand(
            finder,
            context.store,
            context.actor,
            datetime.now(UTC),
            threshold=settings().demand_threshold,
            months=asked["months"],
            within_km=asked["within_km"],
            time_zone=asked["time_zone"],
        )
    write_report(report, asked["form"], asked["out"], asked["table"])
