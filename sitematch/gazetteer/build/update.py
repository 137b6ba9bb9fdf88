"""Renew the gazetteer from a fresh GeoNames dump; the old file stays until the new one has passed its audit."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from sitematch.errors import DataFault, Fault
from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.audit import Audit, audit
from sitematch.gazetteer.build.compile import build_from
from sitematch.gazetteer.build.fetch import fetch
from sitematch.gazetteer.build.postal import read_dump
from sitematch.gazetteer.build.progress import Say, step, to_stderr

GEONAMES_URL = "https://download.geonames.org/export/zip/allCountries.zip"
"""Where GeoNames offers its postal codes, https://download.geonames.org/export/zip/readme.txt."""

LEAST_SHARE = 0.9
"""A country may lose at most a tenth of its codes from one file to the next."""

FEW_CODES = 20
"""Countries with fewer codes may change as they like."""


def update(
    out: Path,
    *,
    url: str = GEONAMES_URL,
    directories: Sequence[Path] = (sources.DEFAULT_DIRECTORY,),
    say: Say = to_stderr,
) -> Audit:
    """Fetch a fresh dump, build the gazetteer from it, audit it, and only then put it in the old one's place.

    Parameters
    ----------
    out
        The gazetteer; it is not touched unless all goes well.
    url
        Address of an ``allCountries.zip``.
    directories, say
        See `compile.build`.

    Returns
    -------
    The new file's audit.

    Raises
    ------
    NotReady
        If the dump cannot be fetched or a pinned source is missing.
    DataFault
        If the dump is damaged, or the new file fails its audit or has lost many codes; all of it is listed.
    """
    with step(say, f"fetch {url}"):
        fetched = fetch(url, say=say)
    release = fetched.modified or f"sha256 {fetched.sha256[:12]}"
    postal = dataclasses.replace(
        sources.POSTAL,
        name=f"GeoNames postal codes, {release} (CC BY 4.0)",
        release=release,
        sha256=fetched.sha256,
    )
    new = out.with_name(f"{out.name}.{os.getpid()}.new")
    try:
        build_from(read_dump(fetched.content), postal, new, directories=directories, say=say)
        with step(say, "audit the new file"):
            found = audit(new)
        problems = [*found.problems, *(_losses(audit(out), found) if out.is_file() else ())]
        if problems:
            faults = tuple(Fault(0, "", "", problem) for problem in problems)
            raise DataFault("The new gazetteer failed its audit; the old one stays.", faults=faults)
        new.replace(out)
    finally:
        new.unlink(missing_ok=True)
    return found


def _losses(old: Audit, new: Audit) -> list[str]:
    now = {country.country: country.codes for country in new.countries}
    return [
        f"{country.country} had {country.codes:,} codes and would have {now.get(country.country, 0):,}."
        for country in old.countries
        if country.codes >= FEW_CODES and now.get(country.country, 0) < LEAST_SHARE * country.codes
    ]
