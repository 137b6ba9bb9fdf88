"""The options that the commands of `import` share."""

from __future__ import annotations

import click

from sitematch.cli.common import EXIT_DATA_FAULT, EXIT_NOT_FOUND, STORE, exit_codes
from sitematch.domain.studies.study import RecruitmentStatus

CODES = exit_codes(EXIT_NOT_FOUND, EXIT_DATA_FAULT, *STORE)

DRY_RUN = click.option("--dry-run", is_flag=True, help="Show what would change, without changing anything.")
STRICT = click.option("--strict", is_flag=True, help="Import nothing if any part has an error.")
CONTACTS = click.option(
    "--contacts",
    is_flag=True,
    help="Store names, and the contacts of sites that take patients. Without this option, they are erased.",
)
ALL = click.option("--all", "everything", is_flag=True, help="Print all differences and notices.")
ALLOW_LEFT_OUT = click.option(
    "--allow-left-out",
    is_flag=True,
    help="Import the rest if rows of known sites have errors. Those sites do not change.",
)
STATUS = click.option(
    "--status",
    type=click.Choice([status.value for status in RecruitmentStatus], case_sensitive=False),
    help="The status of sites without a status in the file.  [default: UNKNOWN]",
)


def given_status(text: str | None) -> RecruitmentStatus | None:
    """Return the status of the option; None if it was not given."""
    return None if text is None else RecruitmentStatus(text.upper())
