"""The tools and resources of `sitematch mcp`; import it only where the extra ``mcp`` is installed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from sitematch import __version__
from sitematch.domain.accounts.access import Actor
from sitematch.domain.finding.policy import MatchPolicy
from sitematch.domain.studies.search_terms import query_words
from sitematch.domain.studies.study import RecruitmentStatus, Study, tidy_study_id
from sitematch.domain.units import Unit
from sitematch.errors import SitematchError
from sitematch.exporters.wire.capacity import site_capacity_answer
from sitematch.exporters.wire.clinics import clinics_answer
from sitematch.exporters.wire.matches import matches_answer, place_answer
from sitematch.exporters.wire.studies import study_detail
from sitematch.services.capacity import coordinating
from sitematch.services.finding.live_finders import LiveFinders
from sitematch.services.finding.match_request import match_policy
from sitematch.services.setup import Store
from sitematch.services.studies.catalogue import read_study, search_studies

_INSTRUCTIONS = (
    "Finds the hospitals and clinics that recruit for a clinical trial, nearest first, with reasons and with the "
    "uncertainty of each distance. It does not give medical advice or decide who is eligible. Ask the person for the "
    "country before the postcode or town. If an answer lists choices, ask the person which is meant; do not choose. "
    "Repeat the notices of an answer to the person. Requests are not stored or logged."
)

_MOST = 20

_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_Country = Annotated[str, Field(description="Name or ISO 3166-1 code of the country. Ask the person for it first.")]
_Place = Annotated[str, Field(description="Postcode or town, as the person wrote it.")]
_StudyId = Annotated[
    str | None, Field(description="Registry id such as NCT06064929. The default is the server's study.")
]
_Limit = Annotated[int, Field(ge=1, le=_MOST, description="How many clinics to return.")]
_WithinKm = Annotated[float | None, Field(gt=0, le=21000, description="Only clinics within this distance, in km.")]


@dataclass(frozen=True, slots=True)
class Lookups:
    """The open catalogue, ledger and gazetteer, with a clock."""

    live: LiveFinders
    store: Store
    clock: Callable[[], datetime]


def build_server(lookups: Lookups, actor: Actor | None = None) -> MCPServer[Any]:
    """Make the server.

    Parameters
    ----------
    lookups
        What it answers from.
    actor
        Whose rights questions on capacity have; None leaves that tool out.
    """
    # The SDK logs the error of a tool, and an error can repeat what was typed.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    server: MCPServer[Any] = MCPServer(
        "sitematch", instructions=_INSTRUCTIONS, version=__version__, log_level="CRITICAL"
    )
    _add_look_ups(server, lookups)
    _add_studies(server, lookups)
    if actor is not None:
        _add_capacity(server, lookups, actor)
    return server


def _add_look_ups(server: MCPServer[Any], lookups: Lookups) -> None:
    @server.tool(title="Find a study's clinics near a place", annotations=_READS)
    def find_sites(
        country: _Country,
        place: _Place,
        study_id: _StudyId = None,
        limit: _Limit = 5,
        within_km: _WithinKm = None,
        needs_free_spot: Annotated[bool, Field(description="Only clinics that have a free spot.")] = False,
    ) -> dict[str, Any]:
        """Rank the clinics of a study by distance, with reasons, spots, travel support and contacts."""

        def find() -> Any:
            finder = lookups.live.finder(study_id)
            policy = _policy(limit, within_km, needs_free_spot)
            result = finder.find(place, country, policy, lookups.clock())
            return matches_answer(result, finder.study, finder.attribution, finder.contacts)

        return _answer(find)

    @server.tool(title="Find clinics for a condition near a place", annotations=_READS)
    def find_clinics(
        condition: Annotated[str, Field(max_length=200, description="Condition or words of the study's title.")],
        country: _Country,
        place: _Place,
        limit: _Limit = 5,
        within_km: _WithinKm = None,
    ) -> dict[str, Any]:
        """Rank the clinics of all recruiting studies on a condition: one entry for each clinic, with its studies."""

        def find() -> Any:
            clinics = lookups.live.clinics
            result = clinics.find(condition, place, country, _policy(limit, within_km, False), lookups.clock())
            return clinics_answer(result, clinics.attribution)

        return _answer(find)

    @server.tool(title="Look up a postcode or town", annotations=_READS)
    def locate_place(country: _Country, place: _Place) -> dict[str, Any]:
        """Return the place of a postcode or town, with its uncertainty, source and notes."""
        return _answer(lambda: place_answer(lookups.live.finder().gazetteer.locate(place, country), Unit.KM))


def _add_studies(server: MCPServer[Any], lookups: Lookups) -> None:
    @server.tool(title="Search studies", annotations=_READS)
    def find_studies(
        text: Annotated[str, Field(max_length=200, description="Condition, drug, sponsor or words of the title.")],
        age_years: Annotated[int | None, Field(ge=0, le=120, description="Only studies that take this age.")] = None,
        sex: Annotated[Literal["FEMALE", "MALE"] | None, Field(description="Only studies that take this sex.")] = None,
        only_recruiting: Annotated[bool, Field(description="Leave out studies that do not recruit.")] = True,
        limit: Annotated[int, Field(ge=1, le=_MOST, description="How many studies to return.")] = 10,
    ) -> dict[str, Any]:
        """Search the studies. Whether a person can take part is for the clinic to decide."""

        def find() -> dict[str, Any]:
            statuses = (RecruitmentStatus.RECRUITING,) if only_recruiting else ()
            words, after = query_words(text, field="text"), ""
            found: list[Study] = []
            while len(found) < limit:
                page = search_studies(lookups.store, words, statuses=statuses, limit=100, after=after)
                found += [study for study in page.studies if _takes(study, age_years, sex)]
                if page.after is None:
                    break
                after = page.after
            return {"studies": [msgspec.to_builtins(study_detail(study)) for study in found[:limit]]}

        return _answer(find)

    @server.resource("study://{study_id}", title="A study", mime_type="application/json")
    def study(study_id: str) -> str:
        """Return the facts of a study, from its registry record."""
        try:
            return msgspec.json.encode(study_detail(read_study(lookups.store, tidy_study_id(study_id)))).decode()
        except SitematchError as error:
            raise ResourceNotFoundError(error.message) from None


def _add_capacity(server: MCPServer[Any], lookups: Lookups, actor: Actor) -> None:
    @server.tool(title="Spots of each site", annotations=_READS)
    def capacity(study_id: _StudyId = None) -> dict[str, Any]:
        """Return the spots of each site of a study: cap, held, in screening, enrolled, remaining."""

        def read() -> dict[str, Any]:
            chosen = lookups.live.default_id if study_id is None else tidy_study_id(study_id)
            found = coordinating.capacity(lookups.store, actor, chosen, lookups.clock())
            return {"study_id": chosen, "sites": [msgspec.to_builtins(site_capacity_answer(site)) for site in found]}

        return _answer(read)


def _policy(limit: int, within_km: float | None, needs_free_spot: bool) -> MatchPolicy:
    return match_policy(limit=limit, within_km=within_km, min_spots=1 if needs_free_spot else None)


def _takes(study: Study, age_years: int | None, sex: str | None) -> bool:
    is_old_enough = age_years is None or study.age_min_years is None or age_years >= study.age_min_years
    is_young_enough = age_years is None or study.age_max_years is None or age_years <= study.age_max_years
    return is_old_enough and is_young_enough and (sex is None or study.sex in ("ALL", sex))


def _answer(make: Callable[[], Any]) -> dict[str, Any]:
    """Return an answer as JSON's types, or what is wrong with the request and what can be chosen instead.

    Raises
    ------
    mcp.server.mcpserver.exceptions.ToolError
        If there is no answer; its text is for the person.
    """
    try:
        return dict(msgspec.to_builtins(make()))
    except SitematchError as error:
        choices = getattr(error, "candidates", ()) or getattr(error, "suggestions", ())
        lines = [error.message, *(f"- {choice.text} ({choice.country}): {choice.why}" for choice in choices)]
        raise ToolError("\n".join(lines)) from None
