"""Contacts of a study, kept only while patients are taken: without names, unless the import asks for persons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import TAKING_STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person or an office to contact.

    Parameters
    ----------
    name, role, phone, email
        As in the registry; each may be empty, but not all.
    """

    name: str = ""
    role: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyContacts:
    """A study's contacts.

    Parameters
    ----------
    central
        Contacts of the study as a whole.
    by_site
        By site_id, in the record's order; sites without contacts are missing.
    """

    central: tuple[Contact, ...] = ()
    by_site: Mapping[str, tuple[Contact, ...]] = field(default_factory=dict)

    def of(self, site: Site) -> tuple[Contact, ...]:
        """Return the contacts of a site: its own, or the study's; none if it takes no patients."""
        if site.status not in TAKING_STATUSES:
            return ()
        return self.by_site.get(site.site_id) or self.central

    def __len__(self) -> int:
        """Count the contacts."""
        return len(self.central) + sum(map(len, self.by_site.values()))


NO_CONTACTS = StudyContacts()
