"""The order of a list of sites or studies, other than by id or distance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class SortField(Enum):
    """A field that a list can be ordered by."""

    ID = auto()
    FACILITY = auto()
    CITY = auto()
    STATE = auto()
    POSTCODE = auto()
    COUNTRY = auto()
    STATUS = auto()
    TITLE = auto()


@dataclass(frozen=True, slots=True)
class SortOrder:
    """An order.

    Parameters
    ----------
    fields
        The fields, the most important first. Texts are ordered by the code points of their letters; ties by id.
    is_descending
        Whether all of them, and the ids, go backwards.
    """

    fields: tuple[SortField, ...]
    is_descending: bool = False
