"""A study's record as a registry gives it: what every importer reads its source into."""

from __future__ import annotations

from dataclasses import dataclass

from sitematch.domain.place import Coordinates
from sitematch.domain.studies.contact import Contact
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLocation:
    """A place where a study recruits, as a record writes it: its country is not yet read, nor is it placed.

    Parameters
    ----------
    where
        Its place in the source, e.g. ``"NCT05843643, location 12"``.
    facility
        Name without the sponsor's tag; empty if the record gives none.
    address, city, state, postcode, country
        As the record writes them, without stray spaces; each may be empty. The address is street and number.
    status
        The location's own; None where the record gives none.
    point
        The record's coordinates, often only the city's; None if it gives none that can be used.
    flags
        What was noticed while reading, in plain words.
    contacts
        Whom to ask there; empty unless the importer was asked for contacts.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord:
    """One study's record.

    Parameters
    ----------
    study
        Its facts; what registries do not know (spots, travel support) has the defaults.
    locations
        Those that could be read, in the record's order.
    faults
        Why the others could not.
    given
        How many locations the record holds: those read and those with faults.
    contacts
        Whom to ask about the study as a whole; empty unless the importer was asked for contacts.
    left_out
        What the locations with faults say of themselves, as far as it could be read: a site that one of them names
        has not vanished. One that says nothing may be any site.
    states_status
        Whether the record gives the study a status that is known; otherwise the catalogue's is kept.
    notices
        What was noticed about the study itself, in plain words.
    """

    study: Study
    locations: tuple[RecordLocation, ...]
    faults: tuple[Fault, ...]
    given: int
    contacts: tuple[Contact, ...] = ()
    left_out: tuple[RecordLocation, ...] = ()
    states_status: bool = True
    notices: tuple[str, ...] = ()


CATALOGUE_FORMAT = "sitematch-catalogue/1"
"""What the first line of an exported catalogue says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRecord:
    """What a catalogue has of one study: sites that have their ids and places already.

    Parameters
    ----------
    study_id
        The study.
    study
        Its facts; None if only sites are given.
    sites
        Its sites, in order.
    is_whole
        Whether these are all of its sites.
    """

    study_id: str
    study: Study | None
    sites: tuple[Site, ...]
    is_whole: bool
