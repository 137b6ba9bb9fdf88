"""Where a person probably is, from the languages of their browser, page or locale."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sitematch.gazetteer.grammar import COUNTRIES

MAX_LANGUAGES = 10
"""Maximum number of languages; browsers send fewer."""

_TAG = re.compile(
    r"^(?P<language>[a-z]{2,3})(?:[-_][a-z]{3}(?=[-_]|$))?(?:[-_](?P<script>[a-z]{4}))?(?:[-_](?P<region>[a-z]{2}))?",
    re.IGNORECASE,
)

# The country with most speakers of a language, for tags without a region (Unicode CLDR's likely subtags).
_MOST_SPEAKERS = {
    "am": "ET", "ar": "EG", "az": "AZ", "be": "BY", "bg": "BG", "bn": "BD", "bs": "BA", "ca": "ES", "cs": "CZ",
    "da": "DK", "de": "DE", "el": "GR", "en": "US", "es": "ES", "et": "EE", "eu": "ES", "fa": "IR", "fi": "FI",
    "fil": "PH", "fr": "FR", "ga": "IE", "gl": "ES", "gu": "IN", "he": "IL", "hi": "IN", "hr": "HR", "hu": "HU",
    "hy": "AM", "id": "ID", "is": "IS", "it": "IT", "iw": "IL", "ja": "JP", "ka": "GE", "kk": "KZ", "km": "KH",
    "kn": "IN", "ko": "KR", "lo": "LA", "lt": "LT", "lv": "LV", "mk": "MK", "ml": "IN", "mn": "MN", "mr": "IN",
    "ms": "MY", "mt": "MT", "my": "MM", "nb": "NO", "ne": "NP", "nl": "NL", "nn": "NO", "no": "NO", "pa": "IN",
    "pl": "PL", "pt": "BR", "ro": "RO", "ru": "RU", "si": "LK", "sk": "SK", "sl": "SI", "sq": "AL", "sr": "RS",
    "sv": "SE", "sw": "TZ", "ta": "IN", "te": "IN", "th": "TH", "tr": "TR", "uk": "UA", "ur": "PK", "uz": "UZ",
    "vi": "VN", "zh": "CN",
}  # fmt: skip


def likely_countries(languages: Sequence[str]) -> tuple[str, ...]:
    """Return the countries that languages suggest, most likely first.

    Parameters
    ----------
    languages
        Tags of BCP 47, best first: ``"de-CH"``, ``"en"``; POSIX locales (``"pt_BR.UTF-8"``) also work. Invalid tags are
        ignored.

    Returns
    -------
    tuple of str
        ISO 3166-1 alpha-2 codes: those in the tags, then the largest one of each language without a region. A language
        without a region adds nothing if another tag of it has one.

    Examples
    --------
    >>> likely_countries(["de-CH", "de", "en"]), likely_countries(["zh-Hant"]), likely_countries(["C.UTF-8"])
    (('CH', 'US'), ('TW',), ())
    """
    stated: dict[str, None] = {}
    spoken: dict[str, None] = {}
    regional: set[str] = set()
    for tag in languages[:MAX_LANGUAGES]:
        found = _TAG.match(tag.strip())
        if found is None:
            continue
        language, region = found["language"].lower(), (found["region"] or "").upper()
        if region in COUNTRIES:
            stated.setdefault(region)
            regional.add(language)
        elif language == "zh" and (found["script"] or "").lower() == "hant":
            spoken.setdefault("TW")
        elif language not in regional and language in _MOST_SPEAKERS:
            spoken.setdefault(_MOST_SPEAKERS[language])
    return tuple(dict.fromkeys((*stated, *spoken)))
