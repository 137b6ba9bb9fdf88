"""The CapabilityStatement: a machine-readable description of the FHIR service."""

from __future__ import annotations

from collections.abc import Sequence

from sitematch import __version__
from sitematch.exporters.fhir.types import (
    CapabilityStatement,
    Implementation,
    Interaction,
    Rest,
    ServedResource,
    Software,
)

FHIR_VERSION = "4.0.1"
_WRITTEN_ON = "2026-11-24"
"""Date of the last change of this statement."""

READ_AND_SEARCH = (Interaction(code="read"), Interaction(code="search-type"))

_DOCUMENTATION = (
    "Read and search only; nothing can be written. Coordinates of a patient are personal data: search by "
    "POST [type]/_search, not by an address. Spots left are also published in bulk: [base]/$bulk-publish."
)


def capability_statement(base: str, resources: Sequence[ServedResource]) -> CapabilityStatement:
    """Return the statement for a URL.

    Parameters
    ----------
    base
        URL of the FHIR service.
    resources
        The supported features of each type.
    """
    return CapabilityStatement(
        id="sitematch",
        version=__version__,
        name="Sitematch",
        title="Recruiting sites of clinical trials",
        status="active",
        date=_WRITTEN_ON,
        kind="instance",
        software=Software(name="sitematch", version=__version__),
        implementation=Implementation(description="sitematch", url=base),
        fhir_version=FHIR_VERSION,
        format=("json",),
        rest=(Rest(mode="server", documentation=_DOCUMENTATION, resource=tuple(resources)),),
    )
