"""Texts from outside, fit to be stored and compared."""

from __future__ import annotations

import re

_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufeff]")
MAX_TEXT_LENGTH = 4_000
"""Characters kept of a long text; a registry's summary may have many thousands."""


def tidy(text: str) -> str:
    """Remove what no database or terminal should be given, and stray spaces.

    Parameters
    ----------
    text
        From any source.

    Returns
    -------
    str
        Without control characters and lone surrogates, single-spaced, at most `MAX_TEXT_LENGTH` characters.

    Examples
    --------
    >>> tidy("  Centre\\x00 Hospitalier \\n de  Luxembourg")
    'Centre Hospitalier de Luxembourg'
    """
    if not (text.isascii() and text.isprintable()):
        text = _UNFIT.sub(" ", text)
    return " ".join(text.split())[:MAX_TEXT_LENGTH]
