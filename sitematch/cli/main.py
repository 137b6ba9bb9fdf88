"""The ``sitematch`` command."""

from __future__ import annotations

import click

from sitematch import __version__
from sitematch.cli.accounts import token_group, user_group
from sitematch.cli.assistant import mcp
from sitematch.cli.capacity.capacity import capacity_group
from sitematch.cli.capacity.ledger import ledger_group
from sitematch.cli.capacity.referral import referral_group
from sitematch.cli.capacity.waiting import waiting_group
from sitematch.cli.common import EXIT_CODES, Commands
from sitematch.cli.data import data_group
from sitematch.cli.database import db
from sitematch.cli.doctor import doctor
from sitematch.cli.finding.batch import batch
from sitematch.cli.finding.look_up import locate, match, sites
from sitematch.cli.gazetteer import gazetteer_group
from sitematch.cli.reports.allocate import allocate
from sitematch.cli.reports.coverage import catchments, coverage
from sitematch.cli.reports.demand import demand
from sitematch.cli.reports.forecast import forecast
from sitematch.cli.reports.report import report_group
from sitematch.cli.server import serve
from sitematch.cli.shell import completion
from sitematch.cli.studies.exporting import export_group
from sitematch.cli.studies.importing import import_group, studies, sync
from sitematch.cli.webhook import webhook_group


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, prog_name="sitematch")
def main() -> None:
    """Find the trial sites nearest to a postcode in any country, with reasons.

    It does not give medical advice or decide who is eligible.

    \b
    Examples:
      sitematch match 33180 --country US
      sitematch match "SW1A 1AA" --country GB --within-miles 100
      sitematch locate Sevilla
      sitematch serve
    """


report_group.add_command(coverage)
report_group.add_command(catchments)
report_group.add_command(demand)

for _command in (
    match,
    batch,
    locate,
    sites,
    serve,
    doctor,
    mcp,
    capacity_group,
    referral_group,
    waiting_group,
    report_group,
    allocate,
    ledger_group,
    user_group,
    token_group,
    webhook_group,
    db,
    data_group,
    gazetteer_group,
    import_group,
    export_group,
    sync,
    studies,
    completion,
):
    main.add_command(_command)
report_group.add_command(forecast)
