"""The results of the library: values for programs, text for a terminal, HTML for a notebook, tables and maps."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from io import StringIO
from typing import TYPE_CHECKING, Any, overload

import msgspec

from sitematch.domain.finding.match import MatchResult
from sitematch.domain.place import Place
from sitematch.domain.studies.contact import NO_CONTACTS, StudyContacts
from sitematch.domain.studies.study import Study
from sitematch.domain.units import unit_for
from sitematch.exporters.wire.matches import MatchAnswer, MatchesAnswer, PlaceAnswer, matches_answer, place_answer
from sitematch.extras import needs_extra

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

TEXT_COLUMNS = 110
"""The width of a result as text."""


class Matches:
    """The ranked sites of one look-up: a sequence of `MatchAnswer`, best first.

    Parameters
    ----------
    result
        The ranking, with exact distances.
    study, attribution, contacts
        The study, the sources that must be named, and whom to ask.

    Notes
    -----
    `print` shows the answer as the command line does, and a notebook shows it as a table beside a small map. Both
    contain the person's place; `to_frame` and `repr` do not, because tables and logs are kept and passed on.
    """

    def __init__(
        self,
        result: MatchResult,
        study: Study,
        attribution: tuple[str, ...],
        contacts: StudyContacts = NO_CONTACTS,
    ) -> None:
        self.result = result
        self.study = study
        self._attribution = attribution
        self._contacts = contacts

    @cached_property
    def answer(self) -> MatchesAnswer:
        """Return the whole answer with the names of the HTTP interface; see docs/http.md."""
        return matches_answer(self.result, self.study, self._attribution, self._contacts)

    @property
    def matches(self) -> tuple[MatchAnswer, ...]:
        """Return the ranked sites, best first; empty if no site can take a patient."""
        return self.answer.matches

    @property
    def place(self) -> Place:
        """Return where the person is, as it was understood."""
        return self.result.place

    def __len__(self) -> int:
        return len(self.result.matches)

    def __iter__(self) -> Iterator[MatchAnswer]:
        return iter(self.matches)

    @overload
    def __getitem__(self, index: int) -> MatchAnswer: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[MatchAnswer, ...]: ...
    def __getitem__(self, index: int | slice) -> MatchAnswer | tuple[MatchAnswer, ...]:
        return self.matches[index]

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain Python values: what ``POST /v1/matches`` sends."""
        plain: dict[str, Any] = msgspec.to_builtins(self.answer)
        return plain

    def to_geojson(self) -> dict[str, Any]:
        """Return the ranked and the left-out sites as a GeoJSON FeatureCollection (RFC 7946), longitude first."""
        from sitematch.exporters.geojson import matches_geojson

        plain: dict[str, Any] = msgspec.to_builtins(matches_geojson(self.answer))
        return plain

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas data frame: a row for each ranked site, then for each left-out one.

        Returns
        -------
        pandas.DataFrame
            The columns of ``--format csv``; see docs/exporting.md. The person's place is not in it.

        Raises
        ------
        NotReady
            If pandas is not installed; the message says how to install it.
        """
        with needs_extra("pandas", "A data frame"):
            import pandas as pd

        from sitematch.exporters.tables.rows import MATCH_HEADER, match_rows

        rows = [msgspec.to_builtins(row) for row in match_rows(self.result, self.study.notice)]
        return pd.DataFrame(rows, columns=list(MATCH_HEADER))

    def _repr_html_(self) -> str:
        from sitematch.exporters.notebook import matches_html

        return matches_html(self.answer)

    def __repr__(self) -> str:
        return f"<Matches: {len(self)} of {self.study.study_id}>"

    def __str__(self) -> str:
        from sitematch.exporters.tables.terminal import print_matches

        console, text = _console()
        print_matches(self.answer, console)
        return text.getvalue().rstrip("\n")


class Located:
    """One place, with its precision and uncertainty.

    Parameters
    ----------
    place
        The place.
    attribution
        The sources that must be named.
    """

    def __init__(self, place: Place, attribution: tuple[str, ...]) -> None:
        self.place = place
        self.attribution = attribution

    @cached_property
    def answer(self) -> PlaceAnswer:
        """Return the place with the names of the HTTP interface."""
        return place_answer(self.place, unit_for(self.place.country))

    @property
    def latitude(self) -> float:
        """Return degrees north, WGS84."""
        return self.place.coordinates.latitude

    @property
    def longitude(self) -> float:
        """Return degrees east, WGS84."""
        return self.place.coordinates.longitude

    @property
    def uncertainty_km(self) -> float:
        """Return the radius that contains the true position in about 95 of 100 cases, in kilometres."""
        return self.place.uncertainty_km

    def to_dict(self) -> dict[str, Any]:
        """Return the place as plain Python values."""
        plain: dict[str, Any] = msgspec.to_builtins(self.answer)
        return plain

    def to_geojson(self) -> dict[str, Any]:
        """Return the place as a GeoJSON Feature (RFC 7946), longitude first."""
        from sitematch.exporters.geojson import place_feature

        plain: dict[str, Any] = msgspec.to_builtins(place_feature(self.answer, self.attribution))
        return plain

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas data frame with one row.

        Raises
        ------
        NotReady
            If pandas is not installed; the message says how to install it.
        """
        with needs_extra("pandas", "A data frame"):
            import pandas as pd

        plain = self.to_dict()
        return pd.DataFrame([{**plain.pop("location"), **plain}])

    def _repr_html_(self) -> str:
        from sitematch.exporters.notebook import place_html

        return place_html(self.answer, self.attribution)

    def __repr__(self) -> str:
        return f"<Located: {self.place.precision}, ± {self.place.uncertainty_km:.1f} km>"

    def __str__(self) -> str:
        from sitematch.exporters.tables.terminal import print_place

        console, text = _console()
        print_place(self.answer, self.attribution, console)
        return text.getvalue().rstrip("\n")


def _console() -> tuple[Console, StringIO]:
    from rich.console import Console

    text = StringIO()
    return Console(file=text, width=TEXT_COLUMNS, highlight=False, color_system=None), text
