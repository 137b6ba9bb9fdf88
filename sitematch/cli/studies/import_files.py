"""``import file`` and ``import ctis`` and others: files of trial registers, FHIR and lists of places."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from sitematch.cli.common import EXIT_DATA_FAULT, plain_errors, prepared_settings, say
from sitematch.cli.completion import complete_study
from sitematch.cli.studies.import_options import (
    ALL,
    ALLOW_LEFT_OUT,
    CODES,
    DRY_RUN,
    STATUS,
    STRICT,
    given_status,
)
from sitematch.cli.studies.import_printer import Printer

_FILES = click.argument("files", nargs=-1, type=click.Path(path_type=Path))
_STUDY = click.option(
    "--study",
    metavar="NCT…",
    shell_complete=complete_study,
    help="The study of places that name none: tables, FHIR Locations, Open Referral.",
)
_TITLE = click.option("--title", default="", help="Create the study with this title if it does not exist.")
_COUNTRY = click.option("--country", default="", help="The country of rows without a country, e.g. US.")


@click.command("file", epilog=CODES)
@_FILES
@_STUDY
@_TITLE
@_COUNTRY
@click.option("--allow-older", is_flag=True, help="Accept records older than the stored version.")
@STATUS
@ALLOW_LEFT_OUT
@STRICT
@DRY_RUN
@ALL
@plain_errors
def file(
    files: tuple[Path, ...],
    study: str | None,
    title: str,
    country: str,
    allow_older: bool,
    status: str | None,
    allow_left_out: bool,
    strict: bool,
    dry_run: bool,
    everything: bool,
) -> None:
    """Import files of any kind that sitematch reads. The kind of each file is detected.

    Kinds: ClinicalTrials.gov (JSON, classic XML and JSON, CSV of the website), EU CTIS, EU Clinical Trials Register,
    ISRCTN, WHO and registers in its form, NCI, FHIR, and tables of sites (CSV, Excel, AACT, Open Referral). A file of
    another kind is refused, and the message names what it looks like.

    \b
    Examples:
      sitematch import file trial.json isrctn.xml ictrp.xml --dry-run
      sitematch import file locations.ndjson --study NCT06064929 --country US
    """
    from sitematch.services.studies.other_sources import import_any
    from sitematch.services.studies.site_tables import TableForm

    now = datetime.now(UTC)
    chosen = prepared_settings(now)
    is_refused = False
    for path, source, run in import_any(
        chosen, files, None if study is None else study.strip(), TableForm(country=country.strip()), title
    ):
        say(f"{path.name}: {source}.")
        printer = Printer(everything=everything)
        totals, import_id = run(
            now=now, watcher=printer, dry_run=dry_run, strict=strict, allow_older=allow_older,
            allow_left_out=allow_left_out, silent_status=given_status(status),
        )  # fmt: skip
        printer.close(totals, import_id, dry_run=dry_run, allow_left_out=allow_left_out)
        is_refused |= bool(totals.records_left_out and not totals.studies)
    if is_refused:
        sys.exit(EXIT_DATA_FAULT)


def _command(form: str, help_text: str) -> click.Command:
    @click.command(form, epilog=CODES, help=help_text)
    @_FILES
    @STATUS
    @ALLOW_LEFT_OUT
    @STRICT
    @DRY_RUN
    @ALL
    @plain_errors
    def command(
        files: tuple[Path, ...],
        status: str | None,
        allow_left_out: bool,
        strict: bool,
        dry_run: bool,
        everything: bool,
    ) -> None:
        from sitematch.services.studies.other_sources import import_files
        from sitematch.services.studies.sources import ImportSource

        now = datetime.now(UTC)
        printer = Printer(everything=everything)
        totals, import_id = import_files(
            prepared_settings(now), ImportSource(form), files, now=now, watcher=printer, dry_run=dry_run, strict=strict,
            allow_left_out=allow_left_out, silent_status=given_status(status),
        )  # fmt: skip
        printer.close(totals, import_id, dry_run=dry_run, allow_left_out=allow_left_out)
        if totals.records_left_out and not totals.studies:
            sys.exit(EXIT_DATA_FAULT)

    return command


FILE_COMMANDS = (
    file,
    _command(
        "ctis",
        "Import JSON of the EU's Clinical Trials Information System, with trial sites.\n\n"
        "\b\nExample:\n  sitematch import ctis 2022-501234-11-00.json --dry-run",
    ),
    _command(
        "euctr",
        "Import text downloads of the EU Clinical Trials Register. They name countries, no places.\n\n"
        "\b\nExample:\n  sitematch import euctr trials-full.txt --dry-run",
    ),
    _command(
        "isrctn",
        "Import XML of the ISRCTN registry, with trial centres.\n\n"
        "\b\nExample:\n  sitematch import isrctn trials.xml --dry-run",
    ),
    _command(
        "who",
        "Import XML of the WHO's trial search (ICTRP), or of a register in the WHO's form. It names countries, no "
        "places.\n\n\b\nExample:\n  sitematch import who ICTRP-Results.xml --dry-run",
    ),
    _command(
        "fhir",
        "Import FHIR R4 bundles, or NDJSON, of ResearchStudy, Location, Organization and HealthcareService.\n\n"
        "Places without a ResearchStudy are imported with `import file --study`.\n\n"
        "\b\nExample:\n  sitematch import fhir bundle.json --dry-run",
    ),
    _command(
        "nci",
        "Import the JSON of the US National Cancer Institute's clinical trials search API.\n\n"
        "\b\nExample:\n  sitematch import nci trials.json --dry-run",
    ),
)
"""The commands of `import` for files of any kind, and of one source each."""
