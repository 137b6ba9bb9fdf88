"""FHIR R4 without a study: Locations, or Organizations if there are none, as the rows of a table.

SMART Scheduling Links' ``locations.ndjson`` is of this kind. Fields: https://hl7.org/fhir/R4/location.html and
https://github.com/smart-on-fhir/smart-scheduling-links/blob/master/specification.md. A Location that is ``active`` says
nothing about recruitment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from sitematch.errors import DataFault, Fault
from sitematch.importers.fhir.bundle import Resources, location_of, things
from sitematch.importers.json_stream import read_items
from sitematch.importers.limits import NO_LIMITS, FileLimits

HEADER = ("facility", "address", "city", "state", "postcode", "country", "status", "latitude", "longitude")


def read_place_rows(
    path: Path, *, notice: Callable[[str], None] = lambda _: None, limits: FileLimits = NO_LIMITS
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield a header and one row for each place.

    Parameters
    ----------
    path
        A bundle, or NDJSON of resources; see `read_items`. It is read completely into memory.
    notice
        Gets notices about what is not read.
    limits
        See `read_items`.

    Yields
    ------
    tuple
        The resource's number among its kind, and its cells in the order of `HEADER`.

    Raises
    ------
    DataFault
        If it has a ResearchStudy, or neither Locations nor Organizations.
    """
    resources = Resources()
    for item in read_items(path, lists=(), limits=limits):
        resources.add(item.value)
    if resources.of_type("ResearchStudy"):
        raise _refused(path, "names its own studies (ResearchStudy); import it with `import fhir` and without --study")
    kind = "Location" if resources.of_type("Location") else "Organization"
    places = resources.of_type(kind)
    if not places:
        raise _refused(path, "contains no Location and no Organization; studies are imported with `import fhir`")
    notice(f"The file has {len(places)} FHIR resources of the kind {kind}; each is a place.")
    yield 0, HEADER
    for number, place in enumerate(places, start=1):
        # An Organization is read like a Location that it manages and that says nothing itself.
        location = place if kind == "Location" else {"name": place.get("name"), "address": _address(place)}
        read = location_of(location, resources, f"{path.name}, {kind} {number}")
        for flag in read.flags:
            notice(f"{kind} {number}: {flag}")
        point = ("", "") if read.point is None else (repr(read.point.latitude), repr(read.point.longitude))
        yield (
            number,
            (
                read.facility,
                read.address,
                read.city,
                read.state,
                read.postcode,
                read.country,
                "" if read.status is None else read.status.value,
                *point,
            ),
        )


def _address(organization: dict[str, object] | object) -> object:
    return next(iter(things(organization.get("address"))), {}) if isinstance(organization, dict) else {}


def _refused(path: Path, reason: str) -> DataFault:
    return DataFault(f"{path.name} {reason}.", faults=[Fault(0, "resourceType", "", reason, place=path.name)])
