"""The form of each country's postcodes: pattern, spelling, structure.

Patterns and examples come from Google's address data (CC BY 4.0, `_address_data`). This module adds information that is
missing there: the spelling (dash or space), the leading parts that people use on their own, the division into sorting
regions, and countries without a pattern whose codes are in use.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sitematch.domain.place import Precision
from sitematch.gazetteer.grammar._address_data import ADDRESS_DATA

UNIT, SECTOR, DISTRICT = Precision.UNIT, Precision.SECTOR, Precision.DISTRICT
LOCALITY, REGION, ADDRESS = Precision.LOCALITY, Precision.REGION, Precision.ADDRESS

Ladder = tuple[tuple[int, Precision], ...]
"""Lengths of meaningful leading parts with their kind of area, finest first."""


@dataclass(frozen=True, slots=True)
class PostcodeForm:
    """The form of one country's postcodes.

    Parameters
    ----------
    match
        ``fullmatch`` of the pattern of a full code, on the key (no spaces, no dashes).
    part
        ``fullmatch`` of a leading part that people use on its own (``"SW1A"``, ``"M5V"``); None if there is none.
    shapes
        Key length to spelling; ``#`` is the key's next character. Other lengths are written unchanged.
    prefix
        Fixed letters before every code, which are not in the key: ``"LV"``.
    ladder
        See `Ladder`; lengths of the key.
    example
        A code in normal form, for messages.
    """

    match: re.Pattern[str]
    part: re.Pattern[str] | None
    shapes: dict[int, str]
    prefix: str
    ladder: Ladder
    example: str


# Patterns on the key, if Google's data has none, or one that refuses codes in use (GeoNames, national posts).
_PATTERNS: dict[str, str] = {
    "AD": r"[1-7]\d{2}",
    "AE": r"\d{10}",  # Makani numbers, as GeoNames lists them; the Emirates have no other code
    "AI": "2640",
    "AM": r"(?:37)?\d{4}",
    "AR": r"(?:[A-HJ-NP-Z]\d{4}[A-Z]{3}|[A-HJ-NP-Z]?\d{4})",
    "BB": r"\d{5}",
    "BH": r"(?:1[0-2]|[1-9])\d{2}",
    "BN": r"[BKPT][A-Z]\d{4}",  # the four districts
    "BM": r"[A-Z]{2}[A-Z0-9]{2}",
    "CL": r"\d{7}",
    "CR": r"\d{4,5}",
    "FO": r"\d{3}",
    "GB": (
        r"GIR0AA|BFPO\d{1,4}|(?:A[BL]|B[ABDHLNRSTX]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUY]?|H[ADGPRSUX]|"
        r"I[GMPV]|JE|K[ATWY]|L[ADELNSU]?|M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|"
        r"UB|W[ACDFNRSV]?|YO|ZE)\d[\dA-Z]?\d[ABD-HJLN-UW-Z]{2}"
    ),
    "GL": r"(?:39\d{2}|2412)",
    "GU": r"969[123]\d(?:\d{4})?",
    "RE": r"97[478]\d{2}",
    "HK": "999077",  # a placeholder that forms require; Hong Kong has no postcodes
    "IE": r"[AC-FHKNPRTV-Y](?:\d{2}|6W)[0-9AC-FHKNPRTV-Y]{4}",
    "KY": r"KY\d{5}",
    "LV": r"\d{4}",
    "MO": "999078",
    "MW": r"\d{6}",
    "NR": "NRU68",
    "NU": "9974",
    "PA": r"\d{4,5}",
    "PE": r"\d{5}",
    "PS": r"P?\d{3,7}",
    "RS": r"\d{5,6}",
    "SV": r"[1-3][1-7][0-2]\d",
    "TC": "TKCA1ZZ",
    "TL": r"TL\d{5}",
    "TT": r"\d{6}",
    "VC": r"\d{4}",
    "VG": r"\d{4}",
    "WS": r"(?:(?:AS)?96799|WS\d{4})",
}
_EXAMPLES: dict[str, str] = {
    "AE": "28119 95762", "AR": "C1425DKF", "CL": "8340457", "GB": "SW1A 1AA", "HK": "999077", "MO": "999078",
    "MW": "101100", "NR": "NRU68", "NU": "9974", "PA": "08100", "PE": "15001", "PS": "P1234567", "RS": "11000",
    "TL": "TL10001", "TT": "100605", "WS": "WS1382", "CR": "10101", "MT": "VLT 1117", "AM": "0010", "IE": "D02 X285",
    "US": "33180", "LU": "L-4750", "LT": "LT-04340", "MD": "MD-2012", "AZ": "AZ 1000", "HT": "HT6120", "SV": "1101",
    "AI": "AI-2640", "SE": "114 55", "VI": "00802",
    "BB": "BB23026", "TW": "106409", "IL": "9614303", "KH": "120101", "VN": "70010", "TZ": "34413",
}  # fmt: skip

# Letters that belong to the code; the normal form has them, the key does not.
_PREFIXES = {
    "AD": "AD", "AI": "AI", "AZ": "AZ", "BB": "BB", "HT": "HT", "LT": "LT", "LU": "L", "LV": "LV", "MD": "MD",
    "VC": "VC", "VG": "VG",
}  # fmt: skip
_WRITTEN = {"AD": "AD", "AI": "AI-", "AZ": "AZ ", "BB": "BB", "HT": "HT", "LT": "LT-", "LU": "L-", "LV": "LV-",
            "MD": "MD-", "VC": "VC", "VG": "VG"}  # fmt: skip

_SHAPES: dict[str, tuple[str, ...]] = {
    "AE": ("##### #####",),
    "BM": ("## ##",),
    "BR": ("#####-###",),
    "CA": ("### ###",),
    "CZ": ("### ##",),
    "FK": ("#### ###",),
    "GI": ("#### ###",),
    "GR": ("### ##",),
    "GS": ("#### ###",),
    "IE": ("### ####",),
    "IO": ("#### ###",),
    "IR": ("#####-#####",),
    "JP": ("###-####",),
    "KY": ("###-####",),
    "LB": ("#### ####",),
    "MT": ("### ####", "### ###", "### ##"),
    "NL": ("#### ##",),
    "PL": ("##-###",),
    "PN": ("#### ###",),
    "PT": ("####-###",),
    "SE": ("### ##",),
    "SH": ("#### ###",),
    "SK": ("### ##",),
    "SO": ("## #####",),
    "TC": ("#### ###",),
    "US": ("#####-####",),
    **dict.fromkeys(("AS", "FM", "GU", "MH", "MP", "PR", "PW", "VI"), ("#####-####",)),
}

# Leading parts that people use on their own.
_PARTS: dict[str, str] = {
    "AR": r"[A-HJ-NP-Z]",
    "BR": r"\d{5}",
    "CA": r"[ABCEGHJKLMNPRSTVXY]\d[ABCEGHJ-NPRSTV-Z]",
    "GB": r"(?:[A-Z]{1,2}\d[\dA-Z]?|GIR)",
    **{c: rf"{area}\d[\dA-Z]?" for c, area in (("GG", "GY"), ("IM", "IM"), ("JE", "JE"))},
    "IE": r"[AC-FHKNPRTV-Y](?:\d{2}|6W)",
    "IR": r"\d{5}",
    "JP": r"\d{3}",
    "MT": r"[A-Z]{3}",
    "NL": r"[1-9]\d{3}",
    "PT": r"\d{4}",
}

BRITISH = frozenset({"GB", "GG", "IM", "JE"})
"""Countries of the British system: the last three characters are the inward part."""

_LADDERS: dict[str, Ladder] = {
    "AE": ((10, UNIT), (5, DISTRICT), (3, REGION)),
    "AR": ((8, UNIT), (4, DISTRICT), (3, REGION), (2, REGION), (1, REGION)),
    "AU": ((4, DISTRICT), (3, REGION), (2, REGION)),
    "BR": ((8, UNIT), (5, SECTOR), (4, DISTRICT), (3, REGION), (2, REGION), (1, REGION)),
    "CA": ((6, UNIT), (3, DISTRICT), (2, REGION)),
    "CL": ((7, UNIT), (5, SECTOR), (4, DISTRICT), (3, DISTRICT), (2, REGION)),
    "CN": ((6, DISTRICT), (5, DISTRICT), (4, LOCALITY), (3, REGION), (2, REGION)),
    "CO": ((6, DISTRICT), (5, DISTRICT), (4, DISTRICT), (3, REGION), (2, REGION)),
    "EC": ((6, DISTRICT), (4, LOCALITY), (2, REGION)),
    "IE": ((7, ADDRESS), (3, DISTRICT), (2, REGION), (1, REGION)),
    "IL": ((7, UNIT), (5, DISTRICT), (4, DISTRICT), (3, REGION), (2, REGION), (1, REGION)),
    "IN": ((6, DISTRICT), (5, DISTRICT), (4, DISTRICT), (3, REGION), (2, REGION)),
    "IR": ((10, UNIT), (5, DISTRICT), (4, REGION), (3, REGION), (2, REGION)),
    "JP": ((7, UNIT), (6, SECTOR), (5, DISTRICT), (4, DISTRICT), (3, DISTRICT), (2, REGION)),
    "KR": ((5, SECTOR), (4, DISTRICT), (3, DISTRICT), (2, REGION)),
    "LB": ((8, UNIT), (4, DISTRICT), (3, REGION), (2, REGION), (1, REGION)),
    "LT": ((5, UNIT), (4, DISTRICT), (3, DISTRICT), (2, REGION)),
    "LU": ((4, UNIT), (3, SECTOR), (2, DISTRICT), (1, REGION)),
    "MT": ((7, UNIT), (3, LOCALITY)),
    "NL": ((6, UNIT), (4, DISTRICT), (3, REGION), (2, REGION)),
    "PT": ((7, UNIT), (6, SECTOR), (5, SECTOR), (4, DISTRICT), (3, REGION), (2, REGION)),
    "RO": ((6, UNIT), (5, SECTOR), (4, DISTRICT), (3, REGION), (2, REGION)),
    "RU": ((6, DISTRICT), (5, DISTRICT), (4, LOCALITY), (3, REGION)),
    "SG": ((6, ADDRESS), (5, UNIT), (4, SECTOR), (3, DISTRICT), (2, DISTRICT)),
    "TW": ((6, UNIT), (5, UNIT), (3, DISTRICT), (2, REGION), (1, REGION)),
    "US": ((9, UNIT), (5, DISTRICT), (4, REGION), (3, REGION)),
    "VN": ((6, DISTRICT), (5, DISTRICT), (4, DISTRICT), (3, REGION), (2, REGION)),
}
for _code in ("AS", "FM", "GU", "MH", "MP", "PR", "PW", "VI"):
    _LADDERS[_code] = _LADDERS["US"]
# Whole-country codes: one code, no parts.
for _code in ("AI", "CC", "CX", "FK", "GI", "GS", "HK", "IO", "MO", "NF", "NR", "NU", "PN", "SH", "TC", "VA"):
    _LADDERS[_code] = ((8, DISTRICT),)


FULL_CODES_UNKNOWN = frozenset({
    "AF", "AM", "AR", "BA", "BB", "BH", "BL", "BN", "BR", "BT", "CA", "CL", "CN", "CU", "CV", "EG", "EH", "ET",
    "GB", "GE", "GG", "GN", "GR", "GW", "IE", "IL", "IM", "IQ", "IR", "JE", "JO", "KG", "KH", "KW", "KY", "KZ",
    "LA", "LB", "LR", "LS", "ME", "MF", "MG", "MM", "MN", "MT", "MU", "MV", "MZ", "NA", "NE", "NG", "NI", "NL",
    "NP", "OM", "PG", "PS", "PY", "SA", "SD", "SH", "SN", "SO", "SV", "SZ", "TJ", "TL", "TM", "TN", "TT", "TW",
    "TZ", "UM", "UZ", "VC", "VE", "VG", "VN", "XK", "ZM",
})  # fmt: skip
"""Countries for which our sources list no or few full codes: an unknown code may still be valid."""


def ladder_of(country: str, length: int) -> Ladder:
    """Return the leading parts of a key of that length, the whole key first.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code; not one of `BRITISH`, whose parts depend on the letters.
    length
        Length of the key.

    Returns
    -------
    Ladder
        Finest first; the first entry always has the given length.
    """
    listed = _LADDERS.get(country)
    if listed is None:
        # National posts number by region, then by office: with each digit less, the region is coarser.
        parts: Ladder = tuple(
            (n, DISTRICT if n >= 4 else REGION) for n in range(length - 1, 1 if length > 3 else 0, -1)
        )
        return ((length, DISTRICT), *parts)
    full = next((precision for n, precision in listed if n == length), listed[0][1])
    return ((length, full), *((n, p) for n, p in listed if n < length))


_FORMS: dict[str, PostcodeForm | None] = {}


def form_of(country: str) -> PostcodeForm | None:
    """Return the form of a country's postcodes; compiled at first use.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.

    Returns
    -------
    Form or None
        None if the country has no postcodes.
    """
    try:
        return _FORMS[country]
    except KeyError:
        form = _FORMS[country] = _make_form(country)
        return form


def has_postcodes(country: str) -> bool:
    """Return whether the country has postcodes."""
    return country in ADDRESS_DATA or country in _PATTERNS


def _make_form(country: str) -> PostcodeForm | None:
    if not has_postcodes(country):
        return None
    google_pattern, google_examples, _ = ADDRESS_DATA.get(country, ("", (), ""))
    pattern = _PATTERNS.get(country) or _without_separators(google_pattern)
    prefix = _PREFIXES.get(country, "")
    shapes = {shape.count("#"): shape for shape in _SHAPES.get(country, ())}
    if prefix:
        shapes = {n: _WRITTEN[country] + "#" * n for n in range(1, 7)}
    part = _PARTS.get(country)
    return PostcodeForm(
        match=re.compile(pattern),
        part=re.compile(part) if part else None,
        shapes=shapes,
        prefix=prefix,
        ladder=_LADDERS.get(country, ()),
        example=_EXAMPLES.get(country) or google_examples[0],
    )


def _without_separators(pattern: str) -> str:
    """Remove the optional spaces and dashes from a pattern of Google's, whose codes contain them."""
    return re.sub(r"\[ \\-\]| \?|-\?|(?<=\d\})-|(?<=\d) | \*", "", pattern).replace(r"\b", "").replace(" ", "")
