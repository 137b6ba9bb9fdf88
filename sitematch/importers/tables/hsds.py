"""Open Referral's Human Services Data Specification (HSDS): locations and their addresses, as the rows of a table.

Fields: https://docs.openreferral.org/en/latest/hsds/schema_reference.html. ``state_province`` is the state;
``region`` is another thing and is not read. HSDS knows no studies and no recruitment.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sitematch.errors import DataFault, Fault
from sitematch.importers.json_stream import read_items
from sitematch.importers.limits import NO_LIMITS, FileLimits, check_archive
from sitematch.importers.text import tidy

HEADER = ("facility", "address", "city", "state", "postcode", "country", "latitude", "longitude")
_ADDRESSES = ("addresses.csv", "physical_addresses.csv")
_LISTS = frozenset({"contents"})
_HEADS = frozenset({"total_items", "total_pages", "page_number", "size", "first_page", "last_page", "empty"})
_Thing = Mapping[str, Any]


def read_place_rows(path: Path, *, limits: FileLimits = NO_LIMITS) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield a header and one row for each location.

    Parameters
    ----------
    path
        ``locations.csv`` with ``addresses.csv`` (``physical_addresses.csv`` before version 3) and, if it is there,
        ``organizations.csv`` beside it; a zip archive of these; or JSON of locations, services or organizations.
    limits
        The most that is read.

    Yields
    ------
    tuple
        The location's number, and its cells in the order of `HEADER`.

    Raises
    ------
    DataFault
        If the addresses are missing, or the file is damaged or exceeds a limit.
    """
    with path.open("rb") as file:
        head = file.read(4)
    yield 0, HEADER
    if head == b"PK\x03\x04":
        found = _packed(path, limits)
    elif head.lstrip()[:1] in (b"{", b"["):
        found = _of_json(path, limits)
    else:
        found = _beside(path)
    for number, (location, address, organization) in enumerate(found, start=1):
        yield number, _row(location, address, organization)


def _row(location: _Thing, address: _Thing, organization: _Thing) -> tuple[str, ...]:
    lines = (_text(address, f"address_{n}") for n in (1, 2, 3, 4))
    return (
        _text(location, "name") or _text(organization, "name"),
        ", ".join(filter(None, lines)),
        _text(address, "city"),
        _text(address, "state_province"),
        _text(address, "postal_code"),
        _text(address, "country"),
        _text(location, "latitude"),
        _text(location, "longitude"),
    )


def _text(thing: _Thing, name: str) -> str:
    value = thing.get(name)
    return tidy(value) if isinstance(value, str) else "" if value is None or isinstance(value, bool) else str(value)


def _packed(path: Path, limits: FileLimits) -> Iterator[tuple[_Thing, _Thing, _Thing]]:
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive((member.file_size for member in archive.infolist()), path.name, limits)
            members = {Path(name).name.lower(): name for name in archive.namelist()}
            tables = {
                name: _rows(io.BytesIO(archive.read(members[name])), f"{path.name}, {name}")
                for name in ("locations.csv", "organizations.csv", *_ADDRESSES)
                if name in members
            }
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise _refused(path.name, f"is a zip archive that is damaged or cannot be unpacked: {error}") from error
    yield from _joined(path.name, tables)


def _beside(path: Path) -> Iterator[tuple[_Thing, _Thing, _Thing]]:
    tables = {"locations.csv": _rows(io.BytesIO(path.read_bytes()), path.name)}
    for name in ("organizations.csv", *_ADDRESSES):
        other = path.with_name(name)
        if other.is_file():
            tables[name] = _rows(io.BytesIO(other.read_bytes()), name)
    yield from _joined(path.name, tables)


def _joined(name: str, tables: Mapping[str, list[dict[str, str]]]) -> Iterator[tuple[_Thing, _Thing, _Thing]]:
    addresses = next((tables[each] for each in _ADDRESSES if each in tables), None)
    if addresses is None or "locations.csv" not in tables:
        missing = "addresses.csv" if addresses is None else "locations.csv"
        reason = f"is a table of Open Referral (HSDS), and {missing} is missing"
        raise _refused(name, f"{reason}; keep both in one folder, or in one zip archive")
    of_location: dict[str, list[dict[str, str]]] = {}
    for address in addresses:
        of_location.setdefault(address.get("location_id", ""), []).append(address)
    organizations = {one.get("id", ""): one for one in tables.get("organizations.csv", ())}
    for location in tables["locations.csv"]:
        yield (
            location,
            _chosen(of_location.get(location.get("id", ""), ())),
            organizations.get(location.get("organization_id", ""), {}),
        )


def _chosen(addresses: Iterable[_Thing]) -> _Thing:
    """Choose the physical address of several; otherwise the first that is not only for letters."""
    listed = list(addresses)
    kinds = [_text(one, "address_type").lower() for one in listed]
    for wanted in ("physical", ""):
        if wanted in kinds:
            return listed[kinds.index(wanted)]
    return {}


def _rows(file: io.BytesIO, name: str) -> list[dict[str, str]]:
    try:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        return [{key.strip().lower(): value or "" for key, value in row.items() if key} for row in csv.DictReader(text)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _refused(name, f"cannot be read as CSV in UTF-8: {error}") from error


def _of_json(path: Path, limits: FileLimits) -> Iterator[tuple[_Thing, _Thing, _Thing]]:
    found = False
    for item in read_items(path, lists=_LISTS, heads=_HEADS, limits=limits):
        for location, organization in _locations(item.value, {}):
            found = True
            raw = location.get("addresses") or location.get("physical_addresses")
            addresses = [one for one in raw if isinstance(one, dict)] if isinstance(raw, list) else []
            yield location, _chosen(addresses), organization
    if not found:
        raise _refused(path.name, "has no locations")


def _locations(value: Any, organization: _Thing) -> Iterator[tuple[_Thing, _Thing]]:
    """Find the locations of a location, a service, an organization or a place of a service."""
    if not isinstance(value, dict):
        return
    owner = value["organization"] if isinstance(value.get("organization"), dict) else organization
    if "addresses" in value or "physical_addresses" in value:
        yield value, owner
        return
    if isinstance(value.get("location"), dict):
        yield from _locations(value["location"], owner)
    for name in ("service_at_locations", "locations"):
        for one in value[name] if isinstance(value.get(name), list) else ():
            yield from _locations(one, value if name == "locations" else owner)


def _refused(name: str, reason: str) -> DataFault:
    return DataFault(f"{name} {reason}.", faults=[Fault(0, "", "", reason, place=name)])
