"""``allocate``: sites for a batch of referrals."""

from __future__ import annotations

from pathlib import Path

import click

from sitematch.cli.common import (
    EXIT_AMBIGUOUS,
    EXIT_DATA_FAULT,
    EXIT_NOT_FOUND,
    STORE,
    exit_codes,
    plain_errors,
    settings,
)
from sitematch.cli.context import open_context, study_option
from sitematch.cli.reports.report import check_format, document_options, time_zone_option, write_report

_CODES = exit_codes(EXIT_NOT_FOUND, EXIT_AMBIGUOUS, EXIT_DATA_FAULT, *STORE)


@click.command(epilog=_CODES)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@time_zone_option
@study_option
@document_options
@plain_errors
def allocate(file: Path, time_zone: str, study: str | None, form: str, out: Path | None, table: str | None) -> None:
    """Assign a batch of referrals to sites within all caps: as many as possible, then over the shortest total distance.

    FILE is CSV with a header, or a JSON list of objects: referral_id, postcode or town, country, and the needs of each:
    within_km, min_travel, only_country, arm. No spots are taken, and the postcodes are not stored.

    \b
    Examples:
      sitematch allocate batch.csv
      sitematch allocate batch.json --format csv --table placements
    """
    from sitematch.gazetteer.locate import Gazetteer
    from sitematch.services.reports.allocating import read_referrals, report_allocation

    check_format(form, out, table)
    rows = read_referrals(file)
    gazetteer = Gazetteer.open(settings().gazetteer_path)
    with open_context(study) as context:
        report = report_allocation(
            gazetteer, context.store, context.actor, context.study_id, rows, context.now, time_zone=time_zone
        )
    write_report(report, form, out, table)
