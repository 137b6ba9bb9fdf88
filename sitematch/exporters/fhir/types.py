"""The parts of FHIR R4 that the program writes: types of elements and resources.

Fields that are None or empty are left out, because FHIR has no empty elements.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sitematch.exporters.wire.matches import Instant


class Element(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """Base of all types here: frozen, with keyword arguments, in FHIR's camelCase."""


class Coding(Element, frozen=True):
    """A code from a system."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(Element, frozen=True):
    """A concept with codes, text or both."""

    coding: tuple[Coding, ...] = ()
    text: str | None = None


class Identifier(Element, frozen=True):
    """A business identifier."""

    system: str | None = None
    value: str | None = None


class Reference(Element, frozen=True):
    """A reference to another resource."""

    reference: str | None = None
    display: str | None = None


class Quantity(Element, frozen=True):
    """A number with its UCUM unit; also FHIR's Distance."""

    value: float
    unit: str
    system: str
    code: str


class Extension(Element, frozen=True):
    """An extension: a value, or further extensions."""

    url: str
    extension: tuple[Extension, ...] = ()
    value_string: str | None = None
    value_code: str | None = None
    value_integer: int | None = None
    value_boolean: bool | None = None
    value_date: date | None = None
    value_date_time: Instant | None = None
    value_distance: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_identifier: Identifier | None = None
    value_reference: Reference | None = None


class Absent(Element, frozen=True):
    """Extensions of a primitive element without a value."""

    extension: tuple[Extension, ...]


class FhirAddress(Element, frozen=True):
    """An address."""

    text: str | None = None
    line: tuple[str, ...] = ()
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Position(Element, frozen=True):
    """WGS84 degrees."""

    longitude: float
    latitude: float


class Resource(Element, frozen=True, tag_field="resourceType"):
    """Base of the resources."""

    id: str | None = None


class FhirOrganization(Resource, frozen=True, tag="Organization"):
    """The institution that a site belongs to, or a study's sponsor."""

    extension: tuple[Extension, ...] = ()
    identifier: tuple[Identifier, ...] = ()
    name: str | None = None
    address: tuple[FhirAddress, ...] = ()


class FhirLocation(Resource, frozen=True, tag="Location"):
    """A site: one place where a study recruits."""

    extension: tuple[Extension, ...] = ()
    identifier: tuple[Identifier, ...] = ()
    status: str | None = None
    name: str | None = None
    description: str | None = None
    mode: str | None = None
    address: FhirAddress | None = None
    position: Position | None = None
    managing_organization: Reference | None = None


class FhirService(Resource, frozen=True, tag="HealthcareService"):
    """Recruitment for a study at a site, with the spots left."""

    extension: tuple[Extension, ...] = ()
    identifier: tuple[Identifier, ...] = ()
    active: bool | None = None
    provided_by: Reference | None = None
    type: tuple[CodeableConcept, ...] = ()
    location: tuple[Reference, ...] = ()
    name: str | None = None
    comment: str | None = None


class FhirStudy(Resource, frozen=True, tag="ResearchStudy"):
    """A study."""

    contained: tuple[FhirOrganization, ...] = ()
    extension: tuple[Extension, ...] = ()
    identifier: tuple[Identifier, ...] = ()
    title: str | None = None
    status: str | None = None
    absent_status: Absent | None = msgspec.field(default=None, name="_status")
    phase: CodeableConcept | None = None
    focus: tuple[CodeableConcept, ...] = ()
    condition: tuple[CodeableConcept, ...] = ()
    keyword: tuple[CodeableConcept, ...] = ()
    description: str | None = None
    sponsor: Reference | None = None
    site: tuple[Reference, ...] = ()


class FhirSchedule(Resource, frozen=True, tag="Schedule"):
    """The schedule of a site's slots."""

    extension: tuple[Extension, ...] = ()
    active: bool | None = None
    service_type: tuple[CodeableConcept, ...] = ()
    actor: tuple[Reference, ...] = ()


class FhirSlot(Resource, frozen=True, tag="Slot"):
    """Whether a spot of a site can be taken on a day."""

    extension: tuple[Extension, ...] = ()
    schedule: Reference | None = None
    status: str | None = None
    absent_status: Absent | None = msgspec.field(default=None, name="_status")
    start: Instant | None = None
    end: Instant | None = None


class Issue(Element, frozen=True):
    """One error or note."""

    severity: Annotated[str, Meta(description="error, warning or information.")]
    code: Annotated[str, Meta(description="A code of issue-type.")]
    details: CodeableConcept | None = None
    diagnostics: str | None = None


class OperationOutcome(Resource, frozen=True, tag="OperationOutcome"):
    """The errors of a request, or notes about the answer."""

    issue: tuple[Issue, ...] = ()


Entity = FhirLocation | FhirService | FhirStudy | FhirOrganization
"""Types that can be read and searched for."""


class Search(Element, frozen=True):
    """Why an entry is in a bundle."""

    extension: tuple[Extension, ...] = ()
    mode: Literal["match", "include", "outcome"] | None = None


class Entry(Element, frozen=True):
    """One resource of a bundle."""

    full_url: str | None = None
    resource: FhirLocation | FhirService | FhirStudy | FhirOrganization | OperationOutcome | None = None
    search: Search | None = None


class Link(Element, frozen=True):
    """A link to this page or another."""

    relation: Literal["self", "first", "previous", "next"]
    url: str


class Bundle(Resource, frozen=True, tag="Bundle"):
    """A page of an answer."""

    type: Literal["searchset", "collection"] | None = None
    total: int | None = None
    link: tuple[Link, ...] = ()
    entry: tuple[Entry, ...] = ()


class Software(Element, frozen=True):
    """The program of the server."""

    name: str
    version: str


class Implementation(Element, frozen=True):
    """The server."""

    description: str
    url: str


class Interaction(Element, frozen=True):
    """A supported interaction."""

    code: str


class SearchParam(Element, frozen=True):
    """A search parameter."""

    name: str
    type: str
    definition: str | None = None
    documentation: str | None = None


class ServedResource(Element, frozen=True):
    """The supported interactions with a type of resource."""

    type: str
    documentation: str | None = None
    interaction: tuple[Interaction, ...] = ()
    versioning: str | None = None
    conditional_read: str | None = None
    search_include: tuple[str, ...] = ()
    search_rev_include: tuple[str, ...] = ()
    search_param: tuple[SearchParam, ...] = ()


class Rest(Element, frozen=True):
    """The supported interactions of the server."""

    mode: str
    documentation: str | None = None
    resource: tuple[ServedResource, ...] = ()


class CapabilityStatement(Resource, frozen=True, tag="CapabilityStatement"):
    """The capabilities of this server."""

    version: str | None = None
    name: str | None = None
    title: str | None = None
    status: str | None = None
    date: str | None = None
    kind: str | None = None
    software: Software | None = None
    implementation: Implementation | None = None
    fhir_version: str | None = None
    format: tuple[str, ...] = ()
    rest: tuple[Rest, ...] = ()


class OutputExtension(Element, frozen=True):
    """Our additions to a file of a publication; an object, as in FHIR Bulk Data, not a list of extensions."""

    version: Annotated[str, Meta(description="Changes whenever the file's content does.")]


class Output(Element, frozen=True):
    """One file of a publication."""

    type: str
    url: str
    extension: OutputExtension


class Manifest(Element, frozen=True):
    """The published files, and the time of their content."""

    transaction_time: Annotated[Instant, Meta(description="Send it as `_since` next time.")]
    request: str
    output: tuple[Output, ...]
    error: tuple[Output, ...]
