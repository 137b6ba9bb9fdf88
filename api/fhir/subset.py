"""Parts of resources: ``_summary`` and ``_elements``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from sitematch.errors import InvalidInput

_ALWAYS = frozenset({"resourceType", "id", "meta"})
# Mandatory elements, modifiers, and elements with R4's sign for summaries, of those that are served.
_MANDATORY = {
    # The description of a stand-in says that nobody must travel there.
    "Location": frozenset({"status", "description"}),
    "HealthcareService": frozenset({"active"}),
    "ResearchStudy": frozenset({"status"}),
    "Organization": frozenset({"active"}),
}
_SUMMARY = {
    "Location": frozenset(
        {"identifier", "status", "operationalStatus", "name", "description", "mode", "type", "physicalType",
         "managingOrganization"}
    ),
    "HealthcareService": frozenset(
        {"identifier", "active", "providedBy", "category", "type", "specialty", "location", "name", "comment"}
    ),
    "ResearchStudy": frozenset(
        {"identifier", "title", "protocol", "partOf", "status", "primaryPurposeType", "phase", "category", "focus",
         "condition", "contact", "keyword", "location", "enrollment", "period", "sponsor", "principalInvestigator",
         "site", "reasonStopped"}
    ),
    "Organization": frozenset({"identifier", "active", "type", "name"}),
}  # fmt: skip
_SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
_MOST = 50
"""Maximum number of elements in a request."""


@dataclass(frozen=True, slots=True)
class Subset:
    """The elements to send.

    Parameters
    ----------
    summary
        ``"true"``, ``"text"``, ``"data"``, or empty for everything.
    elements
        The elements asked for; None for all.
    """

    summary: str = ""
    elements: frozenset[str] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether everything is sent."""
        return not self.summary and self.elements is None

    def narrowed(self, name: str, text: str) -> Subset:
        """Return it with one more parameter.

        Raises
        ------
        InvalidInput
            If the value is none that FHIR has.
        """
        if name == "_summary":
            if text not in ("true", "text", "data", "false"):
                raise InvalidInput("_summary takes true, text, data, count or false.", field=name)
            return replace(self, summary="" if text == "false" else text)
        # "Location.name" is R5's form; the type is that of the search.
        names = {part.strip().rpartition(".")[2] for part in text.split(",")}
        if len(names) > _MOST or not all(part.isascii() and part.isalnum() for part in names):
            raise InvalidInput("_elements takes the names of elements, with commas between them.", field=name)
        return replace(self, elements=(self.elements or frozenset()) | names)

    def of(self, resource: msgspec.Struct) -> Any:
        """Return a resource with only these elements; ``meta.tag`` says that others are missing.

        Parameters
        ----------
        resource
            A whole resource.
        """
        if self.is_whole:
            return resource
        whole: dict[str, Any] = msgspec.to_builtins(resource)
        kind = whole["resourceType"]
        kept = set(whole)
        if self.summary == "true":
            kept &= _SUMMARY[kind]
        elif self.summary == "text":
            kept &= {"text"}
        elif self.summary == "data":
            kept -= {"text"}
        if self.elements is not None:
            kept &= self.elements
        kept |= {*_ALWAYS, *_MANDATORY[kind]}
        if "sponsor" in kept:
            kept.add("contained")  # the sponsor refers to it
        part = {name: value for name, value in whole.items() if name.lstrip("_") in kept or name in kept}
        if part.keys() == whole.keys():
            return resource
        meta = dict(part.get("meta", {}))
        meta["tag"] = [*meta.get("tag", ()), _SUBSETTED]
        head = {name: part.pop(name) for name in ("resourceType", "id") if name in part}
        return {**head, **part, "meta": meta}


WHOLE = Subset()
"""Everything."""


def read_subset(pairs: Iterable[tuple[str, str]]) -> Subset:
    """Read the parameters of a read; others are left alone.

    Raises
    ------
    InvalidInput
        If a value is none that FHIR has, or counts, which only a search can do.
    """
    subset = WHOLE
    for name, text in pairs:
        if name in ("_summary", "_elements"):
            subset = subset.narrowed(name, text)
    return subset
