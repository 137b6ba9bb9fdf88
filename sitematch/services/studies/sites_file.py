"""Checking a file of sites against the gazetteer and loading it into the catalogue."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sitematch.config import Settings
from sitematch.errors import DataFault, Fault
from sitematch.gazetteer.extent import Extents
from sitematch.gazetteer.reader import Reader
from sitematch.importers.tables.sites_csv import SitesFile, read_sites


def read_checked(path: Path, settings: Settings, *, keep_good_rows: bool) -> SitesFile:
    """Read a file of sites; a point outside its country is also an error. See `read_sites`."""
    extents = Extents(Reader(settings.gazetteer_path))
    return read_sites(path, keep_good_rows=keep_good_rows, in_country=extents.may_contain)


def load_sites(path: Path, settings: Settings, now: datetime, *, keep_good_rows: bool) -> SitesFile:
    """Replace the sites of a study with those in a file, in one transaction; then set the caps that are new in it.

    Parameters
    ----------
    path
        The file; all its rows belong to one study.
    settings
        The paths of the gazetteer and the database.
    now
        The instant (aware), for the audit trail.
    keep_good_rows
        See `read_sites`.

    Returns
    -------
    SitesRead
        The loaded sites, and the errors of the rows that were left out.

    Raises
    ------
    DataFault
        If the file has errors, or rows of more than one study; nothing is changed.
    StudyNotFound
        If the study is not in the catalogue.
    """
    from sitematch.store.capacity.stated_caps import take_stated_caps
    from sitematch.store.engine import open_store
    from sitematch.store.studies import catalogue

    found = read_checked(path, settings, keep_good_rows=keep_good_rows)
    study_ids = {site.study_id for site in found.sites}
    if len(study_ids) > 1:
        reason = f"rows of several studies ({', '.join(sorted(study_ids))}); use one file for each study"
        raise DataFault(f"{path.name}: {reason}", faults=[Fault(0, "study_id", "", reason)])
    with open_store(settings.database_url) as store:
        study = catalogue.read_study(store, study_ids.pop())
        catalogue.replace_study(store, study, found.sites)
        take_stated_caps(store, now)
    return found
