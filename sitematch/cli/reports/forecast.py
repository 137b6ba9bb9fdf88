"""``report forecast``: enrolments by a day, when the study and its sites will be full, and what-if plans."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import click

from sitematch.cli.common import EXIT_NOT_FOUND, STORE, exit_codes, plain_errors
from sitematch.cli.completion import complete_site
from sitematch.cli.reports.report import report_options, run_report

_CODES = exit_codes(EXIT_NOT_FOUND, *STORE)

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("forecast", epilog=_CODES)
@click.option(
    "--by", type=_DAY, metavar="DAY", help="The main forecast day.  [default: the end of the month in half a year]"
)
@click.option(
    "--opened",
    multiple=True,
    metavar="SITE=DAY",
    help="The day a site opened or will open, if it is not in the ledger; may be repeated.",
)
@click.option("--add-sites", type=int, default=0, metavar="NUMBER", help="What if: add this many sites.")
@click.option("--opening", type=_DAY, metavar="DAY", help="What if: the day the added sites open.  [default: today]")
@click.option(
    "--close",
    multiple=True,
    metavar="SITE",
    shell_complete=complete_site,
    help="What if: close this site to new patients; may be repeated.",
)
@click.option(
    "--cap",
    multiple=True,
    metavar="PART=SPOTS|none",
    help="What if: a cap for STUDY, COUNTRY:code or SITE:id; may be repeated.",
)
@report_options
@plain_errors
def forecast(
    by: datetime | None,
    opened: tuple[str, ...],
    add_sites: int,
    opening: datetime | None,
    close: tuple[str, ...],
    cap: tuple[str, ...],
    **asked: Any,
) -> None:
    """Forecast enrolment: participants and spots left by a day, and when the study and its sites will be full.

    What-if options show a changed plan beside the current one. If there are too few data, the report says so.

    \b
    Examples:
      sitematch report forecast --by 2026-06-30
      sitematch report forecast --by 2026-06-30 --add-sites 2 --opening 2026-03-01
      sitematch report forecast --by 2026-06-30 --close NCT06064929-001 --cap STUDY=40 --format html --out forecast.html
    """
    from sitematch.reports.forecast.plan import WhatIf
    from sitematch.services.reports.forecasting import forecast_report, read_caps, read_openings

    what_if = WhatIf(
        add_sites=add_sites,
        opening=None if opening is None else opening.date(),
        close=close,
        caps=read_caps(cap),
    )
    day = None if by is None else by.date()
    make = partial(forecast_report, by=day, opened=read_openings(opened), what_if=what_if)
    run_report(make, asked)
