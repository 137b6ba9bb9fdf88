"""How to reach a clinic: phone, e-mail and the study's record, as texts and links."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from api.pages.languages import gettext as _
from sitematch.domain.studies.contact import Contact, StudyContacts
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study

_EXTENSION = re.compile(r"(?:ext(?:ension)?\.?|x|#)\s*(?=\d)", re.IGNORECASE)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{3,255}")
_NCT = re.compile(r"NCT\d{8}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactLink:
    """One contact of a clinic.

    Parameters
    ----------
    name, role
        A person or an office, as in the record; may be empty.
    phone, phone_address
        The displayed number and its ``tel:`` link; empty if unknown.
    email, email_address
        The displayed address and its ``mailto:`` link, with a subject that names study and clinic but nothing about the
        patient.
    is_central
        Whether it is the study's contact instead of the clinic's own.
    """

    name: str
    role: str
    phone: str
    phone_address: str
    email: str
    email_address: str
    is_central: bool


@dataclass(frozen=True, slots=True)
class ContactLinks:
    """Converts contacts to displayed texts and links."""

    study: Study
    contacts: StudyContacts

    def of(self, site: Site) -> tuple[ContactLink, ...]:
        """Return the contacts of a clinic: its own, or the study's."""
        own = self.contacts.by_site.get(site.site_id, ())
        return self._links(self.contacts.of(site), site.facility, is_central=not own)

    def central(self) -> tuple[ContactLink, ...]:
        """Return the study's own contacts."""
        return self._links(self.contacts.central, "", is_central=True)

    def _links(self, contacts: Sequence[Contact], clinic: str, *, is_central: bool) -> tuple[ContactLink, ...]:
        return tuple(
            ContactLink(
                name=contact.name,
                role=contact.role,
                phone=contact.phone,
                phone_address=phone_address(contact.phone),
                email=contact.email,
                email_address=self._email_address(contact.email, clinic),
                is_central=is_central,
            )
            for contact in contacts
            if contact.phone or contact.email
        )

    def _email_address(self, email: str, clinic: str) -> str:
        if _EMAIL.fullmatch(email) is None:
            return ""
        number = self.study.study_id
        subject = (
            _("Question about study %(study)s at %(clinic)s", study=number, clinic=clinic)
            if clinic
            else _("Question about study %(study)s", study=number)
        )
        return f"mailto:{quote(email, safe='@')}?subject={quote(subject, safe='')}"


def phone_address(phone: str) -> str:
    """Return the ``tel:`` URL of a phone number (RFC 3966); empty if it is not one.

    Examples
    --------
    >>> phone_address("+1 (305) 555-0134 ext. 12"), phone_address("0800 123 456"), phone_address("ask the desk")
    ('tel:+13055550134;ext=12', 'tel:0800123456', '')
    """
    number, _separator, extension = (part.strip() for part in _EXTENSION.sub("|", phone, count=1).partition("|"))
    digits = "".join(character for character in number if character in "0123456789")
    if not 3 <= len(digits) <= 15:
        return ""
    plus = "+" if number.startswith("+") else ""
    more = "".join(character for character in extension if character in "0123456789")
    return f"tel:{plus}{digits}" + (f";ext={more}" if more else "")


def record_address(study_id: str) -> str:
    """Return a study's page at ClinicalTrials.gov; empty if its id is not of that registry."""
    return f"https://clinicaltrials.gov/study/{study_id}" if _NCT.fullmatch(study_id) else ""
