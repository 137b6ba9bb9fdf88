"""``batch``: match every patient in a file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from sitematch.cli.common import (
    EXIT_DATA_FAULT,
    EXIT_NOT_FOUND,
    STORE,
    exit_codes,
    plain_errors,
    preferred_languages,
    say,
)
from sitematch.cli.completion import complete_country
from sitematch.cli.finding.look_up import finder_of, policy_options, read_policy
from sitematch.domain.plurals import counted
from sitematch.errors import InvalidInput


@click.command(epilog=exit_codes(EXIT_NOT_FOUND, EXIT_DATA_FAULT, *STORE))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out", "-o", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file for the matches."
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file for patients without matches, with reasons.  [default: next to --out]",
)
@click.option("--postcode-column", metavar="NAME", help="The column with the postcode, if its name is unusual.")
@click.option("--country-column", metavar="NAME", help="The column with the country, if its name is unusual.")
@click.option("--patient-column", metavar="NAME", help="The column that identifies a patient.  [default: the row]")
@click.option(
    "--country", "-c", metavar="COUNTRY", shell_complete=complete_country, help="The country of rows without one."
)
@click.option("--restart", is_flag=True, help="Start again instead of continuing a run that was stopped.")
@policy_options
@plain_errors
def batch(
    file: Path,
    out: Path,
    rejects: Path | None,
    postcode_column: str | None,
    country_column: str | None,
    patient_column: str | None,
    country: str | None,
    restart: bool,
    languages: str | None,
    study: str | None,
    **wanted: Any,
) -> None:
    """Match every patient in a CSV file: one row for each patient and site.

    A run that was stopped continues where it was. Only you can read the files. The matches have no
    column with the patient's postcode, but a note can repeat a postcode of which only a part is known.

    \b
    Examples:
      sitematch batch patients.csv -o matches.csv --country US
      sitematch batch patients.csv -o matches.csv --patient-column id --limit 3
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from sitematch.services.finding.batch import BatchOptions, match_csv
    from sitematch.services.finding.many import ManyMatches

    if not file.is_file():
        raise InvalidInput(f"There is no file {file}: name a CSV file with a header.", field="file")
    if not out.absolute().parent.is_dir():
        raise InvalidInput(f"There is no folder {out.absolute().parent}: create it first.", field="out")
    policy = read_policy(**wanted)
    finder = finder_of(study)
    tags = preferred_languages(languages)
    options = BatchOptions(
        postcode=postcode_column,
        country=country_column,
        patient=patient_column,
        in_country=country,
        asked=repr((finder.study.study_id, policy, tags)),
    )
    shown = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*shown, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Matching", total=None)

        def tell(rows: int, done: int, total: int) -> None:
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            rate = "" if not speed or not done else f", {speed * rows / done:,.0f} a second"
            bar.update(task, completed=done, total=total, description=f"{rows:,} patients{rate}")

        done = match_csv(
            ManyMatches(finder, policy, datetime.now(UTC), tags),
            file,
            out,
            rejects_path := rejects or out.with_suffix(".rejects.csv"),
            options,
            progress=tell,
            restart=restart,
        )
    if done.continued_at:
        say(f"Continued after {counted(done.continued_at, 'patient')} of an earlier run.")
    say(f"{out}: {done.rows - done.rejected:,} of {done.rows:,} patients matched.")
    say(f"{rejects_path}: {counted(done.rejected, 'patient')} without matches, with reasons.")
