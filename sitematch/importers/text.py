"""Cleaning of texts from outside, before they are stored and compared."""

from __future__ import annotations

import html
import re

_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufeff]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
MAX_TEXT_LENGTH = 4_000
"""Maximum length of a stored text, in characters; a registry's summary may have many thousands."""


def tidy(text: str) -> str:
    """Remove characters that databases and terminals cannot handle, and extra spaces.

    Parameters
    ----------
    text
        From any source.

    Returns
    -------
    str
        Without control characters and lone surrogates, single-spaced, at most `MAX_TEXT_LENGTH` characters. HTML
        entities are decoded, once: many lists were copied from web pages.

    Examples
    --------
    >>> tidy("  Centre\\x00 Hospitalier \\n de  Luxembourg")
    'Centre Hospitalier de Luxembourg'
    >>> tidy("Children&#39;s Hospital, A &amp; B, AT&T")
    "Children's Hospital, A & B, AT&T"
    """
    if "&" in text:
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    if not (text.isascii() and text.isprintable()):
        text = _UNFIT.sub(" ", text)
    return " ".join(text.split())[:MAX_TEXT_LENGTH]
