"""Facility names without the sponsors' tags."""

from __future__ import annotations

import re

_TAGS = re.compile(
    r"""\s*(?:
        /\s*ID\s*\#\s*\d+ |                            # AbbVie:   "UZ Brussel /ID# 253866"
        \(\s*(?:Site|Investigational\ Site)\s*\#?\s*[\w-]*\d[\w-]*\s*\) |   # Merck: "CHU Nantes ( Site 2728)"
        [-–/,]?\s*Site\s*(?:Number|No\.?|\#)\s*:?\s*[\w-]*\d[\w-]*          # "Clinic - Site Number: 1234"
    )\s*$""",
    re.VERBOSE | re.IGNORECASE,
)


def clean_facility(name: str) -> str:
    """Remove a sponsor's tag from the end of a facility's name, and extra spaces everywhere.

    Parameters
    ----------
    name
        The name in the record.

    Returns
    -------
    str
        The name without the tag; a name that is only a tag is returned unchanged.

    Examples
    --------
    >>> clean_facility("UZ Brussel /ID# 253866")
    'UZ Brussel'
    >>> clean_facility("CHU de Nantes  ( Site 2728)")
    'CHU de Nantes'
    """
    spaced = " ".join(name.split())
    return _TAGS.sub("", spaced).strip() or spaced
