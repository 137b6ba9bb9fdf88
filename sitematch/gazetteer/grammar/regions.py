"""Abbreviations of states and provinces that people write behind a town: "Springfield, IL"."""

from __future__ import annotations

from functools import lru_cache

from sitematch.gazetteer.grammar.names import fold_name, name_keys

# ISO 3166-2 codes without the country, with the names that GeoNames gives the regions.
_ABBREVIATIONS: dict[str, dict[str, str]] = {
    "US": {
        "Alabama": "AL", "Alaska": "AK", "Arizona": "AZ", "Arkansas": "AR", "California": "CA", "Colorado": "CO",
        "Connecticut": "CT", "Delaware": "DE", "District of Columbia": "DC", "Florida": "FL", "Georgia": "GA",
        "Hawaii": "HI", "Idaho": "ID", "Illinois": "IL", "Indiana": "IN", "Iowa": "IA", "Kansas": "KS",
        "Kentucky": "KY", "Louisiana": "LA", "Maine": "ME", "Maryland": "MD", "Massachusetts": "MA",
        "Michigan": "MI", "Minnesota": "MN", "Mississippi": "MS", "Missouri": "MO", "Montana": "MT",
        "Nebraska": "NE", "Nevada": "NV", "New Hampshire": "NH", "New Jersey": "NJ", "New Mexico": "NM",
        "New York": "NY", "North Carolina": "NC", "North Dakota": "ND", "Ohio": "OH", "Oklahoma": "OK",
        "Oregon": "OR", "Pennsylvania": "PA", "Rhode Island": "RI", "South Carolina": "SC", "South Dakota": "SD",
        "Tennessee": "TN", "Texas": "TX", "Utah": "UT", "Vermont": "VT", "Virginia": "VA", "Washington": "WA",
        "West Virginia": "WV", "Wisconsin": "WI", "Wyoming": "WY",
    },
    "CA": {
        "Alberta": "AB", "British Columbia": "BC", "Manitoba": "MB", "New Brunswick": "NB",
        "Newfoundland and Labrador": "NL", "Nova Scotia": "NS", "Northwest Territories": "NT", "Nunavut": "NU",
        "Ontario": "ON", "Prince Edward Island": "PE", "Quebec": "QC", "Saskatchewan": "SK", "Yukon": "YT",
    },
    "AU": {
        "Australian Capital Territory": "ACT", "New South Wales": "NSW", "Northern Territory": "NT",
        "Queensland": "QLD", "South Australia": "SA", "Tasmania": "TAS", "Victoria": "VIC",
        "Western Australia": "WA",
    },
    "BR": {
        "Acre": "AC", "Alagoas": "AL", "Amapa": "AP", "Amazonas": "AM", "Bahia": "BA", "Ceara": "CE",
        "Distrito Federal": "DF", "Espirito Santo": "ES", "Goias": "GO", "Maranhao": "MA", "Mato Grosso": "MT",
        "Mato Grosso do Sul": "MS", "Minas Gerais": "MG", "Para": "PA", "Paraiba": "PB", "Parana": "PR",
        "Pernambuco": "PE", "Piaui": "PI", "Rio de Janeiro": "RJ", "Rio Grande do Norte": "RN",
        "Rio Grande do Sul": "RS", "Rondonia": "RO", "Roraima": "RR", "Santa Catarina": "SC", "Sao Paulo": "SP",
        "Sergipe": "SE", "Tocantins": "TO",
    },
}  # fmt: skip

_FOLDED = {
    country: {fold_name(name): code.lower() for name, code in regions.items()}
    for country, regions in _ABBREVIATIONS.items()
}


@lru_cache(maxsize=4096)
def region_names(country: str, name: str) -> frozenset[str]:
    """Give every folded way of writing a state or province.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    name
        The region's name as the gazetteer has it.

    Examples
    --------
    >>> sorted(region_names("US", "Illinois"))
    ['il', 'illinois']
    """
    keys = name_keys(name)
    short = [code for key in keys if (code := _FOLDED.get(country, {}).get(key))]
    return frozenset((*keys, *short))


def is_region(country: str, name: str, asked: str) -> bool:
    """Tell whether a text means a state or province.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    name
        The region's name as the gazetteer has it.
    asked
        What a person wrote, folded (`fold_name`): the name, its abbreviation, or the name without or with one more
        word (``"Tokyo"`` for ``"Tokyo To"``).

    Examples
    --------
    >>> is_region("US", "Illinois", "il"), is_region("JP", "Tokyo To", "tokyo"), is_region("US", "Virginia", "west")
    (True, True, False)
    """
    names = region_names(country, name)
    return asked in names or any(
        len(key) >= 4 and len(asked) >= 4 and (key.startswith(f"{asked} ") or asked.startswith(f"{key} "))
        for key in names
    )
