"""A study's record from a registry: the common result of every importer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sitematch.domain.place import Coordinates
from sitematch.domain.studies.contact import Contact
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLocation:
    """A place where a study recruits, as a record describes it, before its country is parsed and it is located.

    Parameters
    ----------
    where
        Its position in the source, e.g. ``"NCT05843643, location 12"``.
    facility
        Name without the sponsor's tag; empty if the record has none.
    address, city, state, postcode, country
        As in the record, without extra spaces; each may be empty. The address is street and number.
    status
        The location's own status; None if the record has none.
    point
        The record's coordinates, often only those of the city; None if there are no usable ones.
    flags
        Notes from reading the record, in plain words.
    contacts
        Contacts of the location; empty unless the import includes contacts.
    opened_on
        The day since which it has recruited; None if the record has none.
    """

    where: str
    facility: str
    city: str
    country: str
    address: str = ""
    state: str = ""
    postcode: str = ""
    status: RecruitmentStatus | None = None
    point: Coordinates | None = None
    flags: tuple[str, ...] = ()
    contacts: tuple[Contact, ...] = ()
    opened_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord:
    """One study's record.

    Parameters
    ----------
    study
        Its details; values that registries do not have (spots, travel support) are the defaults.
    locations
        The locations that could be read, in the record's order.
    faults
        The errors of the other locations.
    given
        The number of locations in the record: those that could be read and those with errors.
    contacts
        Contacts of the study as a whole; empty unless the import includes contacts.
    left_out
        The readable part of the locations with errors. A site that one of them names has not vanished. A location
        without any readable part may be any site.
    states_status
        Whether the record has a known status for the study; otherwise the catalogue's status is kept.
    notices
        Notes about the study itself, in plain words.
    lists_sites
        Whether the record lists its sites. If not, the catalogue's sites of the study stay as they are.
    is_copy
        Whether the record is a portal's copy of a register's record. It never replaces the register's own.
    """

    study: Study
    locations: tuple[RecordLocation, ...]
    faults: tuple[Fault, ...]
    given: int
    contacts: tuple[Contact, ...] = ()
    left_out: tuple[RecordLocation, ...] = ()
    states_status: bool = True
    notices: tuple[str, ...] = ()
    lists_sites: bool = True
    is_copy: bool = False


CATALOGUE_FORMAT = "sitematch-catalogue/1"
"""The first line of an exported catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRecord:
    """One study from a catalogue, with sites that already have ids and places.

    Parameters
    ----------
    study_id
        The study.
    study
        Its details; None if there are only sites.
    sites
        Its sites, in order.
    is_whole
        Whether these are all of its sites.
    """

    study_id: str
    study: Study | None
    sites: tuple[Site, ...]
    is_whole: bool
