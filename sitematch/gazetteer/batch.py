"""Many postcodes at once, from arrays or data frames to a data frame; for CSV files see `batch_csv`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sitematch.domain.place import Postcode
from sitematch.errors import SitematchError, UnknownCountry
from sitematch.extras import needs_extra
from sitematch.gazetteer.grammar import is_partial, key_of, normal_form, parse_country, parse_postcode, rungs
from sitematch.gazetteer.locate import Gazetteer
from sitematch.gazetteer.reader import PostcodeRow, Reader
from sitematch.gazetteer.schema import DEGREE, PRECISIONS

if TYPE_CHECKING:
    import pandas as pd


class BatchStatus(StrEnum):
    """The result of a row of a batch."""

    FOUND = "FOUND"
    """The full code is known."""
    PART = "PART"
    """A leading part of it was used; `postcode` says which."""
    NOT_FOUND = "NOT_FOUND"
    """The form is valid, but no part of the code is known."""
    INVALID = "INVALID"
    """Not in the form of the country's postcodes, or empty."""
    UNKNOWN_COUNTRY = "UNKNOWN_COUNTRY"
    """The country is unknown or empty."""


COLUMNS = ("country", "postcode", "latitude", "longitude", "precision", "uncertainty_km", "name", "status")
"""The columns of the data frame from `locate_many`."""

_PRECISION_NAMES = tuple(str(precision) for precision in PRECISIONS)
_UNKNOWN_ROW = (None, float("nan"), float("nan"), None, float("nan"), None)


def locate_many(gazetteer: Gazetteer, countries: Any, codes: Any) -> pd.DataFrame:
    """Look up many postcodes.

    Parameters
    ----------
    gazetteer
        An open gazetteer.
    countries
        Names or ISO 3166-1 codes: a series, an array or a list, one for each code; or one text for all.
    codes
        Postcodes as text. Numbers are converted to text without a fraction. A lost leading zero is not guessed; such a
        row is INVALID.

    Returns
    -------
    pandas.DataFrame
        A row for each code in the given order, with the index of `codes` if it has one. Columns: `COLUMNS`; coordinates
        in degrees (WGS84), NaN if nothing was found; `precision`, `status` and `country` are categories.

    Raises
    ------
    ValueError
        If the lengths differ.

    Notes
    -----
    Every distinct (country, code) is looked up once. Only the code is used: no town, no choice of a country.

    Examples
    --------
    >>> from sitematch.config import data_file
    >>> gazetteer = Gazetteer.open(data_file("gazetteer.sqlite"))
    >>> frame = locate_many(gazetteer, ["US", "GB"], ["33180", "SW1A 1AA"])
    >>> list(frame["postcode"]), list(frame["status"])
    (['33180', 'SW1A 1AA'], ['FOUND', 'FOUND'])
    """
    import numpy as np

    with needs_extra("pandas", "A data frame"):
        import pandas as pd

    index = codes.index if isinstance(codes, pd.Series) else None
    wanted = pd.Series(codes, index=index, dtype=object)
    if isinstance(countries, str):
        countries = pd.Series([countries], dtype=object).repeat(len(wanted))
    # By position, because the indexes of two frames are unrelated.
    where = pd.Series(np.asarray(countries, dtype=object), dtype=object)
    if len(where) != len(wanted):
        raise ValueError(f"There are {len(where)} countries and {len(wanted)} postcodes; give one for each.")
    country_at, country_names = pd.factorize(where, use_na_sentinel=False)
    code_at, code_texts = pd.factorize(wanted.to_numpy(), use_na_sentinel=False)
    pair_at, pairs = pd.factorize(country_at.astype(np.int64) * max(len(code_texts), 1) + code_at)
    known = [_country(name) for name in country_names]
    texts = [_text(code) for code in code_texts]
    rows = [
        _answer(gazetteer.reader, known[pair // len(code_texts)], texts[pair % len(code_texts)])
        for pair in pairs.tolist()
    ]
    distinct = pd.DataFrame(rows, columns=list(COLUMNS))
    for column, values in (
        ("precision", list(_PRECISION_NAMES)),
        ("status", [str(s) for s in BatchStatus]),
        ("country", sorted({name for name in known if name} | {row[0] for row in rows if row[0]})),
    ):
        distinct[column] = pd.Categorical(distinct[column], categories=values)
    frame = distinct.take(pair_at)
    frame.index = pd.RangeIndex(len(wanted)) if index is None else index
    return frame


def _country(name: object) -> str | None:
    try:
        return parse_country(name) if isinstance(name, str) else None
    except UnknownCountry:
        return None


def _text(code: object) -> str:
    """Return a code as text, because spreadsheets turn codes into numbers, and into floats if a cell is empty."""
    if isinstance(code, str):
        return code
    if code is None or code != code:  # NaN is not equal to itself
        return ""
    if isinstance(code, float) and code.is_integer():
        return str(int(code))
    return str(code)


def _answer(reader: Reader, country: str | None, text: str) -> tuple[Any, ...]:
    if country is None:
        return (None, *_UNKNOWN_ROW, str(BatchStatus.UNKNOWN_COUNTRY))
    try:
        postcode = parse_postcode(text, country)
    except SitematchError:
        # The status is enough here; `Gazetteer.locate` and `locate_batch` give the reasons for single rows.
        return (country, *_UNKNOWN_ROW, str(BatchStatus.INVALID))
    return _looked_up(reader, postcode)


def _looked_up(reader: Reader, postcode: Postcode) -> tuple[Any, ...]:
    country, code = postcode.country, postcode.code
    key = code if code.isdigit() else key_of(country, code)
    row = reader.postcode(country, key)
    if row is not None and row[6] == 0 and not is_partial(country, key):
        return _columns(country, code, row, BatchStatus.FOUND)
    for rung in rungs(country, key):
        row = reader.postcode(country, rung.key)
        if row is not None:
            return _columns(country, normal_form(country, rung.key), row, BatchStatus.PART)
    return (country, *_UNKNOWN_ROW, str(BatchStatus.NOT_FOUND))


def _columns(country: str, code: str, row: PostcodeRow, status: BatchStatus) -> tuple[Any, ...]:
    return (
        country,
        code,
        row[0] / DEGREE,
        row[1] / DEGREE,
        _PRECISION_NAMES[row[2]],
        row[3] / 1000,
        row[4],
        str(status),
    )
