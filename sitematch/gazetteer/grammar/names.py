"""Folding of place names, so that typed names match those in the gazetteer."""

from __future__ import annotations

import re
import unicodedata

# Letters that Unicode does not decompose into a base and a mark.
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ı": "i",
        "ħ": "h",
        "ŧ": "t",
        "ə": "e",
    }
)
# Replacements in German, Danish, Norwegian and Swedish if the keyboard lacks the letter.
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
# Variants of characters in Taiwan and in Japan's new and old forms.
_HAN_VARIANTS = str.maketrans({"臺": "台", "灣": "湾", "縣": "県", "廣": "広", "國": "国"})
# Only the marks of Latin, Greek and Cyrillic, because in other scripts a mark is a vowel and must stay.
_MARKS = re.compile("[\u0300-\u036f]+")
# Apostrophes, dots, and the joiners of Persian and Indic writing.
_DROPPED = re.compile("['’‘ʻʼʹ`´.·\u200b-\u200d]+")
# An explicit list of spaces and punctuation, because \W would also match vowel signs of other scripts.
_BETWEEN = re.compile(
    r"[\s\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf×÷\u2010-\u206f\u3001-\u3004\u3008-\u3020\u30fb]+"
)
_SAINT = re.compile(r"\b(st|ste)\b(?= )")


def has_digit(text: str) -> bool:
    """Return whether a text has a digit of any script, as nearly all postcodes do."""
    return any(character.isdigit() for character in text)


def fold_name(text: str) -> str:
    """Fold a name: no case, no accents, no punctuation, single spaces.

    Parameters
    ----------
    text
        A name in any script.

    Returns
    -------
    str
        The folded name; empty if the text is only punctuation. Folding twice changes nothing.

    Examples
    --------
    >>> fold_name("  Köln "), fold_name("Saint-Étienne"), fold_name("臺北市"), fold_name("Côte d’Ivoire")
    ('koln', 'saint etienne', '臺北市', 'cote divoire')
    """
    if text.isascii() and text.isalpha():
        return text.lower()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    folded = _MARKS.sub("", folded).translate(_LETTERS)
    # Back to NFC, because otherwise Hangul would stay decomposed.
    folded = unicodedata.normalize("NFC", folded).replace("&", " and ")
    return _BETWEEN.sub(" ", _DROPPED.sub("", folded)).strip()


def name_keys(text: str) -> tuple[str, ...]:
    """Return every key under which a name can be found.

    Parameters
    ----------
    text
        A name in any script.

    Returns
    -------
    tuple of str
        The folded name first, then its other spellings without repeats; empty for an empty name.

    Examples
    --------
    >>> name_keys("Köln")
    ('koln', 'koeln')
    >>> name_keys("St. Louis")
    ('st louis', 'saint louis')
    >>> name_keys("臺北市")
    ('臺北市', '台北市')
    """
    plain = fold_name(text)
    if not plain:
        return ()
    keys = [plain]
    if not plain.isascii() or not text.isascii():
        composed = unicodedata.normalize("NFC", text).casefold()
        keys.append(fold_name(composed.translate(_SPELLED_OUT)))
        keys.append(plain.translate(_HAN_VARIANTS))
    keys.extend([_SAINT.sub(lambda m: "saint" if m[1] == "st" else "sainte", key) for key in keys])
    return tuple(dict.fromkeys(keys))
