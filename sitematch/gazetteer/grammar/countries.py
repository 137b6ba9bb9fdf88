"""Countries by ISO 3166-1 alpha-2 code, with the names that people use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sitematch.domain.message import CountryName
from sitematch.errors import UnknownCountry
from sitematch.gazetteer.grammar._country_names import ALPHA_3, KEYS, NAMES
from sitematch.gazetteer.grammar.names import fold_name


@dataclass(frozen=True, slots=True)
class Country:
    """A country or territory of ISO 3166-1 (and Kosovo, ``XK``).

    Parameters
    ----------
    alpha_2, alpha_3
        ISO 3166-1 codes.
    name
        English name.
    """

    alpha_2: str
    alpha_3: str
    name: str

    @property
    def in_text(self) -> str:
        """The name as it stands in a sentence: ``the United States``, ``Germany``."""
        needs_article = self.alpha_2 in _WITH_ARTICLE or self.name.endswith(("Islands", "Republic", "Territories"))
        return f"the {self.name}" if needs_article or self.name.startswith("United ") else self.name

    def in_message(self, *, has_code: bool = False) -> CountryName:
        """Return the country for a `Message`, with its code in brackets if wanted."""
        return CountryName(self.alpha_2, self.in_text, has_code)


_WITH_ARTICLE = frozenset({"BQ", "BS", "GM", "IM", "IO", "KM", "MV", "NL", "PH", "SC"})
"""Countries whose names need one although their form does not show it: the Netherlands, the Philippines."""

COUNTRIES: dict[str, Country] = {code: Country(code, ALPHA_3[code], name) for code, name in NAMES.items()}
"""Every known country, by alpha-2 code, in the codes' order."""

MAX_LENGTH = 100
"""Maximum length in characters; no country's name is longer."""


def parse_country(text: str) -> str:
    """Find the country that a text names.

    Parameters
    ----------
    text
        An ISO 3166-1 code of two or three letters, or a name in English or in one of the country's official
        languages; case, accents and punctuation do not matter.

    Returns
    -------
    str
        The ISO 3166-1 alpha-2 code. Territories with their own code keep it (``PR``, ``RE``).

    Raises
    ------
    UnknownCountry
        If no country has this name; the message lists the most similar ones.

    Notes
    -----
    Names: Unicode CLDR, through babel, plus the forms that ClinicalTrials.gov uses (tools/make_grammar_data.py).

    Examples
    --------
    >>> [parse_country(name) for name in ("us", "USA", "Korea, Republic of", "Turkey (Türkiye)", "Deutschland")]
    ['US', 'US', 'KR', 'TR', 'DE']
    """
    found = find_country(text)
    if found is not None:
        return found
    if len(text) > MAX_LENGTH:
        raise UnknownCountry(
            f"The country is longer than {MAX_LENGTH} characters; give its name or two-letter code.", field="country"
        )
    key = fold_name(text)
    if not key:
        raise UnknownCountry("No country was given; give its name or two-letter code, e.g. US.", field="country")
    raise UnknownCountry(_unknown(text.strip(), key), field="country")


def find_country(text: str) -> str | None:
    """Find the country that a text names, as `parse_country` does, or None.

    It takes a thousandth of the time of an error with suggestions; for texts that usually name something else, e.g. a
    state.

    Examples
    --------
    >>> find_country("Georgia"), find_country("Ohio")
    ('GE', None)
    """
    if text in COUNTRIES:
        return text
    return None if len(text) > MAX_LENGTH else _find_country(text)


@lru_cache(maxsize=4096)
def _find_country(text: str) -> str | None:
    stripped = text.strip()
    if (code := stripped.upper()) in COUNTRIES:
        return code
    key = fold_name(stripped)
    # "The Gambia", "Bahamas, The", "Saint Lucia" as well as the list's own forms.
    short = key.replace("saint ", "st ").replace(" the ", " ")
    for other in (key, key.removeprefix("the "), key.removesuffix(" the"), short):
        if other in KEYS:
            return KEYS[other]
    return None


@lru_cache(maxsize=1024)
def similar_countries(text: str) -> tuple[str, ...]:
    """Return the countries that a text misspells by one letter: extra, missing, wrong, or two swapped.

    Returns
    -------
    tuple of str
        Alpha-2 codes, sorted; empty for a text of fewer than five letters, which is similar to too many names.

    Examples
    --------
    >>> similar_countries("Germny"), similar_countries("Untied States"), similar_countries("Nigera")
    (('DE',), ('US',), ('NE', 'NG'))
    """
    key = fold_name(text)
    if not 5 <= len(key) <= MAX_LENGTH:
        return ()
    return tuple(
        sorted({code for name, code in KEYS.items() if abs(len(name) - len(key)) < 2 and _one_slip(name, key)})
    )


def _one_slip(name: str, other: str) -> bool:
    """Return whether two different texts differ by one typing error."""
    at = next(
        (i for i, (one, two) in enumerate(zip(name, other, strict=False)) if one != two), min(len(name), len(other))
    )
    rest, rest_other = name[at:], other[at:]
    return (
        rest[1:] == rest_other[1:]
        or rest[1:] == rest_other
        or rest == rest_other[1:]
        or (rest[:2] == rest_other[1::-1] and rest[2:] == rest_other[2:])
    )


def _unknown(text: str, key: str) -> str:
    from difflib import get_close_matches

    near = dict.fromkeys(KEYS[match] for match in get_close_matches(key, KEYS, n=5, cutoff=0.7))
    offered = " or ".join(f"{NAMES[code]} ({code})" for code in list(near)[:3])
    hint = f"Did you mean {offered}?" if offered else "Give its English name or two-letter ISO code, e.g. US."
    return f"{text!r} names no country that we know. {hint}"
