"""Text from elsewhere, made safe to show: without characters that hide, reorder or control what stands around it."""

from __future__ import annotations

import re

_HARMFUL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e]")
"""C0 but for tab and the ends of lines, DEL, C1, and the bidirectional embeddings and overrides (UAX 9)."""

_ISOLATES = re.compile("[\u2066-\u2069]")


def plain_text(text: str) -> str:
    """Remove control characters, bidirectional overrides, and isolates that are not closed.

    Parameters
    ----------
    text
        Any text, e.g. the name of a hospital from a registry.

    Returns
    -------
    str
        The same text if nothing in it does harm. Pairs of isolates stay: they keep a name in another script together.

    Notes
    -----
    An override can make ``exe.txt`` of ``txt.exe``; C1 has the codes that steer a terminal.

    Examples
    --------
    >>> plain_text("St. Mary\\u202e's"), plain_text("\\x9b31mred"), plain_text("\\u2068שלום\\u2069")
    ("St. Mary's", '31mred', '\\u2068שלום\\u2069')
    """
    kept = text if _HARMFUL.search(text) is None else _HARMFUL.sub("", text)
    if _ISOLATES.search(kept) is None or _are_paired(kept):
        return kept
    return _ISOLATES.sub("", kept)


def _are_paired(text: str) -> bool:
    depth = 0
    for mark in _ISOLATES.findall(text):
        depth += -1 if mark == "\u2069" else 1
        if depth < 0:
            return False
    return depth == 0
