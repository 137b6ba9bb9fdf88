"""The countries in which a code is known, to choose one if none was given, and to report a wrong one."""

from __future__ import annotations

from sitematch.domain.message import Message
from sitematch.errors import Suggestion
from sitematch.gazetteer.grammar import COUNTRIES, countries_that_fit, has_digit, key_of, rungs
from sitematch.gazetteer.reader import Reader


def countries_with(reader: Reader, text: str) -> tuple[Suggestion, ...]:
    """Find the countries in which a text is a postcode, by form and by data.

    Parameters
    ----------
    reader
        The gazetteer.
    text
        What a person typed.

    Returns
    -------
    tuple of Suggestion
        In the order of the countries' codes; empty if there is none. A code with letters counts if the part of it in
        the data is known ("SW1A" of "SW1A 1AA"), but only if no country has the whole code. A code with a dash exactly
        as a country writes its codes ("00-950") belongs to that country.
    """
    exact: list[Suggestion] = []
    full: list[Suggestion] = []
    parts: list[Suggestion] = []
    # Five digits match half the world, so digits count only if the whole code is known, or with the country's dash.
    # Four letters are a town before they are a part of a code: "Gent" is not Bermuda's "GE".
    for postcode in countries_that_fit(text):
        country = postcode.country
        key = key_of(country, postcode.code)
        is_exact = "-" in postcode.code and postcode.code == text.strip()
        if is_exact and any(reader.postcode(country, rung.key) for rung in rungs(country, key)):
            known = exact
        elif reader.has_postcode(country, key):
            known = full
        elif (
            not key.isdigit()
            and has_digit(key)
            and any(reader.postcode(country, rung.key) for rung in rungs(country, key))
        ):
            known = parts
        else:
            continue
        why = Message("a postcode of %(country)s", country=COUNTRIES[country].in_message())
        known.append(Suggestion(postcode.code, country, why))
    return tuple(exact or full or parts)


def known_elsewhere(reader: Reader, text: str, *, without: str) -> tuple[Suggestion, ...]:
    """Suggest the countries, other than the given one, in which the text is a known code."""
    return tuple(found for found in countries_with(reader, text) if found.country != without)
