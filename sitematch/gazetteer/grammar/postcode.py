"""Parsing postcodes as people type them, and formatting them as their countries do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from sitematch.domain.message import Enumeration, Message, in_a_row
from sitematch.domain.place import Postcode
from sitematch.errors import InvalidPostcode, Suggestion
from sitematch.gazetteer.grammar.countries import COUNTRIES
from sitematch.gazetteer.grammar.forms import BRITISH, PostcodeForm, form_of

MAX_LENGTH = 40
"""Maximum length in characters; no country's code with its prefix and suffix is longer."""

_NOT_KEY = re.compile(r"[^0-9A-Z]+")
# France's codes of large receivers: "75021 CEDEX 01", "75303 SP 07", "70301 AIR". The digits are the code.
_CEDEX = re.compile(r"^(\d{5})\s*(?:CEDEX|SP|AIR|CITYSSIMO|ARMEES)\b.*$")
_FRENCH = frozenset({"FR", "GF", "GP", "MQ", "RE", "YT", "MC", "NC", "PF", "PM", "WF", "BL", "MF"})
# Letters that people write before digits: vehicle country codes, from before ISO codes were common.
_SIGNS = {
    "AT": ("A",), "BE": ("B",), "CH": ("CH",), "DE": ("D",), "DK": ("DK",), "ES": ("E",), "FI": ("FIN", "SF"),
    "FR": ("F",), "GR": ("TK",), "HU": ("H",), "IT": ("I",), "LI": ("FL",), "LU": ("L",), "NL": ("NL",),
    "NO": ("N",), "PT": ("P",), "SE": ("S",), "SI": ("SI",), "SV": ("CP",), "OM": ("PC",), "JP": ("〒",),
}  # fmt: skip

# Codes that a larger country's post manages for a territory with its own ISO code; the gazetteer stores them under the
# territory. (host, pattern on the key, territory)
_TERRITORIES: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    host: tuple((re.compile(pattern), territory) for pattern, territory in rows)
    for host, rows in {
        "US": (
            (r"00[679]\d\d(?:\d{4})?", "PR"), (r"008\d\d(?:\d{4})?", "VI"), (r"96799(?:\d{4})?", "AS"),
            (r"969(?:1\d|2\d|3[0-2])(?:\d{4})?", "GU"), (r"9694[1-4](?:\d{4})?", "FM"),
            (r"969(?:39|40)(?:\d{4})?", "PW"), (r"9695[0-2](?:\d{4})?", "MP"), (r"969[67]\d(?:\d{4})?", "MH"),
        ),
        "FR": (
            (r"971\d\d", "GP"), (r"972\d\d", "MQ"), (r"973\d\d", "GF"), (r"974\d\d", "RE"), (r"975\d\d", "PM"),
            (r"976\d\d", "YT"), (r"980\d\d", "MC"), (r"986\d\d", "WF"), (r"987(?!99)\d\d", "PF"), (r"988\d\d", "NC"),
        ),
        "GB": ((r"JE.*", "JE"), (r"GY.*", "GG"), (r"IM.*", "IM")),
        "FI": ((r"22\d{3}", "AX"),),
        "NO": ((r"917\d", "SJ"),),
        "CH": ((r"948[5-9]|949[0-8]", "LI"),),
        "IT": ((r"4789\d", "SM"), (r"00120", "VA")),
        "DK": ((r"39\d\d", "GL"),),
        "AU": ((r"2899", "NF"), (r"6798", "CX"), (r"6799", "CC")),
    }.items()
}  # fmt: skip
# A quick check that is enough for nine in ten codes.
_ANY_TERRITORY = {
    host: re.compile("|".join(f"(?:{pattern.pattern})" for pattern, _ in rows)) for host, rows in _TERRITORIES.items()
}


def _compact(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text.upper()
    return _NOT_KEY.sub("", unicodedata.normalize("NFKC", text).upper())


def key_of(country: str, code: str) -> str:
    """Return the key under which the gazetteer stores a code; the code is not checked.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    code
        A postcode, full or leading part, in any spelling.

    Returns
    -------
    str
        Upper-case letters and digits without spaces, dashes, country prefix or CEDEX; full-width characters
        folded (Unicode NFKC).

    Examples
    --------
    >>> key_of("LV", "LV- 1002"), key_of("PL", "85-065"), key_of("FR", "75021 CEDEX 01")
    ('1002', '85065', '75021')
    >>> key_of("JP", "〒１５４－００２３")
    '1540023'
    """
    if country in _FRENCH and (cedex := _CEDEX.match(unicodedata.normalize("NFKC", code).upper().strip())):
        return cedex[1]
    key = _compact(code)
    if key.isdigit():
        return key
    if country in BRITISH and (sector := british_sector(code)):
        return sector
    form = form_of(country)
    if form is None or form.match.fullmatch(key) or (form.part is not None and form.part.fullmatch(key)):
        return key
    return _without_prefix(country, key)


def _without_prefix(country: str, key: str) -> str:
    form = form_of(country)
    prefixes = (form.prefix if form else "", country, *_SIGNS.get(country, ()), COUNTRIES[country].alpha_3)
    for prefix in prefixes:
        rest = key.removeprefix(prefix)
        if prefix and rest != key and rest[:1].isdigit():
            return rest
        if prefix == country and rest != key and form is not None and form.match.fullmatch(rest):
            return rest
    return key


def normal_form(country: str, key: str) -> str:
    """Format a key as its country writes it.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    key
        See `key_of`; a leading part of a code is formatted as far as possible.

    Examples
    --------
    >>> normal_form("GB", "SW1A1AA"), normal_form("LV", "1002"), normal_form("PT", "9808574")
    ('SW1A 1AA', 'LV-1002', '9808-574')
    """
    form = form_of(country)
    if form is None:
        return key
    return _written(country, key, form)


def _written(country: str, key: str, form: PostcodeForm) -> str:
    if country in BRITISH:
        return f"{key[:-3]} {key[-3:]}" if len(key) >= 5 and " " not in key and form.match.fullmatch(key) else key
    shape = form.shapes.get(len(key))
    if shape is None:
        return key
    characters = iter(key)
    return "".join(next(characters) if mark == "#" else mark for mark in shape)


def parse_postcode(text: str, country: str) -> Postcode:
    """Parse a postcode of a country.

    Parameters
    ----------
    text
        What a person typed: full-width digits, stray spaces and dashes, country prefixes (``"LV-"``, ``"F-"``) and
        CEDEX suffixes are understood. A leading part that people use on its own (``"SW1A"``, ``"M5V"``) is accepted.
    country
        ISO 3166-1 alpha-2 code.

    Returns
    -------
    Postcode
        In normal form; parsing that form again gives the same value. If a larger country's post serves a territory, the
        country is the territory's own (a ZIP code of Puerto Rico has the country ``"PR"``).

    Raises
    ------
    InvalidPostcode
        If the text does not have the form of the country's postcodes, or the country has none; the message has an
        example, and `suggestions` has possible corrections (a lost leading zero).

    Notes
    -----
    A code with the right form does not have to exist: look it up in the gazetteer.

    Examples
    --------
    >>> parse_postcode("sw1a1aa", "GB").code
    'SW1A 1AA'
    >>> parse_postcode("４１０２", "US")
    Traceback (most recent call last):
    sitematch.errors.InvalidPostcode: '4102' is not a postcode of the United States (one looks like 33180). \
Did you mean 04102?
    """
    if len(text) > MAX_LENGTH:
        raise InvalidPostcode(
            Message("The postcode has %(count)s characters. Use %(most)s at most.", count=len(text), most=MAX_LENGTH),
            field="postcode",
        )
    form = form_of(country)
    if form is None:
        raise _no_form(country)
    key = text if text.isdigit() and text.isascii() else key_of(country, text)
    if form.match.fullmatch(key) is None and not _is_part(country, key, form):
        raise _invalid(country, text, key, form)
    if country in _TERRITORIES:
        country = _territory(country, key) or country
    return Postcode(country=country, code=_written(country, key, form))


_SECTOR = re.compile(r"([A-Z]{1,2}\d[\dA-Z]?)[ \-](\d)")


def british_sector(text: str) -> str | None:
    """Return a British sector's key, ``"E1 1"``, with its space, because ``"E11"`` is another district."""
    sector = _SECTOR.fullmatch(unicodedata.normalize("NFKC", text).upper().strip())
    return f"{sector[1]} {sector[2]}" if sector else None


# A form's own prefix begins with its country's code.
_FIRST_LETTERS = {
    country: frozenset(prefix[0] for prefix in (country, *_SIGNS.get(country, ()), COUNTRIES[country].alpha_3))
    for country in COUNTRIES
}


def countries_that_fit(text: str) -> tuple[Postcode, ...]:
    """Parse a text as a postcode of every country whose form it has.

    Parameters
    ----------
    text
        What a person typed.

    Returns
    -------
    tuple of Postcode
        In the order of the countries' codes. A territory's code occurs once, under the territory itself. Empty if the
        text has the form of no country, or is longer than `MAX_LENGTH`.

    Examples
    --------
    >>> countries_that_fit("SW1A 1AA")
    (Postcode(country='GB', code='SW1A 1AA'),)
    """
    if len(text) > MAX_LENGTH:
        return ()
    compact = _compact(text)
    is_bare = compact.isdigit()
    is_cedex = compact[:5].isdigit() and not is_bare
    found = []
    for country in COUNTRIES:
        form = form_of(country)
        if form is None:
            continue
        # Most typed codes are digits, which need no unwrapping; a prefix begins with a letter.
        if is_bare or (compact[:1] not in _FIRST_LETTERS[country] and country not in BRITISH and not is_cedex):
            key = compact
        else:
            key = key_of(country, text)
        if (form.match.fullmatch(key) or _is_part(country, key, form)) and not _territory(country, key):
            found.append(Postcode(country=country, code=_written(country, key, form)))
    return tuple(found)


def is_partial(country: str, key: str) -> bool:
    """Return whether a key is a leading part that people use on its own, not a full code.

    Examples
    --------
    >>> is_partial("GB", "SW1A"), is_partial("GB", "SW1A1AA"), is_partial("US", "33180")
    (True, False, False)
    """
    form = form_of(country)
    return form is not None and form.part is not None and form.match.fullmatch(key) is None


def fits(country: str, key: str) -> bool:
    """Return whether a key has the form of a country's full codes, or of a leading part that people use on its own.

    Examples
    --------
    >>> fits("US", "33180"), fits("GB", "SW1A"), fits("US", "331")
    (True, True, False)
    """
    form = form_of(country)
    return form is not None and (form.match.fullmatch(key) is not None or _is_part(country, key, form))


def _is_part(country: str, key: str, form: PostcodeForm) -> bool:
    return (form.part is not None and form.part.fullmatch(key) is not None) or (
        country in BRITISH and _SECTOR.fullmatch(key) is not None
    )


def _territory(country: str, key: str) -> str:
    """Return the territory of a code that a larger country's post manages; empty if it is the country's own."""
    any_of = _ANY_TERRITORY.get(country)
    if any_of is None or any_of.fullmatch(key) is None:
        return ""
    for pattern, territory in _TERRITORIES.get(country, ()):
        if pattern.fullmatch(key):
            return territory
    return ""


# Codes that were replaced, by their length; 0 means every length.
_REMARKS: dict[str, dict[int, Message]] = {
    "KR": {6: Message("Six digits were replaced by five in 2015, e.g. 03051. Give the new postcode, or the town.")},
    "SG": {4: Message("Four digits were replaced by six in 1995, e.g. 546080. Give the new postcode, or the town.")},
    "HK": {0: Message("There are no postcodes there. Give the district or the town.")},
    "MO": {0: Message("There are no postcodes there. Give the district or the town.")},
}


def _no_form(country: str) -> InvalidPostcode:
    if country not in COUNTRIES:
        return InvalidPostcode(f"{country!r} is no ISO 3166-1 country code.", field="country")
    name = COUNTRIES[country].in_message()
    told = Message("There are no postcodes in %(country)s. Give the town instead.", country=name)
    return InvalidPostcode(told, field="postcode")


def _invalid(country: str, text: str, key: str, form: PostcodeForm) -> InvalidPostcode:
    name = COUNTRIES[country].in_message()
    shown = unicodedata.normalize("NFKC", text).strip()
    if not key:
        told = Message(
            "The postcode is empty. A postcode of %(country)s looks like %(example)s.",
            country=name,
            example=form.example,
        )
        return InvalidPostcode(told, field="postcode")
    if remark := _remark(country, len(key)):
        told = Message("'%(text)s' is not a postcode of %(country)s.", text=shown, country=name)
        return InvalidPostcode(in_a_row(told, remark), field="postcode")
    suggestions = tuple(_lost_zeros(country, key, form))
    told = Message(
        "'%(text)s' is not a postcode of %(country)s (one looks like %(example)s).",
        text=shown,
        country=name,
        example=form.example,
    )
    return InvalidPostcode(
        in_a_row(told, did_you_mean(suggestions)) if suggestions else told, field="postcode", suggestions=suggestions
    )


def did_you_mean(suggestions: Sequence[Suggestion]) -> Message:
    """Return the question whether one of the suggestions was meant."""
    return Message("Did you mean %(choices)s?", choices=Enumeration(tuple(s.text for s in suggestions), is_choice=True))


def _remark(country: str, length: int) -> Message | None:
    remarks = _REMARKS.get(country, {})
    return remarks.get(length) or remarks.get(0)


def _lost_zeros(country: str, key: str, form: PostcodeForm) -> list[Suggestion]:
    """Suggest the code with leading zeros, if a spreadsheet may have removed one or two."""
    # A code with fewer than three digits left cannot be corrected.
    if not key.isdigit() or len(key) < 3:
        return []
    for zeros in ("0", "00"):
        if form.match.fullmatch(zeros + key):
            why = Message("a leading zero may have been lost")
            return [Suggestion(_written(country, zeros + key, form), country, why)]
    return []
