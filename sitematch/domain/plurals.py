"""Numbers followed by nouns."""

from __future__ import annotations


def counted(count: int, one: str, more: str = "") -> str:
    """Return a number followed by its noun.

    Parameters
    ----------
    count
        How many.
    one, more
        The noun for one, and for any other number. By default, `more` is the noun with an s.

    Examples
    --------
    >>> counted(1, "study", "studies"), counted(1200, "site")
    ('1 study', '1,200 sites')
    """
    return f"{count:,} {one if count == 1 else more or one + 's'}"
