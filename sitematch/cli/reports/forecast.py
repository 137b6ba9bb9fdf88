"""``report forecast``: who will have enrolled by a day, when the study and its sites are full, and what if."""

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
    "--by", type=_DAY, metavar="DAY", help="The day to say most about; left out: the end of a month in half a year."
)
@click.option(
    "--opened",
    multiple=True,
    metavar="SITE=DAY",
    help="The day from which a site took patients, or will, where the ledger does not know; may be repeated.",
)
@click.option("--add-sites", type=int, default=0, metavar="NUMBER", help="What if: so many more sites.")
@click.option("--opening", type=_DAY, metavar="DAY", help="What if: the day on which those open; left out: at once.")
@click.option(
    "--close",
    multiple=True,
    metavar="SITE",
    shell_complete=complete_site,
    help="What if: this site takes nobody new; may be repeated.",
)
@click.option(
    "--cap",
    multiple=True,
    metavar="PART=SPOTS|none",
    help="What if: a cap of STUDY, COUNTRY:code or SITE:id; may be repeated.",
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
    """Forecast enrolment: who will have enrolled by a day, spots left then, and when the study and its sites are full.

    What if something changes is shown beside things as they are. Too few data are said, not papered over.

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
