"""Whom to ask about a study: persons, so kept only where somebody asked for it and a patient can use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import TAKING_STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person or an office to ask.

    Parameters
    ----------
    name, role, phone, email
        As the registry gives them; each may be empty, but not all.
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
        For the study as a whole.
    by_site
        By site_id, in the record's order; sites without any are not there.
    """

    central: tuple[Contact, ...] = ()
    by_site: Mapping[str, tuple[Contact, ...]] = field(default_factory=dict)

    def of(self, site: Site) -> tuple[Contact, ...]:
        """Return whom to ask about a site: its own contacts, or the study's; nobody where it takes no patients."""
        if site.status not in TAKING_STATUSES:
            return ()
        return self.by_site.get(site.site_id) or self.central

    def __len__(self) -> int:
        """Count the contacts."""
        return len(self.central) + sum(map(len, self.by_site.values()))


NO_CONTACTS = StudyContacts()
