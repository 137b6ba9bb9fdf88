"""The grammar of postcodes and of the names of countries and places; no look-up, no file, no slow import."""

from __future__ import annotations

from sitematch.gazetteer.grammar.countries import COUNTRIES, Country, find_country, parse_country, similar_countries
from sitematch.gazetteer.grammar.forms import has_postcodes
from sitematch.gazetteer.grammar.ladder import Rung, rungs
from sitematch.gazetteer.grammar.names import fold_name, has_digit, name_keys
from sitematch.gazetteer.grammar.postcode import (
    countries_that_fit,
    fits,
    is_partial,
    key_of,
    normal_form,
    parse_postcode,
)

__all__ = [
    "COUNTRIES",
    "Country",
    "Rung",
    "countries_that_fit",
    "find_country",
    "fits",
    "fold_name",
    "has_digit",
    "has_postcodes",
    "is_partial",
    "key_of",
    "name_keys",
    "normal_form",
    "parse_country",
    "parse_postcode",
    "rungs",
    "similar_countries",
]
