"""States, provinces, counties and countries as people write them after a town: "Springfield, IL", "Wien, Austria"."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from sitematch.gazetteer.grammar.countries import COUNTRIES, find_country
from sitematch.gazetteer.grammar.names import fold_name, name_keys

TERRITORIES: dict[str, tuple[str, ...]] = {
    "US": ("PR", "GU", "VI", "AS", "MP", "UM"),
    "FR": ("RE", "GP", "MQ", "GF", "YT", "MF", "BL", "PM", "NC", "PF", "WF", "TF"),
    "GB": ("JE", "GG", "IM", "GI", "BM", "KY", "FK", "TC", "VG", "AI", "MS", "SH"),
    "NL": ("AW", "CW", "SX", "BQ"),
    "DK": ("GL", "FO"),
    "FI": ("AX",),
    "NO": ("SJ",),
    "CN": ("HK", "MO"),
    "AU": ("NF", "CX", "CC"),
    "NZ": ("CK", "NU", "TK"),
}
"""Countries of ISO 3166-1 that are parts of another one; people may write either."""

_CODES_WRITTEN = ("US", "CA", "AU", "BR", "IN", "MX", "CH", "IT", "ES", "DE", "NL", "MY", "ZA")
"""Countries where people write a region's letters after a town, most common first. Elsewhere the letters count only if
the country is stated, because any two letters are the code of some region."""


@dataclass(frozen=True, slots=True)
class Region:
    """A country, or a part of one, that a text names.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    name
        English name of the part; empty for the whole country.
    listed
        The folded names of the part in the gazetteer's towns; empty if the gazetteer does not say which towns are in
        it.
    by_code
        Whether the text was the letters of its code, which counts less than a name.
    is_listed
        Whether the towns have the part itself, and not the larger one around it (England for Kent).
    """

    country: str
    name: str = ""
    listed: tuple[str, ...] = ()
    by_code: bool = False
    is_listed: bool = True

    @property
    def label(self) -> str:
        """Return its name for a sentence."""
        return self.name or COUNTRIES[self.country].name

    def holds(self, country: str, admin: str) -> bool:
        """Return whether a town in that country and state may be in it.

        If the gazetteer does not have the towns' states, or this town's, the country decides.

        Examples
        --------
        >>> florida = find_regions("FL", "US")[0]
        >>> florida.holds("US", "Florida"), florida.holds("US", "Massachusetts"), florida.holds("FR", "")
        (True, False, False)
        """
        if country != self.country:
            return not self.name and country in TERRITORIES.get(self.country, ())
        return not self.listed or not admin or _folded(admin) in self.listed


@lru_cache(maxsize=4096)
def _folded(admin: str) -> str:
    return fold_name(admin)


@cache
def _index() -> dict[str, tuple[Region, ...]]:
    """Read the table at the first text that needs it: about 50 ms, never for a look-up of a postcode."""
    from sitematch.gazetteer.grammar._region_names import REGIONS

    found: dict[str, list[Region]] = {}
    for country, rows in REGIONS.items():
        for row in rows:
            code, name, listed, keys = row.split("\t")
            held = tuple(listed.split("|")) if listed else ()
            names = keys.split("|")
            is_listed = not held or any(listed_name in names for listed_name in held)
            region = Region(country, name, held, is_listed=is_listed)
            for key in names:
                found.setdefault(key, []).append(region)
            if len(code) > 1:
                found.setdefault(code.lower(), []).append(
                    Region(country, name, held, by_code=True, is_listed=is_listed)
                )
    return {key: tuple(dict.fromkeys(regions)) for key, regions in found.items()}


def find_regions(text: str, country: str | None = None) -> tuple[Region, ...]:
    """Find the countries and their parts that a text may name.

    Parameters
    ----------
    text
        A name, or the letters of a code: ``"Michigan"``, ``"MI"``, ``"Bayern"``, ``"Bavaria"``.
    country
        ISO 3166-1 alpha-2 code: only regions in it or in its territories.

    Returns
    -------
    tuple of Region
        Whole countries first, then parts by name, then parts by code; empty if the text names none.

    Examples
    --------
    >>> [(region.country, region.label) for region in find_regions("Bavaria")]
    [('DE', 'Bavaria')]
    >>> [(region.country, region.label) for region in find_regions("CA", "US")]
    [('US', 'California')]
    >>> find_regions("Nowhere")
    ()
    """
    found: list[Region] = []
    if (named := find_country(text)) is not None and _is_whole(text, named):
        found.append(Region(named, by_code=len(text.strip()) == 2))
    keys = name_keys(text)
    # Letters with dots count as letters: "D.C.", "B. C.".
    if "." in text and len(keys[:1]) == 1 and len(joined := keys[0].replace(" ", "")) <= 3:
        keys = (*keys, joined)
    parts = tuple(dict.fromkeys(region for key in keys for region in _index().get(key, ())))
    if country is not None:
        inside = (country, *TERRITORIES.get(country, ()))
        return tuple(region for region in (*found, *parts) if region.country in inside)
    found += (region for region in parts if not region.by_code)
    letters = [region for region in parts if region.by_code and region.country in _CODES_WRITTEN]
    return (*found, *sorted(letters, key=lambda region: _CODES_WRITTEN.index(region.country)))


def _is_whole(text: str, country: str) -> bool:
    """Return whether a text means the whole country, and not one of its nations: Wales is not all of "GB"."""
    return country != "GB" or fold_name(text) not in {"england", "scotland", "wales", "northern ireland"}


def is_region(country: str, name: str, asked: str) -> bool:
    """Return whether a text means a state or province.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    name
        The region's name in the gazetteer.
    asked
        What a person wrote, folded (`fold_name`): the name, its abbreviation, or the name without or with one more
        word (``"Tokyo"`` for ``"Tokyo To"``).

    Examples
    --------
    >>> is_region("US", "Illinois", "il"), is_region("JP", "Tokyo To", "tokyo"), is_region("US", "Virginia", "west")
    (True, True, False)
    """
    names = name_keys(name)
    if asked in names or any(
        region.country == country and region.listed and _folded(name) in region.listed
        for region in _index().get(asked, ())
    ):
        return True
    return any(
        len(key) >= 4 and len(asked) >= 4 and (key.startswith(f"{asked} ") or asked.startswith(f"{key} "))
        for key in names
    )
