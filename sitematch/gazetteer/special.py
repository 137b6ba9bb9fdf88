"""Texts without a place in a gazetteer: forces' codes, "near me"; and letters and digits that look alike."""

from __future__ import annotations

import itertools
import re

from sitematch.domain.message import Message
from sitematch.errors import Suggestion
from sitematch.gazetteer.grammar import COUNTRIES, fits, fold_name, has_digit, key_of, normal_form

FORCES = frozenset({"US", "GB"})
"""Countries whose forces have their own postcodes."""

_US_FORCES = re.compile(r"(?:09[0-8]|340|96[2-6])\d\d(?:-?\d{4})?")
_US_FORCES_WORDS = re.compile(r"\b(?:APO|FPO|DPO)(?:$|[ ,.]+(?:A[AEP]\b|(?:09[0-8]|340|96[2-6])\d\d|$))", re.IGNORECASE)
_BRITISH_FORCES = re.compile(
    r"\bB\.?F\.?P\.?O\.?\b|\bBF\d \d[A-Z]{2}\b|^BF1 ?\d?[A-Z]{0,2}$|\bBFPO ?\d{1,4}\b", re.IGNORECASE
)

_HERE = frozenset(
    fold_name(text)
    for text in (
        "near me", "me", "nearby", "near by", "close to me", "around me", "here", "my location", "my position",
        "current location", "my current location", "use my location", "where i am", "my home", "home",
        "in meiner Nähe", "in der Nähe", "mein Standort", "hier", "bei mir", "près de moi", "autour de moi",
        "ma position", "ici", "à proximité", "cerca de mí", "cerca de mi", "mi ubicación", "aquí", "aqui",
        "perto de mim", "minha localização", "minha localizacao", "vicino a me", "qui vicino", "la mia posizione",
        "bij mij in de buurt", "in de buurt", "mijn locatie", "現在地", "近く", "この近く", "附近", "我的位置",
        "我附近",
        "目前位置", "내 위치", "내 주변", "рядом со мной", "рядом", "мое местоположение", "blisko mnie", "w pobliżu",
        "nära mig", "nær mig", "lähellä minua", "yakınımda", "konumum", "קרוב אליי", "המיקום שלי", "לידי",
        "بالقرب مني", "موقعي", "मेरे पास", "ใกล้ฉัน", "gần tôi",
    )
)  # fmt: skip
_LOOKS_LIKE = {"O": "0", "0": "O", "I": "1", "L": "1", "1": "IL", "|": "1"}
_MOST_CHANGES = 4


def asks_for_own_location(text: str) -> bool:
    """Return whether a text asks for the person's own location.

    Examples
    --------
    >>> asks_for_own_location("Near me!"), asks_for_own_location("Meersburg")
    (True, False)
    """
    return fold_name(text) in _HERE


def forces_of(text: str, country: str | None) -> str:
    """Return the forces that a code belongs to; empty if it is a civilian code.

    Parameters
    ----------
    text
        As typed.
    country
        ISO 3166-1 alpha-2 code; without one, the letters decide.

    Examples
    --------
    >>> forces_of("APO AE 09012", None), forces_of("09012", "US"), forces_of("BFPO 58", "GB"), forces_of("09012", "IT")
    ('US', 'US', 'GB', '')
    """
    if country in (None, "GB") and _BRITISH_FORCES.search(text):
        return "GB"
    if country in (None, "US") and _US_FORCES_WORDS.search(text):
        return "US"
    return "US" if country == "US" and _US_FORCES.fullmatch(text.strip()) else ""


def look_alikes(text: str, country: str) -> tuple[Suggestion, ...]:
    """Suggest the codes of a country that a text becomes if O and 0, or I, l and 1, are exchanged.

    Parameters
    ----------
    text
        As typed, not a code of the country.
    country
        ISO 3166-1 alpha-2 code.

    Returns
    -------
    tuple of Suggestion
        Those with the fewest changes; empty if none has the form of a full code.

    Examples
    --------
    >>> [s.text for s in look_alikes("33l80", "US")], [s.text for s in look_alikes("sw1aiaa", "GB")]
    (['33180'], ['SW1A 1AA'])
    """
    key = "".join(c for c in text.upper() if c.isalnum() or c == "|")
    at = [i for i, c in enumerate(key) if c in _LOOKS_LIKE]
    if not 3 <= len(key) <= 10 or not at or not any(c.isdigit() or c in _LOOKS_LIKE for c in key):
        return ()
    for changes in range(1, min(_MOST_CHANGES, len(at)) + 1):
        found: dict[str, None] = {}
        for places in itertools.combinations(at, changes):
            for letters in itertools.product(*(_LOOKS_LIKE[key[i]] for i in places)):
                other = list(key)
                for i, letter in zip(places, letters, strict=True):
                    other[i] = letter
                code = key_of(country, "".join(other))
                if has_digit(code) and len(code) >= 4 and fits(country, code):
                    found.setdefault(normal_form(country, code))
        if found:
            why = Message(
                "a postcode of %(country)s, if letters and digits that look alike are exchanged",
                country=COUNTRIES[country].in_message(),
            )
            return tuple(Suggestion(code, country, why) for code in list(found)[:3])
    return ()
