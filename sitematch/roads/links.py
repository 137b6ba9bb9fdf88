"""Fixed links: bridges, tunnels and dams that join what water parts."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from sitematch.domain.place import Coordinates
from sitematch.errors import DataFault, Fault, InvalidCoordinates


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A bridge, a tunnel or a dam for cars.

    Parameters
    ----------
    name
        What it is called.
    start, end
        Points on land beside its two ends.
    """

    name: str
    start: Coordinates
    end: Coordinates


def read_links(content: bytes) -> tuple[Link, ...]:
    """Read the table of fixed links.

    Raises
    ------
    DataFault
        If a row is not in the table's form.
    """
    links = []
    for line, row in enumerate(csv.DictReader(io.StringIO(content.decode())), start=2):
        try:
            ends = [
                Coordinates(latitude=float(row[f"{end}_latitude"]), longitude=float(row[f"{end}_longitude"]))
                for end in ("from", "to")
            ]
            links.append(Link(name=row["name"], start=ends[0], end=ends[1]))
        except (KeyError, TypeError, ValueError, InvalidCoordinates) as error:
            fault = Fault(line=line, field="", value=str(row), reason=f"{type(error).__name__}: {error}")
            raise DataFault("The table of fixed links cannot be read.", faults=(fault,)) from error
    return tuple(links)
